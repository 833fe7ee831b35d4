import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

const CLAIMS = {
  sub: 'bench',
  iss: 'kiket.dev',
  exp: 4_102_444_800,
  org_id: 3,
  proj_id: 27,
  ext_id: 5,
  jti: 'one',
  scopes: [],
};

/** The platform's key server, a token of it, and a token signed with another key of the same `kid`. */
export async function startKeyServer() {
  const platform = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...platform.publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256', use: 'sig' };
  const server = createServer((_req, res) => res.end(JSON.stringify({ keys: [jwk] })));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/.well-known/jwks.json`,
    token: mint(platform.privateKey),
    forgedToken: mint(other.privateKey),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function mint(key) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'ES256', kid: 'bench' })}.${part(CLAIMS)}`;
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}
