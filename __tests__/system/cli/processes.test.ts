import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { captureLine } from '../../../lib/captures/write';
import { temporaryFolder } from '../../support/cli';
import { startCliProcess as start } from '../../support/cli-process';
import { startServer } from '../../support/loopback-server';
import { until } from '../../support/until';

describe('the process of record', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('should write what it has captured, and say so, at %s', async (signal, code) => {
    const { url } = await startServer((req, res) => req.resume().on('end', () => res.end('{}')));
    const cwd = temporaryFolder();
    const { child, output, closed } = start(['record', '--to', url, '--port', '0'], cwd);
    await until(() => output.stderr.includes('is passed on to'), 'the recorder');
    const [origin] = /http:\/\/127\.0\.0\.1:\d+/.exec(output.stderr)!;
    await fetch(`${origin}/kiket`, { method: 'POST', body: '{}', headers: { 'X-Kiket-Event': 'issue.created' } });
    await until(() => output.stdout.includes('issue.created'));
    child.kill(signal);
    expect(await closed).toEqual([code, null]);
    expect(output.stderr).toContain('1 request captured in .kiket/captures.jsonl');
    expect(readFileSync(join(cwd, '.kiket/captures.jsonl'), 'utf8').split('\n')).toHaveLength(2);
  });
});

describe('the process of replay or send', () => {
  const captures = (cwd: string, count: number): void => {
    const headers = [['Content-Type', 'application/json']] as const;
    const line = captureLine({ method: 'POST', url: '/kiket', headers, body: Buffer.from('{}') });
    writeFileSync(join(cwd, 'a.jsonl'), line.repeat(count));
  };

  it('should say how many it has sent at SIGINT', async () => {
    const { url, counts } = await startServer((req, res) => {
      req.resume();
      if (counts.requests < 3) res.end();
    });
    const cwd = temporaryFolder();
    captures(cwd, 5);
    const { child, output, closed } = start(['replay', 'a.jsonl', '--to', url], cwd);
    await until(() => counts.requests === 3);
    child.kill('SIGINT');
    expect(await closed).toEqual([130, null]);
    expect(output.stderr).toContain('interrupted: 2 of 5 sent: 2 success\n');
  });

  it('should say how many send has sent at SIGTERM, and not wait for the response', async () => {
    const { url, counts } = await startServer((req, res) => {
      req.resume();
      if (counts.requests < 2) res.end();
    });
    const { child, output, closed } = start(['send', '--to', url, '--repeat', '3'], temporaryFolder());
    await until(() => counts.requests === 2);
    child.kill('SIGTERM');
    expect(await closed).toEqual([143, null]);
    expect(output.stderr).toContain('interrupted: 1 delivery was sent\n');
  });

  it('should end when its reader has read enough', async () => {
    const { url } = await startServer((req, res) => req.resume().on('end', () => res.end()));
    const cwd = temporaryFolder();
    captures(cwd, 500);
    const { child, output, closed } = start(['replay', 'a.jsonl', '--to', url], cwd);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect(await closed).toEqual([0, null]);
    expect(output.stderr).not.toContain('Error');
  });

  it('should end with its code when nobody reads its warnings', async () => {
    const { child, closed } = start(['events', '--unknown'], temporaryFolder());
    child.stderr.destroy();
    expect(await closed).toEqual([2, null]);
  });
});
