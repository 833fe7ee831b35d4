import { codeOf, deliver, describePage, example, forged } from '../../../../support/doc-page';
import { createKey, mintToken, type TokenKey } from '../../../../support/key-server';

describePage('docs/guides/runtime-tokens.md', {
  'Runtime tokens': async (app, { platformKey }) => {
    const exp = Math.ceil(Date.now() / 1000) + 60;
    const claims = { iss: 'kiket.dev', exp, org_id: 3, proj_id: 27, jti: 'one', scopes: ['issues.read'] };
    const signedBy = (key: TokenKey) => ({ ...example, authentication: { runtime_token: mintToken(key, claims) } });
    const verified = { organization: 3, token: 'one', scopes: ['issues.read'] };
    await deliver(app, signedBy(platformKey)).expect(200, verified);
    expect(codeOf(await deliver(app, signedBy(createKey('platform'))).expect(401))).toBe('token.invalid');
    expect(codeOf(await deliver(app, signedBy(platformKey), forged).expect(401))).toBe('signature.mismatch');
  },
});
