import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckReport } from 'kiket-express/testing';
import { createApp as createNewService } from '../../../examples/new-service';
import { createApp as createSlaAlert } from '../../../examples/sla-alert';
import { cli, startCli } from '../../support/cli';
import { secret } from '../../support/deliver';
import { closedOrigin, startServer } from '../../support/loopback-server';
import { MUTANTS, startMutant } from '../../support/mutant-receivers';

const env = { KIKET_WEBHOOK_SECRET: secret };
let cwd: string;
let url: string;
beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'kiket-check-'));
  url = `${(await startServer(createNewService(secret))).url}/kiket`;
});
afterEach(() => rmSync(cwd, { recursive: true }));

const check = (args: readonly string[], io: object = {}) => cli(['check', ...args], { env, cwd, ...io });

/** A receiver that fails B5 as a must. */
async function startForgeable(): Promise<{ readonly url: string; readonly env: Record<string, string> }> {
  const { server, secrets } = startMutant(MUTANTS.find(({ name }) => name === 'has no secret')!);
  const { url: origin } = await startServer((req, res) => void server.emit('request', req, res));
  return { url: `${origin}/kiket`, env: { KIKET_WEBHOOK_SECRET: secrets[0]! } };
}

describe('kiket-express check', () => {
  it('should exit with 0 when no must has failed', async () => {
    const { code, stdout, stderr } = await check([url, '--event', 'issue.created', '--only', 'A1,A2,B2']);
    expect(stdout).toMatch(/^10 passed, 0 must, 0 should, 0 hints/m);
    expect(stderr).toContain('takes issue.created, signature scheme timestamped');
    expect(code).toBe(0);
  });

  it('should exit with 1, and say what came and what to change, when a must has failed', async () => {
    const forgeable = await startForgeable();
    const result = await check([forgeable.url, '--event', 'issue.created', '--only', 'B'], { env: forgeable.env });
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/✗ B5 {2}must.*\(contract, section 2\)/);
    expect(result.stdout).toContain('signed with an empty key: taken with 200');
    expect(result.stdout).toContain('End at start-up when the secret is unset');
    expect(result.stdout).not.toContain(forgeable.env['KIKET_WEBHOOK_SECRET']);
  });

  it('should mask the runtime token and the headers of the manifest in what it prints', async () => {
    const forgeable = await startForgeable();
    const manifest = { id: 'a', callback: { headers: { 'X-Gateway-Key': 'canary_header' } } };
    writeFileSync(join(cwd, 'manifest.json'), JSON.stringify(manifest));
    const args = ['--event', 'issue.created', '--only', 'B5', '--api', '--json'];
    const { stdout } = await check([forgeable.url, ...args], { env: forgeable.env });
    expect(stdout).toContain('X-Gateway-Key: ********');
    expect(stdout).toContain('\\"runtime_token\\":\\"********');
    expect(stdout).not.toContain('canary_header');
  });

  it('should write JSON, JUnit and Markdown', async () => {
    const forgeable = await startForgeable();
    const files = ['--junit', 'check.xml', '--markdown', 'check.md', '--json'];
    const args = [forgeable.url, '--event', 'issue.created', '--only', 'B5,B2', ...files];
    const { stdout, code } = await check(args, { env: forgeable.env });
    const report = JSON.parse(stdout) as CheckReport & { schema: number; command: string };
    expect(report).toMatchObject({ schema: 1, command: 'check', summary: { passed: 1, must: 1 } });
    expect(readFileSync(join(cwd, 'check.xml'), 'utf8')).toMatch(
      /<failure type="must" message="must: signed with an empty/,
    );
    expect(readFileSync(join(cwd, 'check.md'), 'utf8')).toMatch(/^\| B5 \| must \| A secret that is unset/m);
    expect(code).toBe(1);
  });

  it('should accept the failures of a baseline, and fail for those that pass now', async () => {
    const forgeable = await startForgeable();
    const args = [forgeable.url, '--event', 'issue.created', '--only', 'B5,B2', '--baseline', 'known.json'];
    const io = { env: forgeable.env };
    expect((await check(args, io)).code).toBe(3);
    expect((await check([...args, '--update-baseline'], io)).code).toBe(0);
    const file = join(cwd, 'known.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ schema: 1, failures: { B5: 'must' } });
    const known = await check(args, io);
    expect([known.code, known.stdout]).toEqual([0, expect.stringContaining('Known from the baseline: B5')]);
    writeFileSync(file, '{"schema":1,"failures":{"B5":"must","B2":"must"}}');
    const mended = await check(args, io);
    expect([mended.code, mended.stdout]).toEqual([1, expect.stringContaining('taken out of the baseline: B2')]);
  });

  it('should count effects at the local API', async () => {
    const oncall = await startServer((_req, res) => void res.end());
    const api = await closedOrigin();
    const alert = await startServer(createSlaAlert(secret, { allowedOrigins: [api] }));
    const io = { env: { ...env, KIKET_SECRET_ONCALL_WEBHOOK: oncall.url } };
    const args = [`${alert.url}/kiket`, '--api', new URL(api).port, '--only', 'E1,H1', '--json'];
    const { cases } = JSON.parse((await check(args, io)).stdout) as CheckReport;
    const ran = cases.filter(({ outcome }) => outcome !== 'skipped');
    expect(ran).toMatchObject([
      { id: 'E1', outcome: 'passed', notes: [] },
      { id: 'H1', outcome: 'passed' },
    ]);
  });

  it.each([
    [['--only', 'Z9'], 2, 'Z9 is not a case or a group'],
    [['--evnt', 'x'], 2, '--event'],
    [['--update-baseline'], 2, '--update-baseline needs the file'],
    [['--payload', 'missing.json'], 3, '--payload missing.json cannot be read: ENOENT'],
    [['--seed', 'x'], 2, 'must be an integer'],
  ])('should refuse %j with exit code %i: %s', async (args, code, message) => {
    const result = await check([url, ...args]);
    expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(message)]);
  });

  it('should refuse another machine without --allow-remote', async () => {
    const result = await check(['https://kiket.example/kiket']);
    expect([result.code, result.stderr]).toEqual([2, expect.stringContaining('--allow-remote')]);
  });

  it('should refuse to run without a secret', async () => {
    const result = await check([url], { env: {} });
    expect([result.code, result.stderr]).toEqual([2, expect.stringContaining('KIKET_WEBHOOK_SECRET')]);
  });

  it('should exit with 3 when nothing listens', async () => {
    const result = await check([`${await closedOrigin()}/kiket`, '--wait', '200ms']);
    expect([result.code, result.stderr]).toEqual([3, expect.stringContaining('nothing listens there')]);
  });

  it('should exit with 3 when no delivery is taken, and name the events that are handled', async () => {
    const result = await check([url]);
    expect(result.code).toBe(3);
    expect(result.stderr).toContain('takes no genuine delivery of workflow.sla_status');
    expect(result.stderr).toContain('It handles: issue.created');
  });

  it('should say what was done when it is interrupted', async () => {
    let requests = 0;
    const app = createNewService(secret);
    const slow = await startServer((req, res) => {
      if (++requests === 5) running.interrupt();
      app(req, res);
    });
    const args = ['check', `${slow.url}/kiket`, '--event', 'issue.created'];
    const running = startCli(args, { env, cwd });
    const result = await running.ended;
    expect(result.stdout).toMatch(/[1-9]\d* not run/);
    expect(result.code).toBe(3);
  });

  it('should list all cases', async () => {
    const { stdout, code } = await check(['--list', '--json']);
    const { cases } = JSON.parse(stdout) as { cases: { id: string }[] };
    expect(cases.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['A1', 'A2h', 'B11', 'C12', 'D6', 'E6', 'F7', 'G6', 'H7']),
    );
    expect(cases.length).toBe(74);
    expect(code).toBe(0);
  });
});
