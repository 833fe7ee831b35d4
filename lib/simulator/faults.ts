import type { ActiveFault as ActiveApiFault, FakeKiketFault } from '../fake-kiket/faults';
import { findTampering, TAMPERINGS } from '../sending/tamper';
import { InputError, type FaultInput, type LocalKiket } from './local-kiket';
import type { ActiveFault, FaultKind } from './model';

/** Faults of deliveries beside the tamperings. */
const DELIVERY_FAULTS: Readonly<Record<string, string>> = {
  'lose-response': 'a response that gets lost: Kiket sends the delivery again',
  'five-at-once': 'the same delivery five times at once',
  'reverse-order': 'deliveries that arrive in reverse order: as many are held as the fault is to hit, at least two',
  'old-secret': 'a sender that still signs with the secret before the rotation',
};

/** Faults of the API, by name. Their fields may be replaced. */
const API_FAULTS: Readonly<Record<string, { readonly imitates: string; readonly fault: FakeKiketFault }>> = {
  'rate-limit': { imitates: 'calls beyond the rate limit', fault: { kind: 'rate-limit', retryAfter: 30 } },
  'server-error': { imitates: 'a Kiket that fails', fault: { kind: 'status', status: 500 } },
  unavailable: { imitates: 'a Kiket that is being updated', fault: { kind: 'status', status: 503 } },
  forbidden: {
    imitates: 'a scope that is missing',
    fault: { kind: 'status', status: 403, body: { error: 'Missing scope' } },
  },
  'not-found': { imitates: 'an issue that was deleted meanwhile', fault: { kind: 'status', status: 404 } },
  redirect: {
    imitates: 'an address that has moved',
    fault: { kind: 'status', status: 302, headers: { Location: '/api/v2' } },
  },
  'cut-json': {
    imitates: 'a response that was cut',
    fault: { kind: 'status', status: 200, body: '{"data":[{"id":', contentType: 'application/json' },
  },
  latency: { imitates: 'a slow Kiket', fault: { kind: 'latency', ms: 3000 } },
  hang: { imitates: 'a Kiket that does not respond', fault: { kind: 'hang' } },
};

/** All kinds of faults. */
export const FAULT_KINDS: readonly FaultKind[] = [
  ...Object.entries(DELIVERY_FAULTS).map(([kind, imitates]) => ({ side: 'delivery' as const, kind, imitates })),
  ...TAMPERINGS.map(({ name, imitates }) => ({ side: 'delivery' as const, kind: name, imitates })),
  ...Object.entries(API_FAULTS).map(([kind, { imitates }]) => ({ side: 'api' as const, kind, imitates })),
];

/** The faults that hit one attempt. */
export interface AttemptFaults {
  readonly tamper: string | undefined;
  readonly usesPreviousSecret: boolean;
  readonly isFiveTimes: boolean;
  readonly losesResponse: boolean;
}

type FaultsFacade = LocalKiket['faults'];

interface Active {
  readonly id: string;
  readonly input: FaultInput;
  /** Infinity until it is switched off. */
  timesLeft: number;
  readonly api: ActiveApiFault | undefined;
}

/** The faults that are switched on. */
export class Faults implements FaultsFacade {
  readonly kinds = FAULT_KINDS;
  readonly #switchOnApi: (fault: FakeKiketFault) => ActiveApiFault;
  readonly #onChange: () => void;
  #active: readonly Active[] = [];
  #count = 0;

  /** @param onChange called when a fault was switched on or off, or has hit. */
  constructor(switchOnApi: (fault: FakeKiketFault) => ActiveApiFault, onChange: () => void) {
    this.#switchOnApi = switchOnApi;
    this.#onChange = onChange;
  }

  /** @throws {InputError} for an unknown kind, or invalid fields. */
  switchOn(input: FaultInput): ActiveFault {
    const { side, kind, times } = input;
    if (!FAULT_KINDS.some((each) => each.side === side && each.kind === kind)) {
      throw new InputError(400, `${String(side)} has no fault ${JSON.stringify(kind)}`);
    }
    if (times !== undefined && !(Number.isSafeInteger(times) && times >= 1)) {
      throw new InputError(400, 'times must be an integer from 1');
    }
    const active: Active = {
      id: String(++this.#count),
      input,
      timesLeft: kind === 'reverse-order' ? Math.max(2, times ?? 2) : (times ?? Infinity),
      api: side === 'api' ? this.#startApiFault(input) : undefined,
    };
    this.#active = [...this.#active, active];
    this.#onChange();
    return viewOf(active);
  }

  #startApiFault({ kind, times, fields }: FaultInput): ActiveApiFault {
    try {
      // The fake checks what it is given.
      return this.#switchOnApi({ ...API_FAULTS[kind]!.fault, ...fields, times });
    } catch (error) {
      throw new InputError(400, (error as Error).message);
    }
  }

  switchOff(id: string): void {
    const active = this.#current.find((each) => each.id === id);
    if (active === undefined) throw new InputError(404, 'the fault is not switched on');
    active.api?.switchOff();
    this.#active = this.#active.filter((each) => each !== active);
    this.#onChange();
  }

  clear(): void {
    for (const { api } of this.#active) api?.switchOff();
    this.#active = [];
    this.#onChange();
  }

  list(): ActiveFault[] {
    return this.#current.map(viewOf);
  }

  /** Those of the API end by themselves. */
  get #current(): readonly Active[] {
    this.#active = this.#active.filter((each) => timesLeftOf(each) > 0);
    return this.#active;
  }

  /** To be called after each request at the API, whose faults count themselves. */
  apiCalled(): void {
    if (this.#active.some(({ api }) => api !== undefined)) this.#onChange();
  }

  /** Returns the faults of the next attempt, and counts it as hit. The tampering that was switched on first counts. */
  takeForAttempt(): AttemptFaults {
    const taken = new Map<string, Active>();
    for (const active of this.#current) {
      const { side, kind } = active.input;
      if (side === 'api' || kind === 'reverse-order') continue;
      const slot = findTampering(kind) === undefined ? kind : 'tamper';
      if (!taken.has(slot)) taken.set(slot, active);
    }
    for (const active of taken.values()) active.timesLeft--;
    if (taken.size > 0) this.#onChange();
    return {
      tamper: taken.get('tamper')?.input.kind,
      usesPreviousSecret: taken.has('old-secret'),
      isFiveTimes: taken.has('five-at-once'),
      losesResponse: taken.has('lose-response'),
    };
  }

  /** How many deliveries are to be held and sent in reverse; `undefined` when none are. */
  get reversed(): number | undefined {
    return this.#current.find(({ input }) => input.kind === 'reverse-order')?.timesLeft;
  }

  /** Ends the fault that holds deliveries. */
  endReversed(): void {
    const active = this.#current.find(({ input }) => input.kind === 'reverse-order');
    if (active !== undefined) this.switchOff(active.id);
  }
}

function timesLeftOf({ timesLeft, api }: Active): number {
  return api === undefined ? timesLeft : api.timesLeft;
}

function viewOf(active: Active): ActiveFault {
  const { side, kind, fields } = active.input;
  const timesLeft = timesLeftOf(active);
  return { id: active.id, side, kind, timesLeft: Number.isFinite(timesLeft) ? timesLeft : undefined, fields };
}
