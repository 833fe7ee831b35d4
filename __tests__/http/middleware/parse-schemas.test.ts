import { kiketParse } from 'kiket-express';
import { deliver } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { expectRefused, final, observed, pathNames, pathsToHandler, type Options } from '../../support/refusals';

const canary = 'canary of the payload';
const invalid = final(422, 'payload.invalid');

/** Requires a field. Each schema requires another one, so that a violation shows which schema was applied. */
const requires = (field: string) => ({ type: 'object', required: [field] });

describeMajors('payloadSchemas', (express) => {
  describe.each(pathNames)('in %s', (path) => {
    const app = (payloadSchemas: Options['payloadSchemas']) =>
      observed(express, pathsToHandler[path]!({ payloadSchemas }));

    it('should 422 a payload that does not match, with pointers', async () => {
      const row = { name: '', payload: { event: 'a', x: canary }, refusal: invalid };
      const { details, text } = await expectRefused(app({ 'a@v1': { properties: { x: { type: 'number' } } } }), row);
      expect(details).toEqual([{ pointer: '/x', reason: 'must be number' }]);
      expect(text).not.toContain(canary);
    });
  });

  it('should write nothing to the console for a schema that is not strict', async () => {
    const written = (['log', 'warn', 'error'] as const).map((name) => jest.spyOn(console, name).mockImplementation());
    const schema = { properties: { list: { items: [{ type: 'string' }], type: 'array' } }, required: ['list'] };
    await deliver(observed(express, pathsToHandler['kiket()']!({ payloadSchemas: { a: schema } })).app, {
      event: 'a',
    }).expect(422);
    const calls = written.flatMap((spy) => spy.mock.calls);
    written.forEach((spy) => spy.mockRestore());
    expect(calls).toEqual([]);
  });

  it('should not follow later changes of the schemas', async () => {
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
    ['a key that is not an event', { 'a b': {} }],
    ['an empty key', { '': {} }],
    ['a pattern', { 'issue.*': {} }],
    ['a pattern of everything', { '*': {} }],
    ['a version without a name', { '@v2': {} }],
    ['a schema that is null', { a: null }],
    ['a schema that is undefined', { a: undefined }],
    ['a schema that is a string', { a: '{}' }],
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

  it('should keep the error of Ajv as the cause', () => {
    expect.assertions(1);
    try {
      kiketParse({ payloadSchemas: { a: { type: 'text' } } });
    } catch (error) {
      expect((error as Error).cause).toBeInstanceOf(Error);
    }
  });
});
