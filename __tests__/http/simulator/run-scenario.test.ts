import express from 'express';
import {
  deny,
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketIdempotency,
  KiketMemoryStore,
  pending,
} from 'kiket-express';
import {
  runScenario,
  startSimulator,
  type RunningSimulator,
  type Scenario,
  type ScenarioStep,
} from 'kiket-express/simulator';
import { secret } from '../../support/deliver';
import { startServer } from '../../support/loopback-server';
import { until } from '../../support/until';

const running: RunningSimulator[] = [];
afterEach(async () => {
  for (const kiket of running.splice(0)) await kiket.close();
});

async function startKiket(url: string, options: object = {}): Promise<RunningSimulator> {
  const kiket = await startSimulator({ url, secret, speed: 'max', ...options });
  running.push(kiket);
  return kiket;
}

/** A local Kiket, and an extension that comments on issues, denies `done` and lets `review` wait. */
async function startBoth(): Promise<RunningSimulator> {
  let failures = 0;
  const app = express();
  app.set('env', 'test');
  app.use((req, res, next) => {
    extension(req, res, next);
  });
  const { url } = await startServer(app);
  const local = await startKiket(`${url}/kiket`);
  const events = kiketEvents()
    .on('issue.created', async ({ payload, api }) => void (await api.issues().comment(payload.issue!.id!, 'Seen')))
    .on('issue.updated', () => {
      if (failures++ === 0) throw new Error('The first attempt fails');
    })
    .on('workflow.before_transition', ({ payload }) =>
      payload.transition?.to === 'review' ? pending('Somebody has to look') : deny('Not before the review'),
    )
    .otherwise('ignore');
  const extension = express
    .Router()
    .post(
      '/kiket',
      kiket({ secret, api: { allowedOrigins: [local.apiUrl] } }),
      kiketIdempotency(new KiketMemoryStore()),
      events,
      kiketErrorHandler({ onError: () => {} }),
    );
  return local;
}

const run = async (local: RunningSimulator, ...steps: readonly ScenarioStep[]) =>
  runScenario(local, { name: 'test', steps });

/** A receiver that responds with these statuses in turn; with the last one from then on. */
async function startStatuses(...statuses: readonly number[]) {
  let count = 0;
  return startServer((req, res) => {
    req.resume();
    const status = statuses[Math.min(count++, statuses.length - 1)]!;
    res.writeHead(status, { 'Content-Type': 'application/json' }).end('{"error":{"message":"as it is"}}');
  });
}

