import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import express from 'express';
import { allow, deny, kiket, kiketErrorHandler, kiketEvents, pending } from 'kiket-express';
import { startSimulator, type RunningSimulator, type SimulatorOptions } from 'kiket-express/simulator';
import { ROUTES } from '../../../lib/simulator/control/routes/index';
import type { AcceptedDelivery, CheckProgress } from '../../../lib/simulator/control/messages';
import { startControl } from '../../support/control-server';
import { secret } from '../../support/deliver';
import { startServer } from '../../support/loopback-server';
import { deviationsOf, openapi } from '../../support/openapi';
import { until } from '../../support/until';

const CANARY = 'canary_of_a_secret_value';

const simulators: RunningSimulator[] = [];
afterEach(() => Promise.all(simulators.splice(0).map((simulator) => simulator.close())));

/** A receiver that behaves as the issue of a delivery says. */
async function receiver(): Promise<string> {
  const events = kiketEvents()
    .on('issue.created', () => ({ seen: true }))
    .on('workflow.before_transition', ({ payload }) => {
      const { to } = payload.transition as { to: string };
      return to === 'done' ? deny('Not before the review') : to === 'paid' ? pending('Ask finance') : allow();
    })
    .otherwise(() => ({ other: true }));
  const app = express().set('env', 'test');
  app.post('/kiket', kiket({ secret }), events, kiketErrorHandler());
  return `${(await startServer(app)).url}/kiket`;
}

interface Reply<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

