import { inspect } from 'node:util';
import { kiketHandler, ScopeError, type KiketAuth } from 'kiket-express';
import { deliver } from '../../support/deliver';
import { describeNewest } from '../../support/express';
import { observed, pathsToHandler } from '../../support/refusals';

const token = 'rt_canary_of_a_token';

describeNewest('delivery.auth', (express) => {
  /** Returns the result of `inspectAuth` for a delivery with this `authentication`. */
  async function seen(authentication: unknown, inspectAuth: (auth: KiketAuth) => unknown): Promise<unknown> {
    const handler = kiketHandler(({ auth }) => ({ seen: inspectAuth(auth) ?? null }));
    const { app, log } = observed(express, pathsToHandler['kiket()']!({}), handler);
    const response = await deliver(app, { event: 'a', authentication }).expect(200);
    await Promise.all(log.entries);
    return (response.body as { seen: unknown }).seen;
  }

  it('should return the fields of the payload', async () => {
    const authentication = { token_type: 'runtime', runtime_token: token, scopes: ['a', 'b'] };
    const fields = await seen(authentication, ({ tokenType, runtimeToken, scopes }) => [
      tokenType,
      runtimeToken,
      scopes,
    ]);
    expect(fields).toEqual(['runtime', token, ['a', 'b']]);
  });

  it.each([undefined, null, {}, { token_type: null, runtime_token: null, expires_at: null, scopes: null }])(
    'should have no fields when authentication is %j',
    async (authentication) => {
      const fields = await seen(authentication, ({ tokenType, runtimeToken, expiresAt, scopes }) => [
        [tokenType, runtimeToken, expiresAt].every((field) => field === undefined),
        scopes,
      ]);
      expect(fields).toEqual([true, []]);
    },
  );

  it.each<[string, string | null]>([
    ['2025-11-08T11:31:42Z', '2025-11-08T11:31:42.000Z'],
    ['2025-11-08T11:31:42.5Z', '2025-11-08T11:31:42.500Z'],
    ['2025-11-08T12:31:42+01:00', '2025-11-08T11:31:42.000Z'],
    ['', null],
    ['soon', null],
    ['soon 5', null],
    ['5', null],
    ['2025-13-08T11:31:42Z', null],
    ['2025-11-08T25:31:42Z', null],
  ])("should read '%s' as the date %s", async (expires_at, expected) => {
    expect(await seen({ expires_at }, ({ expiresAt }) => expiresAt?.toISOString())).toBe(expected);
  });

  it.each<[string[], string[], string[]]>([
    [['a', 'b'], ['a'], []],
    [['a', 'b'], ['a', 'b'], []],
    [['a', 'b'], [], []],
    [[], [], []],
    [['*'], ['a', 'b'], []],
    [['a', '*'], ['b', '*'], []],
    [['a'], ['a', 'b', 'c'], ['b', 'c']],
    [['a'], ['A'], ['A']],
    [['a'], ['*'], ['*']],
    [['a.*'], ['a.b'], ['a.b']],
    [['ab'], ['a'], ['a']],
    [[], ['toString', 'length'], ['toString', 'length']],
  ])('should find, of the scopes %j granted and %j required, %j missing', async (scopes, required, missing) => {
    const fields = await seen({ scopes }, (auth) => {
      try {
        auth.requireScopes(...required);
        return [auth.hasScopes(...required), []];
      } catch (error) {
        return [auth.hasScopes(...required), error instanceof ScopeError && error.missing];
      }
    });
    expect(fields).toEqual([missing.length === 0, missing]);
  });

  it('should 403 scope.missing when the handler does not catch the error', async () => {
    const handler = kiketHandler(({ auth }) => auth.requireScopes('a', 'b', 'c'));
    const { app, log } = observed(express, pathsToHandler['kiket()']!({}), handler);
    const response = await deliver(app, { event: 'a', authentication: { scopes: ['b'] } }).expect(403);
    expect(response.body).toMatchObject({
      error: { code: 'scope.missing', retryable: false, details: [{ missing: ['a', 'c'] }] },
    });
    await Promise.all(log.entries);
  });

  it('should print and serialise without the token', async () => {
    const authentication = { token_type: 'runtime', runtime_token: token, scopes: [] };
    const shown = await seen(authentication, (auth) => [inspect(auth, { showHidden: true }), JSON.stringify(auth)]);
    expect((shown as string[]).every((text) => text.includes('runtime') && !text.includes(token))).toBe(true);
  });
});
