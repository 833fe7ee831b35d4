import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { environmentOf, startService, type Service } from '../../../lib/cli/service';
import { acceptsConnections } from '../../../lib/simulator/probe';
import { until } from '../../support/until';

const services: Service[] = [];

afterEach(async () => {
  for (const service of services.splice(0)) await service.close();
});

/** Returns the URL of a port that is free now. */
async function freeUrl(): Promise<string> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/kiket`;
}

/** Returns the command of a server. Other statements may come before it. */
function serverAt(url: string, statements = ''): string {
  const script = `${statements}; require('node:http').createServer((q, r) => r.end()).listen(${new URL(url).port}, '127.0.0.1')`;
  return `"${process.execPath}" -e "${script}"`;
}

async function start(url: string, command: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}) {
  const lines: string[] = [];
  const service = await startService({
    command,
    cwd: process.cwd(),
    env: {
      ...process.env,
      ...environmentOf({ secretName: 'OTHER', secret: 's3cret-of-this-run', apiUrl: 'http://api' }),
    },
    url,
    signal: options.signal ?? new AbortController().signal,
    timeoutMs: options.timeoutMs,
    onLine: (line) => lines.push(line),
    onWait: (text) => lines.push(text),
  });
  services.push(service);
  return { service, lines };
}

/** True while the process with the number in a line runs. */
function isRunning(line: string): boolean {
  try {
    return process.kill(Number(/\d+$/.exec(line)![0]), 0);
  } catch {
    return false;
  }
}

const PRINT_PID = `console.log('pid ' + process.pid)`;

describe('the service of --exec', () => {
  it('should have the variables of the run, pass its output on, and say what it waits for', async () => {
    const url = await freeUrl();
    const print = `const e = process.env; console.log(e.OTHER, e.KIKET_WEBHOOK_SECRET, e.KIKET_BASE_URL, e.KIKET_API_KEY); console.error('x')`;
    const { lines } = await start(url, serverAt(url, print));
    await until(() => lines.length === 3);
    expect(lines).toContain('s3cret-of-this-run s3cret-of-this-run http://api ext_fake');
    expect(lines[0]).toMatch(/^waiting until 127\.0\.0\.1:\d+ accepts connections: /);
  });

  it('should leave lines out that are too long, and go on with the next', async () => {
    const url = await freeUrl();
    const print = `process.stdout.write('x'.repeat(300000)); console.log(); console.log('next', 'y'.repeat(60000).length)`;
    const { lines } = await start(url, serverAt(url, print));
    await until(() => lines.includes('next 60000'));
    expect(lines).toContain('(a line of more than 64 KB is left out)');
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(1000);
  });

  it('should end with all processes of its group', async () => {
    const url = await freeUrl();
    const { service, lines } = await start(url, `${serverAt(url, PRINT_PID)}; true`);
    await until(() => lines.some((line) => line.startsWith('pid ')));
    await service.close();
    expect(await acceptsConnections(url)).toBe(false);
    await until(() => !isRunning(lines.find((line) => line.startsWith('pid '))!), 'the end of the server');
  });

  it('should be killed after 5 s when it ignores SIGTERM', async () => {
    const url = await freeUrl();
    const { service, lines } = await start(
      url,
      serverAt(url, `process.on('SIGTERM', () => console.log('ignored')); ${PRINT_PID}`),
    );
    await until(() => lines.some((line) => line.startsWith('pid ')));
    await service.close();
    expect(lines).toContain('ignored');
    // A process that nobody has waited for yet still has a number.
    expect(await acceptsConnections(url)).toBe(false);
  });

  it('should say how it ended by itself', async () => {
    const url = await freeUrl();
    const { service } = await start(url, serverAt(url, 'setTimeout(() => process.exit(3), 500)'));
    expect(await service.ended).toBe('with exit code 3');
  });

  it('should be refused when it ends before it listens', async () => {
    const url = await freeUrl();
    await expect(start(url, 'exit 4')).rejects.toMatchObject({
      exitCode: 3,
      message: `the service ended with exit code 4 before it accepted connections at ${new URL(url).host}`,
    });
  });

  it('should be ended when it does not listen in time', async () => {
    const url = await freeUrl();
    const lines: string[] = [];
    const command = `"${process.execPath}" -e "${PRINT_PID}; setInterval(() => {}, 1000)"`;
    const started = startService({
      command,
      cwd: process.cwd(),
      env: process.env,
      url,
      timeoutMs: 1500,
      signal: new AbortController().signal,
      onLine: (line) => lines.push(line),
      onWait: () => {},
    });
    await expect(started).rejects.toThrow(
      /did not accept connections at 127\.0\.0\.1:\d+ within 1\.5 s\. Name its URL with --to/,
    );
    expect(isRunning(lines[0] ?? 'pid 0')).toBe(false);
  });

  it('should be ended when the user interrupts the wait', async () => {
    const url = await freeUrl();
    const interrupted = new AbortController();
    const started = start(url, `"${process.execPath}" -e "setInterval(() => {}, 1000)"`, {
      signal: interrupted.signal,
    });
    interrupted.abort();
    await expect(started).rejects.toThrow('interrupted before the service accepted connections');
  });

  it('should be refused when another server has its port', async () => {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await expect(start(url, 'exit 0')).rejects.toThrow('accepts connections already: end that server');
    await new Promise((resolve) => server.close(resolve));
  });
});
