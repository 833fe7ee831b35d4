import { createKiketApi, type KiketListOptions, type KiketTable } from 'kiket-express';
import type { FakeKiket } from 'kiket-express/testing';
import { describeNewest } from '../../support/express';
import { example } from '../../support/deliver';
import { startPagedTable, type PagedTable, type Paging } from '../../support/paged-table';
import { apiKey, callFrom, failureOf, start, verdictOf } from './calling';

interface Contact {
  readonly id: number;
  readonly email: string;
  readonly status: string;
}

const MODULE = 'com.acme.crm';
const TABLE = `/api/v1/ext/custom_data/${MODULE}/contacts`;

function contactsOf({ url }: { readonly url: string }): KiketTable<Contact> {
  const api = createKiketApi({ apiKey, baseUrl: url, projectId: 27 });
  return api.customData<Contact>(MODULE, 'contacts');
}

/** `count` contacts, with the ids from 1. */
function contacts(count: number): Contact[] {
  return Array.from({ length: count }, (_, i) => ({ id: i + 1, email: `${i + 1}@example.org`, status: 'active' }));
}

/** A fake with `count` contacts. */
async function startWith(count: number): Promise<FakeKiket> {
  const fake = await start();
  for (const contact of contacts(count)) fake.addRecord(MODULE, 'contacts', contact, { projectId: 27 });
  return fake;
}

/** An API that lists five contacts in pages. */
function startPaged(paging: Paging): Promise<PagedTable> {
  return startPagedTable(paging, contacts(5));
}

const idsOf = (contacts: readonly Contact[]): number[] => contacts.map(({ id }) => id);

/** The ids of the iteration, and the code of the error that ends it. */
async function iterated(contacts: KiketTable<Contact>, options?: KiketListOptions): Promise<(number | string)[]> {
  const seen: (number | string)[] = [];
  try {
    for await (const { id } of contacts.iterate(options)) seen.push(id);
  } catch (error) {
    seen.push((error as { code: string }).code);
  }
  return seen;
}

const queriesOf = ({ requests }: FakeKiket): object[] => requests.map(({ query }) => query);

describeNewest('custom data from a handler', (express) => {
  const inDelivery = (fake: FakeKiket) => ({
    api: { baseUrl: fake.url },
    payload: { ...example, ...fake.callback({ scopes: ['project:27'] }) },
  });

  it('should be created, read, changed and deleted', async () => {
    const fake = await start();
    const { status, result } = await callFrom(express, inDelivery(fake), async (api) => {
      const contacts = api.customData<Contact>(MODULE, 'contacts');
      const created = await contacts.create({ email: 'a@example.org', status: 'new', tags: ['ä'] });
      const read = await contacts.get(created.id);
      const updated = await contacts.update(created.id, { status: 'active', tags: null });
      const listed = await contacts.list();
      const deleted = (await contacts.delete(created.id)) as unknown;
      return [created, read, updated, listed, deleted ?? null, await contacts.list()];
    });
    const created = { id: 1, email: 'a@example.org', status: 'new', tags: ['ä'] };
    const updated = { ...created, status: 'active', tags: null };
    expect([status, result]).toMatchObject([200, [created, created, updated, [updated], null, []]]);
    expect(fake.requests.map(({ method, target, body }) => [method, target, body])).toEqual([
      ['POST', `${TABLE}?project_id=27`, { record: { email: 'a@example.org', status: 'new', tags: ['ä'] } }],
      ['GET', `${TABLE}/1?project_id=27`, undefined],
      ['PATCH', `${TABLE}/1?project_id=27`, { record: { status: 'active', tags: null } }],
      ['GET', `${TABLE}?project_id=27`, undefined],
      ['DELETE', `${TABLE}/1?project_id=27`, undefined],
      ['GET', `${TABLE}?project_id=27`, undefined],
    ]);
    expect(fake.records(MODULE, 'contacts')).toEqual([]);
    expect(fake.records(MODULE, 'contacts', { withDeleted: true })).toHaveLength(1);
  });

  it.each<[string, (contacts: KiketTable<Contact>) => unknown]>([
    ['get', (contacts) => contacts.get(2)],
    ['update', (contacts) => contacts.update(2, {})],
    ['delete', (contacts) => contacts.delete(2)],
  ])('should respond with 422, final, when %s finds no record', async (_name, call) => {
    const fake = await startWith(1);
    const outcome = await callFrom(express, inDelivery(fake), (api) => call(api.customData(MODULE, 'contacts')));
    expect(verdictOf(outcome)).toEqual([422, 'api.refused']);
    expect(outcome.text).toContain('Record not found');
  });

  it('should respond with 422, final, for a project that the delivery is not for', async () => {
    const fake = await startWith(1);
    const outcome = await callFrom(express, inDelivery(fake), (api) =>
      api.customData(MODULE, 'contacts', { projectId: 28 }).list(),
    );
    expect(verdictOf(outcome)).toEqual([422, 'api.refused']);
  });

  it('should be iterated to its end', async () => {
    const { url, queries } = await startPaged('cursor');
    const { api, payload } = inDelivery(await start());
    const elsewhere = { ...payload, api: { ...payload.api, base_url: url } };
    const { result } = await callFrom(express, { api: { ...api, baseUrl: url }, payload: elsewhere }, (api) =>
      iterated(api.customData<Contact>(MODULE, 'contacts'), { limit: 2 }),
    );
    expect(result).toEqual([1, 2, 3, 4, 5]);
    expect(queries).toHaveLength(3);
  });
});

