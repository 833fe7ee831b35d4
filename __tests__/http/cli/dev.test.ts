import dns from 'node:dns';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer, Socket, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { signDelivery } from 'kiket-express/testing';
import { verifySignature } from 'kiket-express/signature';
import { cli, temporaryFolder } from '../../support/cli';
import { startDev } from '../../support/dev';
import { closedOrigin, startServer } from '../../support/loopback-server';
import { until } from '../../support/until';

const secret = 'a-delivery-secret-of-the-tests';
const env = { KIKET_WEBHOOK_SECRET: secret };

interface Received {
  readonly request: IncomingMessage;
  readonly body: Buffer;
}

/** Starts a receiver that keeps what it is sent, and gives each response in turn, the last one again and again. */
async function startReceiver(...statuses: readonly number[]) {
  const received: Received[] = [];
  const { url } = await startServer((request, res) => {
    void buffer(request).then((body) => {
      res.statusCode = statuses[Math.min(received.length, statuses.length - 1)] ?? 200;
      received.push({ request, body });
      res.setHeader('Content-Type', 'application/json').end('{"ok":true}');
    });
  });
  return { url: `${url}/kiket`, received };
}

describe('dev', () => {
  it('should say where page and API are, and what it has found', async () => {
    const { url } = await startReceiver();
    const {
      cli: running,
      page,
      api,
    } = await startDev(['--to', url], { env: { ...env, KIKET_SECRET_CRM_TOKEN: 't0ken-of-the-crm' } });
    expect(page.href).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{22}$/);
    expect(api).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(running.output.stdout).toContain(
      'project   no manifest · every event is delivered · 1 secret set · signed with the secret of KIKET_WEBHOOK_SECRET\n',
    );
    await until(() => running.output.stdout.includes(`receiver up  ${url}\n`));
    expect(running.output.stderr).toBe('');
  });

  it('should deliver what scripts send, and print each attempt', async () => {
    const { url, received } = await startReceiver();
    const { call, cli: running, api } = await startDev(['--to', url], { env });
    await call('POST', '/api/deliveries', { event: 'issue.created' });
    await until(() => running.output.stdout.includes('the workflow goes on'));
    expect(running.output.stdout).toMatch(
      /→ POST \S+\/kiket {3}issue\.created v1 {3}invocation [\da-f]{8} {3}timestamped {3}[\d.]+ B\n← 200 in \d+ ms {3}\{"ok":true\}\n {2}Accepted: the workflow goes on\.\n/,
    );
    const [{ request, body }] = received as [Received];
    expect(verifySignature({ headers: request.headers, body, secret })).toMatchObject({ scheme: 'timestamped' });
    expect(JSON.parse(body.toString())).toMatchObject({ api: { base_url: api } });
  });

  it('should say when an attempt follows, here and on the platform, and raise the alert', async () => {
    const { url } = await startReceiver(503);
    const { call, cli: running } = await startDev(['--to', url, '--schedule', '30s', '--speed', '600'], { env });
    await call('POST', '/api/deliveries', { event: 'issue.created' });
    await until(() => running.output.stdout.includes('alert'));
    expect(running.output.stdout).toContain('  again in 50 ms, on the platform in 30 s\n');
    expect(running.output.stdout).toContain('alert  issue.created failed 2 times, the last time with 503.\n');
  });

  it('should say when the receiver is down and up again', async () => {
    const origin = await closedOrigin();
    const { cli: running } = await startDev(['--to', origin], { env });
    await until(() => running.output.stdout.includes(`receiver down  ${origin}/\n`));
    const server = createServer().listen(Number(new URL(origin).port), '127.0.0.1');
    await until(() => running.output.stdout.includes(`receiver up  ${origin}/\n`));
    server.close();
  });

  it('should write one line of JSON for each event', async () => {
    const { url } = await startReceiver();
    const dev = await startDev(['--to', url, '--json'], { env });
    await dev.call('POST', '/api/deliveries', { event: 'issue.created' });
    await until(() => dev.cli.output.stdout.includes('"completed"'));
    const { stdout } = await dev.end();
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(lines[0]).toMatchObject({ schema: 1, command: 'dev', type: 'started', page: dev.page.href, receiver: url });
    expect(lines.at(-1)).toEqual({ schema: 1, command: 'dev', type: 'ended', unfinished: 0 });
    expect(lines.map(({ type }) => type)).toEqual(expect.arrayContaining(['delivery', 'attempt', 'target']));
    expect(stdout).not.toContain(secret);
  });

  it('should say that nothing is signed without a secret', async () => {
    const { url } = await startReceiver();
    const { cli: running } = await startDev(['--to', url]);
    expect(running.output.stderr).toContain('nothing is signed, because there is no delivery secret');
    expect(running.output.stdout).toContain('· not signed\n');
  });
});

