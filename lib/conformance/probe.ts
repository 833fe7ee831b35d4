import type { OutgoingRequest } from '../sending/http-message';
import { findTampering } from '../sending/tamper';
import type { UnsignedDelivery } from '../sending/tamper';
import { signedRequest } from '../sending/sign';
import { isTaken, shownResponse, statusOf, type Exchange } from './exchange';
import type { CheckSession, DeliveryChange, SendChange } from './session';
import type { CheckSeverity } from './severity';

/** Something that is not as required. */
export interface Finding {
  readonly severity: CheckSeverity;
  /** In one sentence. */
  readonly problem: string;
  /** `undefined` where no single request shows it. */
  readonly exchange: Exchange | undefined;
}

/** Thrown by a case that finds out on the way that it does not apply. */
export class Inapplicable extends Error {}

/** Sends the requests of a case, and collects its findings. */
export class Probe {
  readonly session: CheckSession;
  readonly case: { readonly id: string; readonly severity: CheckSeverity };
  readonly findings: Finding[] = [];
  readonly notes: string[] = [];

  constructor(session: CheckSession, conformanceCase: Probe['case']) {
    this.session = session;
    this.case = conformanceCase;
  }

  /** The requests of this case so far. */
  get exchanges(): readonly Exchange[] {
    return this.session.exchanges.filter(({ caseId }) => caseId === this.case.id);
  }

  delivery(change?: DeliveryChange): UnsignedDelivery {
    return this.session.delivery(change);
  }

  /** Returns a signed delivery. */
  request(change?: DeliveryChange): OutgoingRequest {
    return signed(this.delivery(change));
  }

  /** Returns a genuine delivery that was tampered with, by the name of the tampering. */
  tampered(name: string, change?: DeliveryChange): OutgoingRequest {
    return findTampering(name)!.apply(this.delivery(change))[0]!;
  }

  /** @param what is special about the request, in a few words. */
  send(what: string, request: OutgoingRequest, change: SendChange = {}): Promise<Exchange> {
    return this.session.send(this.case.id, what, request, { event: this.session.settings.event, ...change });
  }

  /** Sends a genuine delivery with a change. */
  deliver(what: string, change: DeliveryChange = {}): Promise<Exchange> {
    return this.send(what, this.request(change), { event: change.event ?? this.session.settings.event });
  }

  /** Reports a failure. Default severity: that of the case. */
  fail(exchange: Exchange | undefined, problem: string, severity: CheckSeverity = this.case.severity): void {
    this.findings.push({ severity, problem, exchange });
  }

  /** Reports something that is worth knowing, and no failure. */
  note(text: string): void {
    this.notes.push(text);
  }

  /** Ends the case. */
  inapplicable(reason: string): never {
    throw new Inapplicable(reason);
  }

  /** Fails unless the delivery was taken. */
  expectTaken(exchange: Exchange, severity?: CheckSeverity): void {
    if (!isTaken(exchange)) this.fail(exchange, `${exchange.what}: not taken`, severity);
  }

  /** Fails when the delivery was taken. */
  expectNotTaken(exchange: Exchange, severity?: CheckSeverity): void {
    if (isTaken(exchange)) this.fail(exchange, `${exchange.what}: taken with ${statusOf(exchange)}`, severity);
  }

  /** Fails when `isWanted` is false. */
  expect(exchange: Exchange, isWanted: (exchange: Exchange) => boolean, severity?: CheckSeverity): void {
    if (!isWanted(exchange)) this.fail(exchange, `${exchange.what}: ${shownResponse(exchange)}`, severity);
  }

  /** Returns the number of effects of an action; `undefined` when effects are not counted. */
  async effectsOf(action: () => Promise<unknown>): Promise<number | undefined> {
    if (!this.session.countsEffects) return void (await action());
    const before = await this.session.effects();
    await action();
    return (await this.session.effects()) - before;
  }
}

/** Returns a signed delivery. */
export function signed({ url, body, plan }: UnsignedDelivery): OutgoingRequest {
  return signedRequest(url, body, plan);
}
