import { Signal } from './signal';
import type { DeliveryQuery } from '../../local-kiket';
import type { DeliverySummary } from '../../model';
import { api } from '../api';
import { onEvents, onReload, type StreamEvent } from '../stream';
import { once } from './once';

/** Deliveries of a request. */
const PAGE = 500;

/** Which deliveries are listed. */
export type Filter = Pick<DeliveryQuery, 'event' | 'outcome' | 'q'>;

/** A list of deliveries, the newest first: loaded from the top, as far as it was looked at, and kept up to date. */
export class DeliveryList {
  readonly rows = new Signal<readonly DeliverySummary[]>([]);
  /** How many there are, loaded or not. */
  readonly total = new Signal<number | undefined>(undefined);
  readonly error = new Signal<string | undefined>(undefined);

  readonly #filter: Filter;
  readonly #isFiltered: boolean;
  readonly #ends: (() => void)[];
  #next: number | undefined;
  #wanted = PAGE;
  /** Counts loads from the top, which make pages that are still on their way useless. */
  #generation = 0;

  constructor(filter: Filter) {
    this.#filter = filter;
    this.#isFiltered = Object.values(filter).some((value) => value !== undefined && value !== '');
    this.#ends = [onEvents((events) => this.#apply(events)), onReload(() => this.#reload())];
  }

  end(): void {
    for (const end of this.#ends) end();
    this.#generation++;
  }

  /** Loads pages until there are as many rows. */
  want(rows: number): void {
    this.#wanted = Math.max(rows, PAGE);
    if (this.rows.value.length < rows) this.#more();
  }

  readonly #reload = once(async () => {
    const generation = ++this.#generation;
    try {
      const page = await api.deliveries({ ...this.#filter, limit: PAGE });
      if (generation !== this.#generation) return;
      this.rows.value = page.deliveries;
      this.total.value = page.total;
      this.#next = page.next;
      this.error.value = undefined;
      this.#more();
    } catch (error) {
      this.error.value = (error as Error).message;
    }
  });

  readonly #more = once(async () => {
    const generation = this.#generation;
    while (this.#next !== undefined && this.rows.value.length < this.#wanted) {
      try {
        const page = await api.deliveries({ ...this.#filter, after: this.#next, limit: PAGE });
        if (generation !== this.#generation) return;
        this.rows.value = [...this.rows.value, ...page.deliveries];
        this.#next = page.next;
      } catch (error) {
        this.error.value = (error as Error).message;
        return;
      }
    }
  });

  #apply(events: readonly StreamEvent[]): void {
    const changed = new Map<string, DeliverySummary>();
    const removed = new Set<string>();
    for (const { type, data } of events) {
      if (type === 'delivery') changed.set(data.id, data);
      if (type === 'removed') for (const id of data.ids) removed.add(id);
    }
    if (changed.size === 0 && removed.size === 0) return;
    // Which deliveries match a filter is the server's knowledge.
    if (this.#isFiltered || this.total.value === undefined) return this.#reload();
    const rows = this.rows.value;
    const newest = rows[0]?.number ?? 0;
    const kept = rows.filter(({ id }) => !removed.has(id)).map((row) => changed.get(row.id) ?? row);
    const added = [...changed.values()].filter(({ id, number }) => number > newest && !removed.has(id));
    added.sort((one, other) => other.number - one.number);
    this.rows.value = [...added, ...kept];
    this.total.value = Math.max(this.total.value + added.length - removed.size, this.rows.value.length);
  }
}