describe('a list of custom data', () => {
  it.each<[string, KiketListOptions | undefined, object]>([
    ['nothing', undefined, {}],
    ['no options', {}, {}],
    ['a limit', { limit: 2 }, { limit: '2' }],
    ['filters', { filters: { status: 'active', email: 'ä&b' } }, { filters: '{"status":"active","email":"ä&b"}' }],
    ['both', { limit: 1, filters: { a: null } }, { limit: '1', filters: '{"a":null}' }],
    ['undefined', { limit: undefined, filters: undefined }, {}],
  ])('should ask for %s', async (_name, options, query) => {
    const fake = await startWith(3);
    await contactsOf(fake).list(options);
    expect(queriesOf(fake)).toEqual([{ project_id: '27', ...query }]);
  });

  it('should be one page of the records that match', async () => {
    const fake = await startWith(5);
    fake.addRecord(MODULE, 'contacts', { email: 'x@example.org', status: 'gone' }, { projectId: 27 });
    fake.addRecord(MODULE, 'contacts', { status: 'gone' }, { projectId: 28 });
    fake.addRecord(MODULE, 'others', { status: 'gone' }, { projectId: 27 });
    const contacts = contactsOf(fake);
    expect(idsOf(await contacts.list({ limit: 2 }))).toEqual([1, 2]);
    expect(await contacts.list({ filters: { status: 'gone' } })).toMatchObject([{ email: 'x@example.org' }]);
    expect(idsOf(await contacts.list({ filters: { status: 'active' }, limit: 4 }))).toEqual([1, 2, 3, 4]);
    expect(idsOf(await contacts.list())).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await contacts.list({ filters: { status: 'unknown' } })).toEqual([]);
  });

  it('should not contain deleted records', async () => {
    const fake = await startWith(3);
    const contacts = contactsOf(fake);
    await contacts.delete(2);
    expect(idsOf(await contacts.list())).toEqual([1, 3]);
    expect((await failureOf(() => contacts.get(2))).apiStatus).toBe(404);
    expect(fake.records(MODULE, 'contacts', { withDeleted: true })).toHaveLength(3);
  });
});

