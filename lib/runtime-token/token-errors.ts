import { SignatureError } from '../errors';

/**
 * Returns the error for a token that is not accepted. It has no cause, because the errors of jose contain the claims.
 *
 * @param reason continues "The runtime token", and quotes nothing of the token.
 */
export function tokenError(reason: string): SignatureError {
  return SignatureError.of('token.invalid', `The runtime token ${reason}.`);
}

/** Returns the error for a delivery without a token. */
export function missingTokenError(): SignatureError {
  return SignatureError.of('token.invalid', 'The delivery has no runtime token in authentication.runtime_token.');
}

/** Returns the error for a token that may be valid, but cannot be verified now. */
export function keysUnavailableError(cause: unknown): SignatureError {
  return SignatureError.of(
    'token.keys_unavailable',
    "The runtime token could not be verified, because Kiket's public keys could not be fetched. Kiket sends the delivery again.",
    { cause, retryAfterSeconds: 1 },
  );
}
