import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import express from 'express';
import { startSimulator } from 'kiket-express/simulator';
import { temporaryFolder } from '../../support/cli';
import { secret } from '../../support/deliver';
import { startServer } from '../../support/loopback-server';
import { until } from '../../support/until';
import { userEnvironment } from '../../support/user-environment';

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function startProcess(settings: object): ChildProcess {
  const child = fork(resolve(__dirname, 'local-kiket-process.ts'), {
    cwd: resolve(__dirname, '../../..'),
    execArgv: ['--require', 'tsx/cjs'],
    env: { ...userEnvironment, SETTINGS: JSON.stringify(settings) },
  });
  children.push(child);
  return child;
}

/** A receiver that fails until it is told otherwise, and counts the attempts of each delivery. */
async function failingReceiver() {
  const attempts = new Map<string, number>();
  const state = { status: 503 };
  const app = express().post('/kiket', (req, res) => {
    const id = req.get('X-Kiket-Invocation')!;
    attempts.set(id, (attempts.get(id) ?? 0) + 1);
    res.sendStatus(state.status);
  });
  const { url } = await startServer(app);
  const total = (): number => [...attempts.values()].reduce((sum, each) => sum + each, 0);
  return { url: `${url}/kiket`, attempts, state, total };
}

describe('a local Kiket that is killed', () => {
  it('should have made all attempts after the next start, in the middle of retries', async () => {
    const { url, attempts, total } = await failingReceiver();
    const stateDirectory = join(temporaryFolder(), 'state');
    const child = startProcess({ url, secret, stateDirectory, deliveries: 20 });
    const [ids] = (await once(child, 'message')) as [string[]];
    await until(() => total() >= 30, 'attempts');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(Math.max(...attempts.values())).toBeLessThan(6);

    const kiket = await startSimulator({ url, secret, stateDirectory, schedule: 'none' });
    try {
      const ended = await Promise.all(ids.map((id) => kiket.deliveries.wait(id, 'failed', 25_000)));
      expect(ended.map(({ state }) => state)).toEqual(Array(20).fill('failed'));
      for (const { id, attempts: known } of ended) {
        // An attempt that was under way is made again.
        expect(known).toHaveLength(6);
        expect(attempts.get(id)).toBeGreaterThanOrEqual(6);
        expect(attempts.get(id)).toBeLessThanOrEqual(7);
      }
      expect(kiket.alerts.list()).toHaveLength(20);
    } finally {
      await kiket.close();
    }
  });

  it('should go on after each of several ends, also with a line that is cut', async () => {
    const { url, state, total } = await failingReceiver();
    const stateDirectory = join(temporaryFolder(), 'state');
    let [ids, before]: [string[], number] = [[], 0];
    for (const deliveries of [5, 0, 5]) {
      const child = startProcess({ url, secret, stateDirectory, deliveries });
      const [listed] = (await once(child, 'message')) as [string[]];
      ids = [...new Set([...ids, ...listed])];
      await until(() => total() > before + 4, 'attempts');
      child.kill('SIGKILL');
      await once(child, 'exit');
      before = total();
      appendFileSync(join(stateDirectory, 'journal.jsonl'), '{"state":"compl');
    }
    state.status = 200;
    const kiket = await startSimulator({ url, secret, stateDirectory, schedule: 'none' });
    try {
      expect(ids).toHaveLength(10);
      const ended = await Promise.all(ids.map((id) => kiket.deliveries.wait(id, 'settled', 25_000)));
      for (const { state: settled, attempts } of ended) {
        // Those whose attempts were used up before the last start have failed.
        expect(settled).toBe(attempts.at(-1)!.kind === 'success' ? 'completed' : 'failed');
        if (settled === 'failed') expect(attempts).toHaveLength(6);
      }
      expect(kiket.settings.read().notes).toEqual([]);
      expect(readFileSync(join(stateDirectory, 'journal.jsonl'), 'utf8')).not.toContain('"compl\n');
    } finally {
      await kiket.close();
    }
  });
});
