import { inspect } from 'node:util';
import { KiketRedisStore, type KiketRedisStoreOptions, type KiketStore } from '../../../lib/idempotency/redis-store';

const keys = ['{tag}:attempt:1', '{tag}:delivery:2'];

/** A store whose Redis returns these replies, and the commands that were sent to it. */
function storeOf(...replies: (() => unknown)[]) {
  const sent: { command: readonly string[]; key: string }[] = [];
  const store = new KiketRedisStore({
    sendCommand: async (command, key) => {
      sent.push({ command, key });
      return Promise.resolve(replies.shift()!());
    },
  });
  return { store, sent };
}

const steps: Record<string, (store: KiketStore) => Promise<unknown>> = {
  claim: (store) => store.claim(keys, 'me', 60_000),
  renew: (store) => store.renew(keys, 'me', 60_000),
  complete: (store) => store.complete(keys, 'me', 'the response', 60_000),
  release: (store) => store.release(keys, 'me'),
};

describe('the options', () => {
  const sendCommand = () => Promise.resolve();

  it.each([
    [{}, 'sendCommand must be a function, but is undefined'],
    [{ sendCommand: 'GET' }, 'sendCommand must be a function, but is "GET"'],
    [{ sendCommand, prefix: 1 }, 'prefix must be a string without braces, but is 1'],
    [{ sendCommand, prefix: null }, 'prefix must be a string without braces, but is null'],
    [{ sendCommand, prefix: 'a{' }, 'prefix must be a string without braces, but is "a{"'],
    [{ sendCommand, prefix: '}a' }, 'prefix must be a string without braces, but is "}a"'],
  ])('should throw a TypeError for %p', (options, message) => {
    const create = () => new KiketRedisStore(options as KiketRedisStoreOptions);
    expect(create).toThrow(new TypeError(`KiketRedisStore: ${message}`));
  });

  it.each([[undefined], [''], ['a'], ['kiket:eu:']])('should accept the prefix %p', (prefix) => {
    expect(() => new KiketRedisStore({ sendCommand, prefix })).not.toThrow();
  });
});

describe('a command', () => {
  it.each(Object.entries(steps))('should name the keys for %s, and pass the first for routing', async (_, step) => {
    const { store, sent } = storeOf(() => 0);
    await step(store);
    expect(sent).toHaveLength(1);
    const [{ command, key }] = sent as [(typeof sent)[0]];
    expect([command[0], ...command.slice(2, 5)]).toEqual(['EVAL', '2', ...keys.map((each) => `kiket:${each}`)]);
    expect(key).toBe(`kiket:${keys[0]}`);
  });

  it('should have one script for each method', async () => {
    const { store, sent } = storeOf(...Array.from({ length: 8 }, () => () => 0));
    for (const step of [...Object.values(steps), ...Object.values(steps)]) await step(store);
    const names = sent.map(({ command }) => command[1]);
    expect(names.slice(0, 4)).toEqual(names.slice(4));
    expect(new Set(names).size).toBe(4);
  });

  it.each([
    [0.2, '1'],
    [-5, '1'],
    [1.000_001, '2'],
    [86_400_000, '86400000'],
  ])('should send %d milliseconds as %s', async (ms, text) => {
    const { store, sent } = storeOf(...Array.from({ length: 3 }, () => () => 0));
    await store.claim(keys, 'me', ms);
    await store.renew(keys, 'me', ms);
    await store.complete(keys, 'me', 'the response', ms);
    expect(sent.map(({ command }) => command.at(-1))).toEqual([text, text, text]);
  });
});

