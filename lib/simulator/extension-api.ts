import type { FakeKiket, FakeKiketRequest } from '../fake-kiket/fake-kiket';
import type { FakeKiketComment, FakeKiketIssue } from '../fake-kiket/issue-store';
import type { FakeKiketObserver } from '../fake-kiket/observer';
import { RequestError } from '../fake-kiket/parameters';
import type { Stores } from '../fake-kiket/routes';
import type { ObservedFake } from '../fake-kiket/start-fake-kiket';
import { isObject, type KiketId } from '../guards';
import { Calls, type Caller } from './calls';
import type { Clock } from './clock';
import type { LocalIssues } from './issues';
import type { LocalEvents } from './local-events';
import { InputError, type LocalKiket } from './local-kiket';
import { maskValue } from './masking';
import type { CallSummary, DeliveryOrigin } from './model';
import type { DeliveryRecord } from './delivery-record';
import type { Vault } from './vault';

/** The parts that an {@link ExtensionApi} needs. */
export interface ApiParts {
  readonly clock: Clock;
  readonly vault: Vault;
  readonly stores: Stores;
  /** Called after it has started. */
  readonly fake: () => ObservedFake;
  readonly events: LocalEvents;
  readonly issues: LocalIssues;
  readonly onCall: (call: CallSummary) => void;
}

/** Where a runtime token is sent; the default of the fake. */
const RUNTIME_HEADER = 'X-Kiket-Runtime-Token';

type CallsFacade = LocalKiket['calls'];

/** The API that the extension calls: ties its calls to attempts, and raises the events that they cause. */
export class ExtensionApi implements CallsFacade, FakeKiketObserver {
  readonly #parts: ApiParts;
  readonly #calls: Calls;

  constructor(parts: ApiParts) {
    this.#parts = parts;
    this.#calls = new Calls(RUNTIME_HEADER, () => parts.vault.hidden);
  }

  list(deliveryId: string | undefined): CallSummary[] {
    return this.#calls.list(deliveryId);
  }

  /** The calls of an attempt. */
  of(record: DeliveryRecord, attempt: number): CallSummary[] {
    return this.#calls.of(record, attempt);
  }

  state(): Readonly<Record<string, unknown>> {
    const { comments, eventLog, telemetry, logs, metrics, notifications, inboundEmails } = this.#kiket;
    const state = { comments, eventLog, telemetry, logs, metrics, notifications, inboundEmails };
    return maskValue(state, this.#parts.vault.hidden);
  }

  addSlaEvent(fields: Readonly<Record<string, unknown>>): object {
    const event = this.#parts.stores.slaEvents.add(fields);
    const { issue_id: id, project_id, definition, metrics, state } = event;
    const issue = this.#issue(id) ?? { id, project_id };
    const raised = { issue, definition: { ...definition, status: state }, metrics };
    this.#parts.events.notify('workflow.sla_status', raised, { kind: 'sent', depth: 0 });
    return event;
  }

  rateLimit(): ReturnType<CallsFacade['rateLimit']> {
    return this.#parts.fake().rateLimit();
  }

  resetRateLimit(): void {
    this.#kiket.resetRateLimit();
  }

  /** Ties the calls with a token to an attempt. */
  expect(token: string, caller: Caller): void {
    this.#calls.expect(token, caller);
  }

  /** Forgets what belongs to deliveries that were removed. */
  forget(records: readonly DeliveryRecord[]): void {
    this.#calls.forget(records);
  }

  onRequest(request: FakeKiketRequest): void {
    this.#hideStoredSecret(request);
    this.#parts.onCall(this.#calls.add(request, new Date(this.#parts.clock.now()).toISOString()));
  }

  onComment(comment: FakeKiketComment, request: FakeKiketRequest): void {
    const fields = { issue: this.#issue(comment.issue_id), comment };
    this.#parts.events.notify('issue.commented', fields, this.#originOf(request));
  }

  async transition({ id }: FakeKiketIssue, to: string, request: FakeKiketRequest): Promise<FakeKiketIssue> {
    const { outcome, message } = await this.#parts.issues
      .transition(id, to, this.#originOf(request))
      .catch((error: unknown) => {
        if (!(error instanceof InputError)) throw error;
        throw new RequestError(error.status === 409 ? 422 : error.status, error.message);
      });
    if (outcome === 'moved') return this.#issue(id)!;
    const reason = outcome === 'pending' ? 'The transition waits for an approval' : 'The transition was denied';
    throw new RequestError(422, message ?? reason);
  }

  /** The extension may quote it, as it does those of the payload. */
  #hideStoredSecret({ path, body }: FakeKiketRequest): void {
    const [, key] = /^\/api\/v1\/extensions\/[^/]+\/secrets\/([^/]+)$/.exec(path) ?? [];
    const value = isObject(body) ? body['value'] : undefined;
    if (key !== undefined && typeof value === 'string') this.#parts.vault.hide(key, value);
  }

  #originOf(request: FakeKiketRequest): DeliveryOrigin {
    const caller = this.#calls.callerOf(request);
    if (caller === undefined) return { kind: 'call', depth: 1 };
    const { id, origin } = caller.record;
    return { kind: 'call', deliveryId: id, depth: origin.depth + 1 };
  }

  #issue(id: KiketId): FakeKiketIssue | undefined {
    return this.#parts.stores.issues.issues.find((issue) => String(issue.id) === String(id));
  }

  get #kiket(): FakeKiket {
    return this.#parts.fake().kiket;
  }
}
