import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeliveryRecord } from '../../../lib/simulator/delivery-record';
import { FileJournal } from '../../../lib/simulator/journal-file';
import type { Alert } from '../../../lib/simulator/model';
import type { HiddenValue } from '../../../lib/simulator/vault';
import { temporaryFolder } from '../../support/cli';

const hidden: readonly HiddenValue[] = [{ value: 'completed', name: 'secret:ODD' }];
const problems: string[] = [];
const journals: FileJournal[] = [];

function open(folder: string, values: readonly HiddenValue[] = []): FileJournal {
  const journal = new FileJournal(
    folder,
    () => values,
    (text) => problems.push(text),
  );
  journals.push(journal);
  return journal;
}

afterEach(() => {
  for (const journal of journals.splice(0)) journal.close();
  expect(problems).toEqual([]);
});

function recordOf(id: string, change: Partial<DeliveryRecord> = {}): DeliveryRecord {
  return {
    id,
    number: 1,
    createdAtMs: 0,
    blueprint: {
      invocationId: id,
      event: 'issue.created',
      eventVersion: 'v1',
      projectId: 27,
      organizationId: undefined,
      content: { payload: { event: 'issue.created' } },
      scheme: 'timestamped',
      prefix: '',
      headers: 'full',
      timestampOffsetSeconds: 0,
      missing: [],
      scopes: undefined,
      endpoint: undefined,
      isRequired: undefined,
      tamper: undefined,
      isIncomplete: false,
    },
    routing: {
      isSubscribed: true,
      isGuard: false,
      isRequired: true,
      endpoint: undefined,
      timeoutMs: 10_000,
      delays: [30_000],
    },
    origin: { kind: 'sent', depth: 0 },
    issueId: 7,
    state: 'queued',
    sentence: 'It waits for its turn.',
    attempts: [],
    retriesMade: 0,
    platformTimeMs: 0,
    due: undefined,
    skipsDelays: false,
    isFurther: false,
    alertId: undefined,
    ...change,
  };
}

const attempt = { detail: { number: 1, response: { body: 'x'.repeat(900_000) } }, exact: undefined, token: undefined };

const size = (folder: string): number => statSync(join(folder, 'journal.jsonl')).size;

/** Ends the step of the journal that is being carried out. */
const stepEnds = (): Promise<void> => Promise.resolve();

/** A journal that has a delivery, and its size. */
async function withDelivery() {
  const folder = join(temporaryFolder(), 'state');
  const journal = open(folder);
  const record = recordOf('a');
  journal.saveDelivery(record);
  await stepEnds();
  return { folder, journal, record, before: size(folder) };
}

describe('a journal', () => {
  it('should give back what was saved', () => {
    const folder = join(temporaryFolder(), 'state');
    const first = open(folder);
    const record = recordOf('a');
    first.saveDelivery(record);
    Object.assign(record, { state: 'retrying', retriesMade: 1, due: { atMs: 5, delayMs: 2, platformDelayMs: 3 } });
    first.saveAttempt(record, attempt as never);
    record.attempts.push(attempt as never);
    first.saveDelivery(record);
    first.saveDelivery(
      recordOf('bytes', { blueprint: { ...record.blueprint, content: { bytes: Buffer.from([0xff, 0]) } } }),
    );
    first.close();
    const { deliveries } = open(folder).saved;
    expect(deliveries).toEqual([record, expect.objectContaining({ id: 'bytes' })]);
    expect(deliveries[1]!.blueprint).toMatchObject({ content: { bytes: Buffer.from([0xff, 0]) }, isIncomplete: false });
  });

  it('should write a line of the change, and nothing for an attempt that begins', async () => {
    const { folder, journal, record, before } = await withDelivery();
    record.state = 'sending';
    journal.saveDelivery(record);
    await stepEnds();
    expect(size(folder)).toBe(before);
    record.state = 'completed';
    journal.saveDelivery(record);
    await stepEnds();
    expect(size(folder) - before).toBeGreaterThan(0);
    expect(size(folder) - before).toBeLessThan(200);
  });

  it('should have an attempt and the state that follows from it, or neither, wherever a crash has cut it', async () => {
    const { folder, journal, record, before } = await withDelivery();
    journal.saveAttempt(record, { ...attempt, detail: { number: 1 } } as never);
    Object.assign(record, { state: 'retrying', retriesMade: 1 });
    journal.saveDelivery(record);
    journal.close();
    const whole = readFileSync(join(folder, 'journal.jsonl'));
    for (let end = before; end <= whole.length; end++) {
      writeFileSync(join(folder, 'journal.jsonl'), whole.subarray(0, end));
      const again = open(folder);
      const [{ attempts, state, retriesMade } = record] = again.saved.deliveries;
      again.close();
      const isWhole = end === whole.length;
      expect([attempts.length, state, retriesMade]).toEqual(isWhole ? [1, 'retrying', 1] : [0, 'queued', 0]);
    }
  });

  it('should keep a state that is also the value of a secret', () => {
    const folder = join(temporaryFolder(), 'state');
    const first = open(folder, hidden);
    first.saveDelivery(recordOf('a', { state: 'completed', sentence: 'completed' }));
    first.close();
    expect(open(folder, hidden).saved.deliveries[0]).toMatchObject({
      state: 'completed',
      sentence: '{{secret:ODD}}',
    });
  });

  it('should mask what was written before a value was known, when it is written anew', () => {
    const folder = join(temporaryFolder(), 'state');
    const first = open(folder);
    first.saveIssue({
      id: 7,
      key: 'K',
      title: 'value_known_later',
      status: 's',
      projectId: 1,
      workflow: { kind: 'running' },
    });
    first.close();
    open(folder, [{ value: 'value_known_later', name: 'secret:NEW' }]).close();
    expect(readFileSync(join(folder, 'journal.jsonl'), 'utf8')).not.toContain('value_known_later');
  });

  it('should keep as many alerts as the local Kiket', () => {
    const folder = join(temporaryFolder(), 'state');
    const first = open(folder);
    const alert: Alert = { id: '', at: '', type: 't', deliveryId: 'd', text: '', isAcknowledged: false };
    for (let i = 0; i < 1005; i++) first.saveAlert({ ...alert, id: String(i) });
    first.close();
    const { alerts } = open(folder).saved;
    expect([alerts.length, alerts[0]!.id]).toEqual([1000, '5']);
  });

  it('should be written anew while it runs, when most of it is out of date', async () => {
    const folder = join(temporaryFolder(), 'state');
    const journal = open(folder);
    const kept = recordOf('kept');
    journal.saveDelivery(kept);
    let largest = 0;
    for (let i = 0; i < 100; i++) {
      const record = recordOf(`id-${i}`);
      journal.saveDelivery(record);
      journal.saveAttempt(record, attempt as never);
      journal.remove([record]);
      await stepEnds();
      largest = Math.max(largest, size(folder));
    }
    expect(largest).toBeLessThan(69e6);
    expect(size(folder)).toBeLessThan(40e6);
    journal.saveDelivery(Object.assign(kept, { state: 'completed' }));
    journal.close();
    expect(open(folder).saved.deliveries).toMatchObject([{ id: 'kept', state: 'completed' }]);
  });

  it('should ignore attempts of a delivery that was removed', () => {
    const folder = join(temporaryFolder(), 'state');
    const journal = open(folder);
    const record = recordOf('a');
    journal.saveDelivery(record);
    journal.remove([record]);
    journal.saveAttempt(record, attempt as never);
    journal.close();
    const { saved, problems: skipped } = open(folder);
    expect([saved.deliveries, skipped]).toEqual([[], []]);
  });
});
