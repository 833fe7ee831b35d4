import { until } from '../../support/until';
import type { Ledger } from './ledger';
import { deliver, isRetryable, nameOf, payloadOf, sign, type AttemptResponse, type Signed } from './platform';
import type { Random } from './random';

const SENDERS = 8;

/** Deliveries that are enough to show the result. */
const ENOUGH = 100;

/** Maximum number of deliveries that `disturb` receives at once. */
const TOGETHER = 4;

/** Sends attempts, and returns their responses in order, `undefined` for one to ignore. The last may be missing. */
export type Disturb = (attempts: readonly Signed[]) => Promise<readonly (AttemptResponse | undefined)[]>;

/** Counts the instances, so that each has deliveries of its own. */
let traffics = 0;

/** Continuous deliveries, while a test disturbs the receivers. */
export class Traffic {
  /** The refusals that senders received before their final responses. */
  readonly refusals = new Set<string>();
  readonly #prefix = `traffic-${traffics++}-`;
  readonly #responses = new Map<string, AttemptResponse[]>();
  readonly #senders: Promise<unknown>;
  #begun = 0;
  #isOver = false;

  /**
   * @param nextOrigin returns the origin for the next attempt.
   * @param copies number of senders that send the same delivery at the same time.
   * @param disturb sends the first attempts of several deliveries. Later ones are sent like those of the platform.
   */
  constructor(random: Random, nextOrigin: () => string, copies = 1, disturb?: Disturb) {
    const attemptOf = (id: string) => sign(payloadOf(id, 'issue.created'), { invocationId: id });
    const refused = (response: AttemptResponse) => this.refusals.add(nameOf(response));
    const send = async (): Promise<void> => {
      while (!this.#isOver) {
        const count = disturb === undefined ? 1 : 1 + random.below(TOGETHER);
        const ids = Array.from({ length: count }, () => this.#prefix + String(this.#begun++));
        const responses = new Map(ids.map((id): [string, AttemptResponse[]] => [id, []]));
        const sent = random.shuffle(Array.from({ length: copies }, () => ids).flat(), TOGETHER);
        const disturbed = (await disturb?.(sent.map(attemptOf))) ?? [];
        for (const [index, response] of disturbed.entries()) {
          if (response !== undefined && !isRetryable(response)) responses.get(sent[index]!)!.push(response);
        }
        const deliverOne = async (id: string) =>
          responses.get(id)!.push(await deliver(random, nextOrigin, () => attemptOf(id), refused));
        await Promise.all(sent.map(deliverOne));
        for (const [id, received] of responses) this.#responses.set(id, received);
      }
    };
    this.#senders = Promise.all(Array.from({ length: SENDERS }, send));
    // `end` rejects with this error.
    this.#senders.catch(() => {});
  }

  /** Resolves once deliveries that were begun from now on have their responses. */
  async untilMore(): Promise<void> {
    const first = this.#begun;
    const isNew = (id: string): boolean => Number(id.slice(this.#prefix.length)) >= first;
    const isEnough = (): boolean => [...this.#responses.keys()].filter(isNew).length >= ENOUGH;
    // A sender that fails rejects with the reason.
    await Promise.race([until(isEnough, 'more deliveries to be done'), this.#senders]);
  }

  /** Ends the senders, once each has the response it waits for. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#senders;
  }

  /** Expects that all refusals were requests to wait, for the store or for another attempt. */
  expectWaitingOnly(): void {
    expect(['503 store.unavailable', '503 delivery.in_progress']).toEqual(expect.arrayContaining([...this.refusals]));
  }

  /** Expects that all deliveries were handled once, and that all senders received that response. */
  expectOneRunEach(ledger: Ledger): void {
    for (const [id, responses] of this.#responses) {
      expect([...new Set(responses.map(({ status, text }) => `${status} ${text}`))]).toEqual([
        expect.stringContaining(`200 {"id":"${id}"`),
      ]);
    }
    const ran = ledger.runs().filter(({ id }) => id.startsWith(this.#prefix));
    expect(ran.map(({ id }) => id).sort()).toEqual([...this.#responses.keys()].sort());
  }
}