describe('iterating over custom data', () => {
  const all = [1, 2, 3, 4, 5];

  function expectQueries(queries: readonly Readonly<Record<string, string>>[], options?: KiketListOptions): void {
    const filters = options?.filters && JSON.stringify(options.filters);
    for (const query of queries) {
      expect([query['project_id'], query['limit'], query['filters']]).toEqual([
        '27',
        options?.limit?.toString(),
        filters,
      ]);
    }
  }

  it.each<[string, KiketListOptions | undefined, (number | string)[]]>([
    ['without limit', undefined, all],
    ['with a limit that is more than there is', { limit: 6 }, all],
    ['with filters', { limit: 2, filters: { email: '3@example.org' } }, [3]],
    ['with nothing to find', { limit: 2, filters: { email: 'x' } }, []],
    ['with a limit that cuts', { limit: 2 }, [1, 2, 'api.refused']],
    ['with a limit that may cut', { limit: 5 }, [...all, 'api.refused']],
  ])('should work without pages, %s', async (_name, options, seen) => {
    const fake = await startWith(5);
    expect(await iterated(contactsOf(fake), options)).toEqual(seen);
    expect(fake.requests).toHaveLength(1);
    expectQueries(
      fake.requests.map(({ query }) => query),
      options,
    );
  });

  it.each<[Paging, string, KiketListOptions | undefined, number[], number]>([
    ['cursor', 'without limit', undefined, all, 1],
    ['cursor', 'with a short last page', { limit: 2 }, all, 3],
    ['cursor', 'with all but one on the first page', { limit: 4 }, all, 2],
    ['cursor', 'with filters', { limit: 2, filters: { email: '3@example.org' } }, [3], 1],
    ['cursor', 'with filters over several pages', { limit: 2, filters: { status: 'active' } }, all, 3],
    ['pages', 'without limit', undefined, all, 1],
    ['pages', 'with a short last page', { limit: 2 }, all, 3],
    ['pages', 'with a full last page', { limit: 5 }, all, 1],
    ['pages', 'one by one', { limit: 1 }, all, 5],
    ['pages', 'with filters', { limit: 2, filters: { email: '3@example.org' } }, [3], 1],
    ['pages', 'with filters over several pages', { limit: 2, filters: { status: 'active' } }, all, 3],
    ['pages', 'with nothing to find', { limit: 2, filters: { email: 'x' } }, [], 1],
  ])('should work by %s, %s', async (paging, _name, options, seen, requests) => {
    const table = await startPaged(paging);
    expect(await iterated(contactsOf(table), options)).toEqual(seen);
    expect(table.queries).toHaveLength(requests);
    expectQueries(table.queries, options);
  });

  it('should name the remedy in its error', async () => {
    const fake = await startWith(2);
    const error = await failureOf(() => iterate(contactsOf(fake), { limit: 2 }));
    expect([error.code, error.status, error.retryable]).toEqual(['api.refused', 422, false]);
    expect(error.message).toContain('Raise limit');
  });

  it('should ask for the numbers of pages and for cursors', async () => {
    const byPages = await startPaged('pages');
    await iterate(contactsOf(byPages), { limit: 2 });
    expect(byPages.queries.map(({ page }) => page)).toEqual([undefined, '2', '3']);
    const byCursor = await startPaged('cursor');
    await iterate(contactsOf(byCursor), { limit: 2 });
    expect(byCursor.queries.map(({ cursor }) => cursor)).toEqual([undefined, '2', '4']);
  });

  it.each<Paging>(['cursor', 'pages'])('should ask for no page before it is needed: %s', async (paging) => {
    const table = await startPaged(paging);
    const contacts = contactsOf(table).iterate({ limit: 2 });
    expect(table.queries).toHaveLength(0);
    for await (const { id } of contacts) {
      expect(table.queries).toHaveLength(Math.ceil(id / 2));
      if (id === 3) break;
    }
    expect(table.queries).toHaveLength(2);
  });

  it('should end without an error when it is left on a full page without a next one', async () => {
    const fake = await startWith(5);
    for await (const { id } of contactsOf(fake).iterate({ limit: 2 })) if (id === 2) break;
    expect(fake.requests).toHaveLength(1);
  });

  it.each<Paging>(['cursor', 'pages'])('should end when it is left on a full page: %s', async (paging) => {
    const table = await startPaged(paging);
    for await (const { id } of contactsOf(table).iterate({ limit: 2 })) if (id === 2) break;
    expect(table.queries).toHaveLength(1);
  });

  it('should start again for each loop', async () => {
    const contacts = contactsOf(await startPaged('pages'));
    expect([await iterated(contacts, { limit: 2 }), await iterated(contacts, { limit: 2 })]).toEqual([all, all]);
  });

  const page = [{ id: 1 }, { id: 2 }];

  it('should return the records before a page that fails', async () => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200, body: { data: page, next_cursor: 'a' }, times: 1 });
    fake.fail({ kind: 'status', status: 403 });
    const seen: number[] = [];
    const loop = async () => {
      for await (const { id } of contactsOf(fake).iterate({ limit: 2 })) seen.push(id);
    };
    expect([(await failureOf(loop)).apiStatus, seen]).toEqual([403, [1, 2]]);
  });

  it.each<[string, object, (number | string)[]]>([
    ['a cursor of null', { next_cursor: null }, [1, 2]],
    ['a cursor of null in pagination', { pagination: { next_cursor: null } }, [1, 2]],
    ['one page', { pagination: { page: 1, total_pages: 1 } }, [1, 2]],
    ['no page', { pagination: { page: 1, total_pages: 0 } }, [1, 2]],
    ['an empty cursor', { next_cursor: '' }, [1, 2, 'api.refused']],
    ['a cursor that is not a string', { next_cursor: 7 }, [1, 2, 'api.refused']],
    ['a pagination of null', { pagination: null }, [1, 2, 'api.refused']],
    ['a pagination that is not an object', { pagination: 'x' }, [1, 2, 'api.refused']],
    ['numbers as strings', { pagination: { page: '1', total_pages: '2' } }, [1, 2, 'api.refused']],
  ])('should end at a full page with %s', async (_name, fields, seen) => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200, body: { data: page, ...fields } });
    expect(await iterated(contactsOf(fake), { limit: 2 })).toEqual(seen);
    expect(fake.requests).toHaveLength(1);
  });

  it.each<[string, (cursor: string | null) => object]>([
    ['next_cursor', (next_cursor) => ({ next_cursor })],
    ['pagination.next_cursor', (next_cursor) => ({ pagination: { next_cursor } })],
  ])('should follow the cursor of %s, over an empty page too', async (_name, fieldsOf) => {
    const fake = await start();
    const pages: [object[], string | null][] = [
      [page, 'a'],
      [[], 'b/ä'],
      [page, null],
    ];
    for (const [data, cursor] of pages) {
      fake.fail({ kind: 'status', status: 200, body: { data, ...fieldsOf(cursor) }, times: 1 });
    }
    expect(await iterated(contactsOf(fake), { limit: 2 })).toEqual([1, 2, 1, 2]);
    expect(fake.requests.map(({ query }) => query['cursor'])).toEqual([undefined, 'a', 'b/ä']);
  });

  it.each<[string, object]>([
    ['a cursor', { next_cursor: 'again' }],
    ['a page', { pagination: { page: 1, total_pages: 3 } }],
  ])('should end when %s leads to itself', async (_name, fields) => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200, body: { data: page, ...fields } });
    expect(await iterated(contactsOf(fake), { limit: 2 })).toEqual([1, 2, 1, 2, 'api.unavailable']);
    expect(fake.requests).toHaveLength(2);
  });

  async function iterate(contacts: KiketTable<Contact>, options: KiketListOptions): Promise<void> {
    for await (const contact of contacts.iterate(options)) expect(contact).toHaveProperty('email');
  }
});

