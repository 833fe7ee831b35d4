import type { IncomingMessage } from 'node:http';
import { Claim } from '../../../lib/idempotency/claim';
import { startRenewing, stopRenewing, openClaims } from '../../../lib/idempotency/claim-renewer';
import type { HandlerOutcome } from '../../../lib/response/handler-outcome';
import { WatchedStore } from '../../support/watched-store';

const LOCK_MS = 3000;
const success: HandlerOutcome = { status: 200, headers: {}, body: '{}', code: undefined };
const failure: HandlerOutcome = { ...success, status: 503 };
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
  made.splice(0).forEach(stopRenewing);
  jest.runOnlyPendingTimers();
  jest.useRealTimers();
});

function makeClaim(lockMs = LOCK_MS, event?: string): Claim {
  const exchange = {
    req: {} as IncomingMessage,
    res: { getHeaders: () => ({}) },
    delivery: { isGuard: event === 'workflow.before_transition' },
    parsed: undefined,
    remainingMs: undefined,
    redactor: { contains: () => false },
  };
  const claim = new Claim({ store, lockMs, ttlMs: 7000, guardTtlMs: 500 }, exchange, ['a', 'b'], 'me').start();
  made.push(claim);
  return claim;
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const isOpen = (): boolean => openClaims().length > 0;

describe('a claim', () => {
  it('should be renewed three times per lock period while the outcome is unknown', async () => {
    makeClaim();
    await pass(999);
    expect(store.methods).toEqual([]);
    await pass(2);
    expect(store.calls).toMatchObject([{ method: 'renew', keys: ['a', 'b'], owner: 'me', what: LOCK_MS }]);
    await pass(50_000);
    expect(store.callsOf('renew').length).toBeGreaterThanOrEqual(48);
    expect(isOpen()).toBe(true);
  });

  it('should store the first outcome, and not be renewed afterwards', async () => {
    const claim = makeClaim();
    void claim.onOutcome(success);
    void claim.onOutcome(failure);
    claim.onNotRun();
    claim.onDetached(false);
    await pass(20_000);
    expect(store.methods).toEqual(['complete']);
    expect(store.calls[0]).toMatchObject({ keys: ['a', 'b'], owner: 'me', ttlMs: 7000 });
    expect([claim.isOpen, isOpen()]).toEqual([false, false]);
  });

  it.each<[string, (claim: Claim) => void]>([
    ['after a retryable outcome', (claim) => claim.onOutcome(failure)],
    ['when the handler is not run', (claim) => claim.onNotRun()],
    ['at a shutdown', (claim) => void claim.release()],
  ])('should be released %s', async (_name, end) => {
    const claim = makeClaim();
    end(claim);
    void claim.onOutcome(success);
    await pass(20_000);
    expect(store.calls).toMatchObject([
      { method: 'complete', keys: ['a'], owner: 'me', what: '{"boundTo":"b"}' },
      { method: 'release', keys: ['b'], owner: 'me' },
    ]);
    expect([claim.isOpen, isOpen()]).toEqual([false, false]);
  });

  it('should be renewed again after a renewal that failed', async () => {
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
    void claim.onOutcome(success);
    await pass(1);
    expect(store.callsOf('complete')).toHaveLength(1);
  });

  it('should not be renewed after it was lost, and leave its outcome to the store', async () => {
    const claim = makeClaim();
    store.instead.renew = lost;
    store.instead.claim = taken;
    await pass(1001);
    expect(isOpen()).toBe(false);
    await pass(20_000);
    expect(store.callsOf('renew')).toHaveLength(1);
    store.instead.complete = lost;
    void claim.onOutcome(success);
    await pass(20_000);
    expect(store.methods).toEqual(['renew', 'claim', 'complete', 'claim']);
  });

  it('should be claimed again when the store has lost it and it is free', async () => {
    makeClaim();
    store.instead.renew = lost;
    await pass(1001);
    expect(store.callsOf('claim')).toMatchObject([{ keys: ['a', 'b'], owner: 'me' }]);
    expect(isOpen()).toBe(true);
    store.instead.renew = undefined;
    await pass(1000);
    expect([store.methods, isOpen()]).toEqual([['renew', 'claim', 'renew'], true]);
  });

  it('should keep the binding of its bytes when they were bound to another delivery meanwhile', async () => {
    const claim = makeClaim();
    store.instead.renew = lost;
    store.instead.claim = (keys) =>
      Promise.resolve(keys.includes('a') ? { state: 'recorded', record: '{"boundTo":"x"}' } : { state: 'claimed' });
    await pass(1001);
    expect(store.callsOf('claim').map(({ keys }) => keys)).toEqual([
      ['a', 'b'],
      ['x', 'b'],
    ]);
    void claim.onOutcome(failure);
    await pass(1);
    expect(store.callsOf('release')).toMatchObject([{ keys: ['x', 'b'], owner: 'me' }]);
    expect(store.callsOf('complete')).toEqual([]);
  });

  it('should store the outcome when the store has lost the claim and it is free', async () => {
    const claim = makeClaim();
    const responses = [lost];
    store.instead.complete = () => responses.shift()?.() as Promise<boolean>;
    void claim.onOutcome(success);
    await pass(1);
    expect(store.methods).toEqual(['complete', 'claim', 'complete']);
    expect(await store.claim(['b'], 'another', 1)).toMatchObject({ state: 'recorded' });
  });

  it('should be renewed on time while the store does not respond', async () => {
    makeClaim();
    store.instead.renew = never;
    await pass(3001);
    expect(store.methods).toEqual(['renew', 'renew', 'renew']);
    expect(isOpen()).toBe(true);
  });

  it.each(['complete', 'release'] as const)('should call the store up to three times when %s fails', async (method) => {
    const claim = makeClaim();
    store.instead[method] = reject;
    void claim.onOutcome(method === 'complete' ? success : failure);
    await pass(0);
    expect(store.callsOf(method)).toHaveLength(1);
    await pass(1001);
    expect([store.callsOf(method).length, isOpen()]).toEqual([2, true]);
    await pass(1001);
    expect([store.callsOf(method).length, isOpen()]).toEqual([3, false]);
    await pass(20_000);
    expect(store.callsOf(method)).toHaveLength(3);
    expect(store.callsOf('renew')).toEqual([]);
  });

  it('should not repeat the outcome once the store has replied', async () => {
    const claim = makeClaim();
    store.instead.complete = reject;
    void claim.onOutcome(success);
    await pass(1);
    store.instead.complete = lost;
    store.instead.claim = taken;
    await pass(20_000);
    expect(store.callsOf('complete')).toHaveLength(2);
  });

  it('should be dropped when the store never replies to the outcome', async () => {
    const claim = makeClaim();
    store.instead.complete = never;
    void claim.onOutcome(success);
    await pass(2 * LOCK_MS);
    expect([store.methods, isOpen()]).toEqual([['complete'], false]);
  });

  it('should be held for one more lock period when the outcome will not be reported', async () => {
    const claim = makeClaim();
    await pass(900);
    claim.onDetached(false);
    expect(store.methods).toEqual(['renew']);
    await pass(LOCK_MS - 1);
    expect([store.methods, isOpen()]).toEqual([['renew'], true]);
    await pass(2);
    expect([store.methods, isOpen()]).toEqual([['renew'], false]);
    await pass(20_000);
    expect(store.methods).toEqual(['renew']);
  });

  it('should be renewed when the outcome will be reported', async () => {
    const claim = makeClaim();
    claim.onDetached(true);
    await pass(10_000);
    expect(store.callsOf('renew').length).toBeGreaterThanOrEqual(9);
    expect(isOpen()).toBe(true);
  });

  it('should store a late outcome, even if the store fails at first', async () => {
    const claim = makeClaim();
    claim.onDetached(false);
    await pass(LOCK_MS / 2);
    store.instead.complete = reject;
    void claim.onOutcome(success);
    await pass(1);
    store.instead.complete = () => Promise.resolve(true);
    // Before the lock is over.
    await pass(1001);
    expect(store.methods).toEqual(['renew', 'complete', 'complete']);
    expect(isOpen()).toBe(false);
  });

  it('should send the outcome to the store even after it has expired', async () => {
    const claim = makeClaim();
    claim.onDetached(false);
    await pass(10_000);
    void claim.onOutcome(success);
    await pass(1);
    expect([store.methods, isOpen()]).toEqual([['renew', 'complete'], false]);
  });

  it('should store the outcome, and not release the keys, at a shutdown while the store fails', async () => {
    const claim = makeClaim();
    store.instead.complete = reject;
    void claim.onOutcome(success);
    await pass(1);
    await expect(claim.release()).rejects.toThrow('down');
    expect([store.methods, isOpen()]).toEqual([['complete', 'complete'], false]);
  });

  it('should store a response to a guard event for guardTtlMs', async () => {
    void makeClaim(LOCK_MS, 'workflow.before_transition').onOutcome({ ...success, body: '{"status":"allow"}' });
    await pass(1);
    expect(store.calls).toMatchObject([{ method: 'complete', ttlMs: 500 }]);
  });
});

describe('open claims', () => {
  it('should be listed until they are removed', () => {
    const [first, second] = [makeClaim(), makeClaim()];
    expect(openClaims()).toEqual([first, second]);
    stopRenewing(first);
    expect(openClaims()).toEqual([second]);
  });

  it('should be renewed by one timer, each on time', async () => {
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

  it('should have no timer when there are none', async () => {
    void makeClaim().onOutcome(success);
    await pass(5000);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('should cap the delay of a lock of a year, which is too long for a timer of Node', () => {
    const delays: unknown[] = [];
    const spy = jest
      .spyOn(globalThis, 'setTimeout')
      .mockImplementation(((_call: unknown, ms: unknown) => (delays.push(ms), { unref: () => undefined })) as never);
    makeClaim(31_536_000_000);
    spy.mockRestore();
    expect(delays).toEqual([2 ** 31 - 1]);
  });

  it('should start no timer with a negative delay when a renewal takes long', async () => {
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

  it('should renew one of 200,000 on time', async () => {
    const claims = Array.from(
      { length: 200_000 },
      () => ({ renewAtMs: performance.now() + 5000, renew: () => undefined }) as unknown as Claim,
    );
    claims.forEach(startRenewing);
    makeClaim();
    await pass(1001);
    expect(store.methods).toEqual(['renew']);
    claims.forEach(stopRenewing);
  });
});
