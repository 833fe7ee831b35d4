import { channel } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import {
  closeKiketApi,
  kiketEvents,
  kiketParse,
  NonRetryableError,
  type KiketDelivery,
  type KiketRecord,
} from 'kiket-express';
import { kiketRuntimeToken } from 'kiket-express/runtime-token';
import { example } from '../../support/deliver';
import { describeMajors, majors } from '../../support/express';
import { observed } from '../../support/refusals';
import {
  carrying,
  claims,
  found,
  issuer,
  looking,
  modeNames,
  modes,
  NOW,
  send,
  sentIn,
  startPlatform,
  tokenWith,
} from '../../support/runtime-token';

const headerIds = { 'X-Kiket-Organization': '700007', 'X-Kiket-Project': '27' };
const RATE_LIMIT = '{"rate_limit":{"limit":600,"remaining":599,"reset_in":52,"window_seconds":60}}';
const withoutProject = { issue: { id: 4231 } };

afterEach(() => closeKiketApi());

describeMajors('kiketRuntimeToken', (express) => {
  describe.each(modeNames)('%s', (mode) => {
    const { isSigned } = modes[mode]!;

    it('should make the claims of the token the auth of the delivery', async () => {
      const { stages } = await startPlatform();
      const token = tokenWith();
      const app = looking(express, stages(mode), ({ verified, signature, auth }) => ({
        verified,
        isSigned: signature !== undefined,
        source: auth.source,
        tokenType: auth.tokenType,
        isToken: auth.runtimeToken === token,
        scopes: auth.scopes,
        ids: [auth.organizationId, auth.projectId, auth.extensionId, auth.tokenId],
        expiresAt: auth.expiresAt,
      }));
      expect(await found(app, carrying(token), sentIn(mode))).toEqual({
        verified: true,
        isSigned,
        source: 'token',
        tokenType: 'runtime',
        isToken: true,
        scopes: claims.scopes,
        ids: [700_007, 27, 'com.canary.crm', 'canary_token_id'],
        expiresAt: new Date(claims.exp * 1000).toISOString(),
      });
    });

    it.each<[name: string, granted: unknown, inBody: unknown, expected: unknown[]]>([
      ['the body claims more', ['a'], ['*'], [['a'], true, false]],
      ['the body claims less', ['a', 'b'], [], [['a', 'b'], true, true]],
      ['the body claims none', ['*'], undefined, [['*'], true, true]],
      ['the token grants none', [], ['a', 'b'], [[], false, false]],
      ['the token is silent', undefined, ['a', 'b'], [[], false, false]],
      ['the token says null', null, ['*'], [[], false, false]],
    ])('should take the scopes of the token when %s', async (_name, scopes, inBody, expected) => {
      const { stages } = await startPlatform();
      const app = looking(express, stages(mode), ({ auth }) => [
        auth.scopes,
        auth.hasScopes('a'),
        auth.hasScopes('a', 'b'),
      ]);
      const authentication = { runtime_token: tokenWith({ scopes }), scopes: inBody };
      expect(await found(app, carrying('', { authentication }), sentIn(mode))).toEqual(expected);
    });

    it('should let the scopes of the token decide what kiketEvents grants', async () => {
      const { stages } = await startPlatform();
      const events = kiketEvents().on('issue.*', { scopes: ['issues.write'] }, () => ({ done: true }));
      const { app } = observed(express, stages(mode), events);
      const deliver = (granted: string[], inBody: string[]) => {
        const authentication = { runtime_token: tokenWith({ scopes: granted }), scopes: inBody };
        return send(app, carrying('', { event: 'issue.created', authentication }), sentIn(mode));
      };
      expect(await deliver(['issues.write'], [])).toMatchObject({ status: 200, body: { done: true } });
      expect(await deliver(['issues.read'], ['issues.write', '*'])).toMatchObject({
        status: 403,
        body: { error: { code: 'scope.missing' } },
      });
    });

    describe.each<[name: string, changes: object, fields: object, headers: Record<string, string>, ids: unknown[]]>([
      ['nothing else names any', {}, withoutProject, {}, [700_007, 27]],
      ['headers say the same', {}, withoutProject, headerIds, [700_007, 27]],
      ['the body names the project too', {}, {}, headerIds, [700_007, 27]],
      ['the body names no issue', {}, { issue: undefined }, {}, [700_007, 27]],
      ['the body says null', {}, { issue: { project_id: null } }, {}, [700_007, 27]],
      ['only headers name them', { org_id: undefined, proj_id: undefined }, withoutProject, headerIds, [null, null]],
      [
        'headers name what the token leaves null',
        { org_id: null, proj_id: null },
        withoutProject,
        headerIds,
        [null, null],
      ],
      [
        'headers are not ids',
        {},
        withoutProject,
        { 'X-Kiket-Organization': '-1', 'X-Kiket-Project': '027' },
        [700_007, 27],
      ],
      ['a header comes twice', {}, withoutProject, { 'X-Kiket-Project': '28\r\nX-Kiket-Project: 27' }, [700_007, 27]],
    ])('when %s', (_name, changes, fields, headers, ids) => {
      it('should take organization and project from the token', async () => {
        const { stages } = await startPlatform();
        const app = looking(express, stages(mode), ({ organizationId, projectId }) => [
          organizationId ?? null,
          projectId ?? null,
        ]);
        expect(await found(app, carrying(tokenWith(changes), fields), sentIn(mode, headers))).toEqual(ids);
      });
    });

    it('should send the token with calls back', async () => {
      const { stages } = await startPlatform();
      const token = tokenWith();
      const calls: unknown[] = [];
      const { server: kiket } = await startPlatform();
      kiket.respond = ({ url, headers }, res) => {
        calls.push([url, headers['x-kiket-runtime-token']]);
        res.setHeader('content-type', 'application/json').end(RATE_LIMIT);
      };
      const baseUrl = new URL(kiket.url).origin;
      const app = looking(express, stages(mode, { api: { baseUrl } }), ({ api }) => api.rateLimit());
      // The expiry in the token takes precedence.
      const authentication = { runtime_token: token, expires_at: '2001-01-01T00:00:00Z' };
      expect(await found(app, carrying('', { authentication, api: undefined }), sentIn(mode))).toMatchObject({
        limit: 600,
      });
      expect(calls).toEqual([['/api/v1/ext/rate_limit', token]]);
    });

    it('should accept a token for one of several audiences', async () => {
      const { stages } = await startPlatform();
      const app = looking(express, stages(mode, { audience: ['ours', 'theirs'] }), () => 'received');
      const payload = carrying(tokenWith({ aud: ['others', 'theirs'] }));
      expect(await found(app, payload, sentIn(mode))).toBe('received');
    });

    it('should accept a body with a byte order mark', async () => {
      const { stages } = await startPlatform();
      const app = looking(express, stages(mode), ({ event }) => event);
      expect(await found(app, `\ufeff${JSON.stringify(carrying(tokenWith()))}`, sentIn(mode))).toBe(example.event);
    });

    it('should not show the token when the delivery is printed', async () => {
      const { stages } = await startPlatform();
      const token = tokenWith();
      let prints = '';
      const app = looking(express, stages(mode), (delivery, req) => {
        const all = [delivery, delivery.auth, delivery.payload, req.body];
        prints = all.map((each) => `${JSON.stringify(each)}${inspect(each, { depth: null })}`).join('\n');
      });
      await found(app, carrying(token), sentIn(mode));
      expect(prints).toContain('canary_token_id');
      for (const part of token.split('.')) expect(prints).not.toContain(part);
    });

    it('should record a refusal, which an access log may read', async () => {
      const { stages } = await startPlatform();
      const records: KiketRecord[] = [];
      const published: unknown[] = [];
      const collect = (record: unknown) => void published.push(record);
      channel('kiket:delivery').subscribe(collect);
      const { app, log } = observed(express, stages(mode, { onCompleted: (record) => void records.push(record) }));
      const token = tokenWith({ iss: 'canary issuer' });
      await send(app, carrying(token), sentIn(mode, { 'X-Kiket-Invocation': 'inv_1' }));
      channel('kiket:delivery').unsubscribe(collect);
      const record = { invocationId: 'inv_1', outcome: 'final', code: 'token.invalid', status: 401 };
      expect(records).toEqual([expect.objectContaining(record)]);
      expect(published).toEqual(records);
      const [entry] = await Promise.all(log.entries);
      expect(`${entry}${inspect(records)}`).not.toContain(token.split('.')[1]);
    });
  });

  describe('the secrets of the body', () => {
    const fallbackSecrets = { ONCALL_WEBHOOK: 'fallback', OTHER: 'fallback' };

    const look = ({ secrets, payload, rawBody, deliveryId }: KiketDelivery, req: { body?: unknown }) => ({
      values: ['MAKE_COM_TOKEN', 'ONCALL_WEBHOOK', 'OTHER'].map((name) => secrets.get(name) ?? null),
      keys: secrets.keys(),
      named: [payload, req.body as object].map((each) => 'secrets' in each),
      isShown: inspect([payload, req.body], { showHidden: true, customInspect: false, depth: null }).includes(
        '********',
      ),
      isReceived: rawBody.includes('********'),
      deliveryId: deliveryId ?? null,
    });
    const given = {
      values: ['********', '********', 'fallback'],
      keys: ['MAKE_COM_TOKEN', 'ONCALL_WEBHOOK'],
      named: [true, true],
      isShown: true,
      isReceived: true,
      deliveryId: 'evt_1',
    };
    const withheld = {
      values: [null, 'fallback', 'fallback'],
      keys: [],
      named: [false, false],
      isShown: false,
      isReceived: true,
      deliveryId: null,
    };

    it.each<[mode: string, trustUnsignedBody: boolean | undefined, expected: object]>([
      ['after kiketVerify', undefined, given],
      ['after kiketVerify', false, given],
      ['after kiketVerify', true, given],
      ['in place of kiketVerify', undefined, withheld],
      ['in place of kiketVerify', false, withheld],
      ['in place of kiketVerify', true, given],
    ])(
      'should be available by the authentication of the body: %s, trustUnsignedBody: %s',
      async (mode, trust, expected) => {
        const { stages } = await startPlatform();
        const app = looking(express, stages(mode, { trustUnsignedBody: trust, fallbackSecrets }), look);
        const payload = carrying(tokenWith(), { id: 'evt_1', type: example.event, data: {} });
        expect(await found(app, payload, sentIn(mode))).toEqual(expected);
      },
    );

    it('should be redacted from the error of a handler that has read one from the bytes', async () => {
      const { stages } = await startPlatform();
      const app = looking(express, stages('in place of kiketVerify'), ({ rawBody }) => {
        throw new NonRetryableError(`It is ${/"canary_[^"]*secret[^"]*"/.exec(rawBody.toString())?.[0]}`);
      });
      const payload = carrying(tokenWith(), { secrets: { ONCALL_WEBHOOK: 'canary_of_a_secret' } });
      expect((await send(app, payload, sentIn('in place of kiketVerify'))).text).toContain('It is \\"[redacted]\\"');
    });

    it('should be named as withheld when one is required', async () => {
      const { stages } = await startPlatform();
      const app = looking(express, stages('in place of kiketVerify'), ({ secrets }) =>
        secrets.require('MAKE_COM_TOKEN'),
      );
      const { status, body, text } = await send(app, carrying(tokenWith()), sentIn('in place of kiketVerify'));
      expect([status, body.error?.code, body.error?.retryable]).toEqual([422, 'secret.missing', false]);
      expect(body.error?.message).toMatch(/withheld.*trustUnsignedBody/);
      expect(text).not.toContain('********');
    });

    it('should not be named as withheld after kiketVerify', async () => {
      const { stages } = await startPlatform();
      const app = looking(express, stages('after kiketVerify'), ({ secrets }) => secrets.require('SENTRY_DSN'));
      const { status, body } = await send(app, carrying(tokenWith()), sentIn('after kiketVerify'));
      expect([status, body.error?.code]).toEqual([422, 'secret.missing']);
      expect(body.error?.message).toMatch(/SENTRY_DSN/);
      expect(body.error?.message).not.toMatch(/withheld/);
    });
  });
});

