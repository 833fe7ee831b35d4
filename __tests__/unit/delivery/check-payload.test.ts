import { checkPayload } from '../../../lib/delivery/check-payload';
import type { ContractPayload } from '../../../lib/delivery/payload';
import { schemasOption } from '../../../lib/delivery/schema';
import type { RoutedRequest } from '../../../lib/delivery/unsigned-values';
import { PayloadError } from '../../../lib/errors';

const canary = 'canary of the payload';

interface Around {
  header?: string;
  path?: string;
  /** With its question mark. */
  query?: string;
}

function requestWith(event: Around = {}, version: Around = {}): RoutedRequest {
  const query = [event.query, version.query].flatMap((text) => text?.slice(1) ?? []).join('&');
  return {
    headers: {
      ...(event.header === undefined ? {} : { 'x-kiket-event': event.header }),
      ...(version.header === undefined ? {} : { 'x-kiket-event-version': version.header }),
    },
    params: { event: event.path, version: version.path },
    url: query === '' ? '/' : `/?${query}`,
  };
}

function check(
  payload: object,
  req = requestWith(),
  schemas: Record<string, object | boolean> = {},
  signedEventRequired = false,
) {
  const validators = schemasOption.read(schemas, 'test', 'payloadSchemas');
  return checkPayload(payload as ContractPayload, req, { validators, signedEventRequired });
}

/** Expects an error that shows nothing of the payload, and returns its details. */
function detailsOf(code: PayloadError['code'], ...args: Parameters<typeof check>): PayloadError['details'] {
  const error = check(...args);
  if (!(error instanceof PayloadError)) throw new Error(`Accepted as ${JSON.stringify(error)}`);
  expect(error.code).toBe(code);
  expect(JSON.stringify([error.message, error.details])).not.toContain(canary);
  return error.details;
}

const wrong = {
  object: [canary, 1, true, [canary]],
  text: [1, true, [canary], { canary }],
  list: [canary, 1, { canary }],
};

/** Every field of the contract, with values of wrong types. */
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

describe("the contract's schema", () => {
  it.each(wrongTypes)('should reject each value of a wrong type at %s', (pointer, values, make) => {
    for (const value of values) {
      const details = detailsOf('payload.invalid', { event: 'a', ...make(value) });
      expect(details.map((detail) => detail.pointer)).toEqual([pointer]);
    }
  });

  // A null in a list is not an absent field.
  it.each(wrongTypes.filter(([pointer]) => !/\/\d+$/.test(pointer)))(
    'should accept null as an absent %s',
    (_pointer, _values, make) => {
      expect(check(make(null), requestWith({ header: 'a' }))).toMatchObject({ event: 'a', eventVersion: 'v1' });
    },
  );

  it('should name every place that is wrong', () => {
    const payload = { event: 1, issue: canary, secrets: { A: 1, B: canary, C: [] } };
    const details = detailsOf('payload.invalid', payload);
    expect(details.map(({ pointer }) => pointer).sort()).toEqual(['/event', '/issue', '/secrets/A', '/secrets/C']);
  });

  it.each([{}, { event: null }, { event: '' }])('should reject a delivery without an event: %j', (payload) => {
    expect(detailsOf('payload.invalid', payload)).toEqual([
      { pointer: '/event', reason: expect.any(String) as string },
    ]);
  });

  it('should accept unknown events and fields', () => {
    const payload = { event: 'a', unknown: [{ of: null }], comment: 7, toJSON: 1, toString: 2 };
    expect(check(payload)).toMatchObject({ event: 'a', eventVersion: 'v1' });
  });
});

