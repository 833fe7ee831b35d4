import { kiketWorker, type KiketBoss, type KiketBossJob } from 'kiket-express/pg-boss';
import { jobData } from '../../system/queue/contract';
import { createGate } from '../../support/gate';
import { turns } from '../../support/turns';

/** Longer than close() waits for the database. */
const LONG_MS = 60_000;

afterEach(() => jest.useRealTimers());

it('should wait at close() for a job that was taken just before, as long as it runs', async () => {
  const [running, handled] = [createGate(), createGate()];
  let take!: (jobs: readonly KiketBossJob[]) => void;
  const completed: string[] = [];
  const none = () => Promise.resolve(null);
  const boss: KiketBoss = {
    send: none,
    getQueue: none,
    getJobById: none,
    fail: none,
    cancel: none,
    fetch: () => new Promise((resolve) => (take = resolve)),
    complete: (_name, id) => Promise.resolve(completed.push(id)),
  };
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
  const run = (): Promise<void> => {
    running.open();
    return handled.opened;
  };
  const worker = kiketWorker(boss, 'kiket', run, { timeoutMs: 2 * LONG_MS });
  let isClosed = false;
  const closed = worker.close().then(() => (isClosed = true));
  await turns();
  take([{ id: '1', data: jobData }]);
  await running.opened;
  jest.advanceTimersByTime(LONG_MS);
  await turns();
  expect(isClosed).toBe(false);
  handled.open();
  await closed;
  expect(completed).toEqual(['1']);
});
