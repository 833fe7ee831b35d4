import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { publicSymbols } from '../support/public-symbols';

const lib = resolve(__dirname, '../../lib');
const symbols = publicSymbols();

/** Exports that a newcomer calls first. */
const WITH_EXAMPLE = [
  'kiket',
  'kiketRawBody',
  'kiketVerify',
  'kiketParse',
  'kiketIdempotency',
  'kiketRespond',
  'kiketHandler',
  'kiketEvents',
  'kiketErrorHandler',
  'kiketRuntimeToken',
  'kiketDelivery',
  'kiketHealth',
  'kiketOpenTelemetry',
  'kiketShutdown',
  'kiketTelemetry',
  'kiketEnqueue',
  'kiketWorker',
  'KiketMemoryStore',
  'KiketRedisStore',
  'RetryableError',
  'NonRetryableError',
  'allow',
  'deny',
  'pending',
  'createKiketApi',
  'signDelivery',
  'deliver',
  'explainSignature',
  'checkReceiver',
  'describeStoreContract',
  'startFakeKiket',
  'startSimulator',
  'runScenario',
  'captureRawBody',
  'verifySignature',
  'loadManifest',
  'parseManifest',
  'fromSdk',
  'sdkRouter',
];

describe('the public names', () => {
  it('should each have a doc comment', () => {
    expect(symbols.length).toBeGreaterThan(200);
    expect(
      symbols.filter(({ comment, tags }) => comment === '' && !tags.includes('throws')).map(({ name }) => name),
    ).toEqual([]);
  });

  it.each(WITH_EXAMPLE)('should have an example: %s', (name) => {
    expect(symbols.find((symbol) => symbol.name === name)?.tags).toContain('example');
  });
});

describe('the comments of lib', () => {
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('validate-contract.ts'),
  );
  const comments = files.flatMap((file) =>
    [...readFileSync(join(lib, file), 'utf8').matchAll(/\/\*\*[\s\S]*?\*\/|(?:^|\s)\/\/ .*$/gm)].map(
      ([text]) => `${file}: ${text.replace(/\s*\n\s*\*? ?/g, ' ').trim()}`,
    ),
  );

  it.each([
    ['begin with a relative clause', /: (?:\/\*\*|\/\/) (?:@internal )?(?:What|Whether|Whoever|Those that) /],
    ['cite a file that is not shipped', /contract\.md/],
    [
      'use a phrase of the private language',
      /(?<!there )\bis no\b|(?<!there )\bare no\b|\bbut for\b|\bno sense\b|(?<!there )\bis none\b|\bis told\b|\bare told\b|as it likes/,
    ],
  ])('should not %s', (_name, pattern) => {
    expect(comments.length).toBeGreaterThan(500);
    expect(comments.filter((comment) => pattern.test(comment))).toEqual([]);
  });
});
