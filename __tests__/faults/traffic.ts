import { eventually } from './eventually';
import type { Ledger } from './ledger';
import { deliver, nameOf, payloadOf, sign, type Answer } from './platform';
import type { Random } from './random';

const SENDERS = 8;

/** So many deliveries show that it works. */
const ENOUGH = 100;

/** Deliveries that are sent all the time, while something happens to those who receive them. */
export class Traffic {
  /** What senders were told before their final answers. */
  readonly refusals = new Set<string>();
  readonly #answers = new Map<string, Answer[]>();
  readonly #senders: Promise<unknown>;
  #begun = 0;
  #isOver = false;

  /**
   * @param nextOrigin where the next attempt goes.
   * @param copies so many senders have the same delivery at the same time.
   */
  constructor(random: Random, nextOrigin: () => string, copies = 1) {
    const send = async (): Promise<void> => {
      while (!this.#isOver) {
        const id = `traffic-${this.#begun++}`;
        const answers: Answer[] = [];
        const attempt = () => sign(payloadOf(id, 'issue.created'), { invocationId: id });
        const refused = (answer: Answer) => this.refusals.add(nameOf(answer));
        const deliverCopy = async () => void answers.push(await deliver(random, nextOrigin, attempt, refused));
        await Promise.all(Array.from({ length: copies }, deliverCopy));
        this.#answers.set(id, answers);
      }
    };
    this.#senders = Promise.all(Array.from({ length: SENDERS }, send));
    // It is `end` that rejects.
    this.#senders.catch(() => {});
  }

  /** Resolves once deliveries that were begun from now on have their answers. */
  async untilMore(): Promise<void> {
    const first = this.#begun;
    const isNew = (id: string): boolean => Number(id.slice('traffic-'.length)) >= first;
    await eventually('more deliveries are answered', () => [...this.#answers.keys()].filter(isNew).length >= ENOUGH);
  }

  /** Ends the senders, once each has the answer it waits for. */
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
    for (const [id, answers] of this.#answers) {
      expect([...new Set(answers.map(({ status, text }) => `${status} ${text}`))]).toEqual([
        expect.stringContaining(`200 {"id":"${id}"`),
      ]);
    }
    const ran = ledger.runs().filter(({ id }) => id.startsWith('traffic-'));
    expect(ran.map(({ id }) => id).sort()).toEqual([...this.#answers.keys()].sort());
  }
}
