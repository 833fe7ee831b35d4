import { requireFault, type FakeKiketFault, type FaultOf } from './faults';

export type FinalFault = Exclude<FakeKiketFault, FaultOf<'latency'>>;

/** What befalls one request. */
export interface Strike {
  readonly latencyMs: number;
  readonly fault: FinalFault | undefined;
}

/** The faults that are switched on, in that order. */
export class FaultBoard {
  readonly #active: { readonly fault: FakeKiketFault; left: number }[] = [];

  /** Gives what switches it off. */
  switchOn(fault: FakeKiketFault): () => void {
    requireFault(fault);
    const entry = { fault: { ...fault }, left: fault.times ?? Infinity };
    this.#active.push(entry);
    return () => this.#remove(entry);
  }

  /** Latencies add up; of the others, the first hits. */
  strike(method: string, path: string): Strike {
    let latencyMs = 0;
    let struck: FinalFault | undefined;
    for (const entry of [...this.#active]) {
      const { fault } = entry;
      const isHit = fault.on === undefined || fault.on === path || fault.on === `${method} ${path}`;
      if (!isHit || (fault.kind !== 'latency' && struck !== undefined)) continue;
      if (fault.kind === 'latency') latencyMs += fault.ms;
      else struck = fault;
      if (--entry.left === 0) this.#remove(entry);
    }
    return { latencyMs, fault: struck };
  }

  #remove(entry: { readonly fault: FakeKiketFault; left: number }): void {
    const index = this.#active.indexOf(entry);
    if (index !== -1) this.#active.splice(index, 1);
  }
}