describe('the options of kiketRuntimeToken', () => {
  const jwksUrl = 'https://kiket.dev/.well-known/jwks.json';
  const start = (options: object) => () => kiketRuntimeToken({ issuer, jwksUrl, ...options });
  const bad: Record<string, unknown[]> = {
    issuer: [undefined, null, '', 42, [issuer], new URL('https://kiket.dev')],
    jwksUrl: [
      undefined,
      null,
      '',
      'kiket.dev',
      '/.well-known/jwks.json',
      42,
      'http://kiket.dev/keys',
      'http://10.0.0.1/keys',
      'http://127.0.0.1.example/keys',
      'https://user@kiket.dev/keys',
      'https://user:canary@kiket.dev/keys',
      'https://kiket.dev/keys#first',
      'file:///keys.json',
      'data:application/json,{}',
    ],
    audience: [null, '', 42, [], [''], [undefined], ['a', 1], {}],
    trustUnsignedBody: [null, 'false', 'true', 0, 1, {}],
    limit: [null, -1, 'much', '', {}, true],
    now: [null, NOW, 'now', new Date(0)],
  };
  const good: Record<string, unknown[]> = {
    jwksUrl: [
      jwksUrl,
      new URL(jwksUrl),
      'http://127.0.0.1:3000/keys',
      'http://localhost/keys?a=b',
      'http://[::1]/keys',
    ],
    audience: [undefined, 'a', ['a', 'b'], Object.freeze(['a'])],
    trustUnsignedBody: [undefined, true, false],
    limit: [undefined, 0, 1, '1mb'],
    now: [undefined, Date.now],
  };
  const rows = (table: typeof bad) =>
    Object.entries(table).flatMap(([name, values]) => values.map((value) => [name, value] as const));

  it.each(rows(bad))('should refuse at start-up: %s %p', (name, value) => {
    expect(start({ [name]: value })).toThrow(TypeError);
    expect(start({ [name]: value })).toThrow(new RegExp(`^kiketRuntimeToken: ${name}[ [].*, but `));
    expect(start({ [name]: value })).not.toThrow(/canary/);
  });

  it.each(rows(good))('should accept %s %p', (name, value) => {
    expect(start({ [name]: value })).not.toThrow();
  });

  it.each([undefined, null, 'kiket.dev', 42, []])('should refuse %p as options', (options) => {
    expect(() => kiketRuntimeToken(options as never)).toThrow(/^kiketRuntimeToken: options /);
  });

  it('should accept frozen options, and not read them again', async () => {
    const { server } = await startPlatform();
    const options = { issuer, jwksUrl: server.url, trustUnsignedBody: false, now: () => NOW * 1000 };
    const middleware = kiketRuntimeToken(options);
    Object.assign(options, { issuer: 'other', jwksUrl: 'http://127.0.0.1:1/', trustUnsignedBody: true, now: () => 0 });
    const stages = [middleware, kiketParse()];
    const app = looking(majors['Express 5'], stages, ({ secrets }) => secrets.keys());
    expect(await found(app, carrying(tokenWith()), sentIn('in place of kiketVerify'))).toEqual([]);
    expect(start(Object.freeze({ issuer, jwksUrl }))).not.toThrow();
  });
});
