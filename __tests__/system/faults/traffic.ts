import { until } from '../../support/until';
import type { Ledger } from './ledger';
import { deliver, isRetryable, nameOf, payloadOf, sign, type AttemptResponse, type Signed } from './platform';
import type { Random } from './random';

const SENDERS = 8;

/** So many deliveries show that it works. */
const ENOUGH = 100;

/** Most deliveries that are sent together in a way of a test's own. */
const TOGETHER = 4;

/** Sends attempts, and returns their responses in order; `undefined` for one that is not of the delivery. The last may be missing. */
export type Disturb = (attempts: readonly Signed[]) => Promise<readonly (AttemptResponse | undefined)[]>;

/** So that no delivery of one is of another, too. */
let traffics = 0;

/** Deliveries that are sent all the time, while something happens to those who receive them. */
export class Traffic {
  /** What senders were told before their final responses. */
  readonly refusals = new Set<string>();
  readonly #prefix = `traffic-${traffics++}-`;
  readonly #responses = new Map<string, AttemptResponse[]>();
  readonly #senders: Promise<unknown>;
  #begun = 0;
  #isOver = false;

  /**
   * @param nextOrigin where the next attempt goes.
   * @param copies so many senders have the same delivery at the same time.
   * @param disturb sends the first attempts of several deliveries; then they are sent as the platform does.
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
    // It is `end` that rejects.
    this.#senders.catch(() => {});
  }

  /** Resolves once deliveries that were begun from now on have their responses. */
  async untilMore(): Promise<void> {
    const first = this.#begun;
    const isNew = (id: string): boolean => Number(id.slice(this.#prefix.length)) >= first;
    const isEnough = (): boolean => [...this.#responses.keys()].filter(isNew).length >= ENOUGH;
    // Senders that fail say why.
    await Promise.race([until(isEnough, 'more deliveries to be done'), this.#senders]);
  }

  /** Ends the senders, once each has the response it waits for. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#senders;
  }

  /** Whether senders were told nothing but to wait, for the store or for another attempt. */
  expectWaitingOnly(): void {
    expect(['503 store.unavailable', '503 delivery.in_progress']).toEqual(expect.arrayContaining([...this.refusals]));
  }

  /** Whether all were handled once, and all of their senders were told so. */
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
