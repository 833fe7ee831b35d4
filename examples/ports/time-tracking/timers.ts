import { NonRetryableError, type KiketDelivery } from 'kiket-express';

/** A record of the table: the time that a user works on an issue. */
export interface TimeEntry {
  readonly id: number | string;
  readonly user_id: string;
  readonly issue_id: string;
  readonly state: 'running' | 'stopped';
  /** ISO 8601. */
  readonly started_at: string;
  /** `null` while the timer runs. */
  readonly duration_seconds: number | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** States in which nobody works on an issue any more. */
const FINAL_STATES: readonly unknown[] = ['done', 'closed'];

/** A delivery of any event. `is` would limit it to one. */
export type AnyDelivery = Omit<KiketDelivery, 'is'>;

/** Returns the fields of the event, which are in another place in each envelope. */
export function fieldsOf({ envelope, payload }: Pick<AnyDelivery, 'envelope' | 'payload'>): Fields {
  return envelope === 'contract' ? payload : (payload[envelope] as Fields);
}

/** Returns the issue whose timers a transition stops; `undefined` when it stops none. */
export function endedIssue(fields: Fields): string | undefined {
  const { to } = (fields['transition'] ?? fields) as Fields;
  if (!FINAL_STATES.includes(to)) return undefined;
  const { id, key } = (fields['issue'] ?? fields['case'] ?? {}) as Fields;
  return readId('issue.id', id ?? key);
}

/**
 * Returns an id as a string: senders write the same id as a number or a string.
 *
 * @throws {NonRetryableError} when it is missing, or neither of both.
 */
export function readId(name: string, id: unknown): string {
  if (typeof id === 'number' || (typeof id === 'string' && id !== '')) return String(id);
  throw new NonRetryableError(`${name} must be a number or a non-empty string`, { code: 'time.invalid' });
}

export function startedEntry(userId: string, issueId: string, now: Date): Omit<TimeEntry, 'id'> {
  return {
    user_id: userId,
    issue_id: issueId,
    state: 'running',
    started_at: now.toISOString(),
    duration_seconds: null,
  };
}

/** Returns the fields that change when the timer is stopped. */
export function stopChanges({ started_at }: Pick<TimeEntry, 'started_at'>, now: Date) {
  // The clock of another process may be ahead.
  const elapsedMs = Math.max(0, now.getTime() - Date.parse(started_at));
  return { state: 'stopped', duration_seconds: Math.round(elapsedMs / 1000) } as const;
}
