import type { FakeKiket } from 'kiket-express/testing';
import { call, clock, start } from './calling';

const TABLE = '/api/v1/ext/custom_data/com.acme.crm/contacts';
const IN_27 = '?project_id=27';

const idsOf = (body: unknown): unknown[] => (body as { data: { id: unknown }[] }).data.map(({ id }) => id);

async function listed(kiket: FakeKiket, query = ''): Promise<unknown[]> {
  return idsOf((await call(kiket, `GET ${TABLE}${IN_27}${query}`)).body);
}

describe('custom data', () => {
  it('should create, read, change and delete a record', async () => {
    const { now, pass } = clock();
    const kiket = await start({ now });
    const created_at = '2026-01-01T00:00:00.000Z';
    const created = { id: 1, email: 'a@example.org', tags: ['a'], created_at, updated_at: created_at };
    const record = { email: 'a@example.org', tags: ['a'] };
    expect(await call(kiket, `POST ${TABLE}${IN_27}`, { record })).toMatchObject({
      status: 201,
      body: { data: created },
    });
    expect(await call(kiket, `GET ${TABLE}/1${IN_27}`)).toMatchObject({ status: 200, body: { data: created } });
    pass(60);
    const changed = { ...created, tags: [], name: 'A', updated_at: '2026-01-01T00:01:00.000Z' };
    const patched = await call(kiket, `PATCH ${TABLE}/1${IN_27}`, { record: { tags: [], name: 'A' } });
    expect([patched.status, patched.body]).toEqual([200, { data: changed }]);
    expect((await call(kiket, `GET ${TABLE}${IN_27}`)).body).toEqual({ data: [changed] });
    expect(await call(kiket, `DELETE ${TABLE}/1${IN_27}`)).toMatchObject({ status: 204, body: undefined });
  });

  it.each(['GET', 'PATCH', 'DELETE'])('should not find a deleted record: %s', async (method) => {
    const { now } = clock();
    const kiket = await start({ now });
    kiket.addRecord('com.acme.crm', 'contacts', { a: 1 }, { projectId: 27 });
    await call(kiket, `DELETE ${TABLE}/1${IN_27}`);
    const body = method === 'PATCH' ? { record: {} } : undefined;
    expect(await call(kiket, `${method} ${TABLE}/1${IN_27}`, body)).toMatchObject({
      status: 404,
      body: { error: 'Record not found' },
    });
    expect(await listed(kiket)).toEqual([]);
    expect(kiket.records('com.acme.crm', 'contacts')).toEqual([]);
    const deleted_at = '2026-01-01T00:00:00.000Z';
    expect(kiket.records('com.acme.crm', 'contacts', { withDeleted: true })).toMatchObject([{ id: 1, deleted_at }]);
    expect(kiket.addRecord('com.acme.crm', 'contacts', {}, { projectId: 27 }).id).toBe(2);
  });

  it('should ignore values of a client for fields that the platform sets', async () => {
    const kiket = await start();
    const own = { id: 99, created_at: 'x', updated_at: 'x', deleted_at: 'mine' };
    const { body } = await call(kiket, `POST ${TABLE}${IN_27}`, { record: own });
    await call(kiket, `PATCH ${TABLE}/1${IN_27}`, { record: own });
    const { data } = body as { data: { created_at: string } };
    expect(kiket.records('com.acme.crm', 'contacts')).toMatchObject([
      { id: 1, created_at: data.created_at, deleted_at: 'mine' },
    ]);
    expect(data.created_at).toMatch(/^\d{4}-/);
  });

  it('should find a record only in its module, table and project', async () => {
    const kiket = await start();
    const { id } = kiket.addRecord('com.acme.crm', 'contacts', {}, { projectId: 27 });
    const paths = [
      `${TABLE}/${id}${IN_27}`,
      `${TABLE}/${id}?project_id=28`,
      `/api/v1/ext/custom_data/com.acme/contacts/${id}${IN_27}`,
      `/api/v1/ext/custom_data/com.acme.crm/deals/${id}${IN_27}`,
    ];
    const statuses = paths.map(async (path) => (await call(kiket, `GET ${path}`)).status);
    expect(await Promise.all(statuses)).toEqual([200, 404, 404, 404]);
    expect(kiket.records('com.acme.crm', 'contacts', { projectId: 28 })).toEqual([]);
    expect(kiket.records('com.acme.crm', 'contacts', { projectId: 27 })).toMatchObject([{ id }]);
    expect(kiket.addRecord('a', 'b', {})).toEqual(kiket.records('a', 'b', { projectId: 1 })[0]);
  });

  it.each(['../../admin', 'a/b', 'a?b', 'a#b', '%', '%2F', ' ', 'ü', '__proto__', 'constructor', '1.0'])(
    "should find a record of the id '%s'",
    async (id) => {
      const kiket = await start();
      const written = `GET ${TABLE}/${encodeURIComponent(id)}${IN_27}`;
      expect((await call(kiket, written)).status).toBe(404);
      kiket.addRecord('com.acme.crm', 'contacts', { id, n: 1 }, { projectId: 27 });
      expect(await call(kiket, written)).toMatchObject({ status: 200, body: { data: { id, n: 1 } } });
    },
  );

  it.each<[string, unknown, number]>([
    [`GET ${TABLE}`, undefined, 422],
    [`GET ${TABLE}?project_id=`, undefined, 422],
    [`GET ${TABLE}/1`, undefined, 422],
    [`POST ${TABLE}`, { record: {} }, 422],
    [`POST ${TABLE}`, { project_id: 27, record: {} }, 422],
    [`POST ${TABLE}${IN_27}`, undefined, 422],
    [`POST ${TABLE}${IN_27}`, {}, 422],
    [`POST ${TABLE}${IN_27}`, { record: null }, 422],
    [`POST ${TABLE}${IN_27}`, { record: 'x' }, 422],
    [`POST ${TABLE}${IN_27}`, { record: [] }, 422],
    [`POST ${TABLE}${IN_27}`, { email: 'x' }, 422],
    [`PATCH ${TABLE}/1${IN_27}`, {}, 422],
    [`PATCH ${TABLE}/2${IN_27}`, { record: {} }, 404],
    [`GET ${TABLE}${IN_27}&limit=0`, undefined, 400],
    [`GET ${TABLE}${IN_27}&limit=-1`, undefined, 400],
    [`GET ${TABLE}${IN_27}&limit=1.5`, undefined, 400],
    [`GET ${TABLE}${IN_27}&limit=`, undefined, 400],
    [`GET ${TABLE}${IN_27}&limit=ten`, undefined, 400],
    [`GET ${TABLE}${IN_27}&filters=`, undefined, 400],
    [`GET ${TABLE}${IN_27}&filters={`, undefined, 400],
    [`GET ${TABLE}${IN_27}&filters=[]`, undefined, 400],
    [`GET ${TABLE}${IN_27}&filters=null`, undefined, 400],
    [`GET ${TABLE}${IN_27}&filters="a"`, undefined, 400],
  ])('should refuse %s %j with %i', async (what, body, status) => {
    const kiket = await start();
    kiket.addRecord('com.acme.crm', 'contacts', {}, { projectId: 27 });
    const reply = await call(kiket, what, body);
    expect([reply.status, reply.body]).toEqual([status, { error: expect.any(String) as string }]);
    expect(kiket.records('com.acme.crm', 'contacts')).toHaveLength(1);
  });

  it.each<[object, number[]]>([
    [{}, [1, 2, 3]],
    [{ status: 'active' }, [1, 3]],
    [{ status: 'active', age: 30 }, [1]],
    [{ age: '30' }, []],
    [{ address: { city: 'Bonn', zip: '53111' } }, [2]],
    [{ id: 3 }, [3]],
    [{ other: null }, [3]],
    [{ constructor: null }, []],
  ])('should filter by equality: %j', async (filters, ids) => {
    const kiket = await start();
    for (const record of [
      { status: 'active', age: 30 },
      { status: 'gone', address: { zip: '53111', city: 'Bonn' } },
      { status: 'active', other: null },
    ]) {
      kiket.addRecord('com.acme.crm', 'contacts', record, { projectId: 27 });
    }
    expect(await listed(kiket, `&filters=${encodeURIComponent(JSON.stringify(filters))}`)).toEqual(ids);
  });

  it('should copy the record that is added', async () => {
    const kiket = await start();
    const record = { tags: ['a'] };
    kiket.addRecord('m', 't', record);
    record.tags.push('b');
    expect(kiket.records('m', 't')).toMatchObject([{ tags: ['a'] }]);
    expect(() => kiket.addRecord('m', 't', 'x' as never)).toThrow(
      /^addRecord: record must be an object, but is a string$/,
    );
  });
});

describe('a list of custom data', () => {
  it('should be cut after limit, or 50 records', async () => {
    const kiket = await start();
    for (let i = 0; i < 51; i++) kiket.addRecord('com.acme.crm', 'contacts', {}, { projectId: 27 });
    expect(await listed(kiket, '&limit=3')).toEqual([1, 2, 3]);
    expect(await listed(kiket)).toHaveLength(50);
    expect(await listed(kiket, '&limit=1000')).toHaveLength(51);
  });

  it('should have no pages', async () => {
    const kiket = await start();
    for (let i = 0; i < 3; i++) kiket.addRecord('com.acme.crm', 'contacts', {}, { projectId: 27 });
    const { body } = await call(kiket, `GET ${TABLE}${IN_27}&limit=2&page=2&cursor=x`);
    expect(body).toEqual({ data: [expect.objectContaining({ id: 1 }), expect.objectContaining({ id: 2 })] });
  });
});
