import { isUtf8 } from 'node:buffer';
import { macInShell } from '../captures/print-request';
import { secretsIn } from '../captures/redact';
import { headerOf, type OutgoingRequest } from '../sending/http-message';
import { signatureOf } from '../sending/sign';
import type { Exchange } from './exchange';
import type { CheckSession } from './session';

/** In bytes. A longer body is left out. */
const LONGEST_BODY = 2048;

const MASK = '********';

const ADDED = /^(?:x-kiket-signature|x-kiket-timestamp|accept)$/i;

/**
 * Returns a command that sends the same, for a POSIX shell. The delivery secret is `$KIKET_WEBHOOK_SECRET`; a signature that is not
 * the right one is `$SIGNATURE`. Secrets and the runtime token of the payload are masked, and further headers of the settings.
 */
export function curlOf({ request, attempt: _attempt }: Exchange, { settings, form }: CheckSession): string {
  const { method, url, headers, body } = request;
  const signature = headerOf(headers, 'X-Kiket-Signature');
  const timestamp = headerOf(headers, 'X-Kiket-Timestamp');
  const isLong = body.length > LONGEST_BODY;
  const parts: string[] = [];
  const isRight =
    signature !== undefined &&
    settings.deliverySecrets.some((secret) => isSignature(secret, signature, timestamp, body));
  if (!isLong) parts.push(`body=${quoted(masked(request, settings.secrets))};`);
  if (timestamp !== undefined) parts.push(isRight ? 'ts=$(date +%s);' : `ts=${quoted(Buffer.from(timestamp))};`);
  parts.push(`curl -i -X ${method} ${quoted(Buffer.from(url))}`);
  for (const [name, value] of headers) {
    if (ADDED.test(name)) continue;
    // Those of a manifest often have credentials.
    const shown = Object.values(settings.headers).includes(value) ? MASK : value;
    parts.push(`-H ${quoted(Buffer.from(`${name}: ${shown}`))}`);
  }
  if (timestamp !== undefined) parts.push('-H "X-Kiket-Timestamp: $ts"');
  if (isRight && !isLong) {
    parts.push(`-H "X-Kiket-Signature: ${form.prefix}${macInShell(timestamp !== undefined)}"`);
  } else if (signature !== undefined) parts.push('-H "X-Kiket-Signature: $SIGNATURE"');
  if (body.length > 0)
    parts.push(isLong ? `--data-binary @body.json  # ${body.length} bytes` : '--data-binary "$body"');
  return parts.join(' ');
}

function isSignature(secret: string, value: string, timestamp: string | undefined, body: Buffer): boolean {
  const scheme = timestamp === undefined ? 'body' : 'timestamped';
  const right = signatureOf(secret, body, { scheme, prefix: '', timestampSeconds: Number(timestamp) }).at(-1)![1];
  // The comparison is with what this process has sent itself.
  return value.replace('sha256=', '').toLowerCase() === right;
}

/** In characters. A shorter value of a payload occurs elsewhere by chance. */
const SHORTEST = 6;

function masked({ headers, body }: OutgoingRequest, secrets: Readonly<Record<string, string>>): Buffer {
  const ofPayload = secretsIn({ headers, body }).filter(({ length }) => length >= SHORTEST);
  // One byte, one character: a body that is not UTF-8 has secrets, too.
  let text = body.toString('latin1');
  for (const value of [...Object.values(secrets), ...ofPayload]) {
    const form = Buffer.from(JSON.stringify(value).slice(1, -1)).toString('latin1');
    if (form !== '') text = text.replaceAll(form, MASK);
  }
  return Buffer.from(text, 'latin1');
}

/** Quotes for a shell: as it is where it can be read, else with escapes that bash and zsh know. */
function quoted(bytes: Buffer): string {
  const text = bytes.toString();
  // eslint-disable-next-line no-control-regex -- Control characters are what the escapes are for.
  if (isUtf8(bytes) && !/[\u0000-\u001f\u007f\ufeff]/.test(text)) return `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const escaped = [...bytes].map((byte) => {
    if (byte === 0x0a) return String.raw`\n`;
    if (byte === 0x0d) return String.raw`\r`;
    if (byte === 0x27 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return `$'${escaped.join('')}'`;
}
