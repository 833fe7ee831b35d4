import { kiketHandler, type KiketDelivery } from 'kiket-express';
import { deliver, example, secret } from '../../support/deliver';
import { describeMajors, type Express } from '../../support/express';
import {
  expectReceived,
  expectRefused,
  final,
  observed,
  pathNames,
  pathsToHandler,
  type Case,
  type RefusedCase,
} from '../../support/refusals';

const canary = 'canary of the payload';
const malformed = final(400, 'payload.malformed');
const invalid = final(422, 'payload.invalid');

/** Spaces between the tokens, so that the body is of the size from which it is decoded in another way. */
const padded = (text: string) => Buffer.concat([Buffer.from(text), Buffer.alloc(2 ** 17, ' ')]);
const bytes = (...parts: (string | number[])[]) => Buffer.concat(parts.map((part) => Buffer.from(part as string)));
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

const malformedBodies: Case[] = [
  { name: 'nothing', payload: '' },
  { name: 'white space', payload: ' \r\n' },
  { name: 'null', payload: 'null' },
  { name: 'a string', payload: `"${canary}"` },
  { name: 'a number', payload: '42' },
  { name: 'true', payload: 'true' },
  { name: 'an array', payload: `["${canary}"]` },
  { name: 'truncated JSON', payload: `{"event":"${canary}"` },
  { name: 'JSON cut in an escape', payload: `{"event":"${canary}\\u00` },
  { name: 'two values', payload: '{"event":"a"}{"event":"b"}' },
  { name: 'a comma too many', payload: '{"event":"a",}' },
  { name: 'single quotes', payload: "{'event':'a'}" },
  { name: 'a comment', payload: '{"event":"a" /* b */}' },
  { name: 'NaN', payload: '{"event":"a","metrics":{"x":NaN}}' },
  { name: 'a line break in a string', payload: '{"event":"a\n"}' },
  { name: 'a form', payload: 'event=issue.created' },
  { name: 'a byte that begins no character', payload: bytes('{"event":"a', [0xff], '"}') },
  { name: 'a character without its last byte', payload: bytes('{"event":"a', [0xe2, 0x82], '"}') },
  { name: 'an overlong character', payload: bytes('{"event":"a', [0xc0, 0xaf], '"}') },
  { name: 'a surrogate in UTF-8', payload: bytes('{"event":"a', [0xed, 0xa0, 0x80], '"}') },
  { name: 'invalid UTF-8 in a big body', payload: Buffer.concat([padded('{"event":"a"'), bytes([0xff], '}')]) },
  { name: 'Latin-1', payload: Buffer.from('{"event":"é"}', 'latin1') },
  { name: 'UTF-16', payload: Buffer.from('\ufeff{"event":"a"}', 'utf16le') },
  { name: 'two byte order marks', payload: '\ufeff\ufeff{"event":"a"}' },
  { name: '20,000 nested arrays', payload: nested(20_000) },
  { name: '20,000 arrays that do not end', payload: '['.repeat(20_000) },
  { name: '20,000 objects that do not end', payload: '{"a":'.repeat(20_000) },
];

const wellFormedBodies: Case[] = [
  { name: 'a byte order mark', payload: '\ufeff{"event":"a"}' },
  { name: 'white space around it', payload: '\r\n\t {"event":"a"} \n' },
  { name: 'line breaks', payload: '{\r\n  "event": "a"\r\n}\r\n' },
  { name: 'escapes', payload: '{"\\u0065vent":"\\u0061"}' },
  { name: 'a key twice, of which the last counts', payload: '{"event":"b","event":"a"}' },
  { name: 'a big body', payload: Buffer.concat([padded('{"event":"a","context":{"text":"é✓😀"}'), bytes('}')]) },
  { name: 'a lone surrogate in an escape', payload: '{"event":"a","context":{"text":"\\ud800"}}' },
  { name: '20,000 nested arrays in a field', payload: `{"event":"a","context":{"deep":${nested(20_000)}}}` },
  { name: '20,000 nested arrays in an unknown field', payload: `{"event":"a","unknown":${nested(20_000)}}` },
  { name: 'an unknown event', payload: { event: 'a' } },
  { name: 'unknown fields', payload: { event: 'a', unknown: [{ of: null }], comment: 7, toJSON: 1, toString: 2 } },
];

const text = canary;
const wrong = { object: [text, 1, true, [text]], text: [1, true, [text], { text }], list: [text, 1, { text }] };

/** Every field of the contract, with values of wrong types, and where each is to be found. */
const wrongTypes: [pointer: string, values: unknown[], make: (value: unknown) => object][] = [
  ['/event', wrong.text, (event) => ({ event })],
  ['/event_version', wrong.text, (event_version) => ({ event_version })],
  ['/issue', wrong.object, (issue) => ({ issue })],
  ['/definition', wrong.object, (definition) => ({ definition })],
  ['/metrics', wrong.object, (metrics) => ({ metrics })],
  ['/context', wrong.object, (context) => ({ context })],
  ['/authentication', wrong.object, (authentication) => ({ authentication })],
  ['/authentication/token_type', wrong.text, (token_type) => ({ authentication: { token_type } })],
  ['/authentication/runtime_token', wrong.text, (runtime_token) => ({ authentication: { runtime_token } })],
  ['/authentication/expires_at', wrong.text, (expires_at) => ({ authentication: { expires_at } })],
  ['/authentication/scopes', wrong.list, (scopes) => ({ authentication: { scopes } })],
  ['/authentication/scopes/1', wrong.text, (scope) => ({ authentication: { scopes: ['*', scope] } })],
  ['/secrets', wrong.object, (secrets) => ({ secrets })],
  ['/secrets/KEY', wrong.text, (KEY) => ({ secrets: { KEY } })],
  ['/secrets/a~1b', wrong.text, (value) => ({ secrets: { 'a/b': value } })],
  ['/secret_status', wrong.object, (secret_status) => ({ secret_status })],
  ['/secret_status/missing', wrong.list, (missing) => ({ secret_status: { missing } })],
  ['/secret_status/missing/0', wrong.text, (key) => ({ secret_status: { missing: [key] } })],
  ['/api', wrong.object, (api) => ({ api })],
  ['/api/base_url', wrong.text, (base_url) => ({ api: { base_url } })],
  ['/api/runtime_header', wrong.text, (runtime_header) => ({ api: { runtime_header } })],
];
const wrongRows = wrongTypes.flatMap(([pointer, values, make]) =>
  values.map((value) => ({ pointer, name: JSON.stringify(value), payload: { event: 'a', ...make(value) } })),
);
/** An element of a list is no field. */
const nullRows = wrongTypes
  .filter(([pointer]) => !/\/\d+$/.test(pointer))
  .map(([pointer, , make]) => ({ name: pointer, payload: { ...make(null) } }));

