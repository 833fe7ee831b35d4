import { kiketWorker } from 'kiket-express/bullmq';
import { turns } from '../../support/turns';
import { jobData } from './queues';

type Process = (job: { id: string; data: unknown }) => Promise<unknown>;

/** A Worker that the test controls, because Redis cannot be made to fail or reply at a given moment. */
class FakeWorker {
  static last: FakeWorker;
  readonly closed: boolean[] = [];
  settlePause: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(
    readonly name: string,
    readonly process: Process,
  ) {
    FakeWorker.last = this;
  }

  on(): void {}

  pause(): Promise<void> {
    return new Promise((resolve, reject) => (this.settlePause = { resolve, reject }));
  }

  close(force: boolean): Promise<void> {
    this.closed.push(force);
    return Promise.resolve();
  }

  disconnect(): Promise<void> {
    return Promise.resolve();
  }
}

afterEach(() => {
  jest.dontMock('bullmq');
  jest.resetModules();
});

describe('close', () => {
  const releases: (() => void)[] = [];
  const start = (): { close: () => Promise<void>; fake: FakeWorker } => {
    jest.doMock('bullmq', () => ({ Worker: FakeWorker }));
    const worker = kiketWorker('jobs', () => new Promise<void>((resolve) => releases.push(resolve)), {
      connection: {},
    });
    return { close: () => worker.close(), fake: FakeWorker.last };
  };

  it('should wait for a running job when Redis disconnects meanwhile', async () => {
    const { close, fake } = start();
    void fake.process({ id: '1', data: jobData });
    const closed = close();
    fake.settlePause!.reject(new Error('Connection is closed.'));
    await turns();
    expect(fake.closed).toEqual([]);
    releases.shift()!();
    await closed;
    expect(fake.closed).toEqual([true]);
  });

  it('should wait for a job that was fetched just before', async () => {
    const { close, fake } = start();
    const closed = close();
    await turns();
    void fake.process({ id: '1', data: jobData });
    fake.settlePause!.resolve();
    await turns();
    expect(fake.closed).toEqual([]);
    releases.shift()!();
    await closed;
    expect(fake.closed).toEqual([true]);
  });
});
