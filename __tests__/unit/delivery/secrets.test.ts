import { inspect } from 'node:util';
import fc from 'fast-check';
import { kiketHandler, MissingSecretError, type KiketDelivery } from 'kiket-express';
import { ParsedDelivery, type VerifiedExchange } from '../../../lib/delivery/parsed-delivery';
import { DeliverySecrets } from '../../../lib/delivery/secrets';
import { deliver } from '../../support/deliver';
import { describeNewest } from '../../support/express';
import { observed, pathsToHandler, type Options } from '../../support/refusals';
import { containsSecret } from '../../../lib/redaction';

/** Names of members that a plain object inherits, or that JavaScript reads from objects. */
const specialNames = [
  'toJSON',
  'constructor',
  'hasOwnProperty',
  'toString',
  'valueOf',
  'then',
  'inspect',
  'missing',
  '',
];
const inheritedNames = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'toJSON', 'valueOf'];

const read = (value: unknown): unknown => value ?? null;

/** The value, or the class, code and missing names of the error. */
function outcomeOf(call: () => unknown): unknown {
  try {
    return read(call());
  } catch (error) {
    if (!(error instanceof MissingSecretError)) throw error;
    return [error.name, error.code, error.status, error.missing];
  }
}

describeNewest('delivery.secrets', (express) => {
  /** Returns the result of `inspectDelivery` for a delivery with these secrets. */
  async function seen(
    fields: object | string,
    inspectDelivery: (delivery: KiketDelivery) => unknown,
    options: Options = {},
  ): Promise<unknown> {
    const handler = kiketHandler((delivery) => ({ seen: inspectDelivery(delivery) }));
    const payload = typeof fields === 'string' ? fields : { event: 'a', ...fields };
    const { app, log } = observed(express, pathsToHandler['kiket()']!(options), handler);
    const response = await deliver(app, payload).expect(200);
    await Promise.all(log.entries);
    return (response.body as { seen: unknown }).seen;
  }

  it.each<[string, object, Options['fallbackSecrets'], unknown]>([
    ['the value of the payload', { secrets: { KEY: 'sent' } }, undefined, 'sent'],
    ['the value of the payload before the fallback', { secrets: { KEY: 'sent' } }, { KEY: 'fallback' }, 'sent'],
    ['an empty value', { secrets: { KEY: '' } }, { KEY: 'fallback' }, ''],
    ['the fallback for null', { secrets: { KEY: null } }, { KEY: 'fallback' }, 'fallback'],
    ['the fallback without secrets', {}, { KEY: 'fallback' }, 'fallback'],
    ['the fallback where the secrets are null', { secrets: null }, { KEY: 'fallback' }, 'fallback'],
    ['an empty fallback', {}, { KEY: '' }, ''],
  ])('should return from get() and require(): %s', async (_name, fields, fallbackSecrets, value) => {
    const both = ({ secrets }: KiketDelivery) => [read(secrets.get('KEY')), outcomeOf(() => secrets.require('KEY'))];
    expect(await seen(fields, both, { fallbackSecrets })).toEqual([value, value]);
  });

  it.each<[string, object, Options['fallbackSecrets'], string[]]>([
    ['an unknown key', {}, undefined, ['KEY']],
    ['null', { secrets: { KEY: null } }, undefined, ['KEY']],
    ['a key of another case', { secrets: { key: 'sent' } }, { Key: 'fallback' }, ['KEY']],
    ['a fallback of undefined', {}, { KEY: undefined }, ['KEY']],
    ['a key beside others that are missing', { secret_status: { missing: ['A', 'B'] } }, undefined, ['KEY', 'A', 'B']],
    ['a key that is reported', { secret_status: { missing: ['A', 'KEY'] } }, undefined, ['KEY', 'A']],
  ])(
    'should return nothing from get(), and throw secret.missing from require(), for %s',
    async (_name, fields, fallbackSecrets, missing) => {
      const both = ({ secrets }: KiketDelivery) => [read(secrets.get('KEY')), outcomeOf(() => secrets.require('KEY'))];
      const error = ['MissingSecretError', 'secret.missing', 422, missing];
      expect(await seen(fields, both, { fallbackSecrets })).toEqual([null, error]);
    },
  );

  it('should 422 secret.missing when the handler does not catch the error', async () => {
    const handler = kiketHandler(({ secrets }) => ({ length: secrets.require('KEY').length }));
    const { app, log } = observed(express, pathsToHandler['kiket()']!({}), handler);
    const sent = { event: 'a', secret_status: { missing: ['OTHER'] } };
    const response = await deliver(app, sent).expect(422);
    expect(response.body).toMatchObject({
      error: { code: 'secret.missing', retryable: false, details: [{ missing: ['KEY', 'OTHER'] }] },
    });
    await Promise.all(log.entries);
  });

  it.each(specialNames)("should contain a secret of the name '%s'", async (name) => {
    const value = `value of ${name}`;
    const inspected = await seen({ secrets: { [name]: value, OTHER: 'other' } }, (delivery) => [
      delivery.secrets.get(name),
      delivery.secrets.require(name),
      delivery.secrets.keys().sort(),
      [delivery, delivery.payload, delivery.secrets, delivery.payload['secrets']].some((object) =>
        (JSON.stringify(object) + inspect(object)).includes(value),
      ),
    ]);
    expect(inspected).toEqual([value, value, [name, 'OTHER'].sort(), false]);
  });

  // `toJSON` of payload.secrets is what hides its values.
  it.each(specialNames.filter((name) => name !== 'toJSON'))(
    "should leave a secret of the name '%s' readable in payload.secrets",
    async (name) => {
      const fields = { secrets: { [name]: 'sent' } };
      const inspected = seen(fields, ({ payload }) => (payload['secrets'] as Record<string, string>)[name]);
      expect(await inspected).toBe('sent');
    },
  );

  it.each(inheritedNames)('should not inherit a secret of the name %s', async (name) => {
    const inspected = await seen({ secrets: { OTHER: 'other' } }, ({ secrets }) => [
      read(secrets.get(name)),
      outcomeOf(() => secrets.require(name)),
    ]);
    expect(inspected).toEqual([null, ['MissingSecretError', 'secret.missing', 422, [name]]]);
  });

  it('should ignore a secret of the name __proto__', async () => {
    const inspected = await seen('{"event":"a","secrets":{"__proto__":"x","KEY":"y"}}', ({ secrets }) => [
      read(secrets.get('__proto__')),
      secrets.keys(),
    ]);
    expect(inspected).toEqual([null, ['KEY']]);
  });

  it.each(inheritedNames)('should return a fallback of the name %s', async (name) => {
    const fallbackSecrets = JSON.parse(`{"${name}":"fallback"}`) as Record<string, string>;
    expect(await seen({}, ({ secrets }) => read(secrets.get(name)), { fallbackSecrets })).toBe('fallback');
  });

  it('should list the names that the payload has a value for', async () => {
    const fields = { secrets: { A: 'x', B: '', C: null } };
    expect(await seen(fields, ({ secrets }) => secrets.keys(), { fallbackSecrets: { D: 'y' } })).toEqual(['A', 'B']);
  });

  it.each<[object, string[]]>([
    [{ secret_status: { missing: ['A', 'B'] } }, ['A', 'B']],
    [{ secret_status: { missing: [] } }, []],
    [{ secret_status: { missing: null } }, []],
    [{ secret_status: null }, []],
    [{}, []],
  ])('should list as missing what the platform reports: %j', async (fields, missing) => {
    expect(await seen(fields, ({ secrets }) => secrets.missing)).toEqual(missing);
  });

  it('should not change when the fallbacks change afterwards', async () => {
    const fallbackSecrets: Record<string, string> = { KEY: 'as it was' };
    const inspected = seen({}, ({ secrets }) => secrets.get('KEY'), { fallbackSecrets });
    fallbackSecrets.KEY = 'changed';
    expect(await inspected).toBe('as it was');
  });

  it('should keep the secrets of deliveries at the same time apart', async () => {
    const handler = kiketHandler(async ({ secrets }) => {
      await new Promise(setImmediate);
      return { value: secrets.get('KEY') };
    });
    const { app } = observed(express, pathsToHandler['kiket()']!({}), handler);
    const values = ['a', 'b', 'c'];
    const bodies = values.map(async (KEY) => (await deliver(app, { event: 'a', secrets: { KEY } })).body as unknown);
    expect(await Promise.all(bodies)).toEqual(values.map((value) => ({ value })));
  });
});

