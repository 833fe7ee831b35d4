import { isObject } from '../guards';
import type { HeaderLine } from '../sending/http-message';
import { MOST_ALERTS } from './alerts';
import type { Blueprint } from './blueprint';
import { isDeliveryState, type AttemptRecord, type DeliveryRecord } from './delivery-record';
import { containsHidden, maskMessage, maskValue } from './masking';
import type { Alert, DeliveryState, LocalIssue } from './model';
import type { HiddenValue } from './vault';

/** A change of the state. */
export type JournalEntry =
  /** The first line. */
  | { readonly version: number }
  | { readonly state: DeliveryState; readonly delivery: SavedDelivery }
  | { readonly state: DeliveryState; readonly progress: Progress }
  | { readonly attempt: { readonly deliveryId: string; readonly detail: AttemptRecord['detail'] } }
  | { readonly alert: Alert }
  | { readonly issue: LocalIssue }
  | { readonly removed: readonly string[] };

/** The fields of a delivery that change, beside its state. */
type Progress = Pick<DeliveryRecord, 'id' | (typeof PROGRESS)[number]>;

const PROGRESS = [
  'sentence',
  'retriesMade',
  'platformTimeMs',
  'due',
  'skipsDelays',
  'isFurther',
  'alertId',
] as const satisfies readonly (keyof DeliveryRecord)[];

type SavedDelivery = Omit<DeliveryRecord, 'attempts' | 'blueprint' | 'state'> & {
  readonly blueprint: Omit<Blueprint, 'content'> & { readonly content: SavedContent };
};

type SavedContent =
  | { readonly payload: Readonly<Record<string, unknown>> }
  | { readonly bodyBase64: string; readonly headers?: readonly HeaderLine[] };

/** Returns an entry as JSON, without the values. */
export function jsonOf(entry: JournalEntry, hidden: readonly HiddenValue[]): string {
  const json = JSON.stringify(entry);
  if (!containsHidden(json, hidden)) return json;
  // A state is a word of its own, which a secret may also be.
  const state = 'state' in entry ? { state: entry.state } : {};
  return JSON.stringify({ ...maskValue(entry, hidden), ...state });
}

/** Returns the line of a step: its entry, or an array of several, which count together or not at all. */
export function lineOf(step: readonly string[]): string {
  return step.length === 1 ? `${step[0]}\n` : `[${step.join(',')}]\n`;
}

export function deliveryEntry(record: DeliveryRecord, hidden: readonly HiddenValue[]): JournalEntry {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- attempts have entries of their own
  const { attempts, blueprint, state, ...rest } = record;
  return { state, delivery: { ...rest, blueprint: { ...blueprint, ...savedContent(blueprint, hidden) } } };
}

export function progressEntry(record: DeliveryRecord): JournalEntry {
  const values = Object.fromEntries(PROGRESS.map((name) => [name, record[name]])) as Progress;
  return { state: record.state, progress: { ...values, id: record.id } };
}

export function attemptEntry({ id: deliveryId }: DeliveryRecord, { detail }: AttemptRecord): JournalEntry {
  return { attempt: { deliveryId, detail } };
}

/** A payload is masked with its entry; of bytes, secrets could not be found in base64. */
function savedContent(
  { content, isIncomplete }: Blueprint,
  hidden: readonly HiddenValue[],
): { readonly content: SavedContent; readonly isIncomplete: boolean } {
  if ('payload' in content) {
    const { payload } = content;
    return { content: { payload }, isIncomplete: isIncomplete || containsHidden(JSON.stringify(payload), hidden) };
  }
  const lines = 'headers' in content ? content.headers : [];
  const { headers, body, isBase64 } = maskMessage(lines, content.bytes, hidden);
  const bytes = Buffer.from(body, isBase64 ? 'base64' : 'utf8');
  const isChanged = !bytes.equals(content.bytes) || JSON.stringify(headers) !== JSON.stringify(lines);
  return {
    content: { bodyBase64: bytes.toString('base64'), ...('headers' in content && { headers }) },
    isIncomplete: isIncomplete || isChanged,
  };
}

/** Deliveries, alerts and issues, as the entries of a journal add them up. */
export class JournalState {
  readonly deliveries = new Map<string, DeliveryRecord>();
  readonly alerts = new Map<string, Alert>();
  readonly issues = new Map<string, LocalIssue>();

  /** Returns false for what is neither an entry nor an array of entries. */
  add(entry: unknown): boolean {
    if (Array.isArray(entry)) return entry.length > 0 && entry.map((each) => this.add(each)).every(Boolean);
    if (!isObject(entry)) return false;
    const { state, delivery, progress, attempt, alert, issue, removed } = entry;
    if (isObject(delivery)) return isDeliveryState(state) && this.#addDelivery(state, delivery);
    if (isObject(progress)) return isDeliveryState(state) && this.#addProgress(state, progress);
    if (isObject(attempt)) return this.#addAttempt(attempt);
    if (hasId<Alert>(alert)) return this.setAlert(alert);
    if (hasId<LocalIssue>(issue)) return this.setIssue(issue);
    if (!Array.isArray(removed)) return false;
    for (const id of removed) this.deliveries.delete(String(id));
    return true;
  }

  setAlert(alert: Alert): true {
    this.alerts.set(alert.id, alert);
    const [oldest] = this.alerts.keys();
    if (this.alerts.size > MOST_ALERTS) this.alerts.delete(oldest!);
    return true;
  }

  setIssue(issue: LocalIssue): true {
    this.issues.set(String(issue.id), issue);
    return true;
  }

  #addDelivery(state: DeliveryState, value: object): boolean {
    const { id, routing, origin, blueprint } = value as Partial<SavedDelivery>;
    if (typeof id !== 'string' || !isObject(routing) || !isObject(origin) || !isObject(blueprint)) return false;
    if (!isObject(blueprint.content)) return false;
    const content = contentOf(blueprint.content);
    const saved = value as SavedDelivery;
    this.deliveries.set(id, { ...saved, blueprint: { ...blueprint, content }, state, attempts: [] });
    return true;
  }

  #addProgress(state: DeliveryState, value: object): boolean {
    const progress = value as Progress;
    const record = this.deliveries.get(progress.id);
    if (record === undefined) return true;
    record.state = state;
    // JSON leaves out what is undefined.
    for (const name of PROGRESS) Object.assign(record, { [name]: progress[name] });
    return true;
  }

  #addAttempt(value: object): boolean {
    const { deliveryId, detail } = value as { deliveryId?: string; detail?: AttemptRecord['detail'] };
    if (!isObject(detail)) return false;
    this.deliveries.get(String(deliveryId))?.attempts.push({ detail, exact: undefined, token: undefined });
    return true;
  }
}

function hasId<T extends { readonly id: unknown }>(value: unknown): value is T {
  return isObject(value) && value['id'] !== undefined;
}

function contentOf(content: SavedContent): Blueprint['content'] {
  if ('payload' in content) return { payload: content.payload };
  const bytes = Buffer.from(content.bodyBase64, 'base64');
  return content.headers === undefined ? { bytes } : { bytes, headers: content.headers };
}
