import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acceptsConnections } from '../../../lib/simulator/probe';
import { temporaryFolder } from '../../support/cli';
import { startCliProcess } from '../../support/cli-process';
import { closedOrigin, startServer } from '../../support/loopback-server';
import { until } from '../../support/until';

/** A service without packages, which checks the signature. */
const SERVICE = `
const { createHmac } = require('node:crypto');
const server = require('node:http').createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
    const signed = request.headers['x-kiket-timestamp'] + '.' + Buffer.concat(chunks);
    const digest = createHmac('sha256', process.env.KIKET_WEBHOOK_SECRET).update(signed).digest('hex');
    const isValid = digest === request.headers['x-kiket-signature'];
    console.log(isValid ? 'valid delivery' : 'invalid delivery', process.env.KIKET_API_KEY, process.env.KIKET_WEBHOOK_SECRET);
    response.statusCode = isValid ? 200 : 401;
    response.end('{}');
    if (process.argv.includes('--once')) setTimeout(() => process.exit(7), 50);
  });
});
if (process.argv.includes('--stubborn')) process.on('SIGTERM', () => console.log('SIGTERM is ignored'));
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('pid ' + process.pid));
`;

interface Run {
  readonly url: string;
  readonly cwd: string;
  readonly dev: ReturnType<typeof startCliProcess>;
  readonly call: (method: string, path: string, body: unknown) => Promise<Response>;
}

/** Starts dev with the service as a receiver, and resolves when both run. */
async function startWithService(...options: readonly string[]): Promise<Run> {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'service.js'), SERVICE);
  const url = `${await closedOrigin()}/kiket`;
  const command = `"${process.execPath}" service.js ${new URL(url).port} ${options.join(' ')}; true`;
  const dev = startCliProcess(['dev', '--to', url, '--exec', command, '--port', '0', '--api-port', '0'], cwd);
  await until(() => dev.output.stdout.includes('receiver up') || dev.child.exitCode !== null, 'dev');
  const page = new URL(/^page +(\S+)$/m.exec(dev.output.stdout)![1]!);
  const token = readFileSync(join(cwd, '.kiket/dev/token'), 'utf8').trim();
  return {
    url,
    cwd,
    dev,
    call: (method, path, body) =>
      fetch(new URL(path, page.origin), {
        method,
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
  };
}

describe('the process of dev', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('should end servers and state at %s', async (signal, code) => {
    const { url } = await startServer((_request, response) => response.writeHead(503).end());
    const cwd = temporaryFolder();
    const { child, output, closed } = startCliProcess(['dev', '--to', url, '--port', '0', '--api-port', '0'], cwd);
    await until(() => output.stdout.includes('receiver up'), 'dev');
    child.kill(signal);
    expect(await closed).toEqual([code, null]);
    expect(existsSync(join(cwd, '.kiket/dev/token'))).toBe(false);
    expect(existsSync(join(cwd, '.kiket/dev/lock'))).toBe(false);
  });
});

describe('the process of dev --exec', () => {
  it('should start a service with the secret of the run, and end it', async () => {
    const { url, dev, call } = await startWithService();
    await call('POST', '/api/deliveries', { event: 'issue.created' });
    await until(() => dev.output.stderr.includes('valid delivery'));
    expect(dev.output.stdout).toContain('signed with the secret of this run');
    // The secret itself is not shown, also when the service prints it.
    expect(dev.output.stderr).toContain('[service] valid delivery ext_fake {{delivery_secret}}\n');
    dev.child.kill('SIGINT');
    expect(await dev.closed).toEqual([130, null]);
    expect(await acceptsConnections(url)).toBe(false);
  });

  it('should kill a service that ignores SIGTERM', async () => {
    const { url, dev } = await startWithService('--stubborn');
    dev.child.kill('SIGTERM');
    expect(await dev.closed).toEqual([143, null]);
    expect(dev.output.stderr).toContain('SIGTERM is ignored');
    expect(await acceptsConnections(url)).toBe(false);
  });

  it.each([['SIGINT'], ['SIGHUP']] as const)(
    'should leave no service behind at a second signal: %s',
    async (signal) => {
      const { url, dev } = await startWithService('--stubborn');
      dev.child.kill('SIGINT');
      await until(() => dev.output.stderr.includes('SIGTERM is ignored'));
      dev.child.kill(signal);
      expect(await dev.closed).toEqual([signal === 'SIGINT' ? 130 : 129, null]);
      await until(async () => !(await acceptsConnections(url)), 'the end of the service');
    },
  );

  it('should say that the service has ended, and go on', async () => {
    const { dev, call } = await startWithService('--once');
    await call('POST', '/api/deliveries', { event: 'issue.created' });
    await until(() => dev.output.stderr.includes('the service ended'));
    expect(dev.output.stderr).toContain('the service ended with exit code 0: end this run, and start it again\n');
    await until(() => dev.output.stdout.includes('receiver down'));
    expect(dev.child.exitCode).toBeNull();
  });

  it('should end with code 3 when the service ends before it listens', async () => {
    const url = await closedOrigin();
    const args = ['dev', '--to', url, '--exec', 'exit 4', '--port', '0', '--api-port', '0'];
    const { output, closed } = startCliProcess(args, temporaryFolder());
    expect(await closed).toEqual([3, null]);
    expect(output.stderr).toContain('error: the service ended with exit code 4 before it accepted connections');
  });

  it('should end while the service never listens, at SIGINT', async () => {
    const url = await closedOrigin();
    const command = `"${process.execPath}" -e "setInterval(() => {}, 1000)"`;
    const args = ['dev', '--to', url, '--exec', command, '--port', '0', '--api-port', '0'];
    const { child, output, closed } = startCliProcess(args, temporaryFolder());
    await until(() => output.stderr.includes('waiting until'));
    child.kill('SIGINT');
    expect(await closed).toEqual([130, null]);
    expect(output.stderr).toContain('interrupted before the service accepted connections');
  });
});
