import { NonRetryableError, type KiketTable } from 'kiket-express';
import { endedIssue, fieldsOf, readId, startedEntry, stopChanges } from './timers';
import type { AnyDelivery, TimeEntry } from './timers';

type Handler = (delivery: AnyDelivery) => Promise<object>;

/** @param now returns the current time. */
export function createHandlers(now: () => Date) {
  /** Stops the timers of an issue that is done. The transition is signed, so it does no harm that the event may not be. */
  const stopTimersOfIssue: Handler = async (delivery) => {
    const issue_id = endedIssue(fieldsOf(delivery));
    if (issue_id === undefined) return { ok: true, stopped_timers: 0 };
    const entries = entriesOf(delivery);
    const running = await entries.list({ filters: { issue_id, state: 'running' }, limit: 100 });
    for (const entry of running) await entries.update(entry.id, stopChanges(entry, now()));
    return { ok: true, stopped_timers: running.length };
  };

  const startTimer: Handler = async (delivery) => {
    requireSignedEvent(delivery);
    const { user_id, issue_id } = fieldsOf(delivery);
    const [userId, issueId] = [readId('user_id', user_id), readId('issue_id', issue_id)];
    const entries = entriesOf(delivery);
    const running = await runningEntry(entries, userId);
    if (running === undefined) return { ok: true, entry: await entries.create(startedEntry(userId, issueId, now())) };
    if (running.issue_id === issueId) return { ok: true, entry: running };
    throw new NonRetryableError(`The user's timer is running on ${running.issue_id}`, { code: 'time.running' });
  };

  const stopTimer: Handler = async (delivery) => {
    requireSignedEvent(delivery);
    const { user_id } = fieldsOf(delivery);
    const entries = entriesOf(delivery);
    const running = await runningEntry(entries, readId('user_id', user_id));
    if (running === undefined)
      throw new NonRetryableError('The user has no running timer', { code: 'time.not_running' });
    return { ok: true, entry: await entries.update(running.id, stopChanges(running, now())) };
  };

  return { stopTimersOfIssue, startTimer, stopTimer };
}

/** Otherwise a captured stop could be sent again to the path of the start, which takes the same fields. */
function requireSignedEvent({ eventSigned }: AnyDelivery): void {
  if (!eventSigned) throw new NonRetryableError('The body must name the command', { code: 'time.event_unsigned' });
}

/** The records of the project, which newer deliveries name by its key. */
function entriesOf({ api, projectId, projectKey }: AnyDelivery): KiketTable<TimeEntry> {
  const project = projectId ?? projectKey;
  if (project === undefined) {
    throw new NonRetryableError('The delivery names no project', { code: 'time.project_unknown' });
  }
  return api.customData<TimeEntry>('dev.example.time-tracking', 'entries', { projectId: project });
}

async function runningEntry(entries: KiketTable<TimeEntry>, user_id: string): Promise<TimeEntry | undefined> {
  const [running] = await entries.list({ filters: { user_id, state: 'running' }, limit: 1 });
  return running;
}
