import { createHash, createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { AdviceId } from '../../../lib/explain/advice';
import { explainRequest, type ExplainSettings, type ReceivedRequest } from '../../../lib/explain/explain';
import type { HeaderLine } from '../../../lib/sending/http-message';

export const SECRET = 'kiket-é-"secret"';
export const NOW = 1_764_500_000;
export const TIMESTAMP = String(NOW - 12);
export const INVOCATION = 'inv-3f6b0c';

/** Contains what languages write differently. */
export const PAYLOAD = {
  event: 'issue.created',
  zebra: 1,
  issue: { id: 4231, title: 'Prüfung <a href="/x"> & \'b\' = 2', tags: ['a', 'b'], empty: [], nothing: {} },
  authentication: { token_type: 'runtime', runtime_token: 'rt_0123456789' },
  secrets: { CRM: 'crm-key-1' },
};

/** Compact JSON, as JSON.stringify writes it. */
export const BODY = JSON.stringify(PAYLOAD);

/** A delivery before it is signed and sent, of which every part may deviate. */
export interface Making {
  /** The key. */
  secret: Buffer | string;
  /** The body that is signed. */
  signed: Buffer | string;
  /** The body that is received. */
  received: Buffer | string;
  /** Returns the text that is signed. */
  text: (body: Buffer) => Buffer;
  /** Returns the digest. */
  digest: (key: Buffer, text: Buffer) => Buffer;
  /** Returns the header. */
  encode: (digest: Buffer) => string;
  /** The header `X-Kiket-Timestamp`; `undefined` for none. */
  timestamp: string | undefined;
  /** More headers. */
  headers: HeaderLine[];
  /** What the receiver knows. */
  known: Buffer | string;
  /** More secrets of the user. */
  others: Record<string, string>;
  /** The name of the signature. */
  signatureName: string;
}

const bytes = (value: Buffer | string): Buffer => (typeof value === 'string' ? Buffer.from(value) : value);
const before = (prefix: string) => (body: Buffer) => Buffer.concat([Buffer.from(prefix), body]);

/** Returns the parts of a valid delivery. */
export function validMaking(): Making {
  return {
    secret: SECRET,
    signed: BODY,
    received: BODY,
    text: before(`${TIMESTAMP}.`),
    digest: (key, text) => createHmac('sha256', key).update(text).digest(),
    encode: (digest) => digest.toString('hex'),
    timestamp: TIMESTAMP,
    headers: [
      ['Host', 'localhost:3000'],
      ['X-Kiket-Invocation', INVOCATION],
    ],
    known: SECRET,
    others: {},
    signatureName: 'X-Kiket-Signature',
  };
}

/** Signs and sends. */
export function made(making: Making): ReceivedRequest {
  const text = making.text(bytes(making.signed));
  const signature = making.encode(making.digest(bytes(making.secret), text));
  const headers: HeaderLine[] = [...making.headers];
  if (making.timestamp !== undefined) headers.push(['X-Kiket-Timestamp', making.timestamp]);
  headers.push([making.signatureName, signature]);
  return { method: 'POST', url: '/kiket?x=1', headers, body: bytes(making.received) };
}

/** Explains as the command does. */
export function explain(request: ReceivedRequest, making: Making, more: Partial<ExplainSettings> = {}) {
  return explainRequest(request, {
    secrets: [{ value: bytes(making.known), source: 'KIKET_WEBHOOK_SECRET' }],
    others: Object.entries(making.others).map(([source, value]) => ({ source, value: Buffer.from(value) })),
    signatureSchemes: ['body', 'timestamped'],
    toleranceSeconds: 300,
    nowSeconds: NOW,
    isAll: false,
    showsExpected: false,
    ...more,
  });
}

export type Part = 'secret' | 'body' | 'text' | 'digest' | 'encoding';

/** A deviation, and the cause that must be named first. */
export interface Row {
  readonly name: string;
  readonly id: AdviceId;
  readonly part: Part;
  readonly change: (making: Making) => void;
}

const row = (id: AdviceId, part: Part, name: string, change: (making: Making) => void): Row => ({
  id,
  part,
  name,
  change,
});

const secret = (id: AdviceId, name: string, key: Buffer | string, known = SECRET): Row =>
  row(id, 'secret', name, (making) => {
    making.secret = key;
    making.known = known;
  });

/** The signed body is made of the received one, which may itself be another one than BODY. */
const body = (id: AdviceId, name: string, signed: Buffer | string, received: Buffer | string = BODY): Row =>
  row(id, 'body', name, (making) => {
    making.signed = signed;
    making.received = received;
  });

const text = (id: AdviceId, name: string, formula: (body: Buffer) => Buffer, more: Partial<Making> = {}): Row =>
  row(id, 'text', name, (making) => void Object.assign(making, { text: formula, ...more }));

const digest = (name: string, compute: Making['digest']): Row =>
  row('digest-algorithm', 'digest', name, (making) => void (making.digest = compute));

const encoding = (name: string, encode: Making['encode'], id: AdviceId = 'signature-encoding'): Row =>
  row(id, 'encoding', name, (making) => void (making.encode = encode));

const utf8 = (value: string): Buffer => Buffer.from(value);
const concat = (...parts: (Buffer | string)[]): Buffer => Buffer.concat(parts.map(bytes));
const PRETTY = JSON.stringify(PAYLOAD, null, 2);
const SPECIAL = '{"a":1.0,"b":"\\u00e9\\/x","n":[12345678901234567890]}';
const ascii = (value: string): string =>
  value.replace(/[\u0080-\uffff]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
const spaced = (value: string): string =>
  value.replace(
    /("(?:[^"\\]|\\.)*")|([,:])/g,
    (_all, quoted: string | undefined, mark: string) => quoted ?? `${mark} `,
  );
const sha256 = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
const LONG = JSON.stringify({ event: 'issue.created', text: 'x'.repeat(3000) });
const NFD = 'geheim-e\u0301-1';

/** What `python3 -c 'json.dumps(…)'`, PHP, Go and Jackson write of PAYLOAD. */
const PYTHON = spaced(ascii(BODY));
const PHP = ascii(BODY).replaceAll('/', '\\/');
const GO = BODY.replace(/[<>&]/g, (each) => `\\u00${each.charCodeAt(0).toString(16)}`);
const JACKSON =
  '{\n  "event" : "issue.created",\n  "zebra" : 1,\n  "issue" : {\n    "id" : 4231,\n    "title" : "Prüfung <a href=\\"/x\\"> & \'b\' = 2",\n' +
  '    "tags" : [ "a", "b" ],\n    "empty" : [ ],\n    "nothing" : { }\n  },\n  "authentication" : {\n    "token_type" : "runtime",\n' +
  '    "runtime_token" : "rt_0123456789"\n  },\n  "secrets" : {\n    "CRM" : "crm-key-1"\n  }\n}';
const SORTED =
  '{"authentication":{"runtime_token":"rt_0123456789","token_type":"runtime"},"event":"issue.created",' +
  '"issue":{"empty":[],"id":4231,"nothing":{},"tags":["a","b"],"title":"Prüfung <a href=\\"/x\\"> & \'b\' = 2"},' +
  '"secrets":{"CRM":"crm-key-1"},"zebra":1}';

/** By the rows of what `verify` tries. */
export const ROWS: readonly Row[] = [
  text('other-scheme', 'the body alone, with a timestamp', (signed) => signed),
  text('timestamp-lost', 'a timestamp that a proxy removed', before(`${TIMESTAMP}.`), { timestamp: undefined }),

  secret('secret-white-space', 'a newline', `${SECRET}\n`),
  secret('secret-white-space', 'CR and LF', `${SECRET}\r\n`),
  secret('secret-white-space', 'a blank at the start', ` ${SECRET}`),
  row('secret-white-space', 'secret', 'trimmed', (making) => void (making.known = Buffer.from(`${SECRET}\n`))),
  secret('secret-quoted', 'double quotes', `"${SECRET}"`),
  secret('secret-quoted', 'single quotes', `'${SECRET}'`),
  secret('secret-quoted', 'escaped as JSON', JSON.stringify(SECRET).slice(1, -1)),
  secret('secret-quoted', 'URL-encoded', encodeURIComponent(SECRET)),
  secret('secret-quoted', 'cut by a comment', 'abc', 'abc#def'),
  secret('secret-quoted', 'a variable of the shell', 'abc-x', 'abc$HOME-x'),
  secret('secret-reference', 'env.NAME', 'env.KIKET_WEBHOOK_SECRET'),
  secret('secret-reference', '${NAME}', '${KIKET_WEBHOOK_SECRET}'),
  secret('secret-unset', 'empty', ''),
  secret('secret-unset', 'undefined', 'undefined'),
  secret('secret-unset', 'changeme', 'changeme'),
  secret('secret-unset', 'the name of the variable', 'KIKET_WEBHOOK_SECRET'),
  secret('secret-encoded', 'decoded from base64', Buffer.from('c2VjcmV0LWtleQ==', 'base64'), 'c2VjcmV0LWtleQ=='),
  secret('secret-encoded', 'decoded from hex', Buffer.from('00ff10a5', 'hex'), '00ff10a5'),
  secret('secret-encoded', 'encoded as base64', utf8(SECRET).toString('base64')),
  secret('secret-encoded', 'encoded as hex', utf8(SECRET).toString('hex')),
  secret(
    'secret-encoded',
    'a prefix, and decoded',
    Buffer.from('c2VjcmV0LWtleQ==', 'base64'),
    'whsec_c2VjcmV0LWtleQ==',
  ),
  secret('secret-encoded', 'a prefix less', 'abcdef', 'sk_abcdef'),
  secret('secret-encoded', 'a prefix more', `whsec_${SECRET}`),
  secret('secret-characters', 'latin-1', Buffer.from(SECRET, 'latin1')),
  secret('secret-characters', 'Unicode form C', NFD.normalize('NFC'), NFD),
  secret('secret-characters', 'Unicode form D', NFD, NFD.normalize('NFC')),
  row('secret-other', 'secret', 'the API key', (making) => {
    making.secret = 'ext_live_1';
    making.others = { KIKET_API_KEY: 'ext_live_1' };
  }),
  secret('secret-other', 'the runtime token', PAYLOAD.authentication.runtime_token),

  body('body-reserialised', 'the compact form of pretty JSON', BODY, PRETTY),
  body('body-reserialised', 'the form of JavaScript', JSON.stringify(JSON.parse(SPECIAL)), SPECIAL),
  body('body-layout', 'indented by 2', PRETTY),
  body('body-layout', 'indented by 4', JSON.stringify(PAYLOAD, null, 4)),
  body('body-layout', 'indented by tabs', JSON.stringify(PAYLOAD, null, '\t')),
  body('body-layout', 'indented, with a newline', `${PRETTY}\n`),
  body('body-layout', 'without white space', SPECIAL, SPECIAL.replaceAll(',', ', ')),
  body('body-language', 'Python', PYTHON),
  body('body-language', 'PHP', PHP),
  body('body-language', 'Go', GO),
  body('body-language', 'Go, with a newline', `${GO}\n`),
  body('body-language', 'Jackson', JACKSON),
  body('body-language', 'names in order', SORTED),
  body('body-language', 'Python, of pretty JSON', PYTHON, PRETTY),
  body('body-escapes', 'slashes escaped', BODY.replaceAll('/', '\\/')),
  body('body-escapes', 'slashes not escaped', ` ${BODY}`, ` ${BODY}`.replaceAll('/', '\\/')),
  body('body-escapes', 'characters escaped', ascii(BODY)),
  body('body-escapes', 'characters not escaped', ` ${BODY}`, ` ${ascii(BODY)}`),
  body('body-numbers', 'as JavaScript writes them', '{ "a": 1, "b": 1000 }', '{ "a": 1.0, "b": 1e3 }'),
  body('body-bom', 'with', `\uFEFF${BODY}`),
  body('body-bom', 'without', BODY, `\uFEFF${BODY}`),
  body('body-newlines', 'with', `${BODY}\n`),
  body('body-newlines', 'without', BODY, `${BODY}\n`),
  body('body-newlines', 'LF', PRETTY, PRETTY.replaceAll('\n', '\r\n')),
  body('body-newlines', 'CRLF', PRETTY.replaceAll('\n', '\r\n'), PRETTY),
  body('body-trimmed', 'trimmed', PRETTY, ` \n${PRETTY} \n`),
  body('body-characters', 'read as latin-1', utf8(BODY).toString('latin1')),
  body('body-characters', 'written as latin-1', Buffer.from(BODY, 'latin1')),
  body(
    'body-characters',
    'U+FFFD for invalid bytes',
    Buffer.from(BODY, 'latin1').toString(),
    Buffer.from(BODY, 'latin1'),
  ),
  body('body-compressed', 'decompressed', BODY, gzipSync(BODY)),
  body('body-compressed', 'compressed', gzipSync(BODY)),
  body('body-base64', 'decoded', BODY, utf8(BODY).toString('base64')),
  body('body-base64', 'encoded', utf8(BODY).toString('base64')),
  body('body-json-string', 'serialised twice', JSON.stringify(BODY)),
  body('body-json-string', 'the content', BODY, JSON.stringify(BODY)),
  body('body-form', 'a field', BODY, `payload=${encodeURIComponent(BODY)}`),
  body('body-form', 'encoded', encodeURIComponent(BODY)),
  body('body-form', '+ for blanks', '{"event":"a b c"}', '{"event":"a+b+c"}'),
  body('body-chunked', 'sizes left in', BODY, concat(`${utf8(BODY).length.toString(16)}\r\n`, BODY, '\r\n0\r\n\r\n')),
  body('body-empty', 'empty', ''),
  body('body-injected', 'without secrets', JSON.stringify({ ...PAYLOAD, secrets: undefined })),
  body('body-injected', 'without authentication', JSON.stringify({ ...PAYLOAD, authentication: undefined })),
  body('body-injected', 'masked', JSON.stringify({ ...PAYLOAD, secrets: { CRM: '********' } })),
  body('body-cut', '1 KB', LONG.slice(0, 1024), LONG),

  text('text-formula', 'no dot', before(TIMESTAMP)),
  text('text-formula', 'a colon', before(`${TIMESTAMP}:`)),
  text('text-formula', 'Slack', before(`v0:${TIMESTAMP}:`)),
  text('text-formula', 'Svix', before(`${INVOCATION}.${TIMESTAMP}.`)),
  text('text-formula', 'after the body', (signed) => concat(signed, `.${TIMESTAMP}`)),
  text('text-formula', 'milliseconds', before(`${TIMESTAMP}000.`)),
  text('text-formula', 'ISO 8601', before(`${new Date(Number(TIMESTAMP) * 1000).toISOString()}.`)),
  text('text-formula', 'another header', before('1764400000.'), {
    headers: [['X-Request-Timestamp', '1764400000']],
  }),
  text('text-formula', 'ISO 8601 is sent, seconds are signed', before(`${TIMESTAMP}.`), {
    timestamp: new Date(Number(TIMESTAMP) * 1000).toISOString(),
  }),
  text('text-formula', 'the hash of the body', (signed) => utf8(`${TIMESTAMP}.${sha256(signed).toString('hex')}`)),
  text('text-request', 'method and path', before('POST/kiket?x=1')),
  text('text-request', 'the URL', before('https://localhost:3000/kiket?x=1')),
  text('text-request', 'timestamp, method and path', before(`${TIMESTAMP}POST/kiket?x=1`)),

  digest('HMAC-SHA1', (key, signed) => createHmac('sha1', key).update(signed).digest()),
  digest('HMAC-SHA512', (key, signed) => createHmac('sha512', key).update(signed).digest()),
  digest('SHA-256 without a key', (_key, signed) => sha256(signed)),
  digest('SHA-256 of secret and text', (key, signed) => sha256(key, signed)),
  digest('SHA-256 of text and secret', (key, signed) => sha256(signed, key)),
  digest('key and text exchanged', (key, signed) => createHmac('sha256', signed).update(key).digest()),

  encoding('base64', (mac) => mac.toString('base64')),
  encoding('base64url', (mac) => mac.toString('base64url')),
  encoding('hex of hex', (mac) => utf8(mac.toString('hex')).toString('hex')),
  encoding('base64 of hex', (mac) => utf8(mac.toString('hex')).toString('base64')),
  encoding('cut', (mac) => mac.toString('hex').slice(0, 40)),
  encoding('quoted', (mac) => `"${mac.toString('hex')}"`),
  encoding('as by Stripe', (mac) => `t=${TIMESTAMP},v1=${mac.toString('hex')}`),
  encoding('as by Standard Webhooks', (mac) => `v1,${mac.toString('base64')}`),
  encoding('with another', (mac) => `${'0'.repeat(64)}, ${mac.toString('hex')}`, 'signature-repeated'),
  row(
    'signature-header',
    'encoding',
    'another header',
    (making) => void (making.signatureName = 'X-Hub-Signature-256'),
  ),
];
