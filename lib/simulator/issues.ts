import type { IssueStore, FakeKiketIssue } from '../fake-kiket/issue-store';
import { isId, isObject, type KiketId } from '../guards';
import { messageIn } from '../sending/outcome';
import { isSettled, type DeliveryRecord } from './delivery-record';
import { InputError, type LocalKiket } from './local-kiket';
import type { LocalEvents } from './local-events';
import type { DeliveryOrigin, LocalIssue, TransitionResult, WorkflowState } from './model';
import type { Step } from './rules';

/** The parts that {@link LocalIssues} need. */
export interface IssuesParts {
  readonly store: IssueStore;
  readonly events: LocalEvents;
  /** Resolves when nothing more happens to a delivery by itself. */
  readonly settled: (record: DeliveryRecord) => Promise<void>;
  /** Called when somebody has decided on a transition for which a guard waits, with the id of the guard's delivery. */
  readonly onDecision: (deliveryId: string, decision: 'approve' | 'reject') => void;
  readonly onChange: (issue: LocalIssue) => void;
  /** Returns a text without secrets. */
  readonly shown: (text: string) => string;
}

const GUARD = 'workflow.before_transition';

const BY_HAND: DeliveryOrigin = { kind: 'transition', depth: 0 };

type IssuesFacade = LocalKiket['issues'];

/** The project of the local Kiket: issues, and their workflows. */
export class LocalIssues implements IssuesFacade {
  readonly #parts: IssuesParts;
  /** By id of the issue; none for a workflow that runs. */
  readonly #workflows = new Map<string, WorkflowState>();
  /** Moves that a guard has allowed, denied or put off, by id of its delivery. */
  readonly #results = new Map<string, Pick<TransitionResult, 'outcome' | 'message'>>();
  /** Required deliveries that have not ended, by id of the issue, the oldest first. */
  readonly #open = new Map<string, Set<DeliveryRecord>>();
  /** Statuses for which a guard is asked, by id of its delivery. */
  readonly #asked = new Map<string, { readonly issueId: KiketId; readonly status: string }>();

  constructor(parts: IssuesParts) {
    this.#parts = parts;
  }

  list(): LocalIssue[] {
    return this.#parts.store.issues.map((issue) => this.#viewOf(issue));
  }

  add(fields: Readonly<Record<string, unknown>>): LocalIssue {
    const known = this.#find(fields['id']);
    if (known !== undefined) {
      throw new InputError(409, `there is an issue ${known.id} already`);
    }
    return this.#changed(this.#parts.store.add(fields));
  }

  /** Restores an issue of an earlier run. */
  restore({ workflow, projectId, ...fields }: LocalIssue): void {
    this.#parts.store.add({ ...fields, project_id: projectId });
    // Deliveries that have not ended are waited for as soon as they are restored.
    if (workflow.kind === 'pending' || workflow.kind === 'halted') this.#workflows.set(String(fields.id), workflow);
  }

  /** Adds the issue of a payload, unless it is there. Extensions call the API for it. Returns its id. */
  adopt(payload: Readonly<Record<string, unknown>>): KiketId | undefined {
    const data = isObject(payload['data']) ? payload['data'] : payload;
    const given = data['issue'] ?? data['case'];
    if (!isObject(given) || !isId(given['id'])) return undefined;
    const known = this.#find(given['id']);
    if (known !== undefined) return known.id;
    // Examples of several issues have the same key.
    const isTaken = this.#find(given['key']) !== undefined;
    const { id } = this.#parts.store.add({ ...given, ...(isTaken && { key: undefined }) });
    this.#changed(this.#find(id)!);
    return id;
  }