describe('the state of dev', () => {
  it('should be in a folder that only its owner can read, with the token while it runs', async () => {
    const { url } = await startReceiver();
    const dev = await startDev(['--to', url], { env });
    const folder = join(dev.cwd, '.kiket/dev');
    expect(readFileSync(join(folder, 'token'), 'utf8')).toBe(`${dev.token}\n`);
    expect(statSync(join(folder, 'token')).mode & 0o777).toBe(process.platform === 'win32' ? 0o666 : 0o600);
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('*\n');
    await dev.end();
    expect(existsSync(join(folder, 'token'))).toBe(false);
  });

  it('should go on at the next start with what was not finished', async () => {
    const { url, received } = await startReceiver(503, 200);
    const first = await startDev(['--to', url], { env });
    await first.call('POST', '/api/deliveries', { event: 'issue.created' });
    await until(() => first.cli.output.stdout.includes('again in 30 s\n'));
    const { code, stderr } = await first.end();
    expect(code).toBe(0);
    expect(stderr).toContain('1 delivery is not finished, and will go on at the next start\n');

    const second = await startDev(['--to', url], { env, cwd: first.cwd });
    const { deliveries } = await second.call<{ deliveries: { id: string }[] }>('GET', '/api/deliveries');
    await second.call('POST', `/api/deliveries/${deliveries[0]!.id}/attempt`);
    await until(() => second.cli.output.stdout.includes('Accepted'));
    expect(received).toHaveLength(2);
  });

  it('should be in memory with --no-state', async () => {
    const { url } = await startReceiver(503);
    const dev = await startDev(['--to', url, '--no-state'], { env });
    await dev.call('POST', '/api/deliveries', { event: 'issue.created' });
    await until(() => dev.cli.output.stdout.includes('again in'));
    const { stderr } = await dev.end();
    expect(stderr).toContain('1 delivery is not finished, and will not go on: nothing is kept\n');
    expect(readdirSync(dev.cwd)).toEqual([]);
  });

  it('should be refused while another run has it', async () => {
    const { url } = await startReceiver();
    const { cwd } = await startDev(['--to', url], { env });
    const { code, stderr } = await cli(['dev', '--to', url, '--port', '0', '--api-port', '0'], { env, cwd });
    expect(code).toBe(3);
    expect(stderr).toContain('error: the folder of --state ');
    expect(stderr).toContain('is in use by process');
  });
});

describe('the ports of dev', () => {
  it('should be the next free ones when they are taken', async () => {
    const { url } = await startReceiver();
    const blocker = createServer();
    await once(blocker.listen(0, '127.0.0.1'), 'listening');
    const { port } = blocker.address() as AddressInfo;
    const {
      cli: running,
      page,
      api,
    } = await startDev(['--to', url, '--port', String(port), '--api-port', String(port)], {
      env,
    });
    const [used, usedByApi] = [Number(page.port), Number(new URL(api).port)];
    expect(new Set([port, used, usedByApi]).size).toBe(3);
    expect(running.output.stderr).toContain(`--port ${port} is taken: ${used} is used\n`);
    expect(running.output.stderr).toContain(`--api-port ${port} is taken: ${usedByApi} is used\n`);
    blocker.close();
  });

  it('should say under which names the page opens with --allowed-host', async () => {
    const { url } = await startReceiver();
    const { cli: running, page } = await startDev(
      ['--to', url, '--host', '127.0.0.1', '--allowed-host', 'kiket.test'],
      {
        env,
      },
    );
    expect(running.output.stderr).toContain('warning: other machines may reach the page. It opens as ');
    expect(running.output.stderr).toContain(`kiket.test:${page.port}`);
  });

  it('should be reached with the token of --token-env', async () => {
    const { url } = await startReceiver();
    const token = 'token-of-the-pipeline';
    const { token: used } = await startDev(['--to', url, '--token-env', 'CI_TOKEN'], {
      env: { ...env, CI_TOKEN: token },
    });
    expect(used).toBe(token);
  });
});

