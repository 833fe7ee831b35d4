import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { signDelivery, type FakeKiket } from 'kiket-express/testing';
import request from 'supertest';
import { parse } from 'yaml';
import { createApp } from '../../../../examples/ports/time-tracking';
import { endedIssue, readId, startedEntry, stopChanges } from '../../../../examples/ports/time-tracking/timers';
import { deliver, secret } from '../../../support/deliver';
import { ExampleProcess } from '../../../support/example-process';
import { startFake } from '../../../support/fake-kiket';
import { announcedEvents, errorCodeOf, handledEvents, manifestOf } from '../../../support/port';

const transition = { from: 'in_progress', to: 'closed' };

describe('endedIssue', () => {
  it.each([
    ['closed', { issue: { id: 'issue456' }, transition }, 'issue456'],
    ['done', { issue: { id: 7 }, transition: { to: 'done' } }, '7'],
    ['done, of a case', { case: { id: 'ISS-42' }, transition: { to: 'done' } }, 'ISS-42'],
    ['done, beside the issue', { issue: { id: 'ISS-42' }, from: 'open', to: 'done' }, 'ISS-42'],
    ['done, of an issue with a key only', { issue: { key: 'OPS-1' }, to: 'done' }, 'OPS-1'],
    ['another state', { issue: { id: 7 }, transition: { to: 'in_progress' } }, undefined],
    ['no transition', { issue: { id: 7 } }, undefined],
  ])('should find the issue: %s', (_name, fields, expected) => {
    expect(endedIssue(fields)).toBe(expected);
  });

  it('should throw a final error for an issue without an id', () => {
    expect(() => endedIssue({ transition })).toThrow(
      expect.objectContaining({ code: 'time.invalid', status: 422 }) as Error,
    );
  });
});

describe('readId', () => {
  it.each([undefined, null, '', {}, [], true])('should throw a final error for %j', (id) => {
    expect(() => readId('user_id', id)).toThrow('user_id must be a number or a non-empty string');
  });
});

describe('stopChanges', () => {
  const { started_at } = startedEntry('user123', 'issue456', new Date('2026-11-25T10:00:00Z'));

  it.each([
    ['2026-11-25T12:00:00.400Z', 7200],
    ['2026-11-25T10:00:00Z', 0],
    ['2026-11-25T09:59:00Z', 0],
  ])('should count the time until %s', (now, duration_seconds) => {
    expect(stopChanges({ started_at }, new Date(now))).toEqual({ state: 'stopped', duration_seconds });
  });
});