describe('the event', () => {
  it.each<[string, string, object, Around]>([
    ['a', 'the body alone', { event: 'a' }, {}],
    ['h', 'the header alone', {}, { header: 'h' }],
    ['p', 'the path alone', {}, { path: 'p' }],
    ['q', 'the query alone', {}, { query: '?event=q' }],
    ['h', 'the header beside null in the body', { event: null }, { header: 'h' }],
    ['p', 'the path beside an empty string in the body', { event: '' }, { path: 'p' }],
    ['a', 'all, which agree', { event: 'a' }, { header: 'a', path: 'a', query: '?event=a' }],
    ['a', 'all but the body, which agree', {}, { header: 'a', path: 'a', query: '?event=a' }],
    ['a', 'the body beside an empty header and query', { event: 'a' }, { header: '', query: '?event=' }],
    ['a', 'the query twice, which agrees', { event: 'a' }, { query: '?event=a&event=a' }],
    ['é+', 'an escaped query', { event: 'é+' }, { query: '?event=%C3%A9%2B' }],
    ['a', 'a query of another case', { event: 'a' }, { query: '?Event=b&events=c' }],
    ['a', 'a malformed query', { event: 'a' }, { query: '?%&=&&event' }],
  ])('should be %s, taken from %s', (event, _name, payload, around) => {
    expect(check(payload, requestWith(around))).toMatchObject({ event, eventVersion: 'v1' });
  });

  it.each<[string, object, Around]>([
    ['a header against the body', { event: 'a' }, { header: 'b' }],
    ['a path against the body', { event: 'a' }, { path: 'b' }],
    ['a query against the body', { event: 'a' }, { query: '?event=b' }],
    ['a path against the header', {}, { path: 'b', header: 'a' }],
    ['a query against the header', {}, { query: '?event=b', header: 'a' }],
    ['a query against the path', {}, { path: 'a', query: '?event=b' }],
    ['the last of several against the body', { event: 'a' }, { header: 'a', path: 'a', query: '?event=b' }],
    ['the second query against the body', { event: 'a' }, { query: '?event=a&event=b' }],
    ['an escaped query against the body', { event: 'a' }, { query: '?%65vent=b' }],
    ['another case', { event: 'a' }, { header: 'A' }],
    ['a repeated header', { event: 'a' }, { header: 'a, a' }],
    ['a pattern', { event: 'issue.created' }, { header: 'issue.*' }],
  ])('should be delivery.conflict for %s', (_name, payload, around) => {
    expect(detailsOf('delivery.conflict', payload, requestWith(around))).toHaveLength(1);
  });
});

describe('the version', () => {
  it.each<[string, string, object, Around]>([
    ['v1', 'nothing', {}, {}],
    ['v1', 'null in the body', { event_version: null }, {}],
    ['v2', 'the body alone', { event_version: 'v2' }, {}],
    ['v2', 'digits in the body', { event_version: '2' }, {}],
    ['v10', 'two digits in the body', { event_version: '10' }, {}],
    ['beta', 'a word in the body', { event_version: 'beta' }, {}],
    ['2beta', 'a word that begins with a digit', { event_version: '2beta' }, {}],
    ['v3', 'the header alone', {}, { header: 'v3' }],
    ['v3', 'digits in the header', {}, { header: '3' }],
    ['v4', 'the path alone', {}, { path: '4' }],
    ['v5', 'the query alone', {}, { query: '?version=5' }],
    ['v2', 'all, in both forms', { event_version: 'v2' }, { header: '2', path: '2', query: '?version=v2' }],
    ['v1', 'a query event_version', {}, { query: '?event_version=9' }],
  ])('should be %s, taken from %s', (eventVersion, _name, payload, around) => {
    expect(check({ event: 'a', ...payload }, requestWith({}, around))).toMatchObject({ event: 'a', eventVersion });
  });

  it.each<[string, object, Around]>([
    ['a header against the body', { event_version: 'v1' }, { header: 'v2' }],
    ['a path against the body', { event_version: 'v1' }, { path: 'v2' }],
    ['a query against the body', { event_version: '1' }, { query: '?version=2' }],
    ['a path against the header', {}, { path: '2', header: '1' }],
    ['a query against the header', {}, { query: '?version=v2', header: 'v1' }],
    ['the second query', {}, { query: '?version=1&version=2' }],
    ['digits of another number', { event_version: 'v1' }, { header: '11' }],
  ])('should be delivery.conflict for %s', (_name, payload, around) => {
    expect(detailsOf('delivery.conflict', { event: 'a', ...payload }, requestWith({}, around))).toHaveLength(1);
  });
});