  /** Asks the guard, if there is one, and moves the issue if it may. */
  async transition(id: KiketId, to: string, origin: DeliveryOrigin = BY_HAND): Promise<TransitionResult> {
    const issue = this.#required(id);
    this.#requireRunning(issue);
    if (typeof to !== 'string' || to === '') throw new InputError(400, 'to must be the name of a state');
    const guard = this.#parts.events.raise(GUARD, this.#fieldsOf(issue, to), origin);
    if (guard === undefined) {
      this.#move(issue, to, origin);
      return { outcome: 'moved', issue: this.#viewOf(this.#required(id)) };
    }
    await this.#parts.settled(guard);
    const result = this.#results.get(guard.id) ?? { outcome: 'denied', message: guard.sentence };
    this.#results.delete(guard.id);
    return { ...result, deliveryId: guard.id, issue: this.#viewOf(this.#required(id)) };
  }

  /** Decides on a transition for which a guard waits. */
  decide(id: KiketId, decision: 'approve' | 'reject'): TransitionResult {
    const issue = this.#required(id);
    const workflow = this.#workflowOf(issue);
    if (workflow.kind !== 'pending') throw new InputError(409, 'no transition of the issue waits for an approval');
    if (decision !== 'approve' && decision !== 'reject') {
      throw new InputError(400, 'decision must be "approve" or "reject"');
    }
    const { deliveryId, to } = workflow;
    this.#setWorkflow(issue, this.#workflowAfter(issue));
    this.#parts.onDecision(deliveryId, decision);
    if (decision === 'approve') this.#move(issue, to, { ...BY_HAND, deliveryId });
    const outcome = decision === 'approve' ? 'moved' : 'denied';
    return { outcome, deliveryId, issue: this.#viewOf(this.#required(id)) };
  }

  resume(id: KiketId): LocalIssue {
    const issue = this.#required(id);
    if (this.#workflowOf(issue).kind !== 'halted') throw new InputError(409, 'the workflow of the issue is not halted');
    return this.#setWorkflow(issue, this.#workflowAfter(issue));
  }

  /** Lets a workflow wait for a required delivery, and go on after it. */
  follow(record: DeliveryRecord): void {
    const issue = record.issueId === undefined ? undefined : this.#find(record.issueId);
    if (issue === undefined || record.isFurther) return;
    if (record.routing.isGuard) return this.#followGuard(record, issue);
    if (!record.routing.isRequired) return;
    const open = this.#openOf(issue);
    const workflow = this.#workflowOf(issue);
    if (!isSettled(record)) {
      open.add(record);
      if (workflow.kind === 'running') this.#setWorkflow(issue, this.#workflowAfter(issue));
      return;
    }
    open.delete(record);
    const isReleased =
      (workflow.kind === 'waiting' || (workflow.kind === 'halted' && record.state === 'completed')) &&
      workflow.deliveryId === record.id;
    if (isReleased) this.#setWorkflow(issue, this.#workflowAfter(issue));
  }

  /** Also of one that was sent by hand, or by an earlier run. */
  #followGuard(record: DeliveryRecord, { id, status }: FakeKiketIssue): void {
    if (isSettled(record)) this.#asked.delete(record.id);
    else if (!this.#asked.has(record.id)) this.#asked.set(record.id, { issueId: id, status });
  }

  #openOf({ id }: FakeKiketIssue): Set<DeliveryRecord> {
    const open = this.#open.get(String(id)) ?? new Set();
    this.#open.set(String(id), open);
    return open;
  }

  /** A workflow that nothing holds up. */
  #workflowAfter(issue: FakeKiketIssue): WorkflowState {
    const [oldest] = this.#openOf(issue);
    return oldest === undefined ? { kind: 'running' } : { kind: 'waiting', deliveryId: oldest.id };
  }

  /** Carries out what an attempt means for the workflow. */
  apply(record: DeliveryRecord, step: Step, body: string): void {
    const issue = record.issueId === undefined ? undefined : this.#find(record.issueId);
    if (record.routing.isGuard) return this.#applyDecision(record, issue, step, body);
    if (issue === undefined || !step.haltsWorkflow) return;
    this.#setWorkflow(issue, { kind: 'halted', deliveryId: record.id, reason: record.sentence });
  }

  #applyDecision(record: DeliveryRecord, issue: FakeKiketIssue | undefined, step: Step, body: string): void {
    const message = messageIn(body);
    const outcome = step.state === 'pending' ? 'pending' : step.state === 'completed' ? 'moved' : 'denied';
    this.#results.set(record.id, { outcome, message: message ?? (outcome === 'denied' ? record.sentence : undefined) });
    const to = requestedState(record);
    if (issue === undefined || to === undefined) return;
    // Two guards that were sent by hand may be asked at once: the transition of the first one ends that of the second.
    const isStale = this.#asked.get(record.id)?.status !== issue.status || this.#workflowOf(issue).kind === 'pending';
    if (isStale) {
      this.#results.set(record.id, { outcome: 'denied', message: 'The issue has changed its status meanwhile.' });
      return;
    }
    if (outcome === 'moved') this.#move(issue, to, { ...record.origin, deliveryId: record.id });
    if (outcome === 'pending') this.#setWorkflow(issue, { kind: 'pending', deliveryId: record.id, to, message });
  }

  /** Forgets what belongs to deliveries that were removed. */
  forget(records: readonly DeliveryRecord[]): void {
    for (const { id } of records) {
      this.#results.delete(id);
      this.#asked.delete(id);
    }
  }

  #move(issue: FakeKiketIssue, to: string, origin: DeliveryOrigin): void {
    const fields = this.#fieldsOf(issue, to);
    this.#changed(this.#parts.store.move(issue, to));
    this.#parts.events.notify('issue.transitioned', { ...fields, issue: this.#required(issue.id) }, origin);
  }

