import type { OutgoingRequest } from '../sending/http-message';
import { isLoopback } from '../api/target';
import type { Attempt } from '../sending/send';
import { notRunError, usageError } from './exit';

/**
 * Returns the URL of a target.
 *
 * @throws {CliError} when it is not an HTTP URL, or of another machine without `--allow-remote`.
 */
export function readTarget(text: string, isRemoteAllowed: boolean): URL {
  // `URL` reads `localhost:3000` as a scheme.
  const absolute = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(absolute) ? new URL(absolute) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw usageError(
      `the target must be an HTTP URL such as http://localhost:3000/kiket, but is ${JSON.stringify(text)}`,
    );
  }
  if (isLoopback(url.hostname) || isRemoteAllowed) return url;
  throw usageError(
    `${url.host} is not this machine: deliveries have effects there. Add --allow-remote if you want that`,
  );
}

/** Codes of Node for a target to which no connection was made. */
const UNREACHABLE =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_.*|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ETIMEDOUT|EACCES|EPERM|EPROTO|ERR_.*|.*CERT.*|UNABLE_TO_VERIFY_.*)$/;

/** @throws {CliError} when the request did not reach the target at all: there is nothing to say about the receiver. */
export function requireReached({ method, url }: OutgoingRequest, result: Attempt): void {
  if (!('failure' in result) || !UNREACHABLE.test(result.failure.code)) return;
  throw notRunError(`${new URL(url).origin} cannot be reached: ${result.failure.message}. Tried ${method} ${url}`);
}