describe('dev that cannot start', () => {
  const to = ['--to', 'http://127.0.0.1:9/kiket'];
  it.each<[what: string, args: readonly string[], code: number, message: string, given?: Record<string, string>]>([
    ['no receiver', [], 2, 'there is no receiver'],
    ['a receiver on another machine', ['--to', 'https://example.com/'], 2, 'Add --allow-remote'],
    ['NODE_ENV=production', to, 2, 'NODE_ENV is production', { NODE_ENV: 'production' }],
    ['a token that is unset', [...to, '--token-env', 'NONE'], 2, '--token-env NONE must have at least 16 letters'],
    ['a token that is short', [...to, '--token-env', 'T'], 2, '--token-env T must have at least 16', { T: 'short' }],
    ['--demo with a receiver', [...to, '--demo'], 2, '--demo is the receiver itself'],
    ['101 attempts at once', [...to, '--concurrency', '101'], 2, 'from 1 to 100'],
    ['a speed of 0', [...to, '--speed', '0'], 2, 'a number such as 60, or max'],
    ['an unknown schedule', [...to, '--schedule', 'often'], 2, '--schedule'],
    ['a host with a path', [...to, '--allowed-host', 'a/b'], 2, 'allowedHosts'],
    ['an address of another machine', [...to, '--host', '192.0.2.1'], 3, 'EADDRNOTAVAIL'],
    ['a file in place of the state', [...to, '--state', 'taken'], 3, 'the folder of --state'],
    ['a misspelt option', [...to, '--portt', '1'], 2, 'Did you mean --port?'],
  ])('should say why: %s', async (_what, args, code, message, given = {}) => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'taken'), '');
    const result = await cli(['dev', '--port', '0', '--api-port', '0', ...args], { cwd, env: { ...env, ...given } });
    expect(result.stderr).toContain(message);
    expect(result.code).toBe(code);
  });

  it('should start in production with --force', async () => {
    const { url } = await startReceiver();
    const { page } = await startDev(['--to', url, '--force'], { env: { ...env, NODE_ENV: 'production' } });
    expect((await fetch(new URL('/ready', page))).status).toBe(200);
  });

  it('should leave no server behind when the port of the recorder is taken', async () => {
    const { url } = await startReceiver();
    const port = new URL(url).port;
    const { code, stderr } = await cli(['dev', '--to', url, '--port', '0', '--api-port', '0', '--record-from', port], {
      env,
    });
    expect(code).toBe(3);
    expect(stderr).toContain(`error: --record-from ${port}: EADDRINUSE\n`);
  });
});

