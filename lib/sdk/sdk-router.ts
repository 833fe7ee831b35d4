import { EventRoutes, type RegisteredEvent } from '../events/router';
import { createHandling, dispatch, rejectUnhandled, withScopes, type KiketHandler } from '../events/run-handler';
import type { KiketMiddleware } from '../exchange/express';
import { runStage, type Stage } from '../exchange/pipeline';
import { isObject, isNonEmptyString } from '../guards';
import { describe, functionOption, list, optionError, requireCalled, string } from '../options';
import { adaptHandler } from './from-sdk';
import type { HandlerResult, WebhookHandler, WebhookPayload } from './handler-context';
import { readSdkOptions, type SdkOptions } from './sdk-options';

const WHO = 'sdkRouter';

/** A middleware that passes each delivery to the handler of its event and version, with the registration of the SDK. */
export interface SdkRouter extends KiketMiddleware {
  /**
   * Returns a function that registers a handler, and returns it. `scopes` must all be granted: otherwise 403 `scope.missing`.
   * Default none.
   *
   * @throws {TypeError} as `register`, when that function is called.
   */
  webhook(
    event: string,
    version: string,
    scopes?: readonly string[],
  ): <TPayload = WebhookPayload, TResult = HandlerResult>(
    handler: WebhookHandler<TPayload, TResult>,
  ) => WebhookHandler<TPayload, TResult>;
  /**
   * Registers a handler for one version of an event; `1` and `v1` are the same version. `scopes` must all be granted: otherwise
   * 403 `scope.missing`. Default none.
   *
   * @throws {TypeError} when an argument is invalid, or event and version are already registered.
   */
  register<TPayload = WebhookPayload, TResult = HandlerResult>(
    event: string,
    handler: WebhookHandler<TPayload, TResult>,
    version: string,
    scopes?: readonly string[],
  ): this;
  /**
   * Registers each exported function of a module that has an event in `__kiket_event__` and a version in `__kiket_version__`.
   *
   * @throws {TypeError} when there is none, or as `register`.
   */
  load(module: object): this;
  /** Events with a handler, in the order of registration. */
  readonly registered: readonly RegisteredEvent[];
}

const scopesOption = list(string(), { default: [] });

/**
 * Creates a middleware for handlers that were written for the SDK: `app.post('/kiket', kiket({ secret }), router)`. Each handler
 * runs as with {@link fromSdk}. An event or a version without a handler is 404 `event.unhandled`.
 *
 * @throws {TypeError} at start-up, when an option is invalid or unknown.
 * @example sdkRouter({ extensionId: 'com.acme.crm' }).register('issue.created', created, 'v1', ['issues.read'])
 */
export function sdkRouter(options: Readonly<SdkOptions> = {}): SdkRouter {
  requireCalled(`${WHO}()`, options);
  const extension = readSdkOptions(WHO, options);
  const routes = new EventRoutes<Stage>(WHO);
  const reject = rejectUnhandled(routes);
  const stage = dispatch(WHO, (delivery) => routes.find(delivery) ?? reject);

  function add(event: string, handler: WebhookHandler, version: string, scopes: readonly string[] = []): void {
    functionOption.read(handler, WHO, 'handler');
    string().read(event, WHO, 'event');
    string().read(version, WHO, 'version');
    const handle = createHandling(WHO, adaptHandler(handler, extension) as KiketHandler);
    routes.add([`${event}@${version}`], withScopes(scopesOption.read(scopes, WHO, 'scopes'), handle));
  }

  function webhook(event: string, version: string, scopes?: readonly string[]) {
    return (handler: WebhookHandler): WebhookHandler => {
      add(event, handler, version, scopes);
      return handler;
    };
  }

  function register(this: SdkRouter, ...args: Parameters<typeof add>): SdkRouter {
    add(...args);
    return this;
  }

  function load(this: SdkRouter, module: unknown): SdkRouter {
    const handlers = markedHandlers(module);
    if (handlers.length === 0) {
      throw optionError(
        WHO,
        'module',
        'a module that exports functions with __kiket_event__ and __kiket_version__',
        isObject(module) ? 'exports none' : `is ${describe(module)}`,
      );
    }
    for (const handler of handlers) add(handler.__kiket_event__, handler, handler.__kiket_version__);
    return this;
  }

  const router = function sdkRouterMiddleware(req, res, next) {
    runStage(stage, req, res, next);
  } as KiketMiddleware;
  return Object.defineProperties(router, {
    webhook: { value: webhook },
    register: { value: register },
    load: { value: load },
    registered: { get: () => routes.registered },
  }) as SdkRouter;
}

type MarkedHandler = WebhookHandler & { readonly __kiket_event__: string; readonly __kiket_version__: string };

/** Each once: a module may export the same function by two names. */
function markedHandlers(module: unknown): MarkedHandler[] {
  return isObject(module) ? [...new Set(Object.values(module))].filter(isMarked) : [];
}

function isMarked(exported: unknown): exported is MarkedHandler {
  if (typeof exported !== 'function') return false;
  const { __kiket_event__: event, __kiket_version__: version } = exported as Partial<MarkedHandler>;
  return isNonEmptyString(event) && isNonEmptyString(version);
}
