// Reads a manifest of its directory, with the installed version of yaml, and receives a delivery by it.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { mkdtempSync, writeFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const express = require('express');
const { kiket, kiketErrorHandler, kiketHandler } = require('kiket-express');
const { KiketManifestError, loadManifest } = require('kiket-express/manifest');
const { signDelivery } = require('kiket-express/testing');

const secret = 'whsec_of_the_manifest';
process.env.KIKET_WEBHOOK_SECRET = secret;
process.chdir(mkdtempSync(join(tmpdir(), 'kiket-consumer-')));

assert.throws(() => loadManifest(), KiketManifestError);
writeFileSync('extension.yaml', 'extension:\n\tid: a');
assert.throws(() => loadManifest(), /extension\.yaml:2:1: is not valid YAML: tabs/);
writeFileSync('extension.yaml', 'extension:\n  id: a\n  hooks: [&one { event: a.b }, { <<: *one, timeout: 5 }]');
assert.throws(() => loadManifest(), /extension\.yaml:3:44: extension\.hooks\[1\]\.timeout must be/);
writeFileSync('extension.yaml', 'id: a\ndelivery_secret: env:KIKET_WEBHOOK_SECRET\nsettings: [{ key: A, default: 1 }]');
const manifest = loadManifest();

async function main() {
  const app = express();
  app.post(
    '/kiket',
    kiket({ manifest }),
    kiketHandler(({ settings }) => ({ settings })),
    kiketErrorHandler(),
  );
  const service = createServer(app).listen(0, '127.0.0.1');
  await once(service, 'listening');
  const { headers, body } = signDelivery({ event: 'issue.created' }, { secret });
  const url = `http://127.0.0.1:${service.address().port}/kiket`;
  const response = await fetch(url, { method: 'POST', headers, body });
  assert.deepEqual([response.status, await response.json()], [200, { settings: { A: 1 } }]);
  service.close();
  console.log('delivered');
}

void main();
