import { checked, describe, functionOption, readOptions, type Option, type OptionTable } from '../options';
import { CLAIM, COMPLETE, HOLD, RECORD, RELEASE, RENEW } from './redis-scripts';
import type { KiketStore } from './store';
import { withoutCommand } from '../redaction';

export type { KiketStore } from './store';

/** Options of {@link KiketRedisStore}. */
export interface KiketRedisStoreOptions {
  /**
   * Sends one command to the server that holds `key`, and returns its reply. node-redis:
   * `(command) => client.sendCommand(command)`; its cluster:
   * `(command, key) => cluster.sendCommand(key, false, [...command])`; ioredis and its cluster:
   * `(command) => client.call(...command)`.
   */
  sendCommand: (command: readonly [name: string, ...args: string[]], key: string) => PromiseLike<unknown>;
  /** Beginning of each key, without braces, which would decide where a cluster holds the keys. Default `kiket:`. */
  prefix?: string | undefined;
}

const WHO = 'KiketRedisStore';

const OPTIONS = {
  sendCommand: functionOption as Option<KiketRedisStoreOptions['sendCommand'], KiketRedisStoreOptions['sendCommand']>,
  prefix: checked('a string without braces', isPrefix, 'kiket:'),
} satisfies OptionTable<KiketRedisStoreOptions>;

function isPrefix(value: unknown): boolean {
  return typeof value === 'string' && !/[{}]/.test(value);
}

/**
 * Keeps claims and records in Redis 5 or newer, or Valkey, for all replicas of a service: one server, or a cluster.
 *
 * Each call is one script and one round trip, also right after a restart of Redis. It settles as `sendCommand` does, without a
 * time limit of its own.
 *
 * @example new KiketRedisStore({ sendCommand: (command) => client.sendCommand(command) })
 */
export class KiketRedisStore implements KiketStore {
  readonly #sendCommand: KiketRedisStoreOptions['sendCommand'];
  readonly #prefix: string;

  /** @throws {TypeError} at start-up, when an option is invalid or unknown. */
  constructor(options: Readonly<KiketRedisStoreOptions>) {
    const { sendCommand, prefix } = readOptions(WHO, options, OPTIONS);
    this.#sendCommand = sendCommand;
    this.#prefix = prefix;
  }

  async claim(keys: readonly string[], owner: string, lockMs: number): ReturnType<KiketStore['claim']> {
    const reply = await this.#run(CLAIM, keys, HOLD + owner, toMilliseconds(lockMs));
    const string = toBulkString(reply);
    if (string?.startsWith(RECORD)) return { state: 'recorded', record: string.slice(RECORD.length) };
    const heldMs = toInteger('claim', reply);
    return heldMs === 0 ? { state: 'claimed' } : { state: 'held', retryAfterMs: heldMs };
  }

  async renew(keys: readonly string[], owner: string, lockMs: number): Promise<boolean> {
    return toInteger('renew', await this.#run(RENEW, keys, HOLD + owner, toMilliseconds(lockMs))) === 1;
  }

  async complete(keys: readonly string[], owner: string, record: string, ttlMs: number): Promise<boolean> {
    const reply = await this.#run(COMPLETE, keys, HOLD + owner, RECORD + record, toMilliseconds(ttlMs));
    return toInteger('complete', reply) === 1;
  }

  async release(keys: readonly string[], owner: string): Promise<void> {
    toInteger('release', await this.#run(RELEASE, keys, HOLD + owner));
  }

  /** Sends the whole script, which works right after a restart too. Its hash would save a few hundred bytes. */
  async #run(script: string, keys: readonly string[], ...args: string[]): Promise<unknown> {
    const prefixed = keys.map((key) => this.#prefix + key);
    try {
      return await this.#sendCommand(['EVAL', script, String(prefixed.length), ...prefixed, ...args], prefixed[0]!);
    } catch (error) {
      throw withoutCommand(error);
    }
  }
}

/** Redis takes whole milliseconds from 1. */
function toMilliseconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms)));
}

/** Returns a bulk string, which clients give as a string or a buffer; `undefined` for any other reply. */
function toBulkString(reply: unknown): string | undefined {
  if (Buffer.isBuffer(reply)) return reply.toString();
  return typeof reply === 'string' ? reply : undefined;
}

/**
 * Returns an integer, which some clients give as a string or a bigint.
 *
 * @throws {Error} when the reply is not an integer from 0. The message has its type only, because it may be a record.
 */
function toInteger(step: string, reply: unknown): number {
  const value = toBulkString(reply) ?? reply;
  const isInteger =
    typeof value === 'string' ? /^\d+$/.test(value) : typeof value === 'number' || typeof value === 'bigint';
  const integer = isInteger ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(integer) && integer >= 0) return integer;
  throw new Error(`${WHO}: the reply of Redis to ${step} must be an integer, but is ${describe(reply)}`);
}
