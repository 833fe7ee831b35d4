import { createHash, timingSafeEqual } from 'node:crypto';
import {
  NonRetryableError,
  type KiketExternalWebhook,
  type KiketInboundAttachment,
  type KiketInboundEmail,
} from 'kiket-express';

/** An e-mail as Mailjet sends it. In a form, every value is a string. */
type Fields = Readonly<Record<string, unknown>>;

/** True when the third party has sent the token, in its header or in the query of the URL. */
export function hasToken(webhook: Pick<KiketExternalWebhook, 'headers' | 'queryParams'>, token: string): boolean {
  const received = webhook.headers['x-mailjet-token'] ?? webhook.queryParams['token'];
  // timingSafeEqual needs equal lengths, which digests have.
  return typeof received === 'string' && timingSafeEqual(digest(received), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * Returns the e-mail in a webhook of Mailjet, whose body is JSON or a form.
 *
 * @throws {NonRetryableError} when the body is not an e-mail with a sender and a recipient.
 */
export function readEmail({
  body,
  contentType,
}: Pick<KiketExternalWebhook, 'body' | 'contentType'>): KiketInboundEmail {
  const fields = readFields(body, contentType);
  const from = stringIn(fields, 'From') ?? '';
  const [fromEmail] = addressesIn(from);
  const [toEmail] = addressesIn(stringIn(fields, 'To'));
  if (fromEmail === undefined) throw malformedError('From must be an address');
  if (toEmail === undefined) throw malformedError('To must be an address');
  return {
    messageId: stringIn(fields, 'MessageID'),
    inReplyTo: stringIn(fields, 'InReplyTo'),
    references: stringIn(fields, 'References')?.split(/\s+/).filter(Boolean),
    fromEmail,
    fromName: nameIn(from),
    toEmail,
    ccEmails: addressesIn(stringIn(fields, 'Cc')),
    subject: stringIn(fields, 'Subject'),
    textBody: stringIn(fields, 'Text-part'),
    htmlBody: stringIn(fields, 'Html-part'),
    headers: headersIn(fields),
    attachments: attachmentsIn(fields),
    rawPayload: body,
  };
}

function readFields(body: string | undefined, contentType: string | undefined): Fields {
  if (body === undefined) throw malformedError('The body must be a string');
  if (contentType?.startsWith('application/x-www-form-urlencoded')) {
    return Object.fromEntries(new URLSearchParams(body));
  }
  const fields = parseJson(body);
  if (isObject(fields)) return fields;
  throw malformedError('The body must be a form or a JSON object');
}

function malformedError(message: string): NonRetryableError {
  return new NonRetryableError(message, { code: 'email.malformed' });
}

function stringIn(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Returns the addresses in a list such as `"Lovelace, Ada" <ada@example.com>, bob@example.com`. */
function addressesIn(list = ''): string[] {
  const unquoted = list.replace(/"[^"]*"/g, ' ');
  return unquoted.split(/[\s<>,;]+/).filter((part) => part.includes('@'));
}

function nameIn(from: string): string | undefined {
  const name = from.slice(0, Math.max(from.indexOf('<'), 0));
  return name.replaceAll('"', '').trim() || undefined;
}

function headersIn(fields: Fields): object | undefined {
  const headers = structureIn(fields, 'Headers');
  return isObject(headers) ? headers : undefined;
}

function attachmentsIn(fields: Fields): KiketInboundAttachment[] {
  const attachments = structureIn(fields, 'Attachments');
  return Array.isArray(attachments) ? attachments.filter(isObject).map(toAttachment) : [];
}

function toAttachment(attachment: Fields): KiketInboundAttachment {
  const { Size: size } = attachment;
  return {
    filename: stringIn(attachment, 'Filename'),
    contentType: stringIn(attachment, 'ContentType'),
    size: typeof size === 'number' ? size : undefined,
    contentId: stringIn(attachment, 'ContentID'),
  };
}

/** Returns an object or an array. In a form, it is JSON. */
function structureIn(fields: Fields, name: string): unknown {
  const value = fields[name];
  return typeof value === 'string' ? parseJson(value) : value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
