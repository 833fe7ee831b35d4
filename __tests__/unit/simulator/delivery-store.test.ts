import type { DeliveryRecord } from '../../../lib/simulator/delivery-record';
import { DeliveryStore } from '../../../lib/simulator/delivery-store';
import type { DeliveryState } from '../../../lib/simulator/model';

interface Given {
  readonly state?: DeliveryState;
  readonly event?: string;
  readonly bytes?: number;
  readonly status?: number | string;
}

function recordOf(
  number: number,
  { state = 'completed', event = 'issue.created', bytes = 0, status = 200 }: Given = {},
) {
  const ended = typeof status === 'number' ? { status } : { failure: status };
  const record = {
    id: `id-${number}`,
    number,
    createdAtMs: 0,
    blueprint: { invocationId: `inv-${number}`, event, projectId: 27, content: { payload: {} } },
    routing: { isGuard: false, isRequired: true, delays: [] },
    origin: { kind: 'sent', depth: 0 },
    state,
    sentence: '',
    attempts: [{ detail: { number: 1, ...ended, request: { body: 'x'.repeat(bytes) } }, exact: undefined }],
  };
  return record as unknown as DeliveryRecord;
}

function storeOf(limits: { deliveries?: number; bytes?: number } = {}) {
  const removed: string[][] = [];
  const store = new DeliveryStore({ deliveries: 3, bytes: 1e6, ...limits }, (records) =>
    removed.push(records.map(({ id }) => id)),
  );
  return { store, removed, ids: () => [...store.all].map(({ id }) => id) };
}

describe('the limits of a store', () => {
  it('should let the oldest make way for new ones', () => {
    const { store, removed, ids } = storeOf();
    for (let i = 1; i <= 5; i++) store.add(recordOf(i));
    expect(ids()).toEqual(['id-3', 'id-4', 'id-5']);
    expect(removed).toEqual([['id-1'], ['id-2']]);
    expect(store.find('id-1')).toBeUndefined();
  });

  it('should count bytes, also those of later attempts', () => {
    const { store, ids } = storeOf({ deliveries: 100, bytes: 30_000 });
    for (let i = 1; i <= 3; i++) store.add(recordOf(i, { bytes: 5000 }));
    expect(ids()).toHaveLength(3);
    const last = store.find('id-3')!;
    last.attempts.push(recordOf(0, { bytes: 5000 }).attempts[0]!);
    store.update(last);
    expect(ids()).toEqual(['id-2', 'id-3']);
  });

  it.each(['queued', 'sending', 'retrying'] as const)('should never remove what is %s', (state) => {
    const { store, ids } = storeOf();
    for (let i = 1; i <= 4; i++) store.add(recordOf(i, { state, bytes: 1e6 }));
    expect(ids()).toHaveLength(4);
    expect(store.open).toBe(4);
    store.add(recordOf(5));
    expect(ids()).not.toContain('id-5');
    const first = store.find('id-1')!;
    first.state = 'completed';
    store.update(first);
    expect([store.open, ids()]).toEqual([3, ['id-2', 'id-3', 'id-4']]);
  });

  it('should hold 10,000 deliveries, and list them quickly', () => {
    const { store, removed } = storeOf({ deliveries: 10_000, bytes: 50e6 });
    for (let i = 1; i <= 10_500; i++) store.add(recordOf(i));
    expect(removed).toHaveLength(500);
    expect(store.list({})).toMatchObject({ total: 10_000, next: 10_401 });
    expect(store.list({ after: 502, limit: 1000 }).deliveries).toHaveLength(1);
  });

  it('should be cleared of what has ended', () => {
    const { store, removed, ids } = storeOf();
    store.clear();
    store.add(recordOf(1));
    store.add(recordOf(2, { state: 'retrying' }));
    store.clear();
    expect([ids(), removed]).toEqual([['id-2'], [['id-1']]]);
  });
});

describe('the list of a store', () => {
  const { store } = storeOf({ deliveries: 100 });
  store.add(recordOf(1, { event: 'issue.created', status: 200 }));
  store.add(recordOf(2, { event: 'issue.updated', status: 503, state: 'failed' }));
  store.add(recordOf(3, { event: 'workflow.before_transition', status: 'timeout', state: 'denied' }));
  store.add(recordOf(4, { event: 'issue.created', status: 500, state: 'retrying' }));

  it.each([
    [{}, [4, 3, 2, 1]],
    [{ limit: 2 }, [4, 3]],
    [{ after: 3 }, [2, 1]],
    [{ event: 'issue.created' }, [4, 1]],
    [{ event: 'issue.*' }, [4, 2, 1]],
    [{ event: '' }, [4, 3, 2, 1]],
    [{ outcome: 'failed' }, [2]],
    [{ outcome: '' }, [4, 3, 2, 1]],
    [{ q: 'status:5xx' }, [4, 2]],
    [{ q: 'status:503' }, [2]],
    [{ q: 'status:timeout' }, [3]],
    [{ q: 'state:retrying' }, [4]],
    [{ q: 'event:issue.* status:5xx' }, [4, 2]],
    [{ q: 'id-3' }, [3]],
    [{ q: 'inv-2' }, [2]],
    [{ q: 'UPDATED' }, [2]],
    [{ q: '27 created' }, [4, 1]],
    [{ q: 'nothing' }, []],
    [{ event: 'issue.*', outcome: 'completed', q: 'id-' }, [1]],
  ])('should be, for %j, %j', (query, numbers) => {
    expect(store.list(query).deliveries.map(({ number }) => number)).toEqual(numbers);
  });

  it('should name the next page only where there is one', () => {
    expect(store.list({ limit: 3 }).next).toBe(2);
    expect(store.list({ limit: 4 }).next).toBeUndefined();
  });

  it('should know the newest that matches', () => {
    expect(store.latest('issue.*')!.id).toBe('id-4');
    expect(store.latest('issue.updated')!.id).toBe('id-2');
    expect(store.latest('none')).toBeUndefined();
  });
});
