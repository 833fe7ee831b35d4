import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { checkReceiver } from 'kiket-express/testing';
import { secret } from '../../support/deliver';

// With CI set, a missing Python fails the test.
const hasPython = Boolean(process.env.CI) || spawnSync('python3', ['-c', 'import http.server']).status === 0;
if (!hasPython) process.stderr.write('Skipped, because there is no python3: a receiver in Python\n');

describe('a receiver in Python', () => {
  let receiver: ChildProcess;
  let url: string;

  beforeAll(async () => {
    if (!hasPython) return;
    receiver = spawn('python3', [resolve(__dirname, '../../fixtures/receiver.py')], {
      env: { ...process.env, KIKET_WEBHOOK_SECRET: secret },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(receiver.stdout!, 'data')) as [Buffer];
    url = `http://127.0.0.1:${line.toString().trim()}/kiket`;
  });
  afterAll(async () => {
    if (!hasPython) return;
    receiver.kill();
    await once(receiver, 'close');
  });

  (hasPython ? it : it.skip)('should pass what it does not leave to the HTTP server', async () => {
    const options = { secret, event: 'issue.created', guard: 'workflow.before_transition' };
    const { cases, summary } = await checkReceiver(url, options);
    const failed = cases.filter(({ outcome }) => outcome === 'failed');
    expect(failed.map(({ id, findings }) => [id, findings[0]!.problem, findings[0]!.answer])).toEqual([]);
    expect(summary.passed).toBeGreaterThan(55);
  });
});
