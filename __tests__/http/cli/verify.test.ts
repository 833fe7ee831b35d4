import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signDelivery } from '../../../lib/testing';
import { cli, temporaryFolder, type CliOptions } from '../../support/cli';

const SECRET = 'kiket-delivery-secret';
const NOW = 1_764_500_000;
const PAYLOAD = { event: 'issue.created', issue: { id: 7, title: 'Checkout' } };
const env = { KIKET_WEBHOOK_SECRET: SECRET };

interface Raw {
  readonly secret?: string | Buffer;
  readonly timestampSeconds?: number;
  readonly received?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A raw HTTP request. `received` is the body that arrives in place of the signed one. */
function rawRequest({ secret = SECRET, timestampSeconds = NOW, received, headers = {} }: Raw = {}): string {
  const signed = signDelivery(PAYLOAD, { secret, timestampSeconds });
  const lines = Object.entries({ Host: 'localhost:3000', ...signed.headers, ...headers });
  return ['POST /kiket HTTP/1.1', ...lines.map((line) => line.join(': ')), '', received ?? String(signed.body)].join(
    '\r\n',
  );
}

function verify(request: string, args: readonly string[] = [], options: CliOptions = {}) {
  const cwd = options.cwd ?? temporaryFolder();
  writeFileSync(join(cwd, 'request.http'), request);
  return cli(['verify', 'request.http', '--at', String(NOW + 12), ...args], { env, ...options, cwd });
}

describe('verify', () => {
  it('should end with 0 for a valid signature, and name scheme, secret and age', async () => {
    const { code, stdout, stderr } = await verify(rawRequest());
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(
      '✓ The signature is valid: scheme timestamped, secret of KIKET_WEBHOOK_SECRET, 12 seconds old.\n',
    );
  });

  it('should say that the second secret has matched', async () => {
    const args = ['--secret-env', 'CURRENT', '--secret-env', 'KIKET_WEBHOOK_SECRET'];
    const { code, stdout } = await verify(rawRequest(), args, { env: { ...env, CURRENT: 'current' } });
    expect(code).toBe(0);
    expect(stdout).toContain('It is not the first secret. After a rotation');
  });

  it('should end with 1 and name the cause first, the mend second', async () => {
    const { code, stdout } = await verify(rawRequest({ received: JSON.stringify(PAYLOAD, null, 2) }));
    expect(code).toBe(1);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('✗ The signature does not match.');
    expect(lines[1]).toMatch(
      /^ {2}It does match if the body is written again with JSON\.stringify {3}\(1 change; \d+ combinations tried\)$/,
    );
    expect(lines[2]).toMatch(
      /^ {2}What was signed has \d+ bytes fewer; the first difference is at byte 1 of \d+ \(a newline\)\.$/,
    );
    expect(lines[3]).toMatch(/parsed it and written it again/);
    expect(lines[4]).toMatch(/^ {2}→ .*captureRawBody/);
  });

  it('should end with 1 for a signature that is right but stale', async () => {
    const { code, stdout } = await verify(rawRequest({ timestampSeconds: NOW - 828 }));
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^✗ The signature is right, but a receiver refuses the request \(signature\.stale\)\.\n.*14 minutes old/,
    );
  });

  it('should keep to --tolerance and --scheme', async () => {
    const old = rawRequest({ timestampSeconds: NOW - 828 });
    expect((await verify(old, ['--tolerance', '900'])).code).toBe(0);
    const refused = await verify(rawRequest(), ['--scheme', 'body']);
    expect([refused.code, refused.stdout]).toEqual([
      1,
      expect.stringContaining('of a scheme that the receiver does not accept'),
    ]);
  });

  it('should say what helps next when nothing explains the signature', async () => {
    const { code, stdout } = await verify(rawRequest({ secret: 'another' }));
    expect(code).toBe(1);
    expect(stdout).toMatch(/^✗ The signature does not match, and \d{4,} combinations of changes do not explain it\.\n/);
    expect(stdout).toMatch(/body {6}\d+ bytes, no newline at its end, SHA-256 [\da-f]{64}\n/);
    expect(stdout).toContain('kiket-express send');
  });

  it('should name what the request shows when no HMAC can be tried', async () => {
    const { code, stdout } = await verify(`POST / HTTP/1.1\nX-Kiket-Signature: abc\n\n{}`);
    expect(code).toBe(1);
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      '✗ The signature does not match.',
      '  The signature has 3 hex digits: it may be cut.',
    ]);
    expect(stdout).toContain('\n  seen      The body is {}.\n');
  });

  it('should take other variables of Kiket for a mistake', async () => {
    const options = { env: { ...env, KIKET_API_KEY: 'ext_live_1' } };
    const { stdout } = await verify(rawRequest({ secret: 'ext_live_1' }), [], options);
    expect(stdout).toContain('It does match if the secret is that of KIKET_API_KEY');
  });

  it('should print neither secret nor signature, except the right one with --show-expected', async () => {
    const request = rawRequest({ secret: Buffer.from(`${SECRET}\n`) });
    const right = signDelivery(PAYLOAD, { secret: SECRET, timestampSeconds: NOW }).headers['X-Kiket-Signature']!;
    const sent = /X-Kiket-Signature: (\w+)/.exec(request)![1]!;
    for (const args of [[], ['--all'], ['--json'], ['--json', '--all']]) {
      const { stdout } = await verify(request, args);
      expect(stdout).toContain('the secret has a newline at its end');
      for (const hidden of [SECRET, right, sent]) expect(stdout).not.toContain(hidden);
    }
    const { stdout } = await verify(request, ['--show-expected']);
    expect(stdout).toContain(right);
    expect(stdout).not.toContain(SECRET);
  });

  it('should write one JSON document with --json', async () => {
    const { code, stdout } = await verify(rawRequest({ received: `${JSON.stringify(PAYLOAD)}\n` }), ['--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      command: 'verify',
      isComplete: true,
      common: [],
      requests: [
        {
          method: 'POST',
          url: '/kiket',
          secret: 'KIKET_WEBHOOK_SECRET',
          verdict: 'explained',
          code: 'signature.mismatch',
          causes: [{ id: 'body-newlines', condition: 'the body is without the newline at its end' }],
          difference: { bytes: -1 },
        },
      ],
    });
  });

  it('should read standard input, and headers and body in parts', async () => {
    const at = ['--at', String(NOW)];
    expect((await cli(['verify', '-', ...at], { env, stdin: rawRequest() })).code).toBe(0);
    const { headers, body } = signDelivery(PAYLOAD, { secret: SECRET, timestampSeconds: NOW });
    const lines = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
    expect((await cli(['verify', ...lines, '--body', '-', ...at], { env, stdin: body })).code).toBe(0);
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'body.json'), body);
    writeFileSync(join(cwd, 'secret.txt'), `${SECRET}\n`);
    const files = ['--body', 'body.json', '--secret-file', 'secret.txt'];
    const { code, stderr } = await cli(['verify', ...lines, ...files, ...at], { cwd });
    expect([code, stderr]).toEqual([0, 'secret.txt: the newline at the end is not part of the secret\n']);
  });

  it.each<[string, readonly string[], CliOptions, number, RegExp]>([
    ['no request', [], { env }, 2, /a captured request is missing/],
    ['a file and parts', ['a', '--body', 'b'], { env }, 2, /but not both/],
    [
      'a header without a colon',
      ['--header', 'X-Kiket-Signature', '--body', '-'],
      { env },
      2,
      /must have the form 'Name: value'/,
    ],
    ['headers without a body', ['--header', 'a: b'], { env }, 2, /a captured request is missing/],
    ['no secret', ['-'], { stdin: rawRequest() }, 2, /no secret to verify with: set KIKET_WEBHOOK_SECRET/],
    [
      'a secret with white space',
      ['-'],
      { env: { KIKET_WEBHOOK_SECRET: 'a ' }, stdin: rawRequest() },
      2,
      /white space/,
    ],
    ['two uses of standard input', ['-', '--secret', '-'], { env }, 2, /request or the secret, but not both/],
    ['a missing file', ['missing.http'], { env }, 3, /missing\.http cannot be read: ENOENT/],
    [
      'another file',
      ['-'],
      { env, stdin: 'hello' },
      3,
      /^error: - is not a capture in a format that is known here:\n {2}it is not /,
    ],
    ['a wrong time', ['-', '--at', 'soon'], { env }, 2, /seconds since 1970/],
    ['an unknown option', ['-', '--tolerence', '3'], { env }, 2, /Did you mean --tolerance/],
  ])('should refuse %s', async (_name, args, options, code, message) => {
    const result = await cli(['verify', ...args], options);
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toMatch(message);
  });

  it('should show two examples in its help', async () => {
    const { code, stdout } = await cli(['verify', '--help']);
    expect(code).toBe(0);
    expect(stdout.split('Examples:\n')[1]!.trim().split('\n')).toHaveLength(2);
  });
});
