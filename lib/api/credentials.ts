import { KiketApiError } from '../errors';
import { isHeaderText, type ApiSettings } from './options';
import { readOrigin, refuseTarget } from './target';

/** Where a call goes, and the header that says on whose behalf. */
export interface Grant {
  readonly origin: string;
  readonly header: string;
  readonly credential: string;
}

/** @throws {KiketApiError} `api.not_configured` or `api.target_refused`, before a byte leaves. */
export type Authorize = (path: string) => Grant;

/** What a delivery's payload brings along for calls back (`contract.md` §3), as it was sent. */
export interface Callback {
  readonly base_url?: string | null;
  readonly runtime_header?: string | null;
}

export interface RuntimeToken {
  readonly runtimeToken: string | undefined;
  readonly expiresAt: Date | undefined;
}

/** What the runtime token is for. */
const EXTENSION_API = '/api/v1/ext/';

/** The contract's example. */
const DEFAULT_RUNTIME_HEADER = 'X-Kiket-Runtime-Token';
const RUNTIME_HEADER = /^x-kiket-(?!api-key$)[a-z0-9-]+$/i;

/** A token that expires on its way is of no use. */
const EXPIRY_SLACK_MS = 10_000;

/** A delivery's runtime token where it is good for the call, else the API key, which goes to `baseUrl` only. */
export function authorizeDelivery(settings: ApiSettings, callback: Callback, token: RuntimeToken): Authorize {
  return (path) => {
    const origin = callbackOrigin(settings, callback);
    if (path.startsWith(EXTENSION_API) && isUsable(token)) {
      return { origin, header: runtimeHeader(callback), credential: runtimeTokenOf(token) };
    }
    if (settings.apiKey !== undefined) return withApiKey(settings, settings.apiKey);
    return refuseUnconfigured(
      !token.runtimeToken || !path.startsWith(EXTENSION_API)
        ? 'The delivery carries no runtime token that is good for this call. Set api.apiKey.'
        : 'The runtime token of the delivery has expired. Set api.apiKey, or call before it does.',
    );
  };
}

/** Outside a delivery: the extension's key for its own part of the API, the workspace's token for the rest. */
export function authorizeConfigured(settings: ApiSettings, workspaceToken: string | undefined): Authorize {
  const key = settings.apiKey === undefined ? undefined : withApiKey(settings, settings.apiKey);
  const workspace =
    workspaceToken === undefined
      ? undefined
      : { origin: settings.origin, header: 'Authorization', credential: `Bearer ${workspaceToken}` };
  return (path) =>
    (path.startsWith(EXTENSION_API) ? (key ?? workspace) : (workspace ?? key)) ??
    refuseUnconfigured('Give apiKey or workspaceToken to createKiketApi.');
}

function withApiKey({ origin }: ApiSettings, apiKey: string): Grant {
  return { origin, header: 'X-Kiket-API-Key', credential: apiKey };
}

function callbackOrigin({ origin, allowedOrigins }: ApiSettings, { base_url: baseUrl }: Callback): string {
  if (baseUrl == null) return origin;
  if (allowedOrigins.has(baseUrl)) return baseUrl;
  const read = readOrigin(baseUrl);
  if ('problem' in read) return refuseTarget(`the delivery's api.base_url ${read.problem}`);
  if (allowedOrigins.has(read.origin)) return read.origin;
  return refuseTarget("the delivery's api.base_url is not allowed; if it is yours, name it in api.allowedOrigins");
}

function isUsable({ runtimeToken, expiresAt }: RuntimeToken): boolean {
  return !!runtimeToken && (expiresAt === undefined || expiresAt.getTime() - EXPIRY_SLACK_MS > Date.now());
}

function runtimeHeader({ runtime_header: header }: Callback): string {
  if (header == null) return DEFAULT_RUNTIME_HEADER;
  return RUNTIME_HEADER.test(header)
    ? header
    : refuseTarget("the delivery's api.runtime_header is none that a runtime token may go in (X-Kiket-…)");
}

function runtimeTokenOf({ runtimeToken }: RuntimeToken): string {
  return isHeaderText(runtimeToken) ? runtimeToken : refuseTarget('the runtime token is no text for a header');
}

function refuseUnconfigured(message: string): never {
  throw KiketApiError.because('api.not_configured', message);
}
