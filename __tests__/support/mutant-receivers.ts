import { createHmac, timingSafeEqual } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { CheckReceiverOptions } from '../../lib/conformance/check-receiver';
import { turns } from './turns';

type Json = Record<string, unknown>;

/** An error with its response. */
class Refused extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, headers: Readonly<Record<string, string>> = {}) {
    super(code);
    this.status = status;
    this.headers = headers;
  }
}

/** A response. */
interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the parts of a receiver know of a request. */
interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly method: string;
  readonly body: Buffer;
}

const KEY = 'whsec_of_the_mutants';
const PREVIOUS_KEY = 'whsec_of_the_mutants_before';
const MB = 1024 * 1024;
/** Longer than a busy process needs to read what has come. */
const IDLE_MS = 5000;

const sign = (key: string, text: Buffer | string): Buffer => createHmac('sha256', key).update(text).digest();

const header = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
};

/** A receiver that keeps the contract. A mutant replaces one of its methods. */
class Receiver {
  keys: readonly string[] = [KEY, PREVIOUS_KEY];
  schemes: readonly string[] = ['timestamped'];
  limit = MB;
  /** The number of effects so far. */
  effects = 0;
  /** The origin of Kiket's API; `undefined` for a receiver that does not call back. */
  api: string | undefined;
  /** Handled deliveries, and those in progress. */
  readonly seen = new Map<string, Promise<Reply> | 'in progress'>();

  async receive(req: IncomingMessage): Promise<Reply> {
    if (!this.isDelivery(req)) throw new Refused(405, 'method');
    this.checkHeaders(req.headers);
    const body = await this.read(req);
    const received = { headers: req.headers, method: req.method!, body };
    if (!this.isSigned(received)) throw new Refused(401, 'signature');
    const payload = this.payloadOf(received);
    return this.once(payload, received);
  }

  isDelivery(req: IncomingMessage): boolean {
    return req.method === 'POST';
  }

  checkHeaders(headers: IncomingHttpHeaders): void {
    if (headers['content-encoding'] !== undefined) throw new Refused(415, 'encoding');
    if (Number(headers['content-length'] ?? 0) > this.limit) throw new Refused(413, 'too large');
  }

  idleMs = IDLE_MS;

