import { kiketWorker, type KiketJobHandler, type KiketWorkerOptions } from 'kiket-express/bullmq';
import { readWorkerOptions } from '../../../lib/bullmq/worker-options';

/** Every option: what it takes, and what it refuses. */
const options: Record<string, { readonly good: unknown[]; readonly bad: unknown[] }> = {
  connection: { good: [{ port: 6379 }, {}], bad: [undefined, null, 'redis://canary', 6379, []] },
  concurrency: { good: [undefined, 1, 10_000], bad: [null, 0, -1, 1.5, 10_001, Number.NaN, '1', 'canary', true] },
  timeoutMs: { good: [undefined, 1, 2 ** 31 - 1], bad: [null, 0, -1, 2 ** 31, Infinity, Number.NaN, '1', 'canary'] },
  lockSeconds: { good: [undefined, 1, 1.5, 86_400], bad: [null, 0, 0.9, -1, 86_401, Number.NaN, '1', 'canary'] },
  prefix: { good: [undefined, 'bull', '{kiket}'], bad: [null, '', 42, {}] },
  onError: { good: [undefined, () => undefined], bad: [null, {}, 'canary', true] },
};

const rows = (kind: 'good' | 'bad') =>
  Object.entries(options).flatMap(([name, option]) => option[kind].map((value) => ({ name, value })));

function read(given: unknown): unknown {
  return readWorkerOptions('kiketWorker', given as KiketWorkerOptions);
}

describe('the start-up check of kiketWorker', () => {
  it.each(rows('good'))('should take $name: $value', ({ name, value }) => {
    expect(() => read({ connection: {}, [name]: value })).not.toThrow();
  });

  it.each(rows('bad'))('should throw a TypeError for $name: $value', ({ name, value }) => {
    const attempt = (): unknown => read({ connection: {}, [name]: value });
    expect(attempt).toThrow(TypeError);
    expect(attempt).toThrow(new RegExp(`^kiketWorker: ${name} `));
    expect(attempt).not.toThrow(/canary/);
  });

  it.each([undefined, null, 'canary', 42, []])('should throw a TypeError for options that are %j', (given) => {
    expect(() => read(given)).toThrow(/^kiketWorker: options is (?!.*canary)/);
  });

  it('should refuse an option that there is none of, and what is wrong about the API', () => {
    expect(() => read({ connection: {}, timeout: 1 })).toThrow(/^kiketWorker: there is no option timeout;/);
    expect(() => read({ connection: {}, api: { apiKey: 'with space' } })).toThrow(/^kiketWorker: apiKey /);
  });

  it('should have the defaults that it documents', () => {
    expect(read({ connection: {} })).toMatchObject({ concurrency: 1, timeoutMs: 300_000, lockMs: 30_000 });
  });

  it.each([undefined, null, '', 42, 'with:colon'])('should throw a TypeError for the queue name %j', (name) => {
    const start = (): unknown => kiketWorker(name as string, () => undefined, { connection: {} });
    expect(start).toThrow(TypeError);
    expect(start).toThrow(/^kiketWorker: the queue name is /);
  });

  it.each([undefined, null, 'canary', {}])('should throw a TypeError for the handler %j', (fn) => {
    const start = (): unknown => kiketWorker('jobs', fn as KiketJobHandler, { connection: {} });
    expect(start).toThrow(TypeError);
    expect(start).toThrow(/^kiketWorker: the handler is (?!.*canary)/);
  });
});
