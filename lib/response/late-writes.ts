import type { IncomingMessage, ServerResponse } from 'node:http';
import { nextTick } from '../timers';

/** The state of a response before it was silenced, for {@link restore}. */
export interface Silenced {
  readonly prototype: object;
  readonly names: readonly string[];
  /** The own properties among these names. The others were added. */
  readonly own: PropertyDescriptorMap;
}

/**
 * Ignores writes to a response that has ended, where Node would throw at the writer: a handler that responds twice, or after its
 * deadline, must not end the process. Reading from the response works as before. A further `end` is ignored by the
 * method that {@link DeliveryResponse} has put on the response.
 *
 * It changes the prototype once, at half the cost of a property for each method.
 *
 * @param mayMove true when the chain may still go on, into a mounted application: Express sets another prototype then.
 */
export function silence(res: ServerResponse, mayMove: boolean): void {
  const prototype = Object.getPrototypeOf(res) as ResponsePrototype;
  if (silent.has(prototype)) return;
  const isAll = needsOwn(prototype, mayMove);
  for (const name of isAll ? ALL : OFTEN_WRAPPED) {
    if (isAll || Object.hasOwn(res, name)) Object.defineProperty(res, name, SILENT[name]!);
  }
  Object.setPrototypeOf(res, silentOf(prototype));
}

/** {@link silence}, until {@link restore}. */
export function silenceForNow(res: ServerResponse, mayMove: boolean): Silenced {
  const prototype = Object.getPrototypeOf(res) as ResponsePrototype;
  const names = needsOwn(prototype, mayMove) ? ALL : OFTEN_WRAPPED;
  const own: PropertyDescriptorMap = {};
  for (const name of names) {
    const property = Object.getOwnPropertyDescriptor(res, name);
    if (property !== undefined) own[name] = property;
  }
  silence(res, mayMove);
  return { prototype, names, own };
}

function needsOwn(prototype: ResponsePrototype, mayMove: boolean): boolean {
  // On the way out of a mounted application Express sets another prototype, too.
  return mayMove || prototype.app?.parent !== undefined;
}

function silentOf(prototype: ResponsePrototype): ResponsePrototype {
  let silentPrototype = silentByPrototype.get(prototype);
  if (silentPrototype === undefined) {
    silentPrototype = Object.create(prototype, SILENT) as ResponsePrototype;
    silentByPrototype.set(prototype, silentPrototype);
    silent.add(silentPrototype);
  }
  return silentPrototype;
}

/** Makes a silenced response writable again. */
export function restore(res: ServerResponse, silenced: Silenced): void {
  for (const name of silenced.names) {
    const property = silenced.own[name];
    if (property !== undefined) Object.defineProperty(res, name, property);
    else if (Object.hasOwn(res, name)) Reflect.deleteProperty(res, name);
  }
  Object.setPrototypeOf(res, silenced.prototype);
}

/**
 * Keeps a late `next(error)` from ending the connection, which may carry the next delivery, or the rest of this response: Express's
 * last handler destroys `req.socket` when the head of the response is out. Call it when the response has ended, and when it has
 * closed. Listeners of 'finish' and 'close' find the original socket.
 */
export function shieldSocket(req: IncomingMessage, res: ServerResponse, isClosed: boolean): void {
  const { socket } = req as { socket: IncomingMessage['socket'] | null | undefined };
  // Over HTTP/2 it is an accessor, for the stream of this one request.
  if (socket == null || !Object.hasOwn(req, 'socket')) return;
  const shield = shieldOf(socket);
  if (isClosed) {
    nextTick(() => (req.socket = shield));
  } else if (res.writableFinished === false) {
    // The response takes a while to leave. Otherwise it has closed before Express's last handler runs.
    req.socket = shield;
    res.prependOnceListener('finish', () => (req.socket = socket));
  }
}

function shieldOf(socket: IncomingMessage['socket']): IncomingMessage['socket'] {
  if (shields.has(socket)) return socket;
  let shield = shieldBySocket.get(socket);
  if (shield === undefined) {
    shield = new Proxy(socket, {
      get: (target, name): unknown => (name === 'destroy' ? keep : Reflect.get(target, name, target)),
    });
    shieldBySocket.set(socket, shield);
    shields.add(shield);
  }
  return shield;
}

/** Express gives every application a prototype of its own. */
interface ResponsePrototype {
  readonly app?: { readonly parent?: unknown };
}

const silentByPrototype = new WeakMap<ResponsePrototype, ResponsePrototype>();
const silent = new WeakSet<ResponsePrototype>();
const shieldBySocket = new WeakMap<object, IncomingMessage['socket']>();
const shields = new WeakSet<object>();

/** Replaces `destroy` of a socket. */
function keep(this: unknown): unknown {
  return this;
}

function chained(this: ServerResponse): ServerResponse {
  return this;
}

/** Calls the callback among the arguments of `write` or `end`, so that nobody waits for it. */
export function callBack(args: readonly unknown[]): void {
  const callback = args.find((argument) => typeof argument === 'function');
  if (callback !== undefined) nextTick(callback);
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
};

const ALL = Object.keys(SILENT);

/** The methods that sessions, compressions, loggers and this package replace on a response. */
const OFTEN_WRAPPED = ['write', 'writeHead', 'setHeader'];

function methods(value: (...args: never[]) => unknown, ...names: string[]): PropertyDescriptorMap {
  return Object.fromEntries(names.map((name) => [name, { value, configurable: true, writable: true }]));
}