  read(req: IncomingMessage): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let length = 0;
      const idle = setTimeout(() => reject(new Refused(408, 'idle')), this.idleMs);
      req.on('data', (chunk: Buffer) => {
        idle.refresh();
        chunks.push(chunk);
        length += chunk.length;
        if (length > this.limit) reject(new Refused(413, 'too large'));
      });
      req.on('end', () => (clearTimeout(idle), resolve(Buffer.concat(chunks))));
      req.on('close', () => (clearTimeout(idle), reject(this.broken())));
    });
  }

  broken(): Error {
    return new Refused(400, 'broken off');
  }

  isSigned({ headers, body }: Received): boolean {
    const mac = this.macOf(header(headers, 'x-kiket-signature'));
    if (mac === undefined) return false;
    const timestamp = header(headers, 'x-kiket-timestamp');
    if (timestamp === undefined) return this.schemes.includes('body') && this.matches(mac, this.signed(body));
    if (!/^\d{1,10}$/.test(timestamp) || !this.isFresh(Number(timestamp) - Date.now() / 1000)) return false;
    return this.matches(mac, Buffer.concat([Buffer.from(`${timestamp}.`), this.signed(body)]));
  }

  macOf(value: string | undefined): Buffer | undefined {
    const digits = /^(?:sha256=)?([\da-f]{64})$/i.exec(value ?? '')?.[1];
    return digits === undefined ? undefined : Buffer.from(digits, 'hex');
  }

  signed(body: Buffer): Buffer {
    return body;
  }

  isFresh(ageSeconds: number): boolean {
    return Math.abs(ageSeconds) <= 300;
  }

  matches(mac: Buffer, text: Buffer): boolean {
    return this.keys.some((key) => this.isEqual(sign(key, text), mac));
  }

  isEqual(expected: Buffer, mac: Buffer): boolean {
    return expected.length === mac.length && timingSafeEqual(expected, mac);
  }

  payloadOf({ body }: Received): Json {
    let value: unknown;
    try {
      value = JSON.parse(this.decode(body));
    } catch (error) {
      throw this.malformed(error as Error);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.malformed(new Error('no object'));
    return value as Json;
  }

  decode(body: Buffer): string {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  }

  malformed(_error: Error): Error {
    return new Refused(400, 'malformed');
  }

  async once(payload: Json, received: Received): Promise<Reply> {
    const key = this.keyOf(payload, received);
    const known = this.seen.get(key);
    if (known === 'in progress') return this.busy();
    if (known !== undefined) return this.again(await known);
    this.seen.set(key, 'in progress');
    try {
      const reply = await this.handle(payload, received);
      this.seen.set(key, Promise.resolve(reply));
      return reply;
    } catch (error) {
      this.seen.delete(key);
      throw error;
    }
  }

  busy(): Reply {
    throw new Refused(503, 'in progress', { 'Retry-After': '1' });
  }

  again(reply: Reply): Reply {
    return reply;
  }

  keyOf({ authentication: _authentication, secrets: _secrets, ...content }: Json, { headers }: Received): string {
    return JSON.stringify([header(headers, 'x-kiket-invocation'), content]);
  }

  eventOf(payload: Json, headers: IncomingHttpHeaders): string {
    const { event } = payload;
    if (typeof event !== 'string' || event === '') throw new Refused(422, 'no event');
    if (![event, undefined].includes(header(headers, 'x-kiket-event'))) throw new Refused(400, 'conflict');
    return event;
  }

  async handle(payload: Json, { headers }: Received): Promise<Reply> {
    this.checkPayload(payload);
    const event = this.eventOf(payload, headers);
    const version = String(payload['event_version']).replace(/^v/, '');
    if (version !== '1') return this.unknownVersion();
    if (event === 'workflow.before_transition') return { status: 200, body: await this.decide(payload) };
    if (event !== 'issue.created') return this.unknownEvent();
    if (this.api !== undefined) await this.callBack(payload);
    await this.act(payload);
    return this.done(payload);
  }

  checkPayload(_payload: Json): void {}

  unknownVersion(): Reply | Promise<Reply> {
    throw new Refused(404, 'unknown version');
  }

  unknownEvent(): Reply | Promise<Reply> {
    throw new Refused(404, 'unknown event');
  }

  async act(_payload: Json): Promise<void> {
    await wait(1);
    this.effects++;
  }

  done({ issue }: Json): Reply {
    return { status: 200, body: { ok: true, title: (issue as Json | undefined)?.['title'] } };
  }

  decide({ transition }: Json): object | Promise<object> {
    if (transition === undefined) return { status: 'deny', message: 'There is no transition' };
    return { status: 'allow', metadata: { output_fields: { checked: 'yes' } } };
  }

  /** Whether the API may be called at an origin. */
  isApi(origin: unknown): boolean {
    return origin === this.api;
  }

  credentials({ authentication, api }: Json): Record<string, string> {
    const { runtime_token: token } = (authentication ?? {}) as { runtime_token?: string };
    const { runtime_header: name } = (api ?? {}) as { runtime_header?: string };
    return token === undefined ? { 'X-Kiket-API-Key': 'ext_fake' } : { [name ?? 'X-Kiket-Runtime-Token']: token };
  }

  async callBack(payload: Json): Promise<void> {
    const { base_url: origin } = (payload['api'] ?? {}) as { base_url?: string };
    if (!this.isApi(origin)) throw new Refused(422, 'not the API');
    const status = await this.call(`${origin}/api/v1/ext/rate_limit`, this.credentials(payload));
    if (status !== 200) throw this.apiFailed(status);
  }

  async call(url: string, headers: Record<string, string>): Promise<number> {
    try {
      const response = await fetch(url, { headers, signal: AbortSignal.timeout(2000) });
      await response.text();
      return response.status;
    } catch {
      return 0;
    }
  }

  apiFailed(status: number): Error {
    const isFinal = status >= 400 && status < 500 && status !== 429;
    return isFinal ? new Refused(422, 'refused by the API') : new Refused(503, 'API', { 'Retry-After': '1' });
  }

  failed(error: Error): Reply {
    const { status, headers } = error instanceof Refused ? error : { status: 500, headers: {} };
    return { status, headers, body: { error: { code: error instanceof Refused ? error.message : 'failed' } } };
  }

  send(res: ServerResponse, { status, body, headers = {} }: Reply): void {
    res.writeHead(status, { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers });
    res.end(body === undefined ? '' : JSON.stringify(body));
  }
}