/** What a handler answers, given a delivery. */
function ask(express: Express, inspect: (delivery: KiketDelivery) => unknown) {
  return observed(
    express,
    pathsToHandler['kiket()']!({ secret }),
    kiketHandler((delivery) => ({ seen: inspect(delivery) })),
  ).app;
}

describeMajors('kiketParse', (express) => {
  describe.each(pathNames)('in %s', (path) => {
    const app = () => observed(express, pathsToHandler[path]!({}));

    async function refuse(row: Omit<RefusedCase, 'name'>) {
      const { details, text } = await expectRefused(app(), { name: '', ...row });
      expect(text).not.toContain(canary);
      return details;
    }

    it.each(malformedBodies)('should 400 $name', async ({ payload }) => {
      expect(await refuse({ payload: payload!, refusal: malformed })).toEqual([]);
    });

    it.each(wellFormedBodies)('should receive $name', async (row) => {
      await expectReceived(app(), row, { event: 'a' });
    });

    it.each(wrongRows)('should 422 $pointer that is $name', async ({ pointer, payload }) => {
      const delivery = { event: pointer === '/event' ? 'a' : undefined };
      const details = await refuse({ payload, delivery, refusal: invalid });
      expect(details.map((detail) => detail.pointer)).toEqual([pointer]);
    });

    it.each(nullRows)('should take null for an absent $name', async (row) => {
      await expectReceived(app(), { ...row, delivery: { event: 'a' } }, { event: 'a' });
    });

    it('should name every place that is wrong', async () => {
      const payload = { event: 1, issue: text, secrets: { A: 1, B: text, C: [] } };
      const details = await refuse({ payload, refusal: invalid });
      expect(details.map(({ pointer }) => pointer).sort()).toEqual(['/event', '/issue', '/secrets/A', '/secrets/C']);
    });

    it.each([{}, { event: null }, { event: '' }])('should 422 a delivery without an event: %j', async (payload) => {
      const details = await refuse({ payload, refusal: invalid });
      expect(details).toEqual([{ pointer: '/event', reason: expect.any(String) as string }]);
    });
  });

  it('should leave null where it was sent', async () => {
    const app = ask(express, ({ payload }) => [payload.issue, payload.metrics, payload.event]);
    const response = await deliver(app, { event: 'a', issue: null }).expect(200);
    expect(response.body).toEqual({ seen: [null, null, 'a'] });
  });

  it('should pass contents and unknown fields on unchanged', async () => {
    const sent = { event: 'a', issue: { id: 'x', deep: [{ null: null }] }, unknown: [1, '2', { three: 3.5 }] };
    const response = await deliver(
      ask(express, ({ payload }) => payload),
      sent,
    ).expect(200);
    expect(response.body).toEqual({ seen: sent });
  });

  it('should make req.body the payload', async () => {
    const handler = kiketHandler(({ payload }, req) => ({ same: req.body === payload }));
    await deliver(observed(express, pathsToHandler['kiket()']!({}), handler).app).expect(200, { same: true });
  });

  it.each([
    '{"event":"a","__proto__":{"polluted":true}}',
    '{"event":"a","\\u005f_proto__":{"polluted":true}}',
    '{"event":"a","constructor":{"prototype":{"polluted":true}}}',
    '{"event":"a","\\u0063onstructor":{"prototype":{"polluted":true}}}',
    '{"event":"a","issue":{"__proto__":{"polluted":true}}}',
    '{"event":"a","issue":{"list":[{"constructor":{"prototype":{"polluted":true}}}]}}',
    '{"event":"a","secrets":{"__proto__":"polluted"},"authentication":{"__proto__":{"polluted":true}}}',
  ])('should take what could pollute a prototype out of %s', async (payload) => {
    const names = ['__proto__', 'constructor', 'polluted'];
    const app = ask(express, (delivery) => {
      const found: string[] = [];
      JSON.stringify(delivery.payload, (key, value: unknown) => {
        if (names.includes(key)) found.push(key);
        return value;
      });
      const merged = Object.assign({}, delivery.payload, delivery.payload.issue) as { polluted?: unknown };
      return [found, merged.polluted ?? null, ({} as { polluted?: unknown }).polluted ?? null];
    });
    await deliver(app, payload).expect(200, { seen: [[], null, null] });
  });

  it('should refuse a delivery that itself is a prototype', async () => {
    await deliver(
      ask(express, () => null),
      '{"__proto__":{"event":"a"}}',
    ).expect(422);
  });

  it('should receive the example of the contract', async () => {
    const app = ask(express, ({ event, eventVersion, projectId }) => [event, eventVersion, projectId]);
    await deliver(app, example).expect(200, { seen: ['workflow.sla_status', 'v1', 27] });
  });
});
