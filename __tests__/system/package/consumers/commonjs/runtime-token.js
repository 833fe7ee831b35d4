// Receives a delivery that only its runtime token authenticates, with the installed version of jose.
const assert = require('node:assert/strict');
const { generateKeyPairSync, sign } = require('node:crypto');
const { once } = require('node:events');
const { createServer } = require('node:http');
const express = require('express');
const { kiketErrorHandler, kiketEvents, kiketParse } = require('kiket-express');
const { kiketRuntimeToken } = require('kiket-express/runtime-token');

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256', use: 'sig' }];

function mint(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'ES256', kid: 'one' })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}`;
}

async function main() {
  const keyServer = createServer((_req, res) => res.end(JSON.stringify({ keys })));
  const jwksUrl = `${await listen(keyServer)}/.well-known/jwks.json`;
  const app = express();
  app.set('env', 'test');
  app.post(
    '/kiket',
    kiketRuntimeToken({ issuer: 'kiket.dev', jwksUrl }),
    kiketParse(),
    kiketEvents().on('issue.created', { scopes: ['issues.read'] }, ({ organizationId }) => ({ organizationId })),
    kiketErrorHandler(),
  );
  const service = createServer(app);
  const origin = await listen(service);

  async function deliver(changes) {
    const exp = Math.floor(Date.now() / 1000) + 60;
    const token = mint({ iss: 'kiket.dev', exp, org_id: 7, scopes: ['issues.read'], ...changes });
    const body = JSON.stringify({ event: 'issue.created', authentication: { runtime_token: token } });
    const response = await fetch(`${origin}/kiket`, { method: 'POST', body });
    return [response.status, await response.json()];
  }
  assert.deepEqual(await deliver({}), [200, { organizationId: 7 }]);
  const [status, { error }] = await deliver({ iss: 'evil.example' });
  assert.deepEqual([status, error.code], [401, 'token.invalid']);

  for (const server of [keyServer, service]) server.close().closeAllConnections();
  console.log('delivered');
}

main();
