import { KiketPostgresStore } from 'kiket-express/postgres';

const record = '{"status":200,"headers":{},"body":"the response"}';
const encoded = Buffer.from(record).toString('base64');

function storeOf(query: () => unknown): KiketPostgresStore {
  return new KiketPostgresStore({ query: () => Promise.resolve().then(query) });
}

describe('the result of a query function', () => {
  const row = { state: 'recorded', value: encoded };

  it.each([
    ['rows', [row]],
    ['an object with rows', { rows: [row], rowCount: 1 }],
    ['an array with members of its own', Object.assign([row], { count: 1, command: 'SELECT' })],
  ])('should be read from %s', async (_, result) => {
    await expect(storeOf(() => result).claim(['a'], 'me', 1000)).resolves.toEqual({ state: 'recorded', record });
  });

  it.each([
    ['nothing', undefined, 'undefined'],
    ['no row', [], 'undefined'],
    ['a row without columns of ours', [{ a: 1 }], 'an object'],
    ['a row as an array', [['claimed', '1']], 'an array'],
    ['a number', 7, 'a number'],
    ['an object without rows', { rowCount: 1 }, 'an object'],
  ])('should reject the call when it is %s', async (_, result, shown) => {
    await expect(storeOf(() => result).claim(['a'], 'me', 1000)).rejects.toThrow(
      `The query function must return rows, or an object with rows, but returns ${shown}`,
    );
  });
});

describe('an error of a query function', () => {
  async function errorOf(thrown: unknown): Promise<Error & { code?: string }> {
    const store = storeOf(() => {
      throw thrown;
    });
    return store.complete(['a'], 'me', record, 1000).then(
      () => Promise.reject(new Error('It did not reject')),
      (error: unknown) => error as Error,
    );
  }

  it('should not quote the record', async () => {
    const error = await errorOf(
      Object.assign(new Error(`WITH … '${encoded}' - disk full`), { code: '53100', parameters: [encoded] }),
    );
    expect(error.message).toBe("WITH … '[redacted]' - disk full");
    expect(error.code).toBe('53100');
    expect(error).not.toHaveProperty('parameters');
  });

  it('should say what to do when the table does not exist', async () => {
    const thrown = Object.assign(new Error('relation "kiket_deliveries" does not exist'), { code: '42P01' });
    expect((await errorOf(thrown)).message).toBe(
      'relation "kiket_deliveries" does not exist. Call migrate(), or run the SQL of kiketPostgresSchema().',
    );
  });

  it.each([
    [Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new Error('terminated'), 'terminated'],
    ['a string', 'a string'],
    [undefined, 'undefined'],
  ])('should have a message: %p', async (thrown, message) => {
    expect((await errorOf(thrown)).message).toBe(message);
  });
});

it('should make a call reject when the query function throws', async () => {
  const store = new KiketPostgresStore({
    query: () => {
      throw new Error('not connected');
    },
  });
  await expect(store.release(['a'], 'me')).rejects.toThrow('not connected');
  await expect(store.migrate()).rejects.toThrow('not connected');
});
