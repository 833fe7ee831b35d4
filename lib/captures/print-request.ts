import { isUtf8 } from 'node:buffer';
import { isObject } from '../guards';
import { unsetAt } from '../sending/edit';
import { headerOf, type HeaderLine, type OutgoingRequest } from '../sending/http-message';
import { payloadOf } from './facts';

/** How a request is printed. */
export const PRINT_FORMS = ['curl', 'http', 'test', 'headers', 'body'] as const;

/** One of {@link PRINT_FORMS}. */
export type PrintForm = (typeof PRINT_FORMS)[number];

/**
 * Returns a request in a form: bytes for the forms in which each byte counts. `test` makes
 * its own signature, and so does `curl` where that of the request is not shown.
 *
 * @throws {RangeError} when the form cannot hold the body.
 */
export function printedRequest(form: PrintForm, request: OutgoingRequest): string | Buffer {
  switch (form) {
    case 'curl':
      return curlOf(request);
    case 'http':
      return httpOf(request);
    case 'test':
      return testOf(request);
    case 'headers':
      return linesOf(request).join('\n');
    case 'body':
      return request.body;
  }
}

function linesOf({ headers }: Pick<OutgoingRequest, 'headers'>): string[] {
  return headers.map(([name, value]) => `${name}: ${value}`);
}

/** A signature in a request that is shown without secrets. */
const HIDDEN_SIGNATURE = /^((?:[a-z\d]+=)?)\{\{signature\}\}$/;

function curlOf(request: OutgoingRequest): string {
  const { method, url, headers, body } = request;
  if (!isUtf8(body) || body.includes(0)) throw new RangeError('curl needs a body that is text; http does not');
  const [, prefix] = HIDDEN_SIGNATURE.exec(headerOf(headers, 'X-Kiket-Signature') ?? '') ?? [];
  const isSignedHere = prefix !== undefined;
  const isTimestamped = isSignedHere && headerOf(headers, 'X-Kiket-Timestamp') !== undefined;
  const lines = headers.map(([name, value]) => {
    const lower = name.toLowerCase();
    if (isTimestamped && lower === 'x-kiket-timestamp') return `"${name}: $ts"`;
    if (isSignedHere && lower === 'x-kiket-signature') {
      return `"${name}: ${prefix}${macInShell(isTimestamped)}"`;
    }
    // For curl, `N:` removes a header.
    return quotedForShell(value === '' ? `${name};` : `${name}: ${value}`);
  });
  return [
    ...(isSignedHere ? [`body=${quotedForShell(body.toString())}`] : []),
    ...(isTimestamped ? ['ts=$(date +%s)'] : []),
    [
      `curl --request ${method} ${quotedForShell(url)}`,
      ...lines.map((line) => `  --header ${line}`),
      `  --data-raw ${isSignedHere ? '"$body"' : quotedForShell(body.toString())}`,
    ].join(' \\\n'),
  ].join('\n');
}

/** Returns what a POSIX shell replaces by the HMAC of `$body`, or of `$ts.$body`. The secret is in the environment. */
export function macInShell(isTimestamped: boolean): string {
  const text = isTimestamped ? '"$ts.$body"' : '"$body"';
  return `$(printf %s ${text} | openssl dgst -sha256 -hmac "$KIKET_WEBHOOK_SECRET" -r | cut -c-64)`;
}

function quotedForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function httpOf(request: OutgoingRequest): Buffer {
  const { host, pathname, search } = new URL(request.url);
  const added: readonly HeaderLine[] = [
    ['Host', host],
    ['Content-Length', String(request.body.length)],
  ];
  const missing = added.filter(([name]) => headerOf(request.headers, name) === undefined);
  const lines = linesOf({ headers: [...missing, ...request.headers] });
  const head = [`${request.method} ${pathname}${search} HTTP/1.1`, ...lines];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), request.body]);
}

/** Names of headers, and the options of signDelivery that send them. */
const OPTIONS: readonly (readonly [header: string, option: string])[] = [
  ['x-kiket-event', 'event'],
  ['x-kiket-event-version', 'eventVersion'],
  ['x-kiket-invocation', 'invocationId'],
  ['x-kiket-project', 'projectId'],
  ['x-kiket-organization', 'organizationId'],
];

/** Secrets and tokens stay out of a test. */
function testOf({ url, headers, body }: OutgoingRequest): string {
  const { pathname, search } = new URL(url);
  const payload = payloadOf(body);
  if (payload === undefined) throw new RangeError('test needs a body that is a JSON object');
  const names = isObject(payload['secrets']) ? Object.keys(payload['secrets']) : [];
  const secrets = Object.fromEntries(names.map((key) => [key, `the ${key}`]));
  const sent = unsetAt({ ...payload, ...(names.length > 0 && { secrets }) }, 'authentication');
  const isTimestamped = headers.some(([name]) => name.toLowerCase() === 'x-kiket-timestamp');
  const options = [
    'secret',
    ...(isTimestamped ? [] : [`scheme: 'body'`]),
    ...headers.flatMap(([name, value]) => {
      const option = OPTIONS.find(([header]) => header === name.toLowerCase())?.[1];
      return option === undefined ? [] : [`${option}: ${JSON.stringify(value)}`];
    }),
  ];
  return [
    `const request = require('supertest');`,
    `const { signDelivery } = require('kiket-express/testing');`,
    `const { app, secret } = require('./app');`,
    '',
    `it('should handle the delivery', async () => {`,
    `  const payload = ${JSON.stringify(sent, null, 2).replaceAll('\n', '\n  ')};`,
    `  const { headers, body } = signDelivery(payload, { ${options.join(', ')} });`,
    `  await request(app).post(${JSON.stringify(pathname + search)}).set(headers).send(body).expect(200);`,
    '});',
  ].join('\n');
}
