import { kiketWorker, type KiketJobHandler, type KiketWorkerOptions } from 'kiket-express/bullmq';
import { readWorkerOptions } from '../../../lib/bullmq/worker-options';

/** Accepted and rejected values of every option. */
const options: Record<string, { readonly good: unknown[]; readonly bad: unknown[] }> = {
  connection: { good: [{ port: 6379 }, {}], bad: [undefined, null, 'redis://canary', 6379, []] },
  concurrency: { good: [undefined, 1, 10_000], bad: [0, 1.5, 10_001] },
  timeoutMs: { good: [undefined, 1, 2 ** 31 - 1], bad: [0, 2 ** 31] },
  lockSeconds: { good: [undefined, 1, 1.5, 86_400], bad: [0.9, 86_401] },
  prefix: { good: [undefined, 'bull', '{kiket}'], bad: [null, '', 42] },
  onError: { good: [undefined, () => undefined], bad: [null, 'log'] },
};

const rows = (kind: 'good' | 'bad') =>
  Object.entries(options).flatMap(([name, option]) => option[kind].map((value) => ({ name, value })));

function read(given: unknown): unknown {
  return readWorkerOptions('kiketWorker', given as KiketWorkerOptions);
}

describe('the start-up check of kiketWorker', () => {
  it.each(rows('good'))('should accept $name: $value', ({ name, value }) => {
    expect(() => read({ connection: {}, [name]: value })).not.toThrow();
  });

  it.each(rows('bad'))('should throw a TypeError for $name: $value', ({ name, value }) => {
    const attempt = (): unknown => read({ connection: {}, [name]: value });
    expect(attempt).toThrow(TypeError);
    expect(attempt).toThrow(new RegExp(`^kiketWorker: ${name} must be `));
    expect(attempt).not.toThrow(/canary/);
  });

  it.each([undefined, null, 'canary', 42, []])('should throw a TypeError for options that are %j', (given) => {
    expect(() => read(given)).toThrow(/^kiketWorker: options must be an object, but is (?!.*canary)/);
  });

  it('should name an option of the API', () => {
    expect(() => read({ connection: {}, api: { apiKey: 'canary key' } })).toThrow(
      'kiketWorker: api.apiKey must be visible ASCII characters without white space, but is a string',
    );
  });

  it('should have the defaults that it documents', () => {
    expect(read({ connection: {} })).toMatchObject({ concurrency: 1, timeoutMs: 300_000, lockMs: 30_000 });
  });

  it.each([undefined, null, '', 42, 'with:colon'])('should throw a TypeError for the queue name %j', (name) => {
    const start = (): unknown => kiketWorker(name as string, () => undefined, { connection: {} });
    expect(start).toThrow(TypeError);
    expect(start).toThrow(/^kiketWorker: queueName must be a non-empty string without a colon, but is /);
  });

  it.each([undefined, null, 'canary', {}])('should throw a TypeError for the handler %j', (fn) => {
    const start = (): unknown => kiketWorker('jobs', fn as KiketJobHandler, { connection: {} });
    expect(start).toThrow(TypeError);
    expect(start).toThrow(/^kiketWorker: handler must be a function, but is /);
  });
});
