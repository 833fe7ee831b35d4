import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckSettings } from '../../lib/simulator/control/check-runs';
import {
  startControlServer,
  type ControlServer,
  type ControlServerOptions,
} from '../../lib/simulator/control/start-control-server';
import type { LocalKiket } from '../../lib/simulator/local-kiket';
import { temporaryFolder } from './cli';
import { secret } from './deliver';

const PAGE =
  '<!doctype html><title>The page</title><link rel="stylesheet" href="/assets/page.css">' +
  '<body><script src="/assets/page.js"></script>';

const started: ControlServer[] = [];

/** Starts a control server that is closed after the test, with files of a page, and a file that does not belong to it. */
export async function startControl(
  kiket: LocalKiket,
  options: Partial<ControlServerOptions> & { readonly check?: Partial<CheckSettings> } = {},
): Promise<ControlServer & { readonly port: number; readonly deliveriesDirectory: string }> {
  const { check, ...others } = options;
  const folder = temporaryFolder();
  const assetsDirectory = join(folder, 'assets');
  const deliveriesDirectory = join(folder, 'project', 'deliveries');
  mkdirSync(assetsDirectory);
  writeFileSync(join(assetsDirectory, 'index.html'), PAGE);
  writeFileSync(join(assetsDirectory, 'page.js'), 'document.title += " runs";');
  writeFileSync(join(assetsDirectory, 'page.css'), 'body { color: red; }');
  writeFileSync(join(assetsDirectory, 'notes.txt'), 'canary');
  writeFileSync(join(folder, 'outside.txt'), 'canary');
  const server = await startControlServer(kiket, {
    assetsDirectory,
    deliveriesDirectory,
    checkSettings: () => ({ secret, ...check }),
    verifySecrets: () => ({ secrets: [{ value: Buffer.from(secret), source: 'KIKET_WEBHOOK_SECRET' }], others: [] }),
    ...others,
  });
  started.push(server);
  return { ...server, port: Number(new URL(server.url).port), deliveriesDirectory };
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close()));
});
