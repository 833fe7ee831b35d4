import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../lib/simulator/clock';
import { readSimulatorOptions, type SimulatorOptions } from '../../lib/simulator/simulator-options';
import { startSimulatorIn } from '../../lib/simulator/start-simulator';
import type { Simulator } from '../../lib/simulator/simulator';
import type { HeaderLine, OutgoingRequest } from '../../lib/sending/http-message';
import type { Attempt } from '../../lib/sending/send';
import { secret } from './deliver';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** A clock that stands still until it is advanced. */
export class TestClock implements Clock {
  #nowMs = Date.parse('2026-05-04T10:00:00Z');
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, ms), run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Lets time pass: what is due runs in its order, each with the promises that it resolves. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await idle();
    for (;;) {
      const due = [...this.#timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.run();
      await idle();
    }
    this.#nowMs = endMs;
  }
}

/** Resolves when all promises that can be resolved are. */
export async function idle(): Promise<void> {
  for (let i = 0; i < 3; i++) await setImmediate();
}

export interface ReceivedAttempt {
  readonly request: OutgoingRequest;
  /** The parsed body; `undefined` where it is not JSON. */
  readonly payload: Record<string, unknown> | undefined;
  /** Milliseconds since the simulator has started. */
  readonly atMs: number;
  readonly timeoutMs: number;
}

/** Responds to an attempt. The attempts of all deliveries are counted from 0. */
export type Responder = (attempt: ReceivedAttempt, index: number) => Attempt | Promise<Attempt>;

export function response(
  status: number,
  body: object | string | Buffer = '',
  headers: readonly HeaderLine[] = [],
): Attempt {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return { response: { status, headers, body: bytes, droppedBytes: 0 }, durationMs: 5 };
}

export function failure(code = 'ECONNREFUSED', message = 'nothing listens there'): Attempt {
  return { failure: { code, message }, durationMs: 5 };
}

export const timeout = failure('timeout', 'no response within 10000 ms');

export interface SimulatedKiket {
  readonly kiket: Simulator;
  readonly clock: TestClock;
  readonly received: ReceivedAttempt[];
}

const started: Simulator[] = [];

/** Starts a local Kiket on a clock of its own, to a receiver that is a function. It is closed after the test. */
export async function simulate(
  respond: Responder = () => response(200),
  { clock = new TestClock(), ...options }: Partial<SimulatorOptions> & { clock?: TestClock } = {},
): Promise<SimulatedKiket> {
  const received: ReceivedAttempt[] = [];
  const startedAtMs = clock.now();
  let aborted: Promise<Attempt> | undefined;
  const kiket = await startSimulatorIn(readSimulatorOptions({ url: 'http://127.0.0.1:9/kiket', secret, ...options }), {
    clock,
    async send(request, { timeoutMs, signal }) {
      const attempt = { request, payload: parsed(request.body), atMs: clock.now() - startedAtMs, timeoutMs };
      received.push(attempt);
      // All attempts have the same signal.
      aborted ??= new Promise((resolve) => {
        signal!.addEventListener('abort', () => resolve(failure('aborted', 'the request was aborted')));
      });
      return Promise.race([respond(attempt, received.length - 1), aborted]);
    },
  });
  started.push(kiket);
  return { kiket, clock, received };
}

/** Matches an InputError of a status. */
export function refusal(status: number, message = ''): Error {
  return expect.objectContaining({ status, message: expect.stringContaining(message) as string }) as Error;
}

/** A response that a test gives later. */
export function later(): { respond: (attempt: Attempt) => void; response: Promise<Attempt> } {
  let respond!: (attempt: Attempt) => void;
  const promise = new Promise<Attempt>((resolve) => (respond = resolve));
  return { respond, response: promise };
}

function parsed(body: Buffer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(body.toString()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((kiket) => kiket.close()));
});
