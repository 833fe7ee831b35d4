import { KiketMemoryStore, type KiketStore } from 'kiket-express';
import { describeStoreContract } from 'kiket-express/testing';
import { BROKEN_STORES, ModelStore, type BrokenStore } from '../../support/broken-stores';
import { contractTests, messageOf } from '../../support/contract-tests';

const unreachable = (): KiketStore => {
  const reject = () => Promise.reject(new Error('connect ECONNREFUSED'));
  return { claim: reject, renew: reject, complete: reject, release: reject };
};

const names = contractTests(() => new ModelStore(), { unreachable }).map(({ name }) => name);

describe('the tests of a store', () => {
  it('should have different names', () => {
    expect(new Set(names).size).toBe(names.length);
  });

  it('should each be meant for a broken store', () => {
    const meant = BROKEN_STORES.flatMap(({ fails }) => fails);
    expect(names.filter((name) => !meant.some((beginning) => name.startsWith(beginning)))).toEqual([]);
  });

  it.each([
    ['KiketMemoryStore', () => new KiketMemoryStore()],
    ['a store that resolves later', () => new ModelStore()],
    ['a promise of a store', () => Promise.resolve(new ModelStore())],
    ['a store that rounds periods up to seconds', () => new ModelStore(1000)],
  ])('should pass for %s', async (_name, create) => {
    const messages = await Promise.all(contractTests(create, { unreachable }).map(messageOf));
    expect(messages.filter((message) => message !== undefined)).toEqual([]);
  });
});

describe('the tests that are meant for a store', () => {
  const results = new Map<BrokenStore, ReadonlyMap<string, string | undefined>>();

  // All at the same time: some wait until a claim should have expired.
  beforeAll(async () => {
    await Promise.all(
      BROKEN_STORES.map(async (store) => {
        const { create, isUnreachable = false, fails } = store;
        const tests = isUnreachable
          ? contractTests(() => new ModelStore(), { unreachable: create as () => KiketStore })
          : contractTests(create);
        const meant = tests.filter(({ name }) => fails.some((beginning) => name.startsWith(beginning)));
        results.set(
          store,
          new Map(await Promise.all(meant.map(async (test) => [test.name, await messageOf(test)] as const))),
        );
      }),
    );
  });

  it.each(BROKEN_STORES.map((store) => [store.name, store] as const))('should fail when it %s', (_name, store) => {
    const found = results.get(store)!;
    for (const beginning of store.fails) {
      expect([...found.keys()].filter((name) => name.startsWith(beginning))).not.toEqual([]);
    }
    for (const [name, message] of found) {
      expect([name, message]).toEqual([
        name,
        expect.stringMatching(/\.\n\nWhy: .+\.\n\nThe calls of this test, the last one below:\n/),
      ]);
    }
  });
});

describe('describeStoreContract', () => {
  const runner = { describe: (_name: string, define: () => void) => define(), it: () => undefined };

  it.each([
    ['the name must be a non-empty string, but is ""', '', () => new ModelStore(), runner],
    ['create must be a function, but is an object (ModelStore)', 'MyStore', new ModelStore(), runner],
    ['describe must be that of Jest, Vitest or node:test, but is null', 'MyStore', () => undefined, { describe: null }],
    ['unreachable must be a function, but is true', 'MyStore', () => undefined, { ...runner, unreachable: true }],
  ])('should refuse a call at once: %s', (message, ...call) => {
    const define = () => describeStoreContract(...(call as unknown as Parameters<typeof describeStoreContract>));
    expect(define).toThrow(new TypeError(`describeStoreContract: ${message}`));
  });

  it('should refuse a call without it where there is no global one', () => {
    const globals = globalThis as { it?: unknown };
    const { it: ofJest } = globals;
    delete globals.it;
    try {
      expect(() => describeStoreContract('MyStore', () => new ModelStore())).toThrow(
        'it must be that of Jest, Vitest or node:test, but is undefined',
      );
    } finally {
      globals.it = ofJest;
    }
  });

  it.each([
    ['is not a store', () => ({}) as never, 'an object'],
    ['is an empty array', () => [] as never, 'undefined'],
    ['has one store and something else', () => [new ModelStore(), 42] as never, 'a number'],
  ])('should say in every test that the result of create %s', async (_name, create, kind) => {
    const messages = await Promise.all(contractTests(create).map(messageOf));
    expect(new Set(messages)).toEqual(
      new Set([
        expect.stringMatching(
          new RegExp(`^describeStoreContract: the result of create must be a .*store.* but is ${kind}$`, 'i'),
        ),
      ]),
    );
  });

  it('should call create once, when a test runs', async () => {
    const create = jest.fn(() => new ModelStore());
    const [first, second] = contractTests(create);
    expect(create).not.toHaveBeenCalled();
    await Promise.all([first!.run(), second!.run()]);
    expect(create).toHaveBeenCalledTimes(1);
  });
});

describe('the message of a test that fails', () => {
  const failing = async (change: Partial<KiketStore>): Promise<string | undefined> => {
    const [first] = contractTests(() => Object.assign(new ModelStore(), change));
    return messageOf(first!);
  };

  it.each([
    [
      'throws',
      () => {
        throw new Error('no connection');
      },
      'claim() must return a promise that rejects, but has thrown Error: no connection.',
    ],
    [
      'returns no promise',
      () => ({ state: 'claimed' }),
      "claim() must return a promise, but has returned { state: 'claimed' }.",
    ],
    ['rejects', () => Promise.reject(new Error('no connection')), 'but has rejected with Error: no connection.'],
    [
      'resolves to another form',
      () => Promise.resolve({ state: 'held', retryAfterMs: 0 }),
      "but has resolved to { state: 'held', retryAfterMs: 0 }.",
    ],
  ])('should say that a call %s', async (_what, claim, message) => {
    expect(await failing({ claim: claim as never })).toContain(message);
  });

  it('should say where a long record differs, and show no more of it', async () => {
    const store = BROKEN_STORES.find(({ name }) => name === 'cuts records at 64 KB')!;
    const test = contractTests(store.create).find(({ name }) => name.endsWith('when it has 128 KB'))!;
    const message = (await messageOf(test))!;
    expect(message).toContain('They are 131072 and 65535 characters long, and differ from character 65535 on: ');
    expect(message.length).toBeLessThan(1500);
  });
});
