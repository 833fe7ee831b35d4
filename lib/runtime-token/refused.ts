import { SignatureError } from '../errors';

/**
 * A token that does not count. There is no cause: the errors of jose hold the claims.
 *
 * @param reason goes on after "The runtime token", in prose, and quotes nothing of the token.
 */
export function refused(reason: string): SignatureError {
  return SignatureError.of('token.invalid', `The runtime token ${reason}.`);
}

/** Nothing vouches for the delivery. */
export function noToken(): SignatureError {
  return SignatureError.of('token.invalid', 'The delivery carries no runtime token in authentication.runtime_token.');
}

/**
 * The token may be right: its key could not be had.
 *
 * @param waitMs until keys are fetched again.
 */
export function unverifiable(cause: unknown, waitMs = 0): SignatureError {
  return SignatureError.of(
    'token.keys_unavailable',
    "The runtime token could not be checked, because the platform's keys are not to be had. Kiket sends the delivery again.",
    { cause, retryAfterSeconds: waitMs > 0 ? waitMs / 1000 : undefined },
  );
}