describe('examples/ports/time-tracking', () => {
  const manifest = manifestOf('time-tracking');
  let kiket: FakeKiket;
  let now: Date;
  beforeEach(async () => {
    kiket = await startFake();
    now = new Date('2026-11-25T10:00:00Z');
  });

  const app = () => createApp(manifest, { apiKey: 'ext_fake', baseUrl: kiket.url }, () => now);
  const command = (name: string, fields: object): object => ({
    event: `time.${name}`,
    project_id: 27,
    ...kiket.callback(),
    ...fields,
  });
  const start = (changes: object = {}) =>
    deliver(app(), command('startTimer', { user_id: 'user123', issue_id: 'issue456', ...changes }));
  const stop = (changes: object = {}) => deliver(app(), command('stopTimer', { user_id: 'user123', ...changes }));
  const entries = (projectId: number | string = 27) =>
    kiket.records('dev.example.time-tracking', 'entries', { projectId });

  it('should handle every event of its manifest', async () => {
    expect(await handledEvents(app())).toEqual(announcedEvents(manifest));
  });

  it('should declare the columns that it writes', () => {
    const file = join(dirname(manifest.path), 'modules/dev.example.time-tracking/schema.yml');
    const { tables } = parse(readFileSync(file, 'utf8')) as { tables: { entries: { columns: { name: string }[] } } };
    const written = Object.keys(startedEntry('user123', 'issue456', now));
    expect(tables.entries.columns.map(({ name }) => name)).toEqual(['id', ...written]);
  });

  it('should record the time between start and stop', async () => {
    await start().expect(200);
    expect(entries()).toMatchObject([{ issue_id: 'issue456', state: 'running', duration_seconds: null }]);
    now = new Date('2026-11-25T12:00:00Z');
    const response = await stop().expect(200);
    expect(response.body).toMatchObject({ ok: true, entry: { state: 'stopped', duration_seconds: 7200 } });
  });

  it('should let each user have a timer', async () => {
    await start().expect(200);
    await start({ user_id: 'user7' }).expect(200);
    await stop().expect(200);
    expect(entries()).toMatchObject([{ state: 'stopped' }, { user_id: 'user7', state: 'running' }]);
  });

  it('should keep the timer of a user that already runs on the issue', async () => {
    await start().expect(200);
    await start().expect(200);
    expect(entries()).toHaveLength(1);
  });

  it.each([
    ['a second timer of a user', () => start({ issue_id: 'issue9' }), 'time.running'],
    ['a stop without a timer', () => stop({ user_id: 'user7' }), 'time.not_running'],
    ['a start without a user', () => start({ user_id: undefined }), 'time.invalid'],
    ['a start without an issue', () => start({ issue_id: '' }), 'time.invalid'],
    ['a start without a project', () => start({ project_id: undefined }), 'time.project_unknown'],
  ])('should reject %s for good', async (_name, send, code) => {
    await start().expect(200);
    expect(errorCodeOf(await send().expect(422))).toBe(code);
    expect(entries()).toMatchObject([{ user_id: 'user123', issue_id: 'issue456', state: 'running' }]);
  });

  describe('a transition', () => {
    const ended = { issue: { id: 'issue456' }, transition };
    const contract = { event: 'issue.transitioned', issue: { id: 'issue456', project_id: 27 }, transition };

    it.each<[string, object, { path?: string; projectId?: number }]>([
      ["the contract's envelope", contract, {}],
      ['a case', { ...contract, event: 'case.transitioned', issue: undefined, case: contract.issue }, {}],
      ['no event in the body', ended, { path: '/webhooks/issue.transitioned', projectId: 27 }],
      ['no event in the body, with a version', ended, { path: '/v/v1/webhooks/case.transitioned', projectId: 27 }],
    ])('should stop all timers of the issue: %s', async (_name, payload, options) => {
      await start().expect(200);
      await start({ user_id: 'user7' }).expect(200);
      await start({ user_id: 'user8', issue_id: 'issue9' }).expect(200);
      now = new Date('2026-11-25T10:30:00Z');
      await deliver(app(), payload, options).expect(200, { ok: true, stopped_timers: 2 });
      expect(entries()).toMatchObject([
        { state: 'stopped', duration_seconds: 1800 },
        { state: 'stopped', duration_seconds: 1800 },
        { state: 'running' },
      ]);
    });

    it('should stop no timer in another state', async () => {
      await start().expect(200);
      const payload = { ...contract, transition: { from: 'open', to: 'in_progress' } };
      await deliver(app(), payload).expect(200, { ok: true, stopped_timers: 0 });
      expect(entries()).toMatchObject([{ state: 'running' }]);
    });

    it('should be delivered again while Kiket is down', async () => {
      kiket.fail({ kind: 'status', status: 500, times: 1 });
      expect(errorCodeOf(await deliver(app(), contract).expect(503))).toBe('api.unavailable');
      await deliver(app(), contract).expect(200);
    });
  });

  it.each(['time.startTimer', 'time.stopTimer'])('should reject %s when only the path names it', async (event) => {
    const payload = { ...command('', { user_id: 'user123', issue_id: 'issue456' }), event: undefined };
    const response = await deliver(app(), payload, { path: `/webhooks/${event}` }).expect(422);
    expect(errorCodeOf(response)).toBe('time.event_unsigned');
    expect(entries()).toEqual([]);
  });

  describe('started', () => {
    let running: ExampleProcess;
    afterEach(() => running.stop());

    it('should receive commands and transitions in both envelopes, and without an event in the body', async () => {
      running = new ExampleProcess('ports/time-tracking', {
        KIKET_WEBHOOK_SECRET: secret,
        KIKET_BASE_URL: kiket.url,
        KIKET_API_KEY: 'ext_fake',
      });
      const origin = await running.origin();
      const send = async (payload: object, path = '/kiket', options = {}): Promise<unknown> => {
        const { headers, body } = signDelivery(payload, { secret, ...options });
        return (await request(origin).post(path).set(headers).send(body).expect(200)).body;
      };
      const newest = (id: string, type: string, data: object): object => ({ id, type, projectKey: 'OPS', data });

      await send(newest('evt_1', 'time.startTimer', { user_id: 'usr_9', issue_id: 'ISS-42' }));
      const moved = { issue: { id: 'ISS-42' }, from: 'open', to: 'done' };
      expect(await send(newest('evt_2', 'issue.transitioned', moved))).toEqual({ ok: true, stopped_timers: 1 });
      expect(entries('OPS')).toMatchObject([{ user_id: 'usr_9', issue_id: 'ISS-42', state: 'stopped' }]);

      await send(command('startTimer', { user_id: 'user123', issue_id: 'issue456' }));
      const body = { issue: { id: 'issue456' }, transition };
      const stopped = await send(body, '/webhooks/issue.transitioned', { projectId: 27 });
      expect(stopped).toEqual({ ok: true, stopped_timers: 1 });
    }, 120_000);

    it('should not start without a delivery secret', async () => {
      running = new ExampleProcess('ports/time-tracking', { KIKET_WEBHOOK_SECRET: '' });
      const { code, output } = await running.end();
      expect([code, output]).toEqual([1, expect.stringContaining('KIKET_WEBHOOK_SECRET, which is unset or empty')]);
    }, 120_000);
  });
});