describe('runScenario', () => {
  it('should carry out transitions, decisions, faults and deliveries, and find all as expected', async () => {
    const local = await startBoth();
    const scenario: Scenario = {
      name: 'all',
      hooks: { 'issue.created': {}, 'issue.updated': {}, 'workflow.before_transition': {} },
      steps: [
        { issue: { id: 7, key: 'SEVEN', status: 'open' }, expect: { workflow: 'running', effects: 0 } },
        {
          transition: { issue: 7, to: 'done' },
          expect: { outcome: 'denied', message: '~the review', attempts: ['success deny'], state: 'denied' },
        },
        {
          transition: { issue: 7, to: 'review' },
          expect: { outcome: 'pending', message: 'Somebody has to look', workflow: 'pending' },
        },
        { decide: { issue: 7, decision: 'approve' }, expect: { outcome: 'moved', workflow: 'running' } },
        {
          send: 'issue.created',
          set: { 'issue.id': 7, 'issue.key': 'SEVEN' },
          expect: { calls: { 'POST /api/v1/ext/issues/7/comments': 1 }, effects: 1, alert: false },
        },
        { fault: { side: 'api', kind: 'server-error' } },
        { send: 'issue.created', expect: { effects: 0, state: 'failed', alert: true, workflow: 'halted' } },
        { resume: 456, expect: { workflow: 'running' } },
        { fault: { side: 'api', kind: 'server-error', off: true } },
        { name: 'again', send: 'issue.updated', expect: { attempts: ['retryable 500', 'success'] } },
        { replay: 'again', expect: { attempts: ['success 200'], state: 'completed' } },
        { replay: 'again', mode: 'exact', expect: { attempts: ['success'] } },
        {
          send: 'issue.updated',
          tamper: 'stale',
          expect: { attempts: ['401 signature.stale'], message: '~300 s old' },
        },
        { send: 'issue.created', duplicate: 'once', expect: { attempts: ['success', 'success'], effects: 1 } },
        { send: 'issue.created', duplicate: 'concurrent', expect: { effects: 1, state: 'completed' } },
        { fault: { side: 'delivery', kind: 'lose-response', times: 1 } },
        { send: 'issue.created', expect: { attempts: ['retryable lost', 'success'], effects: 1 } },
      ],
    };
    const report = await runScenario(local, scenario);
    expect(report.differences).toEqual([]);
    expect(report).toMatchObject({ name: 'all', isAsExpected: true, isComplete: true });
    expect(report.steps.map(({ number }) => number)).toEqual(scenario.steps.map((_, i) => i + 1));
  });

  it('should say of each attempt what the platform does next, with its own delays', async () => {
    const { url } = await startStatuses(503, 429, 200);
    const { steps } = await run(await startKiket(url), { send: 'issue.created' });
    expect(steps[0]!.deliveries[0]!.attempts.map(({ status, next }) => [status, next])).toEqual([
      [503, 'retries in 30 s'],
      [429, 'retries in 1 min'],
      [200, 'is done'],
    ]);
  });

  it.each<[number, string, object, string]>([
    [200, 'issue.created', {}, 'is done'],
    [422, 'issue.created', {}, 'halts the workflow'],
    [422, 'issue.created', { required: false }, 'gives up, goes on'],
    [503, 'issue.created', { retries: 0 }, 'gives up, alerts'],
    [503, 'issue.created', { retries: 0, required: false }, 'gives up, goes on'],
    [200, 'workflow.before_transition', {}, 'lets the transition go on'],
    [500, 'workflow.before_transition', {}, 'cancels the transition'],
  ])('should say after %d to %s with %j: %s', async (status, event, hook, next) => {
    const { url } = await startStatuses(status);
    const local = await startKiket(url);
    const { steps } = await runScenario(local, { name: 'n', hooks: { [event]: hook }, steps: [{ send: event }] });
    expect(steps[0]!.deliveries[0]!.attempts.at(-1)!.next).toBe(next);
  });

  it('should name the step, and what differs', async () => {
    const { url } = await startStatuses(422);
    const { isAsExpected, differences, steps } = await run(
      await startKiket(url),
      { name: 'first', send: 'issue.created', expect: { attempts: ['200'], effects: 1 } },
      { send: 'issue.created', expect: { attempts: ['422'], message: 'as it is' } },
    );
    expect(isAsExpected).toBe(false);
    expect(differences).toEqual(['first: attempts[0] is final 422, must be 200', 'first: effects is 0, must be 1']);
    expect(steps.map((step) => step.differences.length)).toEqual([2, 0]);
  });

  it('should go on after a step that cannot be carried out, and say why', async () => {
    const { url } = await startStatuses(200);
    const { differences } = await run(
      await startKiket(url),
      { transition: { issue: 99, to: 'done' }, expect: { outcome: 'moved' } },
      { resume: 99 },
      { fault: { side: 'api', kind: 'hang', off: true } },
      { name: 'unsent', issue: { id: 1 } },
      { replay: 'unsent' },
      { send: 'issue.created', set: { 'issue.id.a': 1 } },
      { send: 'issue.created', expect: { state: 'completed' } },
    );
    expect(differences).toEqual([
      'issue 99 → done: it is not carried out: there is no issue 99, must be carried out',
      'issue 99 → done: outcome is none, must be moved',
      'resume issue 99: it is not carried out: there is no issue 99, must be carried out',
      'fault hang off: it is not carried out: the fault hang is not switched on, must be carried out',
      'unsent again: it is not carried out: the step unsent has sent no delivery, must be carried out',
      expect.stringContaining('issue.created: it is not carried out: "issue.id.a" leads through "id"') as string,
    ]);
  });

  it('should send in the background, and compare when all have ended', async () => {
    const received: string[] = [];
    const { url } = await startServer((req, res) => {
      received.push(String(req.headers['x-kiket-event']));
      req.resume();
      res.end('{}');
    });
    const seen: string[] = [];
    const { differences, steps } = await runScenario(
      await startKiket(url),
      {
        name: 'reversed',
        steps: [
          { fault: { side: 'delivery', kind: 'reverse-order', times: 2 } },
          { name: 'a', send: 'a.first', background: true, expect: { state: 'completed' } },
          { name: 'b', send: 'b.second', background: true, expect: { state: 'halted' } },
          { wait: 'settled' },
          { name: 'c', send: 'c.third' },
          { name: 'd', send: 'd.fourth', background: true, expect: { attempts: ['200'] } },
        ],
      },
      { onStep: ({ name }) => seen.push(name) },
    );
    expect(received).toEqual(['b.second', 'a.first', 'c.third', 'd.fourth']);
    expect(differences).toEqual(['b: state is completed, must be halted']);
    expect(seen).toEqual(['fault reverse-order', 'a', 'b', 'wait until all have ended', 'c', 'd']);
    expect(steps.map(({ name }) => name)).toEqual([
      'fault reverse-order',
      'a',
      'b',
      'wait until all have ended',
      'c',
      'd',
    ]);
  });

  it('should wait for calls that come after the response, as long as the step says', async () => {
    let apiUrl = '';
    let call: () => void = () => {};
    const { url } = await startServer((req, res) => {
      let body = '';
      req
        .on('data', (part) => (body += part))
        .on('end', () => {
          res.end('{}');
          const { runtime_token: token } = (JSON.parse(body) as { authentication: { runtime_token: string } })
            .authentication;
          call = () =>
            void fetch(`${apiUrl}/api/v1/ext/issues/456/comments`, {
              method: 'POST',
              headers: { 'X-Kiket-Runtime-Token': token, 'Content-Type': 'application/json' },
              body: '{"comment":{"body":"late"}}',
            });
        });
    });
    const local = await startKiket(url, { raisesEvents: false });
    ({ apiUrl } = local);
    const done = run(local, { send: 'issue.created', within: '60s', expect: { effects: 1 } });
    await until(() => local.deliveries.latest(undefined)?.state === 'completed');
    call();
    expect((await done).differences).toEqual([]);
  });

  it('should give a delivery up that takes longer than the step may take', async () => {
    const { url } = await startServer((req) => req.resume());
    const local = await startKiket(url);
    const { differences } = await run(
      local,
      { fault: { side: 'delivery', kind: 'reverse-order' } },
      { name: 'held', send: 'issue.created', within: '20ms' },
      { name: 'guard', transition: { issue: 456, to: 'done' }, within: '20ms' },
    );
    expect(differences).toEqual([
      'held: issue.created is queued after 20 ms, must be ended',
      'guard: workflow.before_transition is queued after 20 ms, must be ended',
    ]);
  });

  it('should have new secrets from their step on, and none that was removed', async () => {
    const secrets: unknown[] = [];
    const { url } = await startServer((req, res) => {
      let body = '';
      req
        .on('data', (part) => (body += part))
        .on('end', () => {
          secrets.push((JSON.parse(body) as { secrets?: object }).secrets);
          res.end('{}');
        });
    });
    await runScenario(await startKiket(url), {
      name: 'secrets',
      secrets: { A: 'one' },
      steps: [
        { send: 'issue.created' },
        { secret: { key: 'A', value: 'two' } },
        { send: 'issue.created' },
        { secret: { key: 'A', value: null } },
        { send: 'issue.created' },
      ],
    });
    expect(secrets).toEqual([{ A: 'one' }, { A: 'two' }, undefined]);
  });

  it('should show what a rotation means for a receiver that has the old secret only', async () => {
    const local = await startBoth();
    const { differences } = await run(
      local,
      { rotate: true },
      { send: 'issue.updated', expect: { attempts: ['final 401 signature.mismatch'] } },
      { fault: { side: 'delivery', kind: 'old-secret', times: 1 } },
      { send: 'x.y', expect: { attempts: ['success'] } },
    );
    expect(differences).toEqual([]);
  });

  it('should deliver an SLA event', async () => {
    const { url } = await startStatuses(200);
    const { steps } = await run(await startKiket(url), {
      slaEvent: { issue_id: 7, state: 'breached' },
      expect: { state: 'completed' },
    });
    expect(steps[0]).toMatchObject({ differences: [], deliveries: [{ event: 'workflow.sla_status' }] });
  });

  it('should count deliveries and calls that a call has caused as those of its step', async () => {
    const local = await startBoth();
    const { steps, differences } = await run(
      local,
      { send: 'issue.created', expect: { effects: 1, attempts: ['success'] } },
      { wait: '1ms', expect: { effects: 0, alert: false } },
    );
    expect(differences).toEqual([]);
    expect(steps[0]!.deliveries.map(({ event }) => event)).toEqual(['issue.created', 'issue.commented']);
    expect(steps[1]!.deliveries).toEqual([]);
  });

  it('should end when its signal aborts, with the steps so far', async () => {
    const { url, counts } = await startServer((req) => req.resume());
    const stop = new AbortController();
    const local = await startKiket(url);
    const steps = [
      { issue: { id: 1 } },
      { name: 'hangs', send: 'issue.created', expect: { effects: 1 } },
      { send: 'a.b' },
    ];
    const done = runScenario(local, { name: 'n', steps }, { signal: stop.signal });
    await until(() => counts.requests === 1);
    stop.abort();
    const report = await done;
    expect(report).toMatchObject({ isAsExpected: false, isComplete: false, differences: [] });
    expect(report.steps.map(({ name }) => name)).toEqual(['issue 1', 'hangs']);
  });

  it('should end while it waits, while a guard is asked, and with deliveries in the background', async () => {
    const { url, counts } = await startServer((req) => req.resume());
    for (const [i, step] of [{ wait: '1h' }, { transition: { issue: 7, to: 'done' } }].entries()) {
      const stop = new AbortController();
      const local = await startKiket(url);
      const steps = [{ issue: { id: 7 } }, { send: 'a.b', background: true }, step];
      const done = runScenario(local, { name: 'n', steps }, { signal: stop.signal });
      await until(() => counts.requests >= (i + 1) * (i + 1));
      stop.abort();
      expect((await done).isComplete).toBe(false);
    }
  });

  it('should refuse an invalid scenario and unknown options before anything is sent', async () => {
    const { url, counts } = await startStatuses(200);
    const local = await startKiket(url);
    const invalid = { name: 'n', steps: [{ send: 'issue.created' }, { wait: 'long' }] };
    await expect(runScenario(local, invalid)).rejects.toThrow('runScenario: steps[1].wait must be a duration');
    const valid = { name: 'n', steps: [{ send: 'issue.created' }] };
    await expect(runScenario(local, valid, { dir: '.' } as never)).rejects.toThrow(/unknown option "dir"/);
    expect(counts.requests).toBe(0);
  });
});
