import { claimKeys, inProgressError, MAX_SECONDS } from '../../../lib/idempotency/claim-keys';
import type { KiketStore } from '../../../lib/idempotency/store';
import { WatchedStore } from '../../support/watched-store';

type StoreResult = Awaited<ReturnType<KiketStore['claim']>>;

const result = (value: unknown) => (): Promise<StoreResult> => Promise.resolve(value as StoreResult);
const recorded = (record: unknown) => result({ state: 'recorded', record });
const response = (changes: object): (() => Promise<StoreResult>) =>
  recorded(JSON.stringify({ status: 200, headers: {}, body: 'canary', ...changes }));

/** Claims the keys `a` and `b` of a store that does `claim`. */
function claimOf(...claims: KiketStore['claim'][]): { store: WatchedStore; claim: ReturnType<typeof claimKeys> } {
  const store = new WatchedStore();
  store.instead.claim = (...args) => claims.shift()!(...args);
  return { store, claim: claimKeys(store, ['a', 'b'], 'me', 1000, (boundTo) => [boundTo]) };
}

describe('claimKeys', () => {
  it.each([
    { state: 'claimed' },
    { state: 'held', retryAfterMs: 0 },
    { state: 'held', retryAfterMs: MAX_SECONDS * 1000 },
  ] satisfies StoreResult[])('should resolve to the result of the store: %j', async (value) => {
    expect(await claimOf(result(value)).claim).toEqual(value);
  });

  it('should resolve to a stored response', async () => {
    expect(await claimOf(response({})).claim).toEqual({
      state: 'recorded',
      outcome: { status: 200, headers: {}, body: 'canary', isOfGuard: false },
    });
  });

  it('should claim the delivery that the keys are bound to', async () => {
    const { store, claim } = claimOf(recorded('{"boundTo":"another"}'), result({ state: 'claimed' }));
    expect(await claim).toEqual({ state: 'claimed' });
    expect(store.calls.map(({ keys, owner, what }) => [keys, owner, what])).toEqual([
      [['a', 'b'], 'me', 1000],
      [['another'], 'me', 1000],
    ]);
  });

  it('should reject when the store returns a binding for a delivery', async () => {
    const binding = recorded('{"boundTo":"another"}');
    await expect(claimOf(binding, binding).claim).rejects.toThrow(
      new Error('KiketStore.claim() resolved with a binding in place of a response'),
    );
  });

  it.each<[string, unknown]>([
    ['no state', {}],
    ['another state', { state: 'taken' }],
    ['true', true],
    ['a string', 'claimed'],
    ['a time that is missing', { state: 'held' }],
    ['a time that is not a number', { state: 'held', retryAfterMs: 'soon' }],
    ['a time of NaN', { state: 'held', retryAfterMs: NaN }],
    ['a negative time', { state: 'held', retryAfterMs: -1 }],
    ['an infinite time', { state: 'held', retryAfterMs: Infinity }],
    ['a time of more than a year', { state: 'held', retryAfterMs: MAX_SECONDS * 1000 + 1 }],
  ])('should reject when the result has %s', async (_name, value) => {
    await expect(claimOf(result(value)).claim).rejects.toThrow(
      new Error('KiketStore.claim() resolved with an invalid result'),
    );
  });

  it.each([undefined, null])('should reject when the result is %p', async (value) => {
    await expect(claimOf(result(value)).claim).rejects.toThrow(TypeError);
  });

  it.each<[string, () => Promise<StoreResult>]>([
    ['that is undefined', recorded(undefined)],
    ['that is empty', recorded('')],
    ['that is not JSON', recorded('canary {')],
    ['that is a list', recorded('[]')],
    ['that is null', recorded('null')],
    ['that is not a string', recorded(7)],
    ['without a status', response({ status: undefined })],
    ['with a status that is a string', response({ status: '200' })],
    ['with a status that is not final', response({ status: 100 })],
    ['with a status that does not exist', response({ status: 999 })],
    ['without headers', response({ headers: undefined })],
    ['with an invalid header name', response({ headers: { 'X Bad': 'a' } })],
    ['with an invalid header value', response({ headers: { 'X-Own': 'a\r\nX-Bad: b' } })],
    ['with an invalid value in a list', response({ headers: { 'X-Own': ['a', '\u0000'] } })],
    ['with an invalid value in a deep list', response({ headers: { 'X-Own': [[['a\nb']]] } })],
    ['with a list of headers', response({ headers: [['a', 'b']] })],
    ['without a body', response({ body: undefined })],
    ['with a body that is not a string', response({ body: { a: 1 } })],
    ['with bytes that are not a string', response({ body: undefined, base64: 7 })],
  ])('should reject for a record %s, without quoting it', async (_name, claim) => {
    await expect(claimOf(claim).claim).rejects.toThrow(
      new Error('KiketStore.claim() resolved with a record that this package has not written'),
    );
  });
});

describe('inProgressError', () => {
  it.each([
    [0, '1'],
    [1, '1'],
    [1001, '2'],
    [59_000, '59'],
    [MAX_SECONDS * 1000, String(MAX_SECONDS)],
  ])('should have Retry-After in whole seconds from 1: %d ms', (retryAfterMs, seconds) => {
    const error = inProgressError(retryAfterMs);
    expect([error.code, error.retryable, error.headers]).toEqual([
      'delivery.in_progress',
      true,
      { 'Retry-After': seconds },
    ]);
  });
});