describe('the project of dev', () => {
  const MANIFEST = [
    'model_version: "1.0"',
    'extension:',
    '  id: dev.kiket.ext.test',
    '  callback:',
    '    secret: env.OTHER_SECRET',
    '    headers: { X-Tenant: acme }',
    '  hoooks: []',
    '  hooks:',
    '    - event: issue.created',
    '      endpoint: /webhooks/created',
    '      timeout: 500',
    '      retries: 1',
    '    - event: workflow.before_transition',
    '    - event: issue.*',
    '  permissions: [issues:read]',
    '  contributes:',
    '    commands:',
    '      - command: a',
    '        handler: { type: extension_event, event: acme.run }',
    '  configuration:',
    '    CRM_TOKEN: { type: string, secret: true }',
    '    CRM_KEY: { type: string, secret: true }',
  ];

  function project(files: Readonly<Record<string, string>>): string {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, '.kiket'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
    return cwd;
  }

  it('should be that of the manifest, in which what is not read is said', async () => {
    const { url, received } = await startReceiver();
    const cwd = project({ '.kiket/manifest.yaml': MANIFEST.join('\n') });
    const variables = { OTHER_SECRET: secret, KIKET_SECRET_CRM_TOKEN: 't0ken-of-the-crm' };
    const { cli: running, call } = await startDev(['--to', url], { cwd, env: variables });
    expect(running.output.stdout).toContain(
      `project   ${join('.kiket', 'manifest.yaml')} · 4 events · 1 secret set, missing: CRM_KEY · signed with the secret of OTHER_SECRET\n`,
    );
    expect(running.output.stderr).toContain('7:3: extension.hoooks is not read; did you mean hooks?\n');

    const settings = await call('GET', '/api/settings');
    expect(settings).toMatchObject({
      scopes: ['issues:read'],
      hooks: [
        { event: 'issue.created', endpoint: '/webhooks/created', timeoutMs: 500, retries: 1, isRequired: true },
        { event: 'workflow.before_transition', isGuard: true },
        { event: 'issue.*' },
        { event: 'acme.run' },
      ],
      secrets: [
        { key: 'CRM_TOKEN', isSet: true },
        { key: 'CRM_KEY', isSet: false },
      ],
    });
    expect(settings['notes']).toEqual([expect.stringContaining('extension.hoooks is not read')]);

    await call('POST', '/api/deliveries', { event: 'issue.created' });
    await until(() => received.length === 1);
    const [{ request, body }] = received as [Received];
    expect(request.url).toBe('/webhooks/created');
    expect(request.headers['x-tenant']).toBe('acme');
    expect(JSON.parse(body.toString())).toMatchObject({
      secrets: { CRM_TOKEN: 't0ken-of-the-crm' },
      secret_status: { missing: ['CRM_KEY'] },
      authentication: { scopes: ['issues:read'] },
    });
  });

  it('should have the events of kiket.json in place of the hooks of the manifest', async () => {
    const { url } = await startReceiver();
    const events = { 'issue.updated': { required: false, endpoint: '/updated', timeoutMs: 700, retries: 0 } };
    const cwd = project({
      '.kiket/manifest.yaml': MANIFEST.join('\n'),
      'kiket.json': JSON.stringify({ url, events, secretEnv: 'KIKET_WEBHOOK_SECRET', schedule: '1s' }),
    });
    const { call } = await startDev([], { cwd, env });
    expect(await call('GET', '/api/settings')).toMatchObject({
      hooks: [{ event: 'issue.updated', isRequired: false, endpoint: '/updated', timeoutMs: 700, retries: 0 }],
      schedule: '1s',
    });
  });

  it('should say that extensions of kiket.dev/v1 receive no deliveries', async () => {
    const { url } = await startReceiver();
    const cwd = project({ 'kiket-extension.yaml': 'apiVersion: kiket.dev/v1\nmetadata: { key: a, version: "1" }' });
    const { cli: running } = await startDev(['--to', url], { cwd, env });
    expect(running.output.stderr).toContain('Kiket sends no deliveries to extensions of kiket.dev/v1\n');
  });
});

