import { kiketParse } from 'kiket-express';
import { deliver } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { expectRefused, final, observed, pathNames, pathsToHandler, type Options } from '../../support/refusals';

const canary = 'canary of the payload';
const invalid = final(422, 'payload.invalid');
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

/** Requires a field; each schema one of its own, so that a violation says which has been applied. */
const requires = (field: string) => ({ type: 'object', required: [field] });

/** Which of the required fields are found missing, of a delivery that has none of them. */
const selection: [schemas: Options['payloadSchemas'], payload: object, missing: string[]][] = [
  [{ a: requires('x') }, { event: 'a' }, ['x']],
  [{ a: requires('x') }, { event: 'a', event_version: '7' }, ['x']],
  [{ a: requires('x') }, { event: 'ab' }, []],
  [{ a: requires('x') }, { event: 'A' }, []],
  [{ 'a@v1': requires('x') }, { event: 'a' }, ['x']],
  [{ 'a@v2': requires('x') }, { event: 'a', event_version: 'v2' }, ['x']],
  [{ 'a@v2': requires('x') }, { event: 'a', event_version: '2' }, ['x']],
  [{ 'a@2': requires('x') }, { event: 'a', event_version: 'v2' }, ['x']],
  [{ 'a@2': requires('x') }, { event: 'a', event_version: '2' }, ['x']],
  [{ 'a@v2': requires('x') }, { event: 'a' }, []],
  [{ 'a@v2': requires('x') }, { event: 'a', event_version: 'v22' }, []],
  [{ 'a@beta': requires('x') }, { event: 'a', event_version: 'beta' }, ['x']],
  [{ a: requires('x'), 'a@v2': requires('y'), b: requires('z') }, { event: 'a' }, ['x']],
  [{ toString: requires('x') }, { event: 'toString' }, ['x']],
  [{ a: requires('x') }, { event: '__proto__' }, []],
];

