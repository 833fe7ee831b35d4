// For the types of playwright-core. lib is compiled without them by tsconfig.build.json.
/// <reference lib="dom" />
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from 'playwright-core';

const { CHROMIUM_PATH, CI, PATH = '' } = process.env;

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

const HOW_TO_GET = 'put chromium on the PATH (apt-get install chromium), or set CHROMIUM_PATH';

const executablePath = CHROMIUM_PATH || findOnPath();

/** Tests in Chromium. Without one they are skipped; with CI set they fail. */
export function describeInBrowser(name: string, define: () => void): void {
  if (executablePath !== undefined) return describe(name, define);
  if (CI) {
    return describe(name, () => {
      it('should find a browser, because CI is set', () => {
        throw new Error(`There is no browser; ${HOW_TO_GET}`);
      });
    });
  }
  process.stderr.write(`Skipped, because there is no browser: ${name}; ${HOW_TO_GET}\n`);
  describe.skip(name, define);
}

/** Names of other sites lead to this machine. */
const RESOLVER = '--host-resolver-rules=MAP *.example 127.0.0.1';

let browser: Promise<Browser> | undefined;
const contexts: BrowserContext[] = [];

/** Opens a profile of its own, without cookies, in the one browser of the test file. It is closed after the test. */
export async function openProfile(options: BrowserContextOptions = {}): Promise<BrowserContext> {
  browser ??= chromium.launch({
    executablePath: executablePath!,
    args: [RESOLVER],
    // It does not work for root, which containers often are.
    chromiumSandbox: process.getuid?.() !== 0,
  });
  const context = await (await browser).newContext(options);
  contexts.push(context);
  return context;
}

function findOnPath(): string | undefined {
  const files = NAMES.flatMap((name) => PATH.split(delimiter).map((folder) => join(folder, name)));
  return files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()));
});

afterAll(async () => {
  await (await browser)?.close();
});
