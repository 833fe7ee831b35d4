import { checkManifest, type KiketEventsCheck } from '../events/check-manifest';
import { EventRoutes, type RegisteredEvent } from '../events/router';
import { createHandling, dispatch, rejectUnhandled, withScopes, type KiketHandler } from '../events/run-handler';
import type { KiketManifest, KiketManifestHook } from '../delivery/manifest';
import { manifestOption, requiredManifest } from '../delivery/manifest-option';
import { list, optionError, readOptions, requireCalled, shown, string, type OptionTable } from '../options';
import type { KiketEventPattern } from '../delivery/payload';
import { runStage, type Stage } from '../exchange/pipeline';
import type { KiketMiddleware } from '../exchange/express';
import { quoted } from '../text';

export type { KiketEventsCheck } from '../events/check-manifest';
export type { KiketRequestState } from '../exchange/express';

const WHO = 'kiketEvents';

/** Options of {@link kiketEvents}. */
export interface KiketEventsOptions {
  /**
   * The manifest that loadManifest() returned. At the first delivery the process warns of the differences between hooks
   * and handlers that {@link KiketEvents.check} finds: `KIKET_EVENTS_UNHANDLED` and `KIKET_EVENTS_UNLISTED`. Default
   * none.
   */
  manifest?: KiketManifest | undefined;
}

const OPTIONS = { manifest: manifestOption } satisfies OptionTable<KiketEventsOptions>;

/** Options of one registration. */
export interface KiketOnOptions {
  /**
   * Scopes that a delivery must have, all of them; else it fails with 403 `scope.missing`. The scope `*` includes all.
   * Default none.
   */
  scopes?: readonly string[] | undefined;
}

const ON_OPTIONS = { scopes: list(string(), { default: [] }) } satisfies OptionTable<KiketOnOptions>;

/** A middleware that passes each delivery to the handler of its event. */
export interface KiketEvents extends KiketMiddleware {
  /**
   * Registers a handler for `name` (any version), `name@v2`, `prefix.*` or `*`, or for a list of these. The most specific
   * registration wins. `prefix.*` and `*` never match a guard event.
   *
   * @throws {TypeError} when a pattern is invalid or already registered, or another argument is invalid.
   */
  on<P extends KiketEventPattern>(event: P | readonly P[], handler: KiketHandler<P>): this;
  /** Registers a handler for deliveries with the scopes of `options`. */
  on<P extends KiketEventPattern>(
    event: P | readonly P[],
    options: Readonly<KiketOnOptions>,
    handler: KiketHandler<P>,
  ): this;
  /**
   * Sets the fallback for events without a handler: `reject` (default), a final 404 `event.unhandled`; `ignore`, an empty 200,
   * which Kiket would treat as approval of a guard event, so that those are still rejected; or a handler, also for guard events.
   *
   * @throws {TypeError} when called twice, or with any other value.
   */
  otherwise(fallback: 'ignore' | 'reject' | KiketHandler): this;
  /**
   * Compares the registrations with a manifest. Call it when all handlers are registered: in a test, or before `listen`.
   *
   * @throws {TypeError} when `manifest` is not one that loadManifest() returned.
   */
  check(manifest: KiketManifest): KiketEventsCheck;
  /** Events with a handler, in the order of registration. */
  readonly registered: readonly RegisteredEvent[];
}

/**
 * Passes each parsed delivery to the handler of its event, and sends the reply as kiketHandler does:
 * `app.post('/kiket', kiket({ secret }), kiketEvents().on('issue.created', created))`.
 *
 * An event without a handler is 404 `event.unhandled`; see `otherwise`.
 *
 * @throws {TypeError} at start-up, when an option is invalid or unknown.
 * @example kiketEvents().on('issue.created', created).on('issue.*', changed).otherwise('ignore')
 */
export function kiketEvents(options: Readonly<KiketEventsOptions> = {}): KiketEvents {
  requireCalled('kiketEvents()', options);
  const { manifest } = readOptions(WHO, options, OPTIONS);
  const routes = new EventRoutes<Stage>(WHO);
  const reject = rejectUnhandled(routes);
  let fallback: Stage | undefined;
  let isLeftToFallback: (hook: KiketManifestHook) => boolean = () => false;

  const run = dispatch(WHO, (delivery) => routes.find(delivery) ?? fallback ?? reject);
  let stage = run;
  if (manifest !== undefined) {
    stage = (exchange, next) => {
      stage = run;
      warnOf(check(manifest), manifest);
      run(exchange, next);
    };
  }

  function on(this: KiketEvents, event: unknown, ...rest: unknown[]): KiketEvents {
    if (rest.length === 0 && typeof event === 'function') {
      throw new TypeError(
        `${WHO}: the event is missing: write .on("issue.created", fn), or .otherwise(fn) for all other events`,
      );
    }
    const [options, handler] = rest.length > 1 ? rest : [{}, rest[0]];
    const { scopes } = readOptions(WHO, options as KiketOnOptions, ON_OPTIONS);
    const handle = createHandling(WHO, handler as KiketHandler);
    routes.add(toPatterns(event), withScopes(scopes, handle));
    return this;
  }

  function otherwise(this: KiketEvents, given: unknown): KiketEvents {
    if (fallback !== undefined) throw new TypeError(`${WHO}: otherwise() is called twice`);
    if (given === 'reject') fallback = reject;
    else if (given === 'ignore') {
      fallback = ignoreOrReject(reject);
      isLeftToFallback = ({ isGuard }) => !isGuard;
    } else if (typeof given === 'function') {
      fallback = createHandling(WHO, given as KiketHandler);
      isLeftToFallback = () => true;
    } else throw optionError(WHO, 'fallback', '"ignore", "reject" or a function', `is ${shown(given)}`);
    return this;
  }

  function check(given: KiketManifest): KiketEventsCheck {
    return checkManifest(requiredManifest.read(given, WHO, 'manifest'), routes, isLeftToFallback);
  }

  const events = function kiketEventsMiddleware(req, res, next) {
    runStage(stage, req, res, next);
  } as KiketMiddleware;
  return Object.defineProperties(events, {
    on: { value: on },
    otherwise: { value: otherwise },
    check: { value: check },
    registered: { get: () => routes.registered },
  }) as KiketEvents;
}

function warnOf({ unhandledHooks, unlistedHandlers }: KiketEventsCheck, { path, required }: KiketManifest): void {
  if (unhandledHooks.length > 0) {
    const names = unhandledHooks.map(({ event }) => quoted(event)).join(', ');
    const effect = required ? 'is rejected with 404, which halts the workflow' : 'is rejected with 404';
    const message = `${WHO}: these hooks of ${path} have no handler: ${names}. Each of their deliveries ${effect}. Register a handler, or call otherwise()`;
    process.emitWarning(message, { code: 'KIKET_EVENTS_UNHANDLED' });
  }
  if (unlistedHandlers.length > 0) {
    const names = unlistedHandlers.join(', ');
    const message = `${WHO}: no hook and no command of ${path} reaches these handlers: ${names}`;
    process.emitWarning(message, { code: 'KIKET_EVENTS_UNLISTED' });
  }
}

/** Ignores an event, but rejects a guard event. */
function ignoreOrReject(reject: Stage): Stage {
  const ignore = createHandling(WHO, (_delivery) => undefined);
  return (exchange, next) => (exchange.delivery.isGuard ? reject : ignore)(exchange, next);
}

function toPatterns(event: unknown): readonly string[] {
  if (!Array.isArray(event)) return [event as string];
  if (event.length > 0) return event as string[];
  throw optionError(WHO, 'event', 'a string or a non-empty array', 'is an empty array');
}