describe('dev --record-from', () => {
  it('should pass deliveries on, show them without secrets, and not send them again', async () => {
    const { url, received } = await startReceiver(503, 200);
    const dev = await startDev(['--to', url, '--record-from', '0', '--schedule', '1s', '--speed', 'max'], { env });
    await until(() => /^recorder {2}\S+$/m.test(dev.cli.output.stdout));
    const recorder = /^recorder {2}(\S+)$/m.exec(dev.cli.output.stdout)![1]!;
    const payload = {
      event: 'issue.created',
      authentication: { runtime_token: 'canary-token-1' },
      secrets: { KEY: 'canary-secret-2' },
    };
    const { headers, body } = signDelivery(payload, { secret: 'of the platform', invocationId: 'inv-1' });
    for (let i = 0; i < 2; i++) await fetch(recorder, { method: 'POST', headers, body });
    await until(() => dev.cli.output.stdout.includes('Accepted'));
    expect(received.map((each) => each.body.toString())).toEqual([String(body), String(body)]);

    const { deliveries } = await dev.call<{ deliveries: object[] }>('GET', '/api/deliveries');
    expect(deliveries).toMatchObject([
      {
        id: 'inv-1',
        event: 'issue.created',
        state: 'completed',
        origin: { kind: 'recorded' },
        attempts: [{ status: 503 }, { status: 200 }],
      },
    ]);
    const detail = JSON.stringify(await dev.call('GET', '/api/deliveries/inv-1'));
    const { stdout } = await dev.end();
    const journal = readFileSync(join(dev.cwd, '.kiket/dev/journal.jsonl'), 'utf8');
    for (const text of [detail, stdout, journal]) {
      expect(text).toContain('inv-1');
      expect(text).not.toMatch(/canary/);
      expect(text).not.toContain(String(new Headers(headers).get('X-Kiket-Signature')));
    }
  });
});

describe('dev --demo', () => {
  it('should show an example of each end, with nothing on the disk', async () => {
    const dev = await startDev(['--demo', '--speed', 'max']);
    await until(() => dev.cli.output.stdout.includes('Accepted'));
    expect(dev.cli.output.stdout).toContain('Refused for good');
    expect(dev.cli.output.stdout).toContain('the user sees: Not before the review');
    await dev.end();
    expect(readdirSync(dev.cwd)).toEqual([]);
  });

  it('should connect to no other machine', async () => {
    const connect = jest.spyOn(Socket.prototype, 'connect');
    const lookup = jest.spyOn(dns, 'lookup');
    const dev = await startDev(['--demo', '--speed', 'max', '--record-from', '0']);
    await until(() => dev.cli.output.stdout.includes('Accepted') && dev.cli.output.stdout.includes('receiver up'));
    await dev.call('POST', '/api/verify', { text: 'POST / HTTP/1.1\r\n\r\n{}' }).catch(() => {});
    await dev.end();
    const hosts = connect.mock.calls.map((args) => {
      // Node has normalised the arguments of its own calls into one array.
      const [first] = args.flat(2) as unknown[];
      return (first as { host?: string }).host ?? 'none';
    });
    expect(new Set(hosts)).toEqual(new Set(['127.0.0.1']));
    expect(lookup.mock.calls.filter(([name]) => !['127.0.0.1', '::1'].includes(name))).toEqual([]);
    jest.restoreAllMocks();
  });
});

const describeLinux = process.platform === 'linux' ? describe : describe.skip;

describeLinux('dev --open', () => {
  it('should open the page with the program of the desktop, without a shell', async () => {
    const { url } = await startReceiver();
    const bin = temporaryFolder();
    writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\nprintf '%s' "$*" > '${bin}/opened'\n`);
    chmodSync(join(bin, 'xdg-open'), 0o755);
    const { page } = await startDev(['--to', url, '--open'], {
      env: { ...env, PATH: `${bin}:${process.env['PATH']}` },
    });
    await until(() => existsSync(join(bin, 'opened')) && readFileSync(join(bin, 'opened'), 'utf8') !== '');
    const opened = readFileSync(join(bin, 'opened'), 'utf8');
    // Its arguments are shown to all users of the machine: they have an address that works once.
    expect(opened).not.toContain(page.searchParams.get('token'));
    const statuses = [];
    for (let i = 0; i < 2; i++) statuses.push((await fetch(opened, { redirect: 'manual' })).status);
    expect([new URL(opened).origin, ...statuses]).toEqual([page.origin, 303, 401]);
  });

  it('should only warn when there is no such program', async () => {
    const { url } = await startReceiver();
    const { cli: running } = await startDev(['--to', url, '--open'], { env: { ...env, PATH: '/nowhere' } });
    await until(() => running.output.stderr.includes('warning: the page was not opened: xdg-open: ENOENT'));
  });
});
