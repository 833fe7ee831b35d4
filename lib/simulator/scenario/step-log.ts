import { isEffect } from '../../fake-kiket/effects';
import type { CallSummary, DeliverySummary, SimulatorEvent } from '../model';

/** The deliveries and calls that one step has caused. */
export class StepLog {
  /** In the order in which they were made. */
  readonly deliveryIds: string[] = [];
  readonly calls: CallSummary[] = [];

  /** By method and path. */
  get callCounts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { method, target } of this.calls) {
      const call = `${method} ${pathOf(target)}`;
      counts[call] = (counts[call] ?? 0) + 1;
    }
    return counts;
  }

  get effects(): number {
    return this.calls.filter(({ method, status, target }) => isEffect({ method, status, path: pathOf(target) })).length;
  }
}

/** Without the query. */
function pathOf(target: string): string {
  return target.split('?', 1)[0]!;
}

/** Finds the step that has caused a delivery or a call. */
export class StepLogs {
  readonly #owners = new Map<string, StepLog>();
  /** The step that is being carried out: what nothing else explains is its. */
  #current = new StepLog();
  #isStarting = false;

  /** Begins with a step; what `start` delivers at once is its. */
  begin<T>(log: StepLog, start: () => T): T {
    this.#current = log;
    this.#isStarting = true;
    try {
      return start();
    } finally {
      this.#isStarting = false;
    }
  }

  /** Takes note of what happens. */
  readonly note = (event: SimulatorEvent): void => {
    if (event.type === 'delivery' && !this.#owners.has(event.data.id)) this.#add(event.data);
    if (event.type === 'call') this.#ownerOf(event.data.deliveryId).calls.push(event.data);
  };

  #add({ id, origin }: DeliverySummary): void {
    const isCaused = !this.#isStarting && origin.kind !== 'replayed';
    const owner = isCaused ? this.#ownerOf(origin.deliveryId) : this.#current;
    this.#owners.set(id, owner);
    owner.deliveryIds.push(id);
  }

  #ownerOf(deliveryId: string | undefined): StepLog {
    return (deliveryId === undefined ? undefined : this.#owners.get(deliveryId)) ?? this.#current;
  }
}