/** A control server of a local Kiket; each response is compared with openapi.json. */
async function start(options: Partial<SimulatorOptions> = {}, control: Parameters<typeof startControl>[1] = {}) {
  const url = options.url ?? (await receiver());
  const simulator = await startSimulator({ url, secret, speed: 'max', secrets: { CRM_TOKEN: CANARY }, ...options });
  simulators.push(simulator);
  const server = await startControl(simulator, control);
  async function call<T = Record<string, unknown>>(method: string, path: string, body?: object): Promise<Reply<T>> {
    const response = await fetch(server.url + path, {
      method: method.toUpperCase(),
      headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed = text === '' ? undefined : (JSON.parse(text) as T);
    expect(deviationsOf(method, path.split('?')[0]!, response.status, parsed)).toEqual([]);
    return { status: response.status, body: parsed as T, headers: response.headers };
  }
  async function deliver(body: object): Promise<string> {
    const { id } = (await call<AcceptedDelivery>('post', '/api/deliveries', body)).body;
    await call('get', `/api/deliveries/${id}/wait`);
    return id;
  }
  return { simulator, server, url, call, deliver };
}

const messageOf = ({ body }: Reply<Record<string, unknown>>): string => (body['error'] as { message: string }).message;

describe('openapi.json', () => {
  const described = Object.entries(openapi.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method} ${path}`),
  );

  it('should describe every route, and no other', () => {
    const routes = ROUTES.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(described.sort()).toEqual([...routes, 'get /api/stream', 'get /ready'].sort());
  });

  it('should describe the parameters of each path', () => {
    for (const [path, operations] of Object.entries(openapi.paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters = [] } of Object.values(operations)) {
        expect(parameters.filter((each) => each.in === 'path').map(({ name }) => name)).toEqual(names);
      }
    }
  });
});

describe('deliveries', () => {
  it('should be sent, listed, found and waited for', async () => {
    const { call, simulator } = await start();
    const sent = await call<AcceptedDelivery>('post', '/api/deliveries', { event: 'issue.created' });
    const { id, location, delivery } = sent.body;
    expect([sent.status, sent.headers.get('location'), delivery.state]).toEqual([202, location, 'sending']);
    expect(await call('get', `${location}/wait?until=completed`)).toMatchObject({
      status: 200,
      body: { id, state: 'completed' },
    });
    expect(await call('get', location)).toMatchObject({ body: { id, attempts: [{ number: 1, status: 200 }] } });
    expect(await call('get', '/api/deliveries/latest?event=issue.*')).toMatchObject({ body: { id } });
    expect(await call('get', '/api/deliveries?outcome=completed&limit=1')).toMatchObject({
      body: { deliveries: [{ id }], total: 1 },
    });
    expect(await call('get', '/api/deliveries?event=comment.*')).toMatchObject({ body: { deliveries: [], total: 0 } });
    expect(await call('get', '/api/target')).toMatchObject({ body: simulator.target });
  });

  it('should get 408 with its state when a wait takes longer', async () => {
    const { url } = await startServer((_req, res) => void res.writeHead(503).end());
    const { call } = await start({ url, speed: 1 });
    const { body } = await call<AcceptedDelivery>('post', '/api/deliveries', { event: 'issue.created' });
    const waited = await call('get', `/api/deliveries/${body.id}/wait?timeoutMs=1`);
    expect(waited).toMatchObject({ status: 408, body: { error: { code: 'timeout' }, delivery: { id: body.id } } });
    await until(async () => {
      const found = await call('get', `/api/deliveries/${body.id}`);
      return found.body['state'] === 'retrying';
    });
    expect((await call('post', `/api/deliveries/${body.id}/attempt`, {})).status).toBe(202);
    expect((await call('post', `/api/deliveries/${body.id}/skip`)).status).toBe(202);
    await call('get', `/api/deliveries/${body.id}/wait?until=failed`);
    const alerts = await call<{ alerts: { id: string }[] }>('get', '/api/alerts');
    const [alert] = alerts.body.alerts;
    expect(await call('post', `/api/alerts/${alert!.id}/acknowledge`)).toMatchObject({
      body: { isAcknowledged: true },
    });
    expect((await call('post', `/api/deliveries/${body.id}/cancel`)).status).toBe(409);
    expect((await call('delete', '/api/deliveries')).status).toBe(204);
    expect(await call('get', '/api/deliveries')).toMatchObject({ body: { total: 0 } });
  });

  it('should be replayed', async () => {
    const { call, deliver } = await start();
    const id = await deliver({ event: 'issue.created' });
    const body = { mode: 'fresh', set: { 'issue.title': 'Another' } };
    const replayed = await call<AcceptedDelivery>('post', `/api/deliveries/${id}/replay`, body);
    expect(replayed).toMatchObject({
      status: 202,
      body: { delivery: { origin: { kind: 'replayed', deliveryId: id } } },
    });
    expect((await call('post', `/api/deliveries/${id}/replay`, { mode: 'again' })).status).toBe(400);
  });

  it.each([
    ['get', '', undefined],
    ['get', '/wait', undefined],
    ['post', '/replay', { mode: 'exact' }],
    ['post', '/attempt', undefined],
    ['post', '/skip', undefined],
    ['post', '/cancel', undefined],
    ['post', '/save', { name: 'a' }],
    ['post', '/attempts/1/reveal', { value: 'token' }],
    ['post', '/attempts/1/verify', undefined],
    ['get', '/attempts/1/print', undefined],
  ])('should get 404 when there is none: %s %s', async (method, rest, body) => {
    const { call } = await start();
    expect((await call(method, `/api/deliveries/unknown${rest}`, body)).status).toBe(404);
  });

  it.each(['0', '2', '1.0', 'x'])('should get 404 for an attempt that there is not: %s', async (n) => {
    const { call, deliver } = await start();
    const id = await deliver({ event: 'issue.created' });
    expect((await call('get', `/api/deliveries/${id}/attempts/${n}/print`)).status).toBe(404);
  });

  it.each([
    '//evil.example',
    '/\\evil.example',
    'http://evil.example/',
    '\\\\evil.example',
    'kiket',
    '/\t/evil.example',
    '',
  ])('should not be sent to another server: %j', async (endpoint) => {
    const { call } = await start();
    const refused = await call('post', '/api/deliveries', { event: 'issue.created', options: { endpoint } });
    expect([refused.status, messageOf(refused)]).toEqual([
      400,
      expect.stringContaining('endpoint must be a path such as /kiket') as string,
    ]);
  });

  it('should be sent to another path of the receiver', async () => {
    const { call, deliver, url } = await start();
    const id = await deliver({ event: 'issue.created', options: { endpoint: '/other?a=1' } });
    const { body } = await call<{ attempts: { request: { url: string } }[] }>('get', `/api/deliveries/${id}`);
    expect(body.attempts[0]!.request.url).toBe(`${new URL(url).origin}/other?a=1`);
  });
});

describe('an attempt', () => {
  it('should be printed in three forms, without secrets', async () => {
    const { call, deliver } = await start();
    const id = await deliver({ event: 'issue.created' });
    for (const form of ['curl', 'http', 'test']) {
      const { body } = await call<{ text: string }>('get', `/api/deliveries/${id}/attempts/1/print?form=${form}`);
      expect(body.text).toContain('issue.created');
      expect(body.text).not.toContain(CANARY);
      expect(body.text).not.toContain(secret);
    }
    expect((await call('get', `/api/deliveries/${id}/attempts/1/print?form=body`)).status).toBe(400);
  });

  it.each([{}, { prefix: 'sha256=' }, { scheme: 'body' }])(
    'should be printed as a command that signs it again: %j',
    async (options) => {
      const { call, deliver } = await start();
      const id = await deliver({ event: 'issue.created', set: { 'issue.title': "It's $HOME" }, options });
      const { body } = await call<{ text: string }>('get', `/api/deliveries/${id}/attempts/1/print`);
      // A line of its own for the status.
      const script = `${body.text} --silent --write-out '\\n%{http_code}'`;
      const { stdout } = await inShell(script);
      expect(stdout.split('\n').at(-1)).toBe('200');
    },
  );

  it('should get 409 where a form cannot hold its body', async () => {
    const { call, deliver } = await start();
    const id = await deliver({ bodyBase64: Buffer.from([0xff, 0]).toString('base64') });
    const printed = await call('get', `/api/deliveries/${id}/attempts/1/print`);
    expect([printed.status, messageOf(printed)]).toEqual([409, 'curl needs a body that is text; http does not']);
    expect((await call('get', `/api/deliveries/${id}/attempts/1/print?form=http`)).status).toBe(200);
  });

  it('should be verified with the secret of now', async () => {
    const { call, deliver } = await start();
    const id = await deliver({ event: 'issue.created' });
    expect(await call('post', `/api/deliveries/${id}/attempts/1/verify`)).toMatchObject({ body: { verdict: 'valid' } });
    const tampered = await deliver({ event: 'issue.created', tamper: 'reserialised' });
    const { body } = await call('post', `/api/deliveries/${tampered}/attempts/1/verify`);
    expect(body).toMatchObject({ verdict: 'explained', causes: [{ id: 'body-reserialised' }] });
    expect(body).not.toHaveProperty('expected');
  });

  it('should show a token and a signature, but no value of the environment', async () => {
    const { call, deliver } = await start();
    const id = await deliver({ event: 'issue.created' });
    const reveal = (value: string) => call('post', `/api/deliveries/${id}/attempts/1/reveal`, { value });
    expect(await reveal('signature')).toMatchObject({
      status: 200,
      body: { value: expect.stringMatching(/^[\da-f]{64}$/) as string },
    });
    expect((await reveal('token')).status).toBe(200);
    expect((await reveal('secret:CRM_TOKEN')).status).toBe(403);
    expect((await reveal('secret:OTHER')).status).toBe(404);
    expect((await reveal('__proto__')).status).toBe(404);
  });
});

describe('saving a delivery', () => {
  it('should write the payload without secrets, for the user only', async () => {
    const { call, deliver, server } = await start();
    const id = await deliver({ event: 'issue.created' });
    const file = join(server.deliveriesDirectory, 'my-issue.json');
    expect(await call('post', `/api/deliveries/${id}/save`, { name: 'my-issue' })).toMatchObject({
      status: 201,
      body: { file },
    });
    const text = readFileSync(file, 'utf8');
    expect(JSON.parse(text)).toMatchObject({ event: 'issue.created', issue: { id: 456 } });
    expect(text).not.toContain(CANARY);
    expect(JSON.parse(text)).not.toHaveProperty('authentication');
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await call('post', `/api/deliveries/${id}/save`, { name: 'my-issue' })).status).toBe(409);
  });

  it.each(['../outside', '..', '.hidden', 'a/b', 'a\\b', '/etc/cron', '', 'a\0b', 'x'.repeat(65), 'ä', '-rf'])(
    'should write to no other place: %j',
    async (name) => {
      const { call, deliver, server } = await start();
      const id = await deliver({ event: 'issue.created' });
      expect((await call('post', `/api/deliveries/${id}/save`, { name })).status).toBe(400);
      expect(existsSync(server.deliveriesDirectory)).toBe(false);
    },
  );

  it('should not follow a link', async () => {
    const { call, deliver, server } = await start();
    const id = await deliver({ event: 'issue.created' });
    const target = join(server.deliveriesDirectory, '../target.json');
    mkdirSync(server.deliveriesDirectory, { recursive: true });
    writeFileSync(target, 'kept');
    symlinkSync(target, join(server.deliveriesDirectory, 'link.json'));
    expect((await call('post', `/api/deliveries/${id}/save`, { name: 'link' })).status).toBe(409);
    expect(readFileSync(target, 'utf8')).toBe('kept');
  });

  it('should get 409 for bytes', async () => {
    const { call, deliver } = await start();
    const id = await deliver({ bodyBase64: 'e30=' });
    expect((await call('post', `/api/deliveries/${id}/save`, { name: 'bytes' })).status).toBe(409);
  });
});

describe('issues', () => {
  it('should be moved, denied, put off and decided', async () => {
    const { call } = await start();
    const fields = { id: 7, key: 'ISS-7', title: 'An invoice', status: 'review', project_id: 27 };
    expect(await call('post', '/api/issues', fields)).toMatchObject({ status: 201, body: { id: 7 } });
    expect((await call('post', '/api/issues', fields)).status).toBe(409);
    const move = (to: string) => call('post', '/api/issues/7/transitions', { to });
    expect(await move('done')).toMatchObject({ body: { outcome: 'denied', message: 'Not before the review' } });
    expect(await move('paid')).toMatchObject({ body: { outcome: 'pending', message: 'Ask finance' } });
    expect((await move('open')).status).toBe(409);
    const decided = await call('post', '/api/issues/7/decision', { decision: 'approve' });
    expect(decided).toMatchObject({ body: { outcome: 'moved', issue: { status: 'paid' } } });
    expect(await call('get', '/api/issues')).toMatchObject({ body: { issues: [{ id: 7, status: 'paid' }] } });
    expect((await call('post', '/api/issues/7/resume')).status).toBe(409);
    expect((await call('post', '/api/issues/8/transitions', { to: 'a' })).status).toBe(404);
    expect((await call('post', '/api/issues/%20/transitions', { to: 'a' })).status).toBe(404);
    expect((await call('post', '/api/issues/7/decision', { decision: 'maybe' })).status).toBe(400);
  });
});

describe('faults', () => {
  it('should be switched on and off', async () => {
    const { call } = await start();
    const fault = { side: 'api', kind: 'rate-limit', times: 2 };
    const { body } = await call<{ id: string }>('put', '/api/faults', fault);
    expect(await call('get', '/api/faults')).toMatchObject({ body: { active: [{ ...body, timesLeft: 2 }] } });
    expect((await call('delete', `/api/faults/${body.id}`)).status).toBe(204);
    expect((await call('put', '/api/faults', { side: 'delivery', kind: 'five-at-once' })).status).toBe(201);
    expect((await call('delete', '/api/faults')).status).toBe(204);
    expect(await call('get', '/api/faults')).toMatchObject({ body: { active: [] } });
    expect((await call('put', '/api/faults', { side: 'api', kind: 'unheard' })).status).toBe(400);
  });
});

describe('settings', () => {
  it('should be changed, and never contain a secret', async () => {
    const { call } = await start();
    expect(await call('patch', '/api/settings', { speed: 60, schedule: 'docs' })).toMatchObject({
      status: 200,
      body: { speed: 60, schedule: 'docs' },
    });
    expect((await call('patch', '/api/settings', { target: 'http://evil.example' })).status).toBe(400);
    expect((await call('put', '/api/secrets/NEW_KEY', { value: `${CANARY}_2` })).status).toBe(204);
    const read = await call('get', '/api/settings');
    expect(read.body['secrets']).toContainEqual({ key: 'NEW_KEY', isSet: true, source: 'page' });
    expect(JSON.stringify(read.body)).not.toContain('canary');
    expect((await call('delete', '/api/secrets/NEW_KEY')).status).toBe(204);
    const { body } = await call<{ secret: string }>('post', '/api/secret/rotate');
    expect(JSON.stringify((await call('get', '/api/settings')).body)).not.toContain(body.secret);
  });
});

describe('calls', () => {
  it('should be listed with what they have left', async () => {
    const { call, simulator } = await start();
    await fetch(`${simulator.apiUrl}/api/v1/ext/sla/events?project_id=27`, {
      headers: { 'X-Kiket-API-Key': 'ext_fake' },
    });
    const { body } = await call<{ rateLimit: { remaining: number } }>('get', '/api/calls');
    expect(body).toMatchObject({ calls: [{ number: 1, method: 'GET' }], rateLimit: { limit: 600, remaining: 599 } });
    expect((await call('post', '/api/calls/reset-rate-limit')).status).toBe(204);
    expect(await call('get', '/api/calls?delivery=x')).toMatchObject({
      body: { calls: [], rateLimit: { remaining: 600 } },
    });
    expect(await call('post', '/api/sla-events', { issue_id: 7, project_id: 27 })).toMatchObject({
      status: 201,
      body: { issue_id: 7 },
    });
  });
});

describe('what helps to write a delivery', () => {
  it('should list the events of the manifest first', async () => {
    const { call } = await start({ hooks: [{ event: 'acme.paid' }, { event: 'workflow.before_transition' }] });
    const { body } = await call<{ events: { event: string }[] }>('get', '/api/events');
    expect(body.events.slice(0, 2)).toEqual([
      { event: 'acme.paid', isSubscribed: true, isGuard: false },
      { event: 'workflow.before_transition', isSubscribed: true, isGuard: true },
    ]);
    expect(new Set(body.events.map(({ event }) => event)).size).toBe(body.events.length);
  });

  it('should make an example of an event without secrets, which the schema takes', async () => {
    const { call } = await start({ eventVersion: 'v2' });
    const { body } = await call<{ payload: object }>('get', '/api/templates/issue.created');
    expect(body.payload).toMatchObject({ event: 'issue.created', event_version: 'v2' });
    expect(Object.keys(body.payload)).not.toEqual(expect.arrayContaining(['secrets', 'authentication', 'api']));
    expect(await call('post', '/api/validate', body)).toMatchObject({ body: { problems: [] } });
    const other = await call('get', '/api/templates/issue.created?envelope=data');
    expect(other.body).toMatchObject({ payload: { type: 'issue.created', data: {} } });
    expect((await call('get', '/api/templates/issue.*')).status).toBe(404);
  });

  it('should say where a payload violates the schema', async () => {
    const { call } = await start();
    const checked = await call('post', '/api/validate', { payload: { event: 1, issue: 'x' } });
    expect(checked.body['problems']).toContainEqual({ pointer: '/event', message: expect.any(String) as string });
    expect(await call('post', '/api/validate', { payload: [] })).toMatchObject({
      body: { problems: [{ pointer: '' }] },
    });
  });

  it('should list the tamperings', async () => {
    const { call } = await start();
    const { body } = await call<{ tamperings: object[] }>('get', '/api/tamperings');
    expect(body.tamperings).toContainEqual({ name: 'body-byte', imitates: expect.any(String) as string });
  });
});

describe('a check', () => {
  it('should run once at a time, and be told of by the stream', async () => {
    const { call, server } = await start({ hooks: [{ event: 'issue.*' }, { event: 'issue.created' }] });
    const stream = await fetch(`${server.url}/api/stream`, { headers: { Authorization: `Bearer ${server.token}` } });
    const started = await call<{ run: string }>('post', '/api/check', { only: ['A1', 'B1'] });
    expect(started.status).toBe(202);
    const { run } = started.body;
    expect((await call('post', '/api/check', {})).status).toBe(409);
    let progress: CheckProgress | undefined;
    await until(async () => {
      progress = (await call<CheckProgress>('get', `/api/check/${run}`)).body;
      return progress.isDone;
    });
    expect(progress).toMatchObject({ report: { event: 'issue.created', summary: { passed: 2, must: 0 } } });
    expect(progress!.cases).toHaveLength(progress!.total);
    expect((await call('get', '/api/check/other')).status).toBe(404);
    await server.close();
    const text = await stream.text().catch(() => '');
    expect(text === '' || text.includes(`data: {"run":"${run}"`)).toBe(true);
  });

  it('should get 400 for a case that there is not', async () => {
    const { call } = await start();
    const refused = await call('post', '/api/check', { only: ['A1', 'Z9'] });
    expect([refused.status, messageOf(refused)]).toEqual([400, '"Z9" is not a case or a group']);
  });

  it('should say why it could not run', async () => {
    const { url } = await startServer((_req, res) => void res.writeHead(401).end());
    const { call } = await start({ url });
    const { run } = (await call<{ run: string }>('post', '/api/check', { only: ['A1'] })).body;
    await until(async () => (await call<CheckProgress>('get', `/api/check/${run}`)).body.isDone);
    const { body } = await call<CheckProgress>('get', `/api/check/${run}`);
    expect(body.problem).toContain('401');
    expect(body.report).toBeUndefined();
  });

  it('should end when the server closes', async () => {
    const { url } = await startServer(() => undefined);
    const { call, server } = await start({ url });
    await call('post', '/api/check', {});
    await server.close();
  });

  it('should need a secret', async () => {
    const { call } = await start({}, { checkSettings: () => ({ secret: [] }) });
    expect((await call('post', '/api/check', {})).status).toBe(409);
  });
});

describe('POST /api/verify', () => {
  it('should explain a captured request', async () => {
    const { call, deliver } = await start();
    const id = await deliver({ event: 'issue.created', tamper: 'wrong-secret' });
    const { body } = await call<{ text: string }>('get', `/api/deliveries/${id}/attempts/1/print?form=http`);
    const capture = body.text.replace('{{signature}}', 'a'.repeat(64));
    expect(await call('post', '/api/verify', { capture })).toMatchObject({ body: { verdict: 'unexplained' } });
  });

  it('should explain the parts of a request', async () => {
    const { call } = await start();
    const headers = [['X-Kiket-Signature', 'short']];
    const { body } = await call('post', '/api/verify', { headers, body: '{}' });
    expect(body).toMatchObject({ verdict: 'explained', code: 'signature.malformed' });
  });

  it.each([
    [{}, 'capture, or headers and body, must be given'],
    [{ capture: 'nothing' }, 'capture cannot be read'],
    [{ headers: [['a']] }, 'headers.0 must NOT have fewer than 2 items'],
  ])('should get 400 for %j', async (body, message) => {
    const { call } = await start();
    const refused = await call('post', '/api/verify', body);
    expect([refused.status, messageOf(refused)]).toEqual([400, expect.stringContaining(message) as string]);
  });

  it('should need a secret', async () => {
    const { call } = await start({}, { verifySecrets: () => ({ secrets: [], others: [] }) });
    expect((await call('post', '/api/verify', { headers: [], body: '' })).status).toBe(409);
  });
});

function inShell(script: string): Promise<{ stdout: string }> {
  return new Promise((resolve) => {
    // Not synchronous: the receiver is in this process.
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
      env: { ...process.env, KIKET_WEBHOOK_SECRET: secret },
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.on('close', () => resolve({ stdout }));
  });
}
