import type { SimulatorEvent } from './model';

/** How many events can be caught up, and how many characters of messages they may have: those of attempts have up to 20 MB. */
const REMEMBERED = 1000;
const MOST_CHARACTERS = 16 * 1024 * 1024;

type Listener = (event: SimulatorEvent, id: number) => void;

/** Everything that happens, with ids, so that a listener that was away can catch up. */
export class EventStream {
  readonly #listeners = new Set<Listener>();
  readonly #recent: { readonly id: number; readonly event: SimulatorEvent }[] = [];
  #lastId = 0;
  #characters = 0;

  emit(event: SimulatorEvent): void {
    const id = ++this.#lastId;
    this.#recent.push({ id, event });
    this.#characters += charactersOf(event);
    while (this.#recent.length > REMEMBERED || this.#characters > MOST_CHARACTERS) {
      this.#characters -= charactersOf(this.#recent.shift()!.event);
    }
    for (const listener of [...this.#listeners]) listener(event, id);
  }

  /** Calls the listener with the remembered events after `lastEventId`, then with each new one. */
  subscribe(listener: Listener, lastEventId = this.#lastId): () => void {
    for (const { id, event } of this.#recent) if (id > lastEventId) listener(event, id);
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** Of bodies: all else is short. */
function charactersOf({ type, data }: SimulatorEvent): number {
  if (type === 'call') return data.body.length;
  if (type !== 'attempt') return 0;
  const { request, response, calls } = data.attempt;
  return calls.reduce((sum, call) => sum + call.body.length, request.body.length + (response?.body.length ?? 0));
}
