import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { API_OPTIONS } from '../../lib/api/api-options';
import { TTL_OPTIONS } from '../../lib/idempotency/ttl-options';
import { PARSE_OPTIONS } from '../../lib/middleware/parse';
import { RAW_BODY_OPTIONS } from '../../lib/middleware/raw-body';
import { RESPOND_OPTIONS } from '../../lib/middleware/respond';
import { VERIFY_OPTIONS } from '../../lib/middleware/verify';
import { JOB_OPTIONS } from '../../lib/queue/worker-options';
import { TOKEN_OPTIONS } from '../../lib/runtime-token/options';
import { PRIVATE_PHRASES } from '../support/private-language';
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
  it('should each have a doc comment, and so should their members', () => {
    // Without the members of unions, of parameters and of types that are not exported, there would be a few hundred.
    expect(symbols.length).toBeGreaterThan(1000);
    expect(
      symbols.filter(({ comment, tags }) => comment === '' && !tags.includes('throws')).map(({ name }) => name),
    ).toEqual([]);
  });

  it('should each have a subject or a verb in the first sentence', () => {
    expect(symbols.filter(({ comment }) => /^(?:Of|As) /.test(comment)).map(({ name }) => name)).toEqual([]);
  });

  it.each(WITH_EXAMPLE)('should have an example: %s', (name) => {
    expect(symbols.find((symbol) => symbol.name === name)?.tags).toContain('example');
  });
});

describe('the doc comments of options', () => {
  it.each<[interfaceName: string, table: Readonly<Record<string, { readonly default: unknown }>>]>([
    ['KiketRawBodyOptions', RAW_BODY_OPTIONS],
    ['KiketVerifyOptions', VERIFY_OPTIONS],
    ['KiketParseOptions', PARSE_OPTIONS],
    ['KiketRespondOptions', RESPOND_OPTIONS],
    ['KiketIdempotencyOptions', TTL_OPTIONS],
    ['KiketTransactionOptions', TTL_OPTIONS],
    ['KiketApiOptions', API_OPTIONS],
    ['KiketJobOptions', JOB_OPTIONS],
    ['TokenOptions', TOKEN_OPTIONS],
  ])('should name the defaults of the code: %s', (interfaceName, table) => {
    for (const [option, { default: value }] of Object.entries(table)) {
      if (!['number', 'string', 'boolean'].includes(typeof value)) continue;
      const { comment } = symbols.find(({ name }) => name === `${interfaceName}.${option}`)!;
      expect(/Default\s`'?(.+?)'?`/.exec(comment)?.[1]).toBe(String(value));
    }
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
    ['use a phrase of the private language', PRIVATE_PHRASES],
  ])('should not %s', (_name, pattern) => {
    expect(comments.length).toBeGreaterThan(500);
    expect(comments.filter((comment) => pattern.test(comment))).toEqual([]);
  });
});
