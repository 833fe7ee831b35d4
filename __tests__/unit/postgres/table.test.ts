import { kiketPostgresSchema, KiketPostgresStore } from 'kiket-express/postgres';

const query = (): Promise<unknown> => Promise.resolve([]);

describe('the name of the table', () => {
  it.each([
    ['kiket_deliveries', '"kiket_deliveries"'],
    ['Deliveries', '"Deliveries"'],
    ['_2', '"_2"'],
    ['webhooks.deliveries', '"webhooks"."deliveries"'],
    ['a'.repeat(48), `"${'a'.repeat(48)}"`],
  ])('should be quoted: %s', (table, quoted) => {
    const schema = kiketPostgresSchema(table);
    expect(schema).toContain(`CREATE TABLE ${quoted} (`);
    expect(schema).toContain(`CREATE INDEX ON ${quoted} (`);
  });

  it('should be kiket_deliveries by default', () => {
    expect(kiketPostgresSchema()).toContain('CREATE TABLE "kiket_deliveries" (');
  });

  it.each(['', '1a', 'a b', 'a"b', "a'b", 'a;b', 'a.b.c', '.a', 'a.', 'a-b', 'ä', 'a$1', 'a'.repeat(49), 7, null, {}])(
    'should be refused at start-up: %j',
    (table) => {
      const expected = /^kiketPostgresSchema: table must be a name of letters, digits and _, of at most 48 characters/;
      expect(() => kiketPostgresSchema(table as string)).toThrow(expected);
      expect(() => new KiketPostgresStore({ query, table: table as string })).toThrow(
        /^KiketPostgresStore: table must be/,
      );
    },
  );
});
