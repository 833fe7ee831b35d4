import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import express from 'express';
import { deny, kiket, kiketErrorHandler, kiketHandler } from 'kiket-express';
import { cli, startCli, temporaryFolder, type CliOptions } from '../../support/cli';
import { secret } from '../../support/deliver';
import { closedOrigin, startServer } from '../../support/loopback-server';
import { until } from '../../support/until';

const env = { KIKET_WEBHOOK_SECRET: secret };

/** A folder with these files. */
function folderWith(files: Readonly<Record<string, object | string>>): string {
  const cwd = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(cwd, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return cwd;
}

const simulate = (args: readonly string[], options: CliOptions = {}) => cli(['simulate', ...args], { env, ...options });

/** A receiver of this package, whose guard denies. */
async function startReceiver(): Promise<string> {
  const app = express();
  app.set('env', 'test');
  app.post(
    '/kiket',
    kiket({ secret }),
    kiketHandler(() => ({ status: 'deny', message: 'Not yet' })),
    kiketErrorHandler(),
  );
  app.post(
    '/guard',
    kiket({ secret }),
    kiketHandler('workflow.before_transition', () => deny('Not yet')),
  );
  return `${(await startServer(app)).url}/kiket`;
}

/** A scenario whose steps all come to what is expected. */
const RIGHT = {
  name: 'right',
  steps: [
    { name: 'a forgery', send: 'issue.created', tamper: 'wrong-secret', expect: { attempts: ['401'] } },
    { fault: { side: 'delivery', kind: 'lose-response', times: 1 } },
    { send: 'issue.created', expect: { attempts: ['retryable lost', 'success 200'] } },
    { issue: { id: 7 } },
    { transition: { issue: 7, to: 'done' }, expect: { outcome: 'denied', message: 'Not yet' } },
  ],
};

const WRONG = {
  name: 'wrong <&>',
  steps: [
    { name: 'too few', send: 'issue.created', expect: { attempts: ['503', 'success'], effects: 1 } },
    { name: 'no attempts', issue: { id: 7 }, expect: { workflow: 'halted' } },
    { name: 'right', send: 'issue.created', expect: { attempts: ['200'] } },
  ],
};

const withoutMs = (text: string): string => text.replaceAll(/ {2,}(?:ms|─+|\d+)$/gm, '').replaceAll(/ +$/gm, '');

describe('simulate', () => {
  it('should show a row for each attempt, and end with 0 when all is as expected', async () => {
    const url = await startReceiver();
    const { code, stdout, stderr } = await simulate(['s.json', '--to', url], { cwd: folderWith({ 's.json': RIGHT }) });
    expect([code, stderr]).toEqual([0, '']);
    expect(withoutMs(stdout)).toBe(
      [
        '   Delivery        Event                       Attempt  Status                  What the platform does next',
        '─  ──────────────  ──────────────────────────  ───────  ──────────────────────  ───────────────────────────',
        '✓  a forgery       issue.created                     1  401 signature.mismatch  halts the workflow',
        '✓  issue.created   issue.created                     1  lost                    retries in 30 s',
        '✓  issue.created   issue.created                     2  200                     is done',
        '✓  issue 7 → done  workflow.before_transition        1  200 deny                cancels the transition',
        '',
        '4 of 4 rows are as they must be.',
        '',
      ].join('\n'),
    );
  });

  it('should mark what differs, say how, and end with 1', async () => {
    const url = await startReceiver();
    const { code, stdout } = await simulate(['s.json', '--to', url], { cwd: folderWith({ 's.json': WRONG }) });
    expect(code).toBe(1);
    expect(withoutMs(stdout)).toBe(
      [
        '   Delivery     Event          Attempt  Status  What the platform does next',
        '─  ───────────  ─────────────  ───────  ──────  ───────────────────────────',
        '✗  too few      issue.created  1        200     is done',
        '✗  too few      issue.created  —        —       —',
        '✗  no attempts  —              —        —       —',
        '✓  right        issue.created  1        200     is done',
        '',
        '✗ too few: attempts[0] is success 200',
        '  must be: 503',
        '',
        '✗ too few: attempts[1] is none',
        '  must be: success',
        '',
        '✗ too few: effects is 0',
        '  must be: 1',
        '',
        '✗ no attempts: workflow is running',
        '  must be: halted',
        '',
        '1 of 4 rows are as they must be.',
        '',
      ].join('\n'),
    );
  });

  it('should carry out several, each with a local Kiket of its own', async () => {
    const url = await startReceiver();
    const cwd = folderWith({ 'a.json': RIGHT, 'b.json': WRONG, 'c.json': RIGHT });
    const { code, stdout } = await simulate(['a.json', 'b.json', 'c.json', '--to', url], { cwd });
    expect(code).toBe(1);
    expect(stdout.match(/^(?:right|wrong).*$|^\d of .*$/gm)).toEqual([
      'right  (a.json)',
      '4 of 4 rows are as they must be.',
      'wrong <&>  (b.json)',
      '1 of 4 rows are as they must be.',
      'right  (c.json)',
      '4 of 4 rows are as they must be.',
    ]);
  });

  it('should write one JSON document, without secrets', async () => {
    const url = await startReceiver();
    const cwd = folderWith({ 's.json': RIGHT, 'w.json': WRONG });
    const { code, stdout } = await simulate(['s.json', 'w.json', '--to', url, '--json'], { cwd });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      command: 'simulate',
      wanted: 1,
      scenarios: [
        {
          file: 's.json',
          name: 'right',
          isAsExpected: true,
          steps: [
            { action: 'send', deliveries: [{ event: 'issue.created', attempts: [{ status: 401 }] }], differences: [] },
            { action: 'fault' },
            {},
            {},
            { action: 'transition', outcome: 'denied' },
          ],
        },
        { file: 'w.json', isAsExpected: false, differences: { length: 4 } },
      ],
    });
    for (const hidden of [secret, 'runtime_token']) expect(stdout).not.toContain(hidden);
  });

  it('should write a report in the format of JUnit', async () => {
    const url = await startReceiver();
    const cwd = folderWith({ 's.json': RIGHT, 'w.json': WRONG });
    await simulate(['s.json', 'w.json', '--to', url, '--junit', 'report.xml', '--quiet'], { cwd });
    const report = readFileSync(join(cwd, 'report.xml'), 'utf8').replaceAll(/time="[\d.]+"/g, 'time="0"');
    expect(report).toBe(
      [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<testsuites name="kiket-express simulate">',
        '  <testsuite name="right" tests="5" failures="0" time="0">',
        '    <testcase classname="right" name="1 a forgery"/>',
        '    <testcase classname="right" name="2 fault lose-response"/>',
        '    <testcase classname="right" name="3 issue.created"/>',
        '    <testcase classname="right" name="4 issue 7"/>',
        '    <testcase classname="right" name="5 issue 7 → done"/>',
        '  </testsuite>',
        '  <testsuite name="wrong &lt;&amp;&gt;" tests="3" failures="2" time="0">',
        '    <testcase classname="wrong &lt;&amp;&gt;" name="1 too few"><failure message="attempts[0] is success 200">✗ too few: attempts[0] is success 200',
        '  must be: 503',
        '✗ too few: attempts[1] is none',
        '  must be: success',
        '✗ too few: effects is 0',
        '  must be: 1</failure></testcase>',
        '    <testcase classname="wrong &lt;&amp;&gt;" name="2 no attempts"><failure message="workflow is running">✗ no attempts: workflow is running',
        '  must be: halted</failure></testcase>',
        '    <testcase classname="wrong &lt;&amp;&gt;" name="3 right"/>',
        '  </testsuite>',
        '</testsuites>',
        '',
      ].join('\n'),
    );
  });

  it('should show responses of the receiver without control characters', async () => {
    const { url } = await startServer((req, res) => {
      req.resume();
      res.writeHead(422).end(JSON.stringify({ error: { code: '\u001b[2Jevil', message: 'm' } }));
    });
    const cwd = folderWith({ 's.json': { name: 'n', steps: [{ send: 'a.b', expect: { message: 'other' } }] } });
    const { stdout } = await simulate(['s.json', '--to', url], { cwd });
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('422 \uFFFD[2Jevil');
  });

  it.each<[readonly string[], object | string, number, string | RegExp]>([
    [[], '', 2, 'there is no scenario: name its file, or use --demo'],
    [['none.json'], '', 3, 'none.json cannot be read: ENOENT'],
    [['s.json'], '{', 2, /^s\.json is not JSON: /],
    [['s.json'], { name: 'n', steps: [{ sned: 'a' }] }, 2, /s\.json: unknown option "steps\[0\]\.sned"\. Did you mean/],
    [['s.json', '--demo'], RIGHT, 2, '--demo has a scenario and a receiver of its own'],
    [['s.json'], RIGHT, 2, 'there is no receiver: name it with --to, or as url in kiket.json'],
    [['s.json', '--to', 'http://example.com'], RIGHT, 2, /example\.com is not this machine/],
    [['s.json', '--to', 'x:1', '--speed', 'fast'], RIGHT, 2, /It must be a number .*, or max\./],
    [['s.json', '--to', 'x:1', '--speed', '0'], RIGHT, 2, /It must be a number .*, or max\./],
  ])('should end before anything is sent with %j', async (args, scenario, code, message) => {
    const cwd = folderWith({ 's.json': scenario });
    const result = await simulate(args, { cwd });
    expect(result.code).toBe(code);
    expect(result.stderr.replace('error: ', '')).toMatch(message);
    expect(result.stdout).toBe('');
  });

  it('should check all scenarios before the first one is carried out', async () => {
    const { url, counts } = await startServer((_req, res) => res.end());
    const cwd = folderWith({ 'a.json': RIGHT, 'b.json': { name: 'b' } });
    const { code, stderr } = await simulate(['a.json', 'b.json', '--to', url], { cwd });
    expect([code, stderr]).toEqual([2, 'error: b.json: steps must be a non-empty array, but is undefined\n']);
    expect(counts.requests).toBe(0);
  });

  it('should end with 3 when nothing listens, or a port or a report cannot be opened', async () => {
    const cwd = folderWith({ 's.json': RIGHT });
    const closed = await closedOrigin();
    const { code, stderr } = await simulate(['s.json', '--to', closed, '--wait', '1ms'], { cwd });
    expect([code, stderr]).toEqual([3, `error: ${closed} cannot be reached: nothing listens there\n`]);
    const url = await startReceiver();
    const { port } = new URL(url);
    const taken = await simulate(['s.json', '--to', url, '--api-port', port], { cwd });
    expect([taken.code, taken.stderr]).toEqual([
      3,
      `error: the port ${port} of the API cannot be opened: EADDRINUSE\n`,
    ]);
    const unwritten = await simulate(['s.json', '--to', url, '--junit', 'none/report.xml'], { cwd });
    expect([unwritten.code, unwritten.stderr]).toEqual([3, 'error: none/report.xml cannot be written: ENOENT\n']);
  });

  it('should wait until the receiver listens', async () => {
    const closed = await closedOrigin();
    const cwd = folderWith({ 's.json': { name: 'n', steps: [{ send: 'a.b' }] } });
    const running = startCli(['simulate', 's.json', '--to', closed], { cwd, env, isTerminal: true });
    await until(() => running.output.stderr.includes(`waiting until ${closed} accepts connections`));
    running.interrupt();
    const { code, stderr } = await running.ended;
    expect(code).toBe(3);
    expect(stderr).toContain(`error: interrupted before ${closed} accepted connections\n`);
  });

  it('should say what was done when the user interrupts it, and write it to the report', async () => {
    const { url, counts } = await startServer((req, res) => {
      req.resume();
      if (counts.requests === 1) res.end('{}');
    });
    const cwd = folderWith({
      's.json': { name: 'n', steps: [{ name: 'first', send: 'a.b' }, { name: 'hangs', send: 'a.b' }, { send: 'a.b' }] },
      't.json': RIGHT,
    });
    const args = ['simulate', 's.json', 't.json', '--to', url, '--junit', 'r.xml'];
    const running = startCli(args, { cwd, env });
    await until(() => counts.requests === 2);
    running.interrupt();
    const { code, stdout, stderr } = await running.ended;
    expect([code, stderr]).toEqual([3, 'interrupted: 2 of 3 steps of s.json were begun\n']);
    expect(stdout).toContain('1 of 1 rows are as they must be.');
    expect(existsSync(join(cwd, 'r.xml'))).toBe(true);
    expect(counts.requests).toBe(2);
  });

  it('should say that nothing is signed without a secret', async () => {
    const { url } = await startServer((req, res) => {
      req.resume();
      res.end();
    });
    const cwd = folderWith({ 's.json': { name: 'n', steps: [{ send: 'a.b', expect: { state: 'completed' } }] } });
    const { code, stderr } = await simulate(['s.json', '--to', url], { cwd, env: {} });
    expect(code).toBe(0);
    expect(stderr).toContain('nothing is signed, because there is no delivery secret');
  });

  describe('the settings', () => {
    /** Returns how a receiver is called that responds 503. */
    async function calls(files: Readonly<Record<string, object>>, args: readonly string[] = []) {
      const paths: string[] = [];
      const { url } = await startServer((req, res) => {
        paths.push(req.url!);
        req.resume();
        res.writeHead(503).end();
      });
      const cwd = folderWith(files);
      const { stdout } = await simulate(['s.json', '--to', `${url}/kiket`, ...args], { cwd });
      return { paths, delays: stdout.match(/retries in [\d.]+ \w+/g) ?? [] };
    }
    const steps = [{ send: 'issue.created' }];

    it.each<[string, object, object, readonly string[]]>([
      ['the contract', { name: 'n', steps }, {}, ['30 s', '1 min', '2 min', '4 min', '8 min']],
      ['kiket.json', { name: 'n', steps }, { schedule: '1m,2m' }, ['1 min', '2 min']],
      ['the scenario', { name: 'n', steps, schedule: '5m' }, { schedule: '1m,2m' }, ['5 min']],
    ])('should have the schedule of %s', async (_whose, scenario, project, delays) => {
      const found = await calls({ 's.json': scenario, 'kiket.json': project });
      expect(found.delays).toEqual(delays.map((delay) => `retries in ${delay}`));
    });

    it('should have the hooks of kiket.json, unless the scenario has some', async () => {
      const project = { events: { 'issue.*': { endpoint: '/project', retries: 0 } } };
      expect((await calls({ 's.json': { name: 'n', steps }, 'kiket.json': project })).paths).toEqual(['/project']);
      const scenario = { name: 'n', steps, hooks: { 'issue.created': { endpoint: '/scenario', retries: 1 } } };
      const { paths } = await calls({ 's.json': scenario, 'kiket.json': project });
      expect(paths).toEqual(['/scenario', '/scenario']);
    });

    it('should have the speed of --speed, else that of the scenario, else no delay', async () => {
      const scenario = { name: 'n', steps, schedule: '1h', speed: 1 };
      expect((await calls({ 's.json': scenario }, ['--speed', 'max'])).paths).toHaveLength(2);
      expect((await calls({ 's.json': { ...scenario, speed: 1_000_000 } })).paths).toHaveLength(2);
      expect((await calls({ 's.json': { name: 'n', steps, schedule: '1h' } })).paths).toHaveLength(2);
    });
  });

  it('should carry out the demo, which needs nothing', async () => {
    const { code, stdout, stderr } = await cli(['simulate', '--demo', '--speed', 'max']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('\n20 of 20 rows are as they must be.\n');
  });
});
