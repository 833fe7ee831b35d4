import { matchesPattern } from '../events/router';
import { isEventPattern } from '../delivery/event-pattern';
import { isSettled, sizeOf, summaryOf, type DeliveryRecord } from './delivery-record';
import type { DeliveryPage, DeliveryQuery } from './local-kiket';

/** How many deliveries are kept, and how many bytes of requests and responses. */
export interface StoreLimits {
  readonly deliveries: number;
  readonly bytes: number;
}

/** Deliveries by id, in the order in which they came. The oldest that have ended make way for new ones. */
export class DeliveryStore {
  readonly #limits: StoreLimits;
  readonly #onRemoved: (records: readonly DeliveryRecord[]) => void;
  readonly #records = new Map<string, DeliveryRecord>();
  readonly #sizes = new Map<DeliveryRecord, number>();
  readonly #open = new Set<DeliveryRecord>();
  #bytes = 0;

  constructor(limits: StoreLimits, onRemoved: (records: readonly DeliveryRecord[]) => void) {
    this.#limits = limits;
    this.#onRemoved = onRemoved;
  }

  add(record: DeliveryRecord): void {
    this.#records.set(record.id, record);
    this.update(record);
  }

  /** How many have not ended. */
  get open(): number {
    return this.#open.size;
  }

  find(id: string): DeliveryRecord | undefined {
    return this.#records.get(id);
  }

  /** From the oldest to the newest. */
  get all(): Iterable<DeliveryRecord> {
    return this.#records.values();
  }

  /** Removes the deliveries that have ended. */
  clear(): void {
    this.#remove([...this.#records.values()].filter(isSettled));
  }

  /** To be called after each change of a delivery: counts its bytes, and makes room. */
  update(record: DeliveryRecord): void {
    const size = sizeOf(record);
    this.#bytes += size - (this.#sizes.get(record) ?? 0);
    this.#sizes.set(record, size);
    if (isSettled(record)) this.#open.delete(record);
    else this.#open.add(record);
    this.#makeRoom();
  }

  #makeRoom(): void {
    const { deliveries, bytes } = this.#limits;
    if (this.#records.size <= deliveries && this.#bytes <= bytes) return;
    const removed: DeliveryRecord[] = [];
    let left = this.#records.size;
    let bytesLeft = this.#bytes;
    for (const record of this.#records.values()) {
      if (left <= deliveries && bytesLeft <= bytes) break;
      // A delivery that is under way must not be lost.
      if (!isSettled(record)) continue;
      removed.push(record);
      left--;
      bytesLeft -= this.#sizes.get(record)!;
    }
    this.#remove(removed);
  }

  #remove(records: readonly DeliveryRecord[]): void {
    if (records.length === 0) return;
    for (const record of records) {
      this.#records.delete(record.id);
      this.#bytes -= this.#sizes.get(record) ?? 0;
      this.#sizes.delete(record);
    }
    this.#onRemoved(records);
  }

  /** The newest first. */
  list(query: DeliveryQuery): DeliveryPage {
    const { after = Infinity, limit = 100 } = query;
    const matches = [...this.#records.values()].filter(filterOf(query)).reverse();
    const rest = matches.filter(({ number }) => number < after);
    const page = rest.slice(0, limit);
    return {
      deliveries: page.map(summaryOf),
      total: matches.length,
      next: rest.length > limit ? page.at(-1)!.number : undefined,
    };
  }

  latest(event: string | undefined): DeliveryRecord | undefined {
    return [...this.#records.values()].findLast(filterOf({ event }));
  }
}

type Filter = (record: DeliveryRecord) => boolean;

function filterOf({ event, outcome, q = '' }: DeliveryQuery): Filter {
  const words = q.split(/\s+/).filter((word) => word !== '');
  const filters = [
    ...(event === undefined || event === '' ? [] : [byEvent(event)]),
    ...(outcome === undefined || outcome === '' ? [] : [byState(outcome)]),
    ...words.map(byWord),
  ];
  return (record) => filters.every((matches) => matches(record));
}

function byWord(word: string): Filter {
  const [, key, value = ''] = /^(status|event|state|outcome):(.+)$/.exec(word) ?? [];
  if (key === 'event') return byEvent(value);
  if (key === 'status') return byStatus(value);
  if (key !== undefined) return byState(value);
  const text = word.toLowerCase();
  return ({ id, blueprint: { event = '', invocationId, projectId = '' } }) =>
    [id, invocationId, event.toLowerCase(), String(projectId)].some((each) => each.includes(text));
}

function byEvent(pattern: string): Filter {
  if (!isEventPattern(pattern)) return ({ blueprint: { event } }) => event === pattern;
  return ({ blueprint: { event } }) => event !== undefined && matchesPattern(pattern, event, false);
}

function byState(name: string): Filter {
  return ({ state }) => state === name;
}

/** `503`, `5xx`, or a failure such as `timeout`. Of the last attempt. */
function byStatus(text: string): Filter {
  const pattern = text.toLowerCase();
  return ({ attempts }) => {
    const last = attempts.at(-1)?.detail;
    const status = String(last?.status ?? last?.failure ?? '').toLowerCase();
    return /^\dxx$/.test(pattern) ? status.length === 3 && status[0] === pattern[0] : status === pattern;
  };
}
