import { cpSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import type { Express as App } from 'express';
import type { FakeKiket } from 'kiket-express/testing';
import type { Response } from 'supertest';
import { deliver, example, secret } from './deliver';
import { runBlock, type DocTest } from './doc-block';
import { describeNewest, type Express } from './express';
import { startFake } from './fake-kiket';
import { createKey, startKeyServer, type TokenKey } from './key-server';
import { blocksOf } from './markdown';
import { describeWithRedisServer, startRedis, type RedisServer } from './redis-server';

/** A block of a page that has run. */
export interface RunningBlock {
  readonly express: Express;
  /** Tests that the block defines with `it`. */
  readonly tests: readonly DocTest[];
  readonly exported: Readonly<Record<string, unknown>>;
  /** The Kiket whose address is `KIKET_BASE_URL`. */
  readonly kiket: FakeKiket;
  /** The key whose public half the server at `KIKET_JWKS_URL` has. */
  readonly platformKey: TokenKey;
}

export type Behaviour = (app: App, running: RunningBlock) => Promise<unknown>;

const repository = resolve(__dirname, '../..');

/** README and the pages of docs/, from the root of the repository. */
export const pages: readonly string[] = [
  'README.md',
  ...readdirSync(resolve(repository, 'docs'), { recursive: true, encoding: 'utf8' })
    .map((file) => `docs/${file.replaceAll('\\', '/')}`)
    // The reference of the API is generated, and not committed.
    .filter((file) => file.endsWith('.md') && !file.startsWith('docs/reference/api/')),
];

/** Every environment variable that a block may read. */
const VARIABLES = [
  'KIKET_API_KEY',
  'KIKET_BASE_URL',
  'KIKET_JWKS_URL',
  'KIKET_PREVIOUS_SECRET',
  'KIKET_WEBHOOK_SECRET',
  'PORT',
  'REDIS_URL',
] as const;

/** A request that was signed with another secret. */
export const forged = { secret: 'whsec_of_another' };

export const unsigned = { headers: { 'X-Kiket-Signature': undefined } };

/**
 * Tests the TypeScript and JavaScript blocks of a page. Each runs unchanged on an application of its own, whose behaviour its test
 * then observes. Blocks with a mark are files, or excerpts: they have tests of their own.
 *
 * @param file the page, from the root of the repository.
 * @param behaviours by heading. The second block under a heading is `heading 2`.
 * @param describeExpress `describeMajors` for a page whose blocks depend on what Express does.
 */
export function describePage(
  file: string,
  behaviours: Readonly<Record<string, Behaviour>>,
  describeExpress = describeNewest,
): void {
  const snippets = snippetsOf(readFileSync(resolve(repository, file), 'utf8'));

  describe(file, () => {
    it('should have a test of each of its blocks', () => {
      expect([...snippets.keys()]).toEqual(Object.keys(behaviours));
    });
  });

  const withRedis = [...snippets].filter(([, code]) => code.includes('REDIS_URL'));
  const withoutRedis = [...snippets].filter(([, code]) => !code.includes('REDIS_URL'));

  describeExpress(`a block of ${file}`, (express) => {
    const { env } = process;
    const before = VARIABLES.map((name) => [name, env[name]] as const);
    const platformKey = createKey('platform');
    let kiket: FakeKiket;

    beforeEach(async () => {
      kiket = await startFake();
      env.KIKET_BASE_URL = kiket.url;
      env.KIKET_JWKS_URL = (await startKeyServer(platformKey)).url;
      env.KIKET_WEBHOOK_SECRET = secret;
      env.KIKET_PREVIOUS_SECRET = 'whsec_previous';
      env.PORT = '0';
    });
    afterEach(() => {
      jest.restoreAllMocks();
      for (const [name, value] of before) {
        if (value === undefined) delete env[name];
        else env[name] = value;
      }
    });

    if (withoutRedis.length > 0) it.each(withoutRedis)('should behave as documented: %s', check);
    if (withRedis.length > 0) describeWithRedisServer('with Redis', () => describeRedis());

    function describeRedis(): void {
      let redis: RedisServer;
      beforeEach(async () => {
        redis = await startRedis();
        env.REDIS_URL = redis.url;
      });
      // On SIGTERM a block closes all connections that it has opened. Only the asking connection is left.
      afterEach(async () => {
        for (let clients = ''; clients.split('\n').length !== 2;) clients = String(await redis.send('CLIENT', 'LIST'));
      });

      it.each(withRedis)('should behave as documented: %s', check);
    }

    async function check(name: string, code: string): Promise<void> {
      const app = express();
      app.set('env', 'test');
      // Only for such a block. Elsewhere a key would be used unintentionally.
      if (code.includes('KIKET_API_KEY!')) env.KIKET_API_KEY = 'ext_fake';
      if (code.includes('loadManifest()')) enterExtension();
      const exported = {};
      const tests = runBlock(code, app, secret, express, { exports: exported });
      await behaviours[name]!(app, { express, tests, exported, kiket, platformKey });
    }
  });
}

/** The blocks that are programs, by heading. */
export function snippetsOf(page: string): Map<string, string> {
  const snippets = new Map<string, string>();
  for (const { heading, language, mark, code } of blocksOf(page)) {
    if ((language !== 'ts' && language !== 'js') || mark !== '') continue;
    let name = heading;
    for (let i = 2; snippets.has(name); i++) name = `${heading} ${i}`;
    snippets.set(name, code);
  }
  return snippets;
}

/** Makes the directory of an extension the current one, as far as this process asks for it. */
function enterExtension(): void {
  const directory = mkdtempSync(resolve(tmpdir(), 'kiket-page-'));
  const manifests = resolve(repository, '__tests__/fixtures/manifests');
  cpSync(resolve(manifests, 'm3-case-slack.yaml'), resolve(directory, '.kiket/manifest.yaml'));
  jest.spyOn(process, 'cwd').mockReturnValue(directory);
}

/** Adds the service that the reader has: a JSON parser, and a handler that quotes the event. */
export function addExistingService(app: App, express: Express, path = '/kiket'): void {
  app.use(express.json({ limit: '1mb' }));
  app.post(path, (req, res) => void res.json({ existing: (req.body as { event: string }).event }));
}

/** The code of an error response. */
export function codeOf({ body }: Response): unknown {
  return (body as { error?: { code?: string } }).error?.code;
}

/** Returns a change of a block. It throws when the block does not contain the string to replace. */
export function replacing(from: string | RegExp, to: string): (code: string) => string {
  return (code) => {
    const changed = code.replace(from, to);
    if (changed === code) throw new Error(`The block has no ${from}`);
    return changed;
  };
}

export { deliver, example, secret };