describeMajors('payloadSchemas', (express) => {
  describe.each(pathNames)('in %s', (path) => {
    const app = (payloadSchemas: Options['payloadSchemas']) =>
      observed(express, pathsToHandler[path]!({ payloadSchemas }));

    it.each(selection)('should apply %j to %j, and find %j missing', async (schemas, payload, missing) => {
      const response = await deliver(app(schemas).app, payload);
      const { error } = response.body as { error?: { details: { reason: string }[] } };
      expect(response.status).toBe(missing.length === 0 ? 200 : 422);
      expect((error?.details ?? []).map(({ reason }) => reason.at(-2))).toEqual(missing);
    });

    it('should apply the schema of the name and the one of the version', async () => {
      const schemas = {
        a: { properties: { x: { type: 'string' } } },
        'a@v1': { properties: { y: { type: 'string' } } },
      };
      for (const field of ['x', 'y']) {
        const row = { name: '', payload: { event: 'a', [field]: 1 }, refusal: invalid };
        const { details } = await expectRefused(app(schemas), row);
        expect(details).toEqual([{ pointer: `/${field}`, reason: 'must be string' }]);
      }
    });

    it('should say where and why, and never what', async () => {
      const schema = {
        type: 'object',
        properties: {
          issue: {
            type: 'object',
            properties: {
              title: { type: 'string', maxLength: 3 },
              tags: { type: 'array', items: { enum: ['a', 'b'] }, uniqueItems: true },
              state: { const: 'open' },
              key: { type: 'string', pattern: '^[A-Z]+$' },
            },
            additionalProperties: false,
          },
          secrets: { type: 'object', properties: { TOKEN: { type: 'string', maxLength: 1 } } },
        },
      };
      const issue = { title: canary, tags: [canary, canary], state: canary, key: canary, 'an/other': canary };
      const payload = { event: 'a', issue, secrets: { TOKEN: canary } };
      const { details, text } = await expectRefused(app({ a: schema }), { name: '', payload, refusal: invalid });
      expect(new Set(details.map(({ pointer }) => pointer))).toEqual(
        new Set([
          ...['/issue', '/issue/title', '/issue/tags', '/issue/tags/0', '/issue/tags/1', '/issue/state', '/issue/key'],
          '/secrets/TOKEN',
        ]),
      );
      expect(details.every(({ reason }) => reason.length > 0)).toBe(true);
      expect(text).not.toContain(canary);
    });

    it('should apply the contract first', async () => {
      const row = { name: '', payload: { event: 'a', issue: canary }, refusal: invalid };
      const { details } = await expectRefused(app({ a: requires('x') }), row);
      expect(details).toEqual([{ pointer: '/issue', reason: expect.any(String) as string }]);
    });

    it('should admit everything by true and nothing by false', async () => {
      const { app: both } = app({ open: true, closed: false });
      await deliver(both, { event: 'open' }).expect(200);
      await deliver(both, { event: 'closed' }).expect(422);
    });

    it('should apply the schema to an event that only the header names', async () => {
      const row = { name: '', payload: {}, delivery: { event: 'a' }, refusal: invalid };
      await expectRefused(app({ a: requires('x') }), row);
    });

    it('should answer although a schema that refers to itself meets 20,000 nested arrays', async () => {
      const tree = { $id: 'tree', type: 'array', items: { $ref: '#' } };
      const schema = { type: 'object', properties: { tree } };
      const payload = `{"event":"a","tree":${nested(20_000)}}`;
      await expectRefused(app({ a: schema }), { name: '', payload, refusal: invalid });
    });
  });

  it('should write nothing to the console about a schema of a loose style', async () => {
    const written = (['log', 'warn', 'error'] as const).map((name) => jest.spyOn(console, name).mockImplementation());
    const schema = { properties: { list: { items: [{ type: 'string' }], type: 'array' } }, required: ['list'] };
    await deliver(observed(express, pathsToHandler['kiket()']!({ payloadSchemas: { a: schema } })).app, {
      event: 'a',
    }).expect(422);
    const calls = written.flatMap((spy) => spy.mock.calls);
    written.forEach((spy) => spy.mockRestore());
    expect(calls).toEqual([]);
  });

  it('should not see what is done to the schemas afterwards', async () => {
    const payloadSchemas: Record<string, object> = { a: requires('x') };
    const { app } = observed(express, pathsToHandler['kiket()']!({ payloadSchemas }));
    delete payloadSchemas.a;
    await deliver(app, { event: 'a' }).expect(422);
  });
});

describe('the start-up check of payloadSchemas', () => {
  it.each<[string, unknown]>([
    ['no object', 'schemas'],
    ['null', null],
    ['a list', [{}]],
    ['a key that is no event', { 'a b': {} }],
    ['an empty key', { '': {} }],
    ['a pattern', { 'issue.*': {} }],
    ['a pattern of everything', { '*': {} }],
    ['a version without a name', { '@v2': {} }],
    ['a schema that is null', { a: null }],
    ['a schema that is undefined', { a: undefined }],
    ['a schema that is a text', { a: '{}' }],
    ['a schema that is a function', { a: () => true }],
    ['a type that does not exist', { a: { type: 'text' } }],
    ['a keyword that does not exist', { a: { type: 'object', requires: ['x'] } }],
    ['a format, which is not known', { a: { type: 'string', format: 'date-time' } }],
    ['a reference to nothing', { a: { $ref: 'nowhere.json' } }],
    ['a schema that is asynchronous', { a: { $async: true, type: 'object' } }],
    ['the same version twice', { 'a@v2': { type: 'object' }, 'a@2': { type: 'object', required: ['x'] } }],
  ])('should throw a TypeError for %s', (_name, payloadSchemas) => {
    const start = () => kiketParse({ payloadSchemas: payloadSchemas as Record<string, object> });
    expect(start).toThrow(TypeError);
    expect(start).toThrow(/^kiketParse: payloadSchemas/);
  });
});