describe('a reply', () => {
  it.each<[unknown, unknown]>([
    [0, { state: 'claimed' }],
    ['0', { state: 'claimed' }],
    [Buffer.from('0'), { state: 'claimed' }],
    [0n, { state: 'claimed' }],
    [250, { state: 'held', retryAfterMs: 250 }],
    ['250', { state: 'held', retryAfterMs: 250 }],
    [Buffer.from('250'), { state: 'held', retryAfterMs: 250 }],
    [250n, { state: 'held', retryAfterMs: 250 }],
    ['record:response', { state: 'recorded', record: 'response' }],
    [Buffer.from('record:Grüße 🎉'), { state: 'recorded', record: 'Grüße 🎉' }],
    ['record:', { state: 'recorded', record: '' }],
    ['record:250', { state: 'recorded', record: '250' }],
  ])('to a claim should be accepted: %p', async (reply, expected) => {
    expect(await storeOf(() => reply).store.claim(keys, 'me', 60_000)).toEqual(expected);
  });

  it.each<[unknown, boolean]>([
    [1, true],
    ['1', true],
    [Buffer.from('1'), true],
    [1n, true],
    [0, false],
    ['0', false],
    [Buffer.from('0'), false],
    [0n, false],
  ])('to a renewal or a completion should be accepted: %p', async (reply, expected) => {
    expect(await steps['renew']!(storeOf(() => reply).store)).toBe(expected);
    expect(await steps['complete']!(storeOf(() => reply).store)).toBe(expected);
  });

  it.each<[unknown]>([[0], ['2'], [Buffer.from('1')], [1n]])('to a release should be accepted: %p', async (reply) => {
    expect(await steps['release']!(storeOf(() => reply).store)).toBeUndefined();
  });

  it.each<[unknown, string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    [true, 'true'],
    ['', 'an empty string'],
    [' 1', 'a string'],
    ['OK', 'a string'],
    ['QUEUED', 'a string'],
    ['claim:canary', 'a string'],
    ['claim:record:canary', 'a string'],
    ['-1', 'a string'],
    [-1, 'a number'],
    [1.5, 'a number'],
    [Number.NaN, 'a number'],
    [2 ** 53, 'a number'],
    [-1n, 'a bigint'],
    [[0], 'an array'],
    [{ 0: 'canary' }, 'an object'],
    [new Error('canary'), 'an object (Error)'],
    [Buffer.from('canary'), 'an object (Buffer)'],
  ])('should be rejected when it is %p, without its contents', async (reply, received) => {
    for (const [name, step] of Object.entries(steps)) {
      await expect(step(storeOf(() => reply).store)).rejects.toThrow(
        new Error(`KiketRedisStore: the reply of Redis to ${name} must be an integer, but is ${received}`),
      );
    }
  });

  it('should reject when it is a record, for any method but claim', async () => {
    for (const name of ['renew', 'complete', 'release']) {
      await expect(steps[name]!(storeOf(() => 'record:response').store)).rejects.toThrow(
        `the reply of Redis to ${name} must be an integer, but is a string`,
      );
    }
  });
});

describe('an error of sendCommand', () => {
  it.each(Object.entries(steps))('should be the rejection of %s, after one attempt', async (_, step) => {
    const error = new Error('NOSCRIPT No matching script. Please use EVAL.');
    const { store, sent } = storeOf(() => {
      throw error;
    });
    await expect(step(store)).rejects.toBe(error);
    expect(sent).toHaveLength(1);
  });

  it.each([undefined, null, 'NOSCRIPT', 42, { message: 1 }])(
    'should be the rejection when it is not an Error: %p',
    async (thrown) => {
      const { store } = storeOf(() => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error
        throw thrown;
      });
      await expect(steps['claim']!(store)).rejects.toBe(thrown);
    },
  );

  it('should be the rejection when it is thrown', async () => {
    const store = new KiketRedisStore({
      sendCommand: () => {
        throw new Error('closed');
      },
    });
    for (const step of Object.values(steps)) {
      const call = step(store);
      await expect(call).rejects.toThrow('closed');
    }
  });

  it('should lose the command, which contains the record', async () => {
    const sendCommand = (command: readonly string[]) => {
      const [name, ...args] = command;
      return Promise.reject(Object.assign(new Error('OOM'), { command: { name, args } }));
    };
    const error = await steps['complete']!(new KiketRedisStore({ sendCommand })).catch((e: unknown) => e);
    expect(error).toEqual(new Error('OOM'));
    expect(inspect(error)).not.toContain('the response');
  });
});
