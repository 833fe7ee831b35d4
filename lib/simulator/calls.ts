import type { FakeKiketRequest } from '../fake-kiket/fake-kiket';
import type { DeliveryRecord } from './delivery-record';
import { maskText } from './masking';
import type { CallSummary } from './model';
import type { HiddenValue } from './vault';

/** How many calls are kept. */
const MOST = 10_000;

/** The attempt that a call belongs to. */
export interface Caller {
  readonly record: DeliveryRecord;
  readonly attempt: number;
}

/** The calls of the extension, tied to attempts by their runtime tokens. */
export class Calls {
  readonly #runtimeHeader: string;
  readonly #hidden: () => readonly HiddenValue[];
  /** By token. */
  readonly #callers = new Map<string, Caller>();
  /** By delivery, for those that are removed. */
  readonly #tokens = new Map<DeliveryRecord, string[]>();
  readonly #calls: CallSummary[] = [];
  #count = 0;

  constructor(runtimeHeader: string, hidden: () => readonly HiddenValue[]) {
    this.#runtimeHeader = runtimeHeader.toLowerCase();
    this.#hidden = hidden;
  }

  /** Ties the calls with a token to an attempt. */
  expect(token: string, caller: Caller): void {
    this.#callers.set(token, caller);
    this.#tokens.set(caller.record, [...(this.#tokens.get(caller.record) ?? []), token]);
  }

  /** Returns the attempt whose token a request has. */
  callerOf({ headers }: FakeKiketRequest): Caller | undefined {
    const token = headers[this.#runtimeHeader];
    return token === undefined ? undefined : this.#callers.get(token);
  }

  add(request: FakeKiketRequest, at: string): CallSummary {
    const caller = this.callerOf(request);
    const token = request.headers[this.#runtimeHeader];
    const hidden = [...this.#hidden(), ...(token === undefined ? [] : [{ value: token, name: 'token' }])];
    const body = request.body === undefined ? '' : JSON.stringify(request.body);
    const call: CallSummary = {
      number: ++this.#count,
      at,
      method: request.method,
      target: maskText(request.target, hidden),
      status: request.status,
      // A secret of an extension is written in the body of a call.
      body: /\/secrets(\/|$)/.test(request.path) && body !== '' ? '{{secret}}' : maskText(body, hidden),
      deliveryId: caller?.record.id,
      attempt: caller?.attempt,
    };
    this.#calls.push(call);
    if (this.#calls.length > MOST) this.#calls.shift();
    return call;
  }

  /** The oldest first. */
  list(deliveryId: string | undefined): CallSummary[] {
    return this.#calls.filter((call) => deliveryId === undefined || call.deliveryId === deliveryId);
  }

  of(record: DeliveryRecord, attempt: number): CallSummary[] {
    return this.#calls.filter((call) => call.deliveryId === record.id && call.attempt === attempt);
  }

  forget(records: readonly DeliveryRecord[]): void {
    for (const record of records) {
      for (const token of this.#tokens.get(record) ?? []) this.#callers.delete(token);
      this.#tokens.delete(record);
    }
  }
}