describe('a response of another shape', () => {
  const noObjects: unknown[] = [
    {},
    { data: null },
    { data: 'a' },
    { data: 7 },
    { data: true },
    { record: {} },
    [],
    null,
    7,
  ];
  const noLists: unknown[] = [
    ...noObjects,
    { data: {} },
    { data: { length: 0 } },
    { records: [] },
    { data: { data: [] } },
  ];

  const calls: [string, unknown[], (contacts: KiketTable<Contact>) => unknown][] = [
    ['list', noLists, (contacts) => contacts.list()],
    ['iterate', noLists, (contacts) => contacts.iterate()[Symbol.asyncIterator]().next()],
    ['get', noObjects, (contacts) => contacts.get(1)],
    ['create', noObjects, (contacts) => contacts.create({})],
    ['update', noObjects, (contacts) => contacts.update(1, {})],
  ];

  it.each(
    calls.flatMap(([name, bodies, call]) => bodies.map((body) => [name, JSON.stringify(body), body, call] as const)),
  )('should fail %s with api.unavailable: %s', async (_name, _text, body, call) => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200, body });
    const { code, status } = await failureOf(() => call(contactsOf(fake)));
    expect([code, status, fake.requests.length]).toEqual(['api.unavailable', 503, 1]);
  });

  it.each<[string, (contacts: KiketTable<Contact>) => unknown]>([
    ['list', (contacts) => contacts.list()],
    ['create', (contacts) => contacts.create({})],
  ])('should fail %s with api.unavailable when it is empty', async (_name, call) => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200, body: '' });
    expect((await failureOf(() => call(contactsOf(fake)))).code).toBe('api.unavailable');
  });

  it.each<[string, unknown]>([
    ['nothing', ''],
    ['something', { data: { id: 1 } }],
  ])('should not matter to delete: %s', async (_name, body) => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200, body });
    expect(await contactsOf(fake).delete(1)).toBeUndefined();
  });
});
