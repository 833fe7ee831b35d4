import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import express5 from 'express';
import { kiket, kiketErrorHandler, kiketHandler, type KiketDelivery, type KiketReply } from 'kiket-express';
import type { BrowserContextOptions, Page, Request } from 'playwright-core';
import type { LocalKiket, RunningSimulator } from '../../lib/simulator/local-kiket';
import { startSimulator } from '../../lib/simulator/start-simulator';
import type { SimulatorOptions } from '../../lib/simulator/simulator-options';
import { openProfile } from './browser';
import { startControl } from './control-server';
import { secret } from './deliver';
import { startServer } from './loopback-server';
import { until } from './until';

/** An extension whose behaviour a test changes. */
export interface Extension {
  /** What its handler does with a delivery. At first it returns nothing. */
  handle: (delivery: KiketDelivery) => KiketReply | Promise<KiketReply>;
  /** The deliveries that it has handled. */
  readonly handled: KiketDelivery[];
}

/** A local Kiket with a real extension, and its page in a browser. */
export interface OpenedPage {
  readonly page: Page;
  readonly kiket: RunningSimulator;
  readonly extension: Extension;
  readonly origin: string;
  /** Ends the server of the page; `start` starts it again at the same address. */
  readonly end: () => Promise<{ readonly start: () => Promise<void> }>;
  /** Resolves when the page waits for nothing but the stream, and shows what it has loaded. */
  readonly isQuiet: () => Promise<void>;
  /** What went wrong in the browser: errors, and what the policy of the page has refused. */
  readonly errors: string[];
  /** The requests that left the page's own origin. */
  readonly foreignRequests: string[];
}

const started: RunningSimulator[] = [];
let assets: string | undefined;

/** Builds the page once for each file of tests. */
export function pageAssets(): string {
  if (assets === undefined) {
    assets = mkdtempSync(join(tmpdir(), 'kiket-page-'));
    execFileSync(process.execPath, [resolve(__dirname, '../../scripts/build-page.mjs'), assets]);
  }
  return assets;
}

/**
 * Starts all of it, and opens the page as a person does: by the address with the token.
 *
 * @param shown replaces what the page shows.
 */
export async function openPage(
  options: Partial<SimulatorOptions> = {},
  profile: BrowserContextOptions = {},
  shown: (kiket: RunningSimulator) => LocalKiket = (kiket) => kiket,
): Promise<OpenedPage> {
  const extension: Extension = { handle: () => undefined, handled: [] };
  const app = express5();
  const { url } = await startServer(app);
  const simulator = await startSimulator({ url: `${url}/kiket`, secret, schedule: 'fast', ...options });
  started.push(simulator);
  const api = { allowedOrigins: [simulator.apiUrl] };
  app.post('/kiket', kiket({ secret, api }), kiketHandler(run), kiketErrorHandler());
  const control = await startControl(shown(simulator), { assetsDirectory: pageAssets() });

  const context = await openProfile({ viewport: { width: 1280, height: 800 }, ...profile });
  const page = await context.newPage();
  const errors: string[] = [];
  const foreignRequests: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      errors.push(message.text());
  });
  const pending = new Set<Request>();
  page.on('requestfinished', (request) => pending.delete(request));
  page.on('requestfailed', (request) => pending.delete(request));
  page.on('request', (request) => {
    if (!request.url().endsWith('/api/stream')) pending.add(request);
    if (!request.url().startsWith(`${control.url}/`) && !request.url().startsWith('data:')) {
      foreignRequests.push(request.url());
    }
  });
  await page.goto(control.pageUrl);
  await page.getByRole('heading', { level: 1 }).waitFor();
  return { page, kiket: simulator, extension, origin: control.url, end, isQuiet, errors, foreignRequests };

  async function isQuiet(): Promise<void> {
    await until(async () => {
      if (pending.size > 0) return false;
      // What was loaded may ask for more when it is rendered.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      return pending.size === 0;
    }, 'the requests of the page');
  }

  async function end(): Promise<{ readonly start: () => Promise<void> }> {
    const { port, token } = control;
    await control.close();
    return {
      async start() {
        await startControl(simulator, { assetsDirectory: pageAssets(), port, token });
      },
    };
  }

  function run(delivery: KiketDelivery): KiketReply | Promise<KiketReply> {
    extension.handled.push(delivery);
    return extension.handle(delivery);
  }
}

/** Sends a delivery, and waits until nothing more happens to it by itself. */
export async function sendSettled(
  kiket: RunningSimulator,
  input: Parameters<RunningSimulator['deliveries']['send']>[0],
) {
  const { id } = kiket.deliveries.send(input);
  return kiket.deliveries.wait(id, 'settled', 20_000);
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((simulator) => simulator.close()));
});

afterAll(() => {
  if (assets !== undefined) rmSync(assets, { recursive: true });
});
