import { Claim } from '../../../lib/idempotency/claim';
import { follow, forget, openClaims } from '../../../lib/idempotency/claim-renewer';
import type { Exchange } from '../../../lib/exchange/exchange';
import type { Outcome } from '../../../lib/response/handler-outcome';
import { WatchedStore } from '../../support/watched-store';

const LOCK_MS = 3000;
const success: Outcome = { status: 200, headers: {}, body: '{}', code: undefined };
const failure: Outcome = { ...success, status: 503 };
const never = (): Promise<never> => new Promise(() => undefined);
const reject = (): Promise<never> => Promise.reject(new Error('down'));
const taken = () => Promise.resolve({ state: 'held', retryAfterMs: 1 } as const);
const lost = (): Promise<boolean> => Promise.resolve(false);

const made: Claim[] = [];

let store: WatchedStore;

beforeEach(() => {
  jest.useFakeTimers();
  store = new WatchedStore();
  store.instead.renew = () => Promise.resolve(true);
  store.instead.complete = () => Promise.resolve(true);
});

afterEach(() => {
  made.splice(0).forEach(forget);
  jest.runOnlyPendingTimers();
  jest.useRealTimers();
});

function makeClaim(lockMs = LOCK_MS): Claim {
  const exchange = {
    res: { getHeaders: () => ({}) },
    delivery: {},
    redactor: { contains: () => false },
  };
  const claim = new Claim(
    { store, lockMs, ttlMs: 7000, guardTtlMs: 500 },
    exchange as unknown as Exchange,
    ['a', 'b'],
    'me',
  );
  made.push(claim);
  return claim;
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const isOpen = (): boolean => openClaims().length > 0;

describe('a claim', () => {
  it('should be renewed three times in its lock, for as long as it is open', async () => {
    makeClaim();
    await pass(999);
    expect(store.methods).toEqual([]);
    await pass(2);
    expect(store.calls).toMatchObject([{ method: 'renew', keys: ['a', 'b'], owner: 'me', what: LOCK_MS }]);
    await pass(50_000);
    expect(store.callsOf('renew').length).toBeGreaterThanOrEqual(48);
    expect(isOpen()).toBe(true);
  });

  it('should tell the store of its end once, and be renewed no more', async () => {
    const claim = makeClaim();
    void claim.settle(success);
    void claim.settle(failure);
    claim.abandon();
    claim.outlive(false);
    await pass(20_000);
    expect(store.methods).toEqual(['complete']);
    expect(store.calls[0]).toMatchObject({ keys: ['a', 'b'], owner: 'me', ttlMs: 7000 });
    expect([claim.isOpen, isOpen()]).toEqual([false, false]);
  });

  it.each<[string, (claim: Claim) => void]>([
    ['by what is retried', (claim) => claim.settle(failure)],
    ['by not being run', (claim) => claim.abandon()],
    ['by a shutdown', (claim) => void claim.release()],
  ])('should be released %s', async (_name, end) => {
    const claim = makeClaim();
    end(claim);
    void claim.settle(success);
    await pass(20_000);
    expect(store.calls).toMatchObject([
      { method: 'complete', keys: ['a'], owner: 'me', what: '{"boundTo":"b"}' },
      { method: 'release', keys: ['b'], owner: 'me' },
    ]);
    expect([claim.isOpen, isOpen()]).toEqual([false, false]);
  });

  it('should go on after a renewal that has failed', async () => {
    const claim = makeClaim();
    store.instead.renew = reject;
    await pass(1001);
    store.instead.renew = () => {
      throw new Error('down');
    };
    await pass(1000);
    store.instead.renew = () => Promise.resolve(true);
    await pass(1000);
    expect(store.callsOf('renew')).toHaveLength(3);
    void claim.settle(success);
    await pass(1);
    expect(store.callsOf('complete')).toHaveLength(1);
  });

  it('should not be renewed any more once it is lost; the store decides what becomes of its end', async () => {
    const claim = makeClaim();
    store.instead.renew = lost;
    store.instead.claim = taken;
    await pass(1001);
    expect(isOpen()).toBe(false);
    await pass(20_000);
    expect(store.callsOf('renew')).toHaveLength(1);
    store.instead.complete = lost;
    void claim.settle(success);
    await pass(20_000);
    expect(store.methods).toEqual(['renew', 'claim', 'complete', 'claim']);
  });

  it('should be taken again where the store has lost it and nobody else has it', async () => {
    makeClaim();
    store.instead.renew = lost;
    await pass(1001);
    expect(store.callsOf('claim')).toMatchObject([{ keys: ['a', 'b'], owner: 'me' }]);
    expect(isOpen()).toBe(true);
    store.instead.renew = undefined;
    await pass(1000);
    expect([store.methods, isOpen()]).toEqual([['renew', 'claim', 'renew'], true]);
  });

  it('should leave the bindings of its bytes alone, where they lead to another delivery by now', async () => {
    const claim = makeClaim();
    store.instead.renew = lost;
    store.instead.claim = (keys) =>
      Promise.resolve(keys.includes('a') ? { state: 'recorded', record: '{"boundTo":"x"}' } : { state: 'claimed' });
    await pass(1001);
    expect(store.callsOf('claim').map(({ keys }) => keys)).toEqual([
      ['a', 'b'],
      ['x', 'b'],
    ]);
    void claim.settle(failure);
    await pass(1);
    expect(store.callsOf('release')).toMatchObject([{ keys: ['x', 'b'], owner: 'me' }]);
    expect(store.callsOf('complete')).toEqual([]);
  });

  it('should have its end recorded where the store has lost it and nobody else has it', async () => {
    const claim = makeClaim();
    const answers = [lost];
    store.instead.complete = () => answers.shift()?.() as Promise<boolean>;
    void claim.settle(success);
    await pass(1);
    expect(store.methods).toEqual(['complete', 'claim', 'complete']);
    expect(await store.claim(['b'], 'another', 1)).toMatchObject({ state: 'recorded' });
  });

  it('should be renewed each time, also while the store does not answer', async () => {
    makeClaim();
    store.instead.renew = never;
    await pass(3001);
    expect(store.methods).toEqual(['renew', 'renew', 'renew']);
    expect(isOpen()).toBe(true);
  });

  it.each(['complete', 'release'] as const)(
    'should tell the store up to three times where %s fails',
    async (method) => {
      const claim = makeClaim();
      store.instead[method] = reject;
      void claim.settle(method === 'complete' ? success : failure);
      await pass(0);
      expect(store.callsOf(method)).toHaveLength(1);
      await pass(1001);
      expect([store.callsOf(method).length, isOpen()]).toEqual([2, true]);
      await pass(1001);
      expect([store.callsOf(method).length, isOpen()]).toEqual([3, false]);
      await pass(20_000);
      expect(store.callsOf(method)).toHaveLength(3);
      expect(store.callsOf('renew')).toEqual([]);
    },
  );

  it('should stop telling once the store has heard it', async () => {
    const claim = makeClaim();
    store.instead.complete = reject;
    void claim.settle(success);
    await pass(1);
    store.instead.complete = lost;
    store.instead.claim = taken;
    await pass(20_000);
    expect(store.callsOf('complete')).toHaveLength(2);
  });

  it('should not be kept for ever by a store that does not answer its end', async () => {
    const claim = makeClaim();
    store.instead.complete = never;
    void claim.settle(success);
    await pass(2 * LOCK_MS);
    expect([store.methods, isOpen()]).toEqual([['complete'], false]);
  });

  it('should be held for one lock more where nobody will tell its end', async () => {
    const claim = makeClaim();
    await pass(900);
    claim.outlive(false);
    expect(store.methods).toEqual(['renew']);
    await pass(LOCK_MS - 1);
    expect([store.methods, isOpen()]).toEqual([['renew'], true]);
    await pass(2);
    expect([store.methods, isOpen()]).toEqual([['renew'], false]);
    await pass(20_000);
    expect(store.methods).toEqual(['renew']);
  });

  it('should be held on where its end will be known', async () => {
    const claim = makeClaim();
    claim.outlive(true);
    await pass(10_000);
    expect(store.callsOf('renew').length).toBeGreaterThanOrEqual(9);
    expect(isOpen()).toBe(true);
  });

  it('should be settled late, also by a store that fails at first', async () => {
    const claim = makeClaim();
    claim.outlive(false);
    await pass(LOCK_MS / 2);
    store.instead.complete = reject;
    void claim.settle(success);
    await pass(1);
    store.instead.complete = () => Promise.resolve(true);
    // Before the lock is over.
    await pass(1001);
    expect(store.methods).toEqual(['renew', 'complete', 'complete']);
    expect(isOpen()).toBe(false);
  });

  it('should be settled after it was left to expire, as the store then decides', async () => {
    const claim = makeClaim();
    claim.outlive(false);
    await pass(10_000);
    void claim.settle(success);
    await pass(1);
    expect([store.methods, isOpen()]).toEqual([['renew', 'complete'], false]);
  });

  it('should tell its end, and not release it, when a shutdown comes while the store fails', async () => {
    const claim = makeClaim();
    store.instead.complete = reject;
    void claim.settle(success);
    await pass(1);
    await expect(claim.release()).rejects.toThrow('down');
    expect([store.methods, isOpen()]).toEqual([['complete', 'complete'], false]);
  });

  it('should have the time of guards for those', async () => {
    const exchange = {
      req: {},
      res: { getHeaders: () => ({}) },
      delivery: { event: 'workflow.before_transition' },
      redactor: { contains: () => false },
    };
    const settings = { store, lockMs: LOCK_MS, ttlMs: 7000, guardTtlMs: 500 };
    void new Claim(settings, exchange as unknown as Exchange, ['a'], 'me').settle({
      ...success,
      body: '{"status":"allow"}',
    });
    await pass(1);
    expect(store.calls).toMatchObject([{ method: 'complete', ttlMs: 500 }]);
  });
});

describe('open claims', () => {
  it('should be listed until they are forgotten', () => {
    const [first, second] = [makeClaim(), makeClaim()];
    expect(openClaims()).toEqual([first, second]);
    forget(first);
    expect(openClaims()).toEqual([second]);
  });

  it('should be renewed by one timer, each at its time', async () => {
    makeClaim(9000);
    await pass(500);
    makeClaim(3000);
    makeClaim(30_000);
    expect(jest.getTimerCount()).toBe(1);
    await pass(1001);
    expect(store.calls.map(({ what }) => what)).toEqual([3000]);
    await pass(1500);
    expect(store.calls.map(({ what }) => what)).toEqual([3000, 3000, 9000]);
    expect(jest.getTimerCount()).toBe(1);
  });

  it('should set no timer where there are none', async () => {
    void makeClaim().settle(success);
    await pass(5000);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('should bear a lock of a year, for which Node has no timer', () => {
    const delays: unknown[] = [];
    const spy = jest
      .spyOn(globalThis, 'setTimeout')
      .mockImplementation(((_call: unknown, ms: unknown) => (delays.push(ms), { unref: () => undefined })) as never);
    makeClaim(31_536_000_000);
    spy.mockRestore();
    expect(delays).toEqual([2 ** 31 - 1]);
  });

  it('should give no negative time to a timer where renewals take long, of which Node would warn', async () => {
    makeClaim(3000);
    makeClaim(3003);
    const nowMs = performance.now();
    const clock = jest.spyOn(performance, 'now');
    store.instead.renew = () => {
      clock.mockReturnValue(nowMs + 1010);
      return Promise.resolve(true);
    };
    const started = jest.spyOn(globalThis, 'setTimeout');
    await pass(1000);
    clock.mockRestore();
    expect(started.mock.calls.map(([, ms]) => ms)).toEqual([0]);
  });

  it('should bear very many', async () => {
    const claims = Array.from(
      { length: 200_000 },
      () => ({ renewAtMs: performance.now() + 5000, renew: () => undefined }) as unknown as Claim,
    );
    claims.forEach(follow);
    makeClaim();
    await pass(1001);
    expect(store.methods).toEqual(['renew']);
    claims.forEach(forget);
  });
});
