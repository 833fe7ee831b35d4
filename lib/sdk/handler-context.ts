import type { IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import { apiOfExtension } from '../api/client';
import type { KiketAuth } from '../delivery/auth';
import type { KiketDelivery } from '../delivery/delivery';
import { hide } from '../delivery/secrets';
import type { KiketId } from '../guards';
import { createEndpoints, type ExtensionEndpoints, type ExtensionSecretManager } from './endpoints';
import { createSdkClient, type Headers, type KiketClient } from './sdk-client';
import type { SdkExtension, Settings } from './sdk-options';

/** The parsed body of a delivery. */
export type WebhookPayload = Record<string, unknown>;

/**
 * The result of a handler: an object, which is sent as JSON. A falsy value is sent as `{ "ok": true }`; the result for a guard
 * event is `allow()`, `deny()` or `pending()`.
 */
export type HandlerResult = unknown;

/** A handler that was written for the SDK. */
export type WebhookHandler<TPayload = WebhookPayload, TResult = HandlerResult> = (
  payload: TPayload,
  context: HandlerContext,
) => TResult | Promise<TResult>;

/** `context.requireScopes`. */
export type ScopeChecker = (...requiredScopes: string[]) => void;

/** `context.secret`. */
export type SecretHelper = (key: string) => string | undefined;

/** `context.auth`. Printed or serialised, it does not contain the token. */
export interface AuthenticationContext {
  /** The token for calls to Kiket; empty when the delivery has none. */
  runtimeToken: string;
  /** Such as `runtime`. */
  tokenType: string;
  /** ISO 8601; `null` when it is not known. */
  expiresAt: string | null;
  /** Granted scopes. */
  scopes: string[];
  /** The organization of a token that kiketRuntimeToken has verified; absent otherwise. */
  orgId?: KiketId;
  /** The extension of a token that kiketRuntimeToken has verified; absent otherwise. */
  extId?: string;
  /** The project of a token that kiketRuntimeToken has verified; absent otherwise. */
  projId?: KiketId;
}

/**
 * The second argument of a handler that was written for the SDK. Printed or serialised, it contains no settings, no headers, no
 * secrets and no token.
 */
export interface HandlerContext {
  /** The event's name, without a version. */
  readonly event: string;
  /** `v1`, `v2`, …; `1` is `v1`. */
  readonly eventVersion: string;
  /** The headers of the request, by their names in lower case. Only the body is signed. */
  readonly headers: Readonly<Headers>;
  /** Calls to Kiket's API. */
  readonly client: KiketClient;
  /** The endpoints of Kiket's API. */
  readonly endpoints: ExtensionEndpoints;
  /** The settings of the manifest and the options. */
  readonly settings: Readonly<Settings>;
  /** The id of the extension, from the options or the manifest. */
  readonly extensionId?: string | undefined;
  /** The version of the extension, from the options or the manifest. */
  readonly extensionVersion?: string | undefined;
  /** The secrets that the extension stores at Kiket: the same as `endpoints.secrets`. */
  readonly secrets: ExtensionSecretManager;
  /**
   * Returns the secret of the delivery, else that of `fallbackSecrets`, else `undefined`. The environment is not read. Throws
   * `delivery.unverified` for an unverified delivery.
   */
  readonly secret: SecretHelper;
  /** The secrets of the delivery by name. Printed or serialised, they show names only. */
  readonly payloadSecrets: Readonly<Record<string, string>>;
  /** The runtime token and its scopes. */
  readonly auth: AuthenticationContext;
  /** Throws a ScopeError, a final 403, when one of the scopes is not granted. The scope `*` includes all. */
  readonly requireScopes: ScopeChecker;
}

/** The members of a delivery that are used. */
export type SdkDelivery = Pick<KiketDelivery, 'event' | 'eventVersion' | 'payload' | 'secrets' | 'auth' | 'api'>;

/** Returns the context of a delivery. Its functions may be taken out of it. */
export function createContext(
  delivery: SdkDelivery,
  { headers }: Pick<IncomingMessage, 'headers'>,
  { settings, extensionId, extensionVersion }: SdkExtension,
): HandlerContext {
  const { event, eventVersion, payload } = delivery;
  const api = extensionId === undefined ? delivery.api : apiOfExtension(delivery.api, extensionId);
  const endpoints = createEndpoints(api);
  const auth = toAuthentication(delivery.auth);
  const context: HandlerContext = {
    event,
    eventVersion,
    headers: headers as Headers,
    client: createSdkClient(api),
    endpoints,
    settings,
    extensionId,
    extensionVersion,
    secrets: endpoints.secrets,
    secret: (key) => delivery.secrets.get(key),
    // Hidden by kiketParse when printed, and removed where they must not be read.
    payloadSecrets: (payload['secrets'] ?? {}) as Readonly<Record<string, string>>,
    auth,
    requireScopes: (...scopes) => delivery.auth.requireScopes(...scopes),
  };
  const toJSON = (): object => ({ event, eventVersion, extensionId, extensionVersion, auth });
  return Object.defineProperties(context, { toJSON: { value: toJSON }, [inspect.custom]: { value: toJSON } });
}

function toAuthentication(from: KiketAuth): AuthenticationContext {
  const { runtimeToken = '', tokenType = 'runtime', expiresAt, scopes, organizationId, extensionId, projectId } = from;
  const auth = {
    tokenType,
    expiresAt: expiresAt?.toISOString() ?? null,
    scopes: [...scopes],
    ...(organizationId !== undefined && { orgId: organizationId }),
    ...(extensionId !== undefined && { extId: extensionId }),
    ...(projectId !== undefined && { projId: projectId }),
  };
  hide(auth, 'runtimeToken', runtimeToken);
  return auth as typeof auth & Pick<AuthenticationContext, 'runtimeToken'>;
}