/** A fault of a receiver, and the cases that find it. */
export interface Mutant {
  readonly name: string;
  /** The case that is meant for it. */
  readonly id: string;
  readonly severity: 'must' | 'should' | 'hint';
  /** Other cases that fail as a must, where the fault breaks several requirements. */
  readonly also?: readonly string[];
  /** Cases that fail depending on the order in which requests arrive. */
  readonly maybe?: readonly string[];
  readonly change: (receiver: Receiver) => object;
  readonly options?: Partial<CheckReceiverOptions>;
  /** True when the receiver calls back. */
  readonly callsBack?: boolean;
}

const text = (body: Buffer): string => body.toString();

/** Replaces the bytes that the MAC covers. */
const signs = (change: (body: string) => string) => () => ({
  signed: (body: Buffer) => Buffer.from(change(text(body))),
});

/** Verifies as before, or in another way. */
const alsoAccepts = (receiver: Receiver, accepts: (received: Received) => boolean): object => {
  const before = receiver.isSigned.bind(receiver);
  return { isSigned: (received: Received) => before(received) || accepts(received) };
};

/** Verifies as before, over other bytes too. */
const alsoSigns = (receiver: Receiver, change: (body: string) => string): object => {
  const before = receiver.isSigned.bind(receiver);
  return {
    isSigned: (received: Received) =>
      before(received) || before({ ...received, body: Buffer.from(change(text(received.body))) }),
  };
};

const alsoHasKeys =
  (...keys: string[]) =>
  () => ({ keys: [KEY, PREVIOUS_KEY, ...keys] });

const fails = (): never => {
  throw new Error('a bug');
};

const stringified = (body: string): string => {
  try {
    return JSON.stringify(JSON.parse(body));
  } catch {
    return body;
  }
};

const must = 'must';
const should = 'should';
const hint = 'hint';