  #fieldsOf(issue: FakeKiketIssue, to: string): { readonly issue: object; readonly transition: object } {
    return { issue, transition: { from: issue.status, to } };
  }

  #requireRunning(issue: FakeKiketIssue): void {
    const workflow = this.#workflowOf(issue);
    if ([...this.#asked.values()].some(({ issueId }) => issueId === issue.id)) {
      throw new InputError(409, 'the guard of another transition is asked');
    }
    if (workflow.kind === 'running') return;
    const reasons = {
      waiting: 'the workflow waits for a delivery',
      pending: 'a transition waits for an approval: approve or reject it first',
      halted: 'the workflow is halted: resume it first',
    };
    throw new InputError(409, reasons[workflow.kind]);
  }

  #workflowOf({ id }: FakeKiketIssue): WorkflowState {
    return this.#workflows.get(String(id)) ?? { kind: 'running' };
  }

  #setWorkflow(issue: FakeKiketIssue, workflow: WorkflowState): LocalIssue {
    if (workflow.kind === 'running') this.#workflows.delete(String(issue.id));
    else this.#workflows.set(String(issue.id), workflow);
    return this.#changed(this.#required(issue.id));
  }

  #changed(issue: FakeKiketIssue): LocalIssue {
    const view = this.#viewOf(issue);
    this.#parts.onChange(view);
    return view;
  }

  #viewOf(issue: FakeKiketIssue): LocalIssue {
    const { id, project_id: projectId } = issue;
    const [key, title, status] = [issue.key, issue.title, issue.status].map((text) => this.#parts.shown(String(text)));
    return { id, key: key!, title: title!, status: status!, projectId, workflow: this.#workflowOf(issue) };
  }

  #find(id: unknown): FakeKiketIssue | undefined {
    if (!isId(id)) return undefined;
    return this.#parts.store.issues.find((issue) => String(issue.id) === String(id) || issue.key === id);
  }

  #required(id: KiketId): FakeKiketIssue {
    const issue = this.#find(id);
    if (issue === undefined) throw new InputError(404, `there is no issue ${String(id)}`);
    return issue;
  }
}

/** The state that a guard is asked about. */
function requestedState({ blueprint: { content } }: DeliveryRecord): string | undefined {
  if (!('payload' in content)) return undefined;
  const { data, transition = isObject(data) ? data['transition'] : undefined } = content.payload;
  const to = isObject(transition) ? transition['to'] : undefined;
  return typeof to === 'string' ? to : undefined;
}
