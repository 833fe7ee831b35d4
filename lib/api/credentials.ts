import { KiketApiError } from '../errors';
import { isHeaderText, type ApiSettings } from './api-options';
import { failTarget, readOrigin } from './target';

/** The origin of a call, and its credential. */
export interface Grant {
  readonly origin: string;
  readonly header: string;
  readonly credential: string;
}

/** Chooses the credential for a path. @throws {KiketApiError} `api.not_configured` or `api.target_refused`. */
export type Authorize = (path: string) => Grant;

/** `api` of a payload, as it was sent. */
export interface Callback {
  readonly base_url?: string | null;
  readonly runtime_header?: string | null;
}

export interface RuntimeToken {
  readonly runtimeToken: string | undefined;
  readonly expiresAt: Date | undefined;
}

/** Paths that accept a runtime token. */
const EXTENSION_API = '/api/v1/ext/';

/** For a payload that does not name the header. */
const DEFAULT_RUNTIME_HEADER = 'X-Kiket-Runtime-Token';
const RUNTIME_HEADER = /^x-kiket-(?!api-key$)[a-z0-9-]+$/i;

/** A token must not expire on its way to the API. */
const EXPIRY_SLACK_MS = 10_000;

/** Uses the runtime token of a delivery where the API accepts it, else the API key, which is sent to `baseUrl` only. */
export function authorizeDelivery(settings: ApiSettings, callback: Callback, token: RuntimeToken): Authorize {
  return (path) => {
    const origin = callbackOrigin(settings, callback);
    if (path.startsWith(EXTENSION_API) && isUsable(token)) {
      return { origin, header: runtimeHeader(callback), credential: runtimeTokenOf(token) };
    }
    if (settings.apiKey !== undefined) return withApiKey(settings, settings.apiKey);
    return failUnconfigured(
      !token.runtimeToken || !path.startsWith(EXTENSION_API)
        ? 'The delivery has no runtime token that this call accepts. Set api.apiKey.'
        : 'The runtime token of the delivery has expired. Set api.apiKey, or call earlier.',
    );
  };
}

/** Outside a delivery: uses the API key for paths of extensions, and the workspace token for all others. */
export function authorizeConfigured(settings: ApiSettings, workspaceToken: string | undefined): Authorize {
  const key = settings.apiKey === undefined ? undefined : withApiKey(settings, settings.apiKey);
  const workspace =
    workspaceToken === undefined
      ? undefined
      : { origin: settings.origin, header: 'Authorization', credential: `Bearer ${workspaceToken}` };
  return (path) =>
    (path.startsWith(EXTENSION_API) ? (key ?? workspace) : (workspace ?? key)) ??
    failUnconfigured('Set apiKey or workspaceToken of createKiketApi.');
}

function withApiKey({ origin }: ApiSettings, apiKey: string): Grant {
  return { origin, header: 'X-Kiket-API-Key', credential: apiKey };
}

function callbackOrigin({ origin, allowedOrigins }: ApiSettings, { base_url: baseUrl }: Callback): string {
  if (baseUrl == null) return origin;
  if (allowedOrigins.has(baseUrl)) return baseUrl;
  const read = readOrigin(baseUrl);
  if ('problem' in read) return failTarget(`the delivery's api.base_url ${read.problem}`);
  if (allowedOrigins.has(read.origin)) return read.origin;
  return failTarget("the delivery's api.base_url is not allowed; if it is yours, add it to api.allowedOrigins");
}

function isUsable({ runtimeToken, expiresAt }: RuntimeToken): boolean {
  return !!runtimeToken && (expiresAt === undefined || expiresAt.getTime() - EXPIRY_SLACK_MS > Date.now());
}

function runtimeHeader({ runtime_header: header }: Callback): string {
  if (header == null) return DEFAULT_RUNTIME_HEADER;
  return RUNTIME_HEADER.test(header)
    ? header
    : failTarget("the delivery's api.runtime_header is not a header for runtime tokens (X-Kiket-…)");
}

function runtimeTokenOf({ runtimeToken }: RuntimeToken): string {
  return isHeaderText(runtimeToken)
    ? runtimeToken
    : failTarget('the runtime token contains characters that are invalid in a header');
}

function failUnconfigured(message: string): never {
  throw KiketApiError.because('api.not_configured', message);
}