/** Each is a correct receiver with one fault. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'finds the event with a regular expression',
    id: 'A2',
    severity: must,
    change: () => ({
      payloadOf(received: Received) {
        if (!/^\uFEFF?\s*\{\s*"event"/.test(text(received.body)) && /"event":/.test(text(received.body)))
          throw new Refused(422, 'no event');
        return Receiver.prototype.payloadOf.call(this, received);
      },
    }),
  },
  {
    name: 'verifies JSON that it has written itself',
    id: 'A2',
    severity: must,
    also: ['A2b', 'A2c', 'A2e', 'A2f', 'A2g', 'A2h', 'B4'],
    change: signs(stringified),
  },
  {
    name: 'removes the backslash before a slash, then verifies',
    id: 'A2b',
    severity: must,
    change: signs((body) => body.replaceAll('\\/', '/')),
  },
  {
    name: 'decodes \\u escapes, then verifies',
    id: 'A2c',
    severity: must,
    change: signs((body) =>
      body.replace(/\\u([\da-f]{4})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    ),
  },
  {
    name: 'decodes as Latin-1, then verifies',
    id: 'A2d',
    severity: must,
    also: ['A2d'],
    change: () => ({ signed: (body: Buffer) => Buffer.from(body.toString('latin1')) }),
  },
  {
    name: 'writes numbers in its own way, then verifies',
    id: 'A2e',
    severity: must,
    change: signs((body) => body.replace(/\b1\.0\b/g, '1')),
  },
  {
    name: 'removes the last newline, then verifies',
    id: 'A2f',
    severity: must,
    change: signs((body) => body.replace(/\n$/, '')),
  },
  {
    name: 'normalises line ends, then verifies',
    id: 'A2g',
    severity: must,
    change: signs((body) => body.replaceAll('\r\n', '\n')),
  },
  {
    name: 'removes blanks at the start, then verifies',
    id: 'A2h',
    severity: must,
    change: signs((body) => body.replace(/^ +/, '')),
  },
  {
    name: 'knows signatures without sha256= only',
    id: 'A3',
    severity: should,
    change: () => ({ macOf: (value = '') => (/^[\da-f]{64}$/i.test(value) ? Buffer.from(value, 'hex') : undefined) }),
  },
  {
    name: 'knows digits in lower case only',
    id: 'A3',
    severity: hint,
    change: () => ({
      macOf: (value = '') =>
        /^(?:sha256=)?[\da-f]{64}$/.test(value) ? Buffer.from(value.slice(-64), 'hex') : undefined,
    }),
  },
  {
    name: 'needs the header of the event',
    id: 'A4',
    severity: should,
    change: () => ({
      checkHeaders(headers: IncomingHttpHeaders) {
        Receiver.prototype.checkHeaders.call(this, headers);
        if (headers['x-kiket-event'] === undefined) throw new Refused(400, 'no event');
      },
    }),
  },
  {
    name: 'knows the version v1 only',
    id: 'A5',
    severity: hint,
    change: () => ({
      checkPayload({ event_version }: Json) {
        if (event_version !== 'v1') throw new Refused(404, 'version');
      },
    }),
  },
  {
    name: 'does not remove a byte order mark',
    id: 'A6',
    severity: should,
    change: () => ({
      decode: (body: Buffer) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body),
    }),
  },
  {
    name: 'compares the whole type of the body',
    id: 'A7',
    severity: should,
    change: () => ({
      checkHeaders(headers: IncomingHttpHeaders) {
        Receiver.prototype.checkHeaders.call(this, headers);
        if (headers['content-type'] !== 'application/json') throw new Refused(415, 'type');
      },
    }),
  },
  {
    name: 'needs a length',
    id: 'A8',
    severity: should,
    change: () => ({
      checkHeaders(headers: IncomingHttpHeaders) {
        Receiver.prototype.checkHeaders.call(this, headers);
        if (headers['content-length'] === undefined) throw new Refused(411, 'length');
      },
    }),
  },
  { name: 'has the limit of express.json()', id: 'A9', severity: should, change: () => ({ limit: 100 * 1024 }) },
  {
    name: 'refuses unknown members',
    id: 'A10',
    severity: should,
    change: () => ({
      checkPayload(payload: Json) {
        const known = [
          'event',
          'event_version',
          'issue',
          'transition',
          'authentication',
          'api',
          'secrets',
          'context',
          'secret_status',
          'definition',
        ];
        if (Object.keys(payload).some((name) => name.startsWith('check_') && !known.includes(name)))
          throw new Refused(422, 'unknown');
      },
    }),
  },
  {
    name: 'cannot read null',
    id: 'A10',
    severity: should,
    change: () => ({ checkPayload: ({ context }: Json) => void (context as Json)['check'] }),
  },
  { name: 'forgets the previous secret', id: 'A11', severity: should, change: () => ({ keys: [KEY] }) },
  {
    name: 'refuses a second delivery at the same time',
    id: 'A12',
    severity: must,
    change: (receiver) => {
      const before = receiver.once.bind(receiver);
      let running = 0;
      return {
        async once(payload: Json, received: Received) {
          if (receiver.seen.get(receiver.keyOf(payload, received)) !== undefined) return before(payload, received);
          if (running > 0) throw new Refused(409, 'busy');
          running++;
          return before(payload, received).finally(() => running--);
        },
      };
    },
  },
  {
    name: 'fails when there are several at the same time',
    id: 'A12',
    severity: should,
    change: (receiver) => {
      const before = receiver.once.bind(receiver);
      let running = 0;
      return {
        async once(payload: Json, received: Received) {
          if (running > 0) throw new Refused(503, 'busy', { 'Retry-After': '1' });
          running++;
          return before(payload, received).finally(() => running--);
        },
      };
    },
  },
  {
    name: 'accepts what is not signed',
    id: 'B1',
    severity: must,
    change: (receiver) => alsoAccepts(receiver, ({ headers }) => headers['x-kiket-signature'] === undefined),
  },
  {
    name: 'has the secret of a template, too',
    id: 'B2',
    severity: must,
    change: alsoHasKeys('whsec_of_another_extension'),
  },
  {
    name: 'looks at the form of a signature only',
    id: 'B3',
    severity: must,
    also: ['B2', 'B4', 'B5', 'B7'],
    change: (receiver) => ({
      isSigned: ({ headers }: Received) => receiver.macOf(header(headers, 'x-kiket-signature')) !== undefined,
    }),
  },
  {
    name: 'also verifies JSON that it has written itself',
    id: 'B4',
    severity: must,
    change: (receiver) => alsoSigns(receiver, stringified),
  },
  { name: 'has no secret', id: 'B5', severity: must, change: alsoHasKeys('') },
  { name: 'has the string undefined as secret', id: 'B5', severity: must, change: alsoHasKeys('undefined') },
  {
    name: 'has the reference of the manifest as secret',
    id: 'B5',
    severity: must,
    change: alsoHasKeys('env.KIKET_WEBHOOK_SECRET'),
  },
  {
    name: 'decodes as many digits as there are',
    id: 'B6',
    severity: must,
    change: () => ({ macOf: (value = '') => Buffer.from(value.replace('sha256=', ''), 'hex') }),
  },
  {
    name: 'compares the digits that came',
    id: 'B6',
    severity: must,
    change: () => ({
      macOf: (value?: string) =>
        value === undefined || value === '' ? undefined : Buffer.from(value.replace('sha256=', ''), 'hex'),
      isEqual: (expected: Buffer, mac: Buffer) => mac.length > 0 && expected.subarray(0, mac.length).equals(mac),
    }),
  },
  {
    name: 'lets timingSafeEqual throw',
    id: 'B6',
    severity: should,
    change: () => ({
      macOf: (value?: string) => (value === undefined ? undefined : Buffer.from(value)),
      isEqual: (expected: Buffer, mac: Buffer) => timingSafeEqual(Buffer.from(expected.toString('hex')), mac),
    }),
  },
  {
    name: 'takes its own time for the timestamp',
    id: 'B7',
    severity: must,
    change: (receiver) => {
      const before = receiver.isSigned.bind(receiver);
      return alsoAccepts(receiver, (received) => {
        const now = Math.floor(Date.now() / 1000);
        const times = Array.from({ length: 11 }, (_each, i) => String(now - 5 + i));
        return times.some((time) =>
          before({ ...received, headers: { ...received.headers, 'x-kiket-timestamp': time } }),
        );
      });
    },
  },
  { name: 'does not look at the clock', id: 'B7', severity: should, change: () => ({ isFresh: () => true }) },
  {
    name: 'accepts deliveries from the future',
    id: 'B7',
    severity: should,
    change: () => ({ isFresh: (age: number) => age > -300 }),
  },
  {
    name: 'looks for the JSON in the body',
    id: 'B8',
    severity: must,
    change: () => ({
      schemes: ['timestamped', 'body'],
      decode: (body: Buffer) => Receiver.prototype.decode.call(undefined, body).replace(/^\d+\./, ''),
    }),
  },
  {
    name: 'takes the event from the header',
    id: 'B9',
    severity: should,
    change: () => ({
      eventOf: ({ event }: Json, headers: IncomingHttpHeaders) => {
        const name = header(headers, 'x-kiket-event') ?? event;
        if (typeof name !== 'string') throw new Refused(422, 'no event');
        return name;
      },
    }),
  },
  {
    name: 'reads a large body to its end',
    id: 'B10',
    severity: should,
    change: () => ({ idleMs: 10_000, limit: 100 * MB }),
    options: { skip: ['A8', 'D4', 'D2'] },
  },
  {
    name: 'fails for a wrong signature',
    id: 'B11',
    severity: should,
    change: (receiver) => {
      const before = receiver.isSigned.bind(receiver);
      return { isSigned: (received: Received) => before(received) || fails() };
    },
  },
  {
    name: 'fails for malformed JSON',
    id: 'C1',
    severity: should,
    change: () => ({ malformed: (error: Error) => error }),
  },
  {
    name: 'fails without an event',
    id: 'C2',
    severity: hint,
    change: () => ({ checkPayload: ({ event }: Json) => void (event as string).split('.') }),
  },
  { name: 'fails for an unknown event', id: 'C3', severity: should, change: () => ({ unknownEvent: fails }) },
  { name: 'fails for an unknown version', id: 'C4', severity: hint, change: () => ({ unknownVersion: fails }) },
  {
    name: 'walks payloads recursively, and dies',
    id: 'C5',
    severity: should,
    change: () => ({
      payloadOf(received: Received) {
        if (text(received.body).includes('[[[')) throw new Refused(0, 'dies');
        return Receiver.prototype.payloadOf.call(this, received);
      },
      send(res: ServerResponse, reply: Reply) {
        if (reply.status === 0) res.destroy();
        else Receiver.prototype.send.call(this, res, reply);
      },
    }),
  },
  {
    name: 'responds to GET',
    id: 'C6',
    severity: hint,
    change: (receiver) => {
      const before = receiver.receive.bind(receiver);
      return {
        receive: (req: IncomingMessage) => (req.method === 'GET' ? { status: 200, body: { ok: true } } : before(req)),
      };
    },
  },
  {
    name: 'responds with a string',
    id: 'C7',
    severity: should,
    change: () => ({
      send(res: ServerResponse, reply: Reply) {
        const body = reply.body as Json | undefined;
        if (body?.['ok'] === true) res.writeHead(200, { 'Content-Type': 'text/plain' }).end('OK');
        else Receiver.prototype.send.call(this, res, reply);
      },
    }),
  },
  {
    name: 'does not say why it refuses',
    id: 'C8',
    severity: should,
    change: () => ({
      failed(error: Error) {
        const { status, headers } = Receiver.prototype.failed.call(this, error);
        return { status, headers: headers! };
      },
    }),
  },
  {
    name: 'does not say when to try again',
    id: 'C9',
    severity: hint,
    change: () => ({
      busy: () => {
        throw new Refused(503, 'busy');
      },
      act: async function (this: Receiver) {
        await wait(30);
        this.effects++;
      },
    }),
  },
  {
    name: 'redirects an unknown event',
    id: 'C10',
    severity: should,
    change: () => ({ unknownEvent: () => ({ status: 307, headers: { Location: '/other' } }) }),
  },
  {
    name: 'fails without a secret',
    id: 'C11',
    severity: should,
    change: () => ({
      checkPayload: ({ secrets, secret_status }: Json) => {
        if (secret_status !== undefined && secret_status !== null)
          (secrets as { CHECK_CANARY: string }).CHECK_CANARY.trim();
      },
    }),
  },
  {
    name: 'fails without scopes',
    id: 'C12',
    severity: hint,
    change: () => ({
      checkPayload: ({ authentication }: Json) => {
        const { scopes = ['*'] } = (authentication ?? {}) as { scopes?: string[] };
        scopes[0]!.trim();
      },
    }),
  },
  {
    name: 'does not respond to an unknown event',
    id: 'D1',
    severity: must,
    change: () => ({ unknownEvent: () => new Promise<Reply>(() => {}) }),
    options: { timeoutMs: 1000 },
  },
  {
    name: 'fails for a large body',
    id: 'D2',
    severity: should,
    change: () => ({
      checkHeaders(headers: IncomingHttpHeaders) {
        if (Number(headers['content-length']) > MB) fails();
        Receiver.prototype.checkHeaders.call(this, headers);
      },
    }),
  },
  {
    name: 'is out of service after a broken connection',
    id: 'D3',
    severity: should,
    change: (receiver) => {
      const before = receiver.receive.bind(receiver);
      let until = 0;
      return {
        // The socket closes before the body is complete.
        broken: () => {
          until = Date.now() + 500;
          return new Refused(400, 'broken off');
        },
        receive: (req: IncomingMessage) => (Date.now() < until ? fails() : before(req)),
      };
    },
    options: { only: ['D3'] },
  },
  {
    name: 'waits for a body for ever',
    id: 'D4',
    severity: hint,
    change: () => ({ idleMs: 60_000 }),
    options: { only: ['D4'], skip: [], timeoutMs: 300 },
  },
  {
    name: 'fails for a compressed body',
    id: 'D5',
    severity: hint,
    change: () => ({
      checkHeaders(headers: IncomingHttpHeaders) {
        if (headers['content-encoding'] !== undefined) fails();
        Receiver.prototype.checkHeaders.call(this, headers);
      },
    }),
  },
  {
    name: 'keeps the lock of a delivery whose sender has left',
    id: 'D6',
    severity: should,
    change: (receiver) => {
      const before = receiver.receive.bind(receiver);
      const act = receiver.act.bind(receiver);
      let gone = false;
      return {
        receive: (req: IncomingMessage) => {
          gone = false;
          req.socket.once('close', () => (gone = true));
          return before(req);
        },
        async act(payload: Json) {
          // Until a sender that leaves at once is gone. On a busy machine the time is over before its end has been read.
          await wait(30);
          await turns(20);
          if (gone) await new Promise(() => {});
          return act(payload);
        },
      };
    },
    options: { only: ['D6'] },
  },
  {
    name: 'refuses what it has handled',
    id: 'E1',
    severity: must,
    also: ['E3'],
    maybe: ['E2'],
    change: () => ({
      again: () => {
        throw new Refused(409, 'handled');
      },
    }),
  },
  {
    name: 'does not remember deliveries',
    id: 'E1',
    severity: should,
    change: () => ({
      async once(payload: Json, received: Received) {
        return (this as unknown as Receiver).handle(payload, received);
      },
    }),
  },
  {
    name: 'has another response for a repeated delivery',
    id: 'E1',
    severity: hint,
    change: () => ({ again: () => ({ status: 200, body: { ok: true, repeated: true } }) }),
  },
  {
    name: 'refuses a delivery that is in progress',
    id: 'E2',
    severity: must,
    change: () => ({
      busy: () => {
        throw new Refused(409, 'in progress');
      },
      act: async function (this: Receiver) {
        await wait(30);
        this.effects++;
      },
    }),
  },
  {
    name: 'has no lock',
    id: 'E2',
    severity: should,
    change: (receiver) => ({
      async once(payload: Json, received: Received) {
        const key = receiver.keyOf(payload, received);
        const known = receiver.seen.get(key);
        if (known !== undefined && known !== 'in progress') return known;
        const reply = await receiver.handle(payload, received);
        receiver.seen.set(key, Promise.resolve(reply));
        return reply;
      },
      act: async function (this: Receiver) {
        await wait(30);
        this.effects++;
      },
    }),
  },
  {
    name: 'remembers the bytes',
    id: 'E3',
    severity: should,
    change: () => ({ keyOf: (_payload: Json, { body }: Received) => text(body) }),
  },
  {
    name: 'remembers the invocation only',
    id: 'E4',
    severity: should,
    change: () => ({
      keyOf: (payload: Json, { headers }: Received) => header(headers, 'x-kiket-invocation') ?? JSON.stringify(payload),
    }),
  },
  {
    name: 'remembers failures',
    id: 'E6',
    severity: must,
    callsBack: true,
    change: (receiver) => ({
      async once(payload: Json, received: Received) {
        const key = receiver.keyOf(payload, received);
        const known = receiver.seen.get(key);
        if (known !== undefined) return known === 'in progress' ? receiver.busy() : known;
        receiver.seen.set(key, 'in progress');
        const reply = await receiver.handle(payload, received).catch((error: Error) => receiver.failed(error));
        receiver.seen.set(key, Promise.resolve(reply));
        return reply;
      },
    }),
  },
  { name: 'does not decide', id: 'F1', severity: must, also: ['F2'], change: () => ({ decide: () => ({ ok: true }) }) },
  {
    name: 'does not decide without a transition',
    id: 'F2',
    severity: must,
    change: () => ({ decide: ({ transition }: Json) => (transition === undefined ? {} : { status: 'allow' }) }),
  },
  {
    name: 'takes malformed JSON',
    id: 'F3',
    severity: must,
    change: (receiver) => {
      const before = receiver.receive.bind(receiver);
      return { malformed: () => new Refused(200, 'ignored'), receive: before };
    },
  },
  {
    name: 'denies without a message',
    id: 'F4',
    severity: should,
    change: () => ({ decide: () => ({ status: 'deny' }) }),
  },
  {
    name: 'shows numbers',
    id: 'F5',
    severity: hint,
    change: () => ({ decide: () => ({ status: 'allow', metadata: { output_fields: { count: 1 } } }) }),
  },
  {
    name: 'decides by chance',
    id: 'F6',
    severity: should,
    change: () => {
      let count = 0;
      return {
        once: async function (this: Receiver, payload: Json, received: Received) {
          return payload['event'] === 'workflow.before_transition'
            ? this.handle(payload, received)
            : Receiver.prototype.once.call(this, payload, received);
        },
        decide: () => ({ status: count++ % 2 === 0 ? 'allow' : 'deny', message: 'by chance' }),
      };
    },
  },
  {
    name: 'shows the payload',
    id: 'G1',
    severity: must,
    change: () => ({
      done: (payload: Json) => ({
        status: 200,
        body: { ok: true, issue: payload['issue'], secrets: payload['secrets'] },
      }),
    }),
  },
  {
    name: 'shows the token in base64',
    id: 'G1',
    severity: must,
    change: () => ({
      done: (payload: Json) => ({
        status: 200,
        body: { ok: true, debug: Buffer.from(JSON.stringify(payload)).toString('base64') },
      }),
    }),
  },
  {
    name: 'shows the right signature',
    id: 'G2',
    severity: must,
    change: (receiver) => {
      const before = receiver.isSigned.bind(receiver);
      return {
        isSigned: (received: Received) => {
          if (before(received)) return true;
          const time = header(received.headers, 'x-kiket-timestamp') ?? '';
          throw new Refused(
            401,
            `expected ${sign(KEY, Buffer.concat([Buffer.from(`${time}.`), received.body])).toString('hex')}`,
          );
        },
      };
    },
  },
  {
    name: 'shows a stack trace',
    id: 'G3',
    severity: should,
    change: () => ({ unknownEvent: () => ({ status: 404, body: { error: new Error('unknown event').stack } }) }),
  },
  {
    name: 'quotes a malformed body',
    id: 'G4',
    severity: should,
    change: () => ({ malformed: (error: Error) => new Refused(400, error.message) }),
  },
  {
    name: 'has the token in a header',
    id: 'G5',
    severity: must,
    change: () => ({
      done: ({ authentication }: Json) => ({
        status: 200,
        body: { ok: true },
        headers: { 'X-Debug': (authentication as { runtime_token?: string } | undefined)?.runtime_token ?? '' },
      }),
    }),
  },
  {
    name: 'uses an API key beside the token',
    id: 'H1',
    severity: must,
    callsBack: true,
    change: (receiver) => {
      const before = receiver.credentials.bind(receiver);
      return { credentials: (payload: Json) => ({ ...before(payload), 'X-Kiket-API-Key': 'ext_fake' }) };
    },
  },
  {
    name: 'has its own name for the header',
    id: 'H2',
    severity: should,
    callsBack: true,
    change: (receiver) => {
      const before = receiver.credentials.bind(receiver);
      return {
        credentials: (payload: Json) => before({ ...payload, api: { runtime_header: 'X-Kiket-Runtime-Token' } }),
      };
    },
  },
  {
    name: 'gives up when the API fails',
    id: 'H3',
    severity: should,
    callsBack: true,
    change: () => ({ apiFailed: () => new Refused(422, 'the API failed') }),
  },
  {
    name: 'shows a stack trace when the API refuses',
    id: 'H4',
    severity: hint,
    callsBack: true,
    change: (receiver) => ({
      apiFailed: (status: number) =>
        status === 404 ? new Refused(422, 'stack') : Receiver.prototype.apiFailed.call(receiver, status),
      send(res: ServerResponse, reply: Reply) {
        const { error } = (reply.body ?? {}) as { error?: { code: string } };
        if (error?.code === 'stack') res.writeHead(500, { 'Content-Type': 'text/plain' }).end(new Error('404').stack);
        else Receiver.prototype.send.call(this, res, reply);
      },
    }),
  },
  {
    name: 'calls without a credential',
    id: 'H5',
    severity: should,
    callsBack: true,
    change: (receiver) => {
      const before = receiver.credentials.bind(receiver);
      return { credentials: (payload: Json) => (payload['authentication'] === undefined ? {} : before(payload)) };
    },
  },
  {
    name: 'calls every origin',
    id: 'H6',
    severity: hint,
    callsBack: true,
    change: () => ({ isApi: (origin: unknown) => typeof origin === 'string' }),
  },
  {
    name: 'repeats calls without a pause',
    id: 'H7',
    severity: hint,
    callsBack: true,
    change: (receiver) => {
      const before = receiver.call.bind(receiver);
      return {
        async call(url: string, headers: Record<string, string>) {
          let status = 429;
          for (let i = 0; i < 10 && status === 429; i++) status = await before(url, headers);
          return status;
        },
      };
    },
  },
];

/** Writes payloads to a log. */
export function logsTo(folder: string): Mutant {
  const done = (payload: Json): Reply => {
    appendFileSync(join(folder, 'receiver.log'), `${JSON.stringify(payload)}\n`);
    return { status: 200, body: { ok: true } };
  };
  return { name: 'logs payloads', id: 'G6', severity: must, change: () => ({ done }), options: { scan: [folder] } };
}

/** The correct receiver. */
export const CORRECT: Mutant = { name: 'correct', id: '', severity: must, change: () => ({}) };

/** Starts a mutant. */
export function startMutant(
  { change }: Mutant,
  api?: string,
): { readonly server: Server; readonly receiver: Receiver; readonly secrets: readonly string[] } {
  const receiver = new Receiver();
  receiver.api = api;
  Object.assign(receiver, change(receiver));
  const server = createServer((req, res) => {
    void (async () => receiver.receive(req))()
      .catch((error: Error) => receiver.failed(error))
      .then((reply) => receiver.send(res, reply));
  });
  return { server, receiver, secrets: [KEY, PREVIOUS_KEY] };
}