describe('delivery.conflict', () => {
  it.each<[string, object, RoutedRequest, names: string, reasons: string[]]>([
    [
      'the event of the signed body',
      { event: 'a' },
      requestWith({ header: 'b', path: 'c', query: '?event=d' }),
      'the signed body names a',
      ['The header names b', 'The path names c', 'The query names d'],
    ],
    [
      'the version of the signed body',
      { event: 'a', event_version: 'v1' },
      requestWith({}, { header: '2', path: '3' }),
      'the signed body names v1',
      ['The header names 2', 'The path names 3'],
    ],
    [
      'the header, when the signed body names none',
      {},
      requestWith({ header: 'a', path: 'b' }),
      'the header names a',
      ['The path names b'],
    ],
    [
      'the beginning of a long name, on one line',
      { event: `a\n${'b'.repeat(200)}` },
      requestWith({ path: 'c' }),
      `the signed body names a\uFFFD${'b'.repeat(98)}…`,
      ['The path names c'],
    ],
    [
      'no secret',
      { event: 'a_secret', secrets: { S: 'a_secret' } },
      requestWith({ path: 'b' }),
      'the signed body names [redacted]',
      ['The path names b'],
    ],
    [
      'no secret in a version',
      { event: 'a', event_version: 'a_secret', secrets: { S: 'a_secret' } },
      requestWith({}, { path: 'b' }),
      'the signed body names [redacted]',
      ['The path names b'],
    ],
    [
      'no runtime token',
      { event: 'a_token', authentication: { runtime_token: 'a_token' } },
      requestWith({ path: 'b' }),
      'the signed body names [redacted]',
      ['The path names b'],
    ],
  ])('should name %s and what differs', (_name, payload, req, names, reasons) => {
    expect(check(payload, req)).toMatchObject({
      message: `Header, path and query are not signed, and must agree with the signed body and with one another; ${names}.`,
      details: reasons.map((reason) => ({ reason: `${reason}, but ${names}` })),
    });
  });
});

/** Requires a field. Each schema requires another one, so that a violation shows which schema was applied. */
const requires = (field: string): object => ({ type: 'object', required: [field] });

describe('the schemas of a service', () => {
  it.each<[schemas: Record<string, object>, payload: object, missing: string[]]>([
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
  ])('should apply %j to %j, and find %j missing', (schemas, payload, missing) => {
    const result = check(payload, requestWith(), schemas);
    const details = result instanceof PayloadError ? result.details : [];
    expect(details.map(({ reason }) => reason.at(-2))).toEqual(missing);
  });

  it('should apply the schema of the name, then that of the version', () => {
    const typed = (field: string): object => ({ properties: { [field]: { type: 'string' } } });
    const schemas = { a: typed('x'), 'a@v1': typed('y') };
    for (const field of ['x', 'y']) {
      expect(detailsOf('payload.invalid', { event: 'a', [field]: 1 }, requestWith(), schemas)).toEqual([
        { pointer: `/${field}`, reason: 'must be string' },
      ]);
    }
  });

  it('should apply to an event that only the header names', () => {
    expect(detailsOf('payload.invalid', {}, requestWith({ header: 'a' }), { a: requires('x') })).toHaveLength(1);
  });

  it("should apply after the contract's", () => {
    const details = detailsOf('payload.invalid', { event: 'a', issue: canary }, requestWith(), { a: requires('x') });
    expect(details).toEqual([{ pointer: '/issue', reason: expect.any(String) as string }]);
  });

  it('should accept everything when one is true, and nothing when it is false', () => {
    const schemas = { open: true, closed: false };
    expect(check({ event: 'open' }, requestWith(), schemas)).toMatchObject({ event: 'open' });
    expect(detailsOf('payload.invalid', { event: 'closed' }, requestWith(), schemas)).toHaveLength(1);
  });

  it('should be reported by pointers and reasons, never by values', () => {
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
    const details = detailsOf('payload.invalid', payload, requestWith(), { a: schema });
    expect(new Set(details.map(({ pointer }) => pointer))).toEqual(
      new Set([
        ...['/issue', '/issue/title', '/issue/tags', '/issue/tags/0', '/issue/tags/1', '/issue/state', '/issue/key'],
        '/secrets/TOKEN',
      ]),
    );
    expect(details.every(({ reason }) => reason.length > 0)).toBe(true);
  });

  it('should report the first 20 of many violations', () => {
    const tags = Array.from({ length: 30 }, () => 1);
    const schema = { properties: { tags: { items: { type: 'string' } } } };
    const details = detailsOf('payload.invalid', { event: 'a', tags }, requestWith(), { a: schema });
    expect(details.map(({ pointer }) => pointer)).toEqual(tags.slice(0, 20).map((_tag, index) => `/tags/${index}`));
  });

  it('should reject 20,000 nested arrays under a schema that refers to itself', () => {
    const schema = { type: 'object', properties: { tree: { $id: 'tree', type: 'array', items: { $ref: '#' } } } };
    const payload = JSON.parse(`{"event":"a","tree":${'['.repeat(20_000) + ']'.repeat(20_000)}}`) as object;
    const error = check(payload, requestWith(), { a: schema });
    expect(error).toMatchObject({
      code: 'payload.invalid',
      details: [{ pointer: '', reason: 'is nested too deeply for its schema' }],
    });
  });
});
