import type { ServerResponse } from 'node:http';

/**
 * Makes everything that is still written to an answered response fall silent, where Node would throw at whoever holds
 * it: a handler that answers twice, or after its deadline, must not take the process with it.
 *
 * One change of prototype, at half the cost of a property for each.
 */
export function discardLateWrites(res: ServerResponse, isExpired: boolean): void {
  const prototype = Object.getPrototypeOf(res) as ResponsePrototype;
  if (silent.has(prototype)) return;
  let silentPrototype = silentByPrototype.get(prototype);
  if (silentPrototype === undefined) {
    silentPrototype = Object.create(prototype, SILENT) as ResponsePrototype;
    silentByPrototype.set(prototype, silentPrototype);
    silent.add(silentPrototype);
  }
  for (const name of OFTEN_WRAPPED) {
    if (Object.hasOwn(res, name)) Object.defineProperty(res, name, SILENT[name]!);
  }
  Object.setPrototypeOf(res, silentPrototype);
  // On the way into a mounted application, and out of it, Express sets another prototype.
  if (isExpired || prototype.app?.parent !== undefined) Object.defineProperties(res, SILENT);
}

/** Express gives every application a prototype of its own. */
interface ResponsePrototype {
  readonly app?: { readonly parent?: unknown };
}

/**
 * Whether a handler can reach the response, by a second parameter or by what its length does not count. Most take the
 * delivery alone; to leave their responses as they are saves 2 of 30 µs (Node 24).
 */
export function mayHoldResponse(handler: (...args: never[]) => unknown): boolean {
  return handler.length !== 1 || /\.\.\.|\barguments\b|\[native code\]/.test(handler.toString());
}

const silentByPrototype = new WeakMap<ResponsePrototype, ResponsePrototype>();
const silent = new WeakSet<ResponsePrototype>();

function chained(this: ServerResponse): ServerResponse {
  return this;
}

/** Calls what `write` or `end` was given to be called back, so that nobody waits for it. */
export function callBack(args: readonly unknown[]): void {
  const callback = args.find((argument) => typeof argument === 'function');
  if (callback !== undefined) process.nextTick(callback);
}

function written(...args: unknown[]): true {
  callBack(args);
  return true;
}

const SILENT: PropertyDescriptorMap = {
  ...methods(
    chained,
    'setHeader',
    'setHeaders',
    'appendHeader',
    'removeHeader',
    'writeHead',
    'flushHeaders',
    'addTrailers',
  ),
  ...methods(chained, 'writeContinue', 'writeProcessing', 'writeEarlyHints', 'status'),
  ...methods(written, 'write'),
  ...methods(function end(this: ServerResponse, ...args: unknown[]) {
    written(...args);
    return this;
  }, 'end'),
  /**
   * Once the connection may serve another delivery, the head counts as not sent: Express's last handler, reached by a
   * late `next(error)`, destroys the connection of a response whose head is out, and else writes into silence.
   */
  headersSent: {
    configurable: true,
    get(this: ServerResponse) {
      return !this.destroyed;
    },
  },
};

/** What sessions, compressions and loggers replace on a response. */
const OFTEN_WRAPPED = ['end', 'write', 'writeHead', 'setHeader'];

function methods(value: (...args: never[]) => unknown, ...names: string[]): PropertyDescriptorMap {
  return Object.fromEntries(names.map((name) => [name, { value, configurable: true, writable: true }]));
}
