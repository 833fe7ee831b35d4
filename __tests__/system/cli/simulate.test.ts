import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createApp as createGuard } from '../../../examples/guard';
import { cli, startCli, temporaryFolder } from '../../support/cli';
import { secret } from '../../support/deliver';
import { closedOrigin, startServer } from '../../support/loopback-server';
import { until } from '../../support/until';

const ACCEPTS = { name: 'n', steps: [{ name: 'one', send: 'a.b', expect: { state: 'completed' } }] };

/** A folder with a scenario, and with a service that says what it gets, then does something. */
async function folderWith(scenario: object, afterwards = ''): Promise<{ cwd: string; url: string; args: string[] }> {
  const cwd = temporaryFolder();
  const url = await closedOrigin();
  writeFileSync(join(cwd, 's.json'), JSON.stringify(scenario));
  writeFileSync(
    join(cwd, 'service.cjs'),
    `const { createHmac } = require('node:crypto');
const { KIKET_WEBHOOK_SECRET: secret, KIKET_BASE_URL, KIKET_API_KEY } = process.env;
console.log('api', KIKET_BASE_URL, KIKET_API_KEY);
require('node:http').createServer((req, res) => {
  let body = '';
  req.on('data', (part) => (body += part)).on('end', () => {
    const mac = createHmac('sha256', secret).update(req.headers['x-kiket-timestamp'] + '.' + body).digest('hex');
    ${afterwards}
    res.writeHead(mac === req.headers['x-kiket-signature'] ? 200 : 401).end('{}');
  });
}).listen(${new URL(url).port}, '127.0.0.1');
`,
  );
  return { cwd, url, args: ['--to', url, '--exec', `"${process.execPath}" service.cjs`] };
}

const env = { PATH: process.env['PATH'] };

describe('simulate --exec', () => {
  it('should start the service for each scenario, with a secret of the run, and end it', async () => {
    const { cwd, url, args } = await folderWith(ACCEPTS);
    const { code, stdout, stderr } = await cli(['simulate', 's.json', 's.json', ...args], { cwd, env });
    expect([code, stdout.match(/^1 of 1 rows/gm)?.length]).toEqual([0, 2]);
    expect(stderr.match(/^service: api http:\/\/127\.0\.0\.1:\d+ ext_fake$/gm)).toHaveLength(2);
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('should show no secret that the service writes', async () => {
    const { cwd, args } = await folderWith(ACCEPTS, 'console.log("got", secret, JSON.parse(body).secrets.CRM);');
    writeFileSync(join(cwd, 'secrets.env'), 'CRM=value_of_the_crm\n');
    const { stdout, stderr } = await cli(['simulate', 's.json', ...args, '--env-file', 'secrets.env'], { cwd, env });
    expect(stderr).toContain('service: got {{delivery_secret}} {{secret:CRM}}\n');
    expect(stdout + stderr).not.toContain('value_of_the_crm');
  });

  it('should end with 3, and say what was done, when the service ends by itself', async () => {
    const steps = [{ name: 'kills', send: 'a.b' }, { send: 'a.b' }];
    const { cwd, args } = await folderWith({ name: 'n', schedule: '1h', speed: 1, steps }, 'process.exit(7);');
    const { code, stderr } = await cli(['simulate', 's.json', ...args], { cwd, env });
    expect(code).toBe(3);
    expect(stderr).toContain('the service ended with exit code 7: 1 of 2 steps of s.json were begun\n');
  });

  it('should end the service when the user interrupts it', async () => {
    const { cwd, url, args } = await folderWith(ACCEPTS, "console.log('hangs'); return;");
    const running = startCli(['simulate', 's.json', ...args], { cwd, env });
    await until(() => running.output.stderr.includes('service: hangs'));
    running.interrupt();
    const { code, stderr } = await running.ended;
    expect(code).toBe(3);
    expect(stderr).toContain('interrupted: 1 of 1 steps of s.json were begun\n');
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('should end with 3 when the service does not listen', async () => {
    const { cwd, args } = await folderWith(ACCEPTS);
    writeFileSync(join(cwd, 'service.cjs'), 'setInterval(() => {}, 1000);');
    const { code, stderr } = await cli(['simulate', 's.json', ...args, '--wait', '300ms'], { cwd, env });
    expect(code).toBe(3);
    expect(stderr).toContain('did not accept connections');
  });
});

describe('the scenario of the example guard', () => {
  it('should come to what it expects', async () => {
    const { url } = await startServer(createGuard(secret));
    const scenario = resolve('examples/guard/scenario.json');
    const args = ['simulate', scenario, '--to', `${url}/kiket`, '--json'];
    const { code, stdout } = await cli(args, { env: { KIKET_WEBHOOK_SECRET: secret } });
    const { scenarios } = JSON.parse(stdout) as { scenarios: { differences: string[] }[] };
    expect([code, scenarios.map(({ differences }) => differences)]).toEqual([0, [[]]]);
  });
});