describe('containsSecret', () => {
  const inJson = (value: unknown, depth: number): string =>
    depth === 0 ? (value as string) : JSON.stringify({ a: inJson(value, depth - 1) });
  const escaped = (text: string): string =>
    text.replace(/[^{}":,[\]\\]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

  it.each<[string, string, string]>([
    ['as it stands', 'canary', 'It is canary.'],
    ['in JSON', 'ca"nary', '{"a":"ca\\"nary"}'],
    ['in JSON, as Express writes it with json escape', 'ca<nary>', '{"a":"ca\\u003cnary\\u003e"}'],
    ['in JSON, as PHP writes it', 'ca/nary', '{"a":"ca\\/nary"}'],
    ['in JSON of ASCII only', 'canärÿ🚀', '{"a":"can\\u00e4r\\u00FF\\ud83d\\ude80"}'],
    ['in JSON whose every character is escaped', 'canary', `{"a":"${escaped('canary')}"}`],
    ['as a key of JSON', 'canary', '{"\\u0063anary":1}'],
    ['in lines of JSON', 'canary', '{"a":1}\n{"a":"\\u0063anary"}\n'],
    ['in JSON within a script', 'canary', 'callback({"a":"\\u0063anary"})'],
    ['in JSON within JSON', 'ca"nary', inJson('ca"nary', 2)],
    ['in JSON within JSON within JSON', 'ca"nary', inJson('ca"nary', 3)],
    ['in JSON of ASCII only within JSON', 'canärÿ', JSON.stringify({ a: '{"b":"can\\u00e4r\\u00ff"}' })],
    ['in escapes within escaped JSON', 'canary', inJson(`{"a":"${escaped('canary')}"}`, 2)],
    ['that holds a backslash', 'ca\\nary', inJson('ca\\nary', 2)],
    ['of several lines by one of them', 'first line\nsecond line', '{"a":"second\\u0020line"}'],
  ])('should find a secret %s', (_name, value, text) => {
    expect(containsSecret(text, ['another', value])).toBe(true);
  });

  it.each([
    ['no secret', '{"a":"\\u0063\\\\n\\q"}', ['another']],
    ['a secret of five characters', 'It is canar.', ['canar']],
    ['escapes, where no secret is known', escaped('canary'), []],
    ['JSON as deep as is looked at', inJson('"', 8), ['canary']],
  ])('should find nothing in a text of %s', (_name, text, values) => {
    expect(containsSecret(text, values)).toBe(false);
  });

  it('should be true for a string that is escaped deeper than it decodes', () => {
    expect(containsSecret(inJson('"', 10), ['canary'])).toBe(true);
    expect(containsSecret(`\\${'u005c'.repeat(13_000)}`, ['canary'])).toBe(true);
  });

  it('should find any secret in any JSON encoding', () => {
    const spelt = fc.tuple(fc.string({ unit: 'binary', minLength: 6 }), fc.func(fc.boolean()), fc.nat({ max: 3 }));
    fc.assert(
      fc.property(spelt, ([value, isEscaped, depth]) => {
        const spell = (text: string): string =>
          JSON.stringify(text).replace(/\\?./gsu, (c) =>
            c.length === 1 && isEscaped(c) && c !== '"' ? escaped(c) : c,
          );
        let text = spell(value);
        for (let i = 0; i < depth; i++) text = spell(text);
        return containsSecret(text, [value]);
      }),
    );
  });
});

describe('revealedMissing', () => {
  const secretsWith = (missing: string[]): DeliverySecrets =>
    new DeliverySecrets({ SENT: 'sent', STALE: 'stale' }, { FALLBACK: 'fallback' }, missing, false);

  it.each<[string, (secrets: DeliverySecrets) => unknown, string[], boolean]>([
    ['nothing is asked', () => undefined, ['ABSENT'], false],
    ['missing is read', ({ missing }) => missing, ['ABSENT'], true],
    ['missing is read and is empty', ({ missing }) => missing, [], false],
    ['get() finds nothing that is missing', (secrets) => secrets.get('ABSENT'), ['ABSENT'], true],
    ['get() finds nothing that was not asked of Kiket', (secrets) => secrets.get('OTHER'), ['ABSENT'], false],
    ['get() finds a value', (secrets) => secrets.get('SENT'), ['ABSENT'], false],
    ['get() finds a value though it is reported', (secrets) => secrets.get('STALE'), ['STALE'], false],
    ['get() finds a fallback', (secrets) => secrets.get('FALLBACK'), ['FALLBACK'], false],
    ['require() finds nothing', (secrets) => outcomeOf(() => secrets.require('ABSENT')), ['ABSENT'], true],
    ['the error of require() lists it', (secrets) => outcomeOf(() => secrets.require('OTHER')), ['ABSENT'], true],
    ['require() finds a value', (secrets) => secrets.require('SENT'), ['ABSENT'], false],
    ['keys() is called', (secrets) => secrets.keys(), ['ABSENT'], false],
    ['it is printed', (secrets) => inspect(secrets), ['ABSENT'], false],
    ['it is serialised', (secrets) => JSON.stringify(secrets), ['ABSENT'], false],
    [
      'it is asked again for what is there',
      (secrets) => [secrets.get('ABSENT'), secrets.get('SENT')],
      ['ABSENT'],
      true,
    ],
  ])('should be set only when a missing secret was read: %s', (_name, ask, missing, told) => {
    const secrets = secretsWith(missing);
    ask(secrets);
    expect(secrets.revealedMissing).toBe(told);
  });

  it.each([true, false])('should be false before the secrets are read, and follow them (verified: %s)', (verified) => {
    const exchange = { delivery: { verified }, trustsBody: true } as unknown as VerifiedExchange;
    const settings = { fallbackSecrets: {}, settings: {}, apiKey: undefined, connectApi: () => undefined as never };
    const payload = { secret_status: { missing: ['ABSENT'] } } as never;
    const parsed = new ParsedDelivery(exchange, settings, payload, undefined, undefined);
    expect(parsed.revealedMissing).toBe(false);
    expect(parsed.secrets.missing).toEqual(verified ? ['ABSENT'] : []);
    expect(parsed.revealedMissing).toBe(verified);
  });
});
