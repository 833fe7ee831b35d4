import { gzipSync } from 'node:zlib';
import { isObject } from '../guards';
import { withHeader, withoutHeader, headerOf, type OutgoingRequest, type Transfer } from './http-message';
import { signedRequest, type SigningPlan } from './sign';

/** A delivery before it is signed. */
export interface UnsignedDelivery {
  /** The target. */
  readonly url: string;
  /** The bytes of the payload. */
  readonly body: Buffer;
  /** How it is signed. */
  readonly plan: SigningPlan;
}

/** A way in which deliveries go wrong, or are forged. */
export interface Tampering {
  /** As an option of the command line: `body-byte`. */
  readonly name: string;
  /** The sender or the fault that it imitates, in one phrase. */
  readonly imitates: string;
  /**
   * Returns the requests to send.
   *
   * @throws {RangeError} when the delivery lacks what is tampered with: a signature, a signed timestamp, or a body that is JSON.
   */
  readonly apply: (delivery: UnsignedDelivery) => readonly OutgoingRequest[];
}

type Change = (request: OutgoingRequest, delivery: UnsignedDelivery) => OutgoingRequest;

/** Signs, then changes the request. */
function afterSigning(name: string, imitates: string, change: Change): Tampering {
  return { name, imitates, apply: (delivery) => [change(signed(delivery), delivery)] };
}

/** Changes the plan or the body, then signs. */
function beforeSigning(
  name: string,
  imitates: string,
  change: (delivery: UnsignedDelivery) => { readonly plan?: Partial<SigningPlan>; readonly body?: Buffer },
): Tampering {
  return {
    name,
    imitates,
    apply: (delivery) => {
      const { plan, body } = change(delivery);
      return [signed({ ...delivery, body: body ?? delivery.body, plan: { ...delivery.plan, ...plan } })];
    },
  };
}

const signed = ({ url, body, plan }: UnsignedDelivery): OutgoingRequest => signedRequest(url, body, plan);

const SIGNATURE = 'X-Kiket-Signature';
const TIMESTAMP = 'X-Kiket-Timestamp';

/** Replaces the signature by what `change` makes of its 64 digits. */
function withSignature(name: string, imitates: string, change: (digits: string) => string): Tampering {
  return afterSigning(name, imitates, (request) => {
    const digits = signatureIn(request).replace('sha256=', '');
    return { ...request, headers: withHeader(request.headers, SIGNATURE, change(digits)) };
  });
}

function signatureIn({ headers }: OutgoingRequest): string {
  const signature = headerOf(headers, SIGNATURE);
  if (signature === undefined) throw new RangeError('there is no delivery secret to sign with');
  return signature;
}

/** Signs at another time. */
function signedAt(name: string, imitates: string, change: (timestampSeconds: number) => number): Tampering {
  return beforeSigning(name, imitates, ({ plan }) => {
    requireTimestamp(plan);
    return { plan: { timestampSeconds: change(plan.timestampSeconds) } };
  });
}

/** @throws {RangeError} unless the signature covers a timestamp. */
function requireTimestamp({ secret, scheme }: SigningPlan): void {
  if (secret === undefined) throw new RangeError('there is no delivery secret to sign with');
  if (scheme !== 'timestamped') throw new RangeError('the scheme "body" signs no timestamp');
}

function sentAs(name: string, imitates: string, transfer: (body: Buffer) => Transfer): Tampering {
  return afterSigning(name, imitates, (request) => ({ ...request, transfer: transfer(request.body) }));
}

function withBody(name: string, imitates: string, change: (body: Buffer) => Buffer): Tampering {
  return afterSigning(name, imitates, (request) => ({ ...request, body: change(request.body) }));
}

const TEN_MINUTES = 600;

/** @throws {RangeError} */
function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (cause) {
    throw new RangeError('its body is not JSON', { cause });
  }
}

/** Signs the compact JSON of a body that is sent with indents. */
function reserialised({ url, body, plan }: UnsignedDelivery): OutgoingRequest {
  const payload = jsonIn(body);
  const request = signedRequest(url, Buffer.from(JSON.stringify(payload)), plan);
  return { ...request, body: Buffer.from(JSON.stringify(payload, null, 2)) };
}

/** Flips a letter in the middle, so that the body stays JSON where it can. */
function withOtherByte(body: Buffer): Buffer {
  const changed = Buffer.from(body);
  const middle = changed.length >> 1;
  const letter = changed.findIndex(
    (byte, i) => i >= middle && ((byte >= 0x30 && byte <= 0x38) || (byte >= 0x61 && byte <= 0x79)),
  );
  const at = letter === -1 ? middle : letter;
  if (changed.length > 0) changed[at] = changed[at]! + 1;
  return changed;
}

/** Adds a member whose name is one byte of Latin-1. */
function inLatin1(body: Buffer): Buffer {
  const payload = jsonIn(body);
  const text = JSON.stringify(isObject(payload) ? { ...payload, '\u00E9': 1 } : [payload, '\u00E9']);
  return Buffer.from(text, 'latin1');
}

/** All of them. The command line, the local Kiket and the conformance cases use this list. */
export const TAMPERINGS: readonly Tampering[] = [
  afterSigning('no-signature', 'a sender that does not sign', (request) => ({
    ...request,
    headers: withoutHeader(withoutHeader(request.headers, SIGNATURE), TIMESTAMP),
  })),
  beforeSigning('wrong-secret', 'a sender with the secret of another extension', () => ({
    plan: { secret: 'whsec_of_another_extension' },
  })),
  beforeSigning('empty-secret', 'a forger who hopes that the secret is not set', () => ({ plan: { secret: '' } })),
  beforeSigning('undefined-secret', 'a forger who hopes that an unset variable was turned into a string', () => ({
    plan: { secret: 'undefined' },
  })),
  withBody('body-byte', 'a body that was changed on the way', withOtherByte),
  withBody('body-truncated', 'a body that a limit has cut', (body) => body.subarray(0, body.length >> 1)),
  {
    name: 'reserialised',
    imitates: 'a sender that signs the JSON in another form than the one it sends',
    apply: (delivery) => [reserialised(delivery)],
  },
  withSignature('signature-short', 'a signature of which the last digit is missing', (digits) => digits.slice(0, -1)),
  withSignature('signature-prefix8', 'a forger who has guessed the first eight digits', (digits) => digits.slice(0, 8)),
  withSignature('signature-not-hex', 'a signature that is not hexadecimal', (digits) => `${digits.slice(0, -2)}zz`),
  withSignature('signature-base64', 'a sender that writes the signature in base64', (digits) =>
    Buffer.from(digits, 'hex').toString('base64'),
  ),
  afterSigning('signature-repeated', 'a proxy that sends the header twice', (request) => ({
    ...request,
    headers: [...request.headers, [SIGNATURE, signatureIn(request)]],
  })),
  // Node accepts 16 KB of headers by default, which is the receiver's own limit to choose.
  withSignature('signature-64kb', 'a forger who sends a header of 64 KB', (digits) => digits.padEnd(65_536, '0')),
  signedAt('stale', 'a captured delivery, sent again after 10 minutes', (seconds) => seconds - TEN_MINUTES),
  signedAt('future', 'a sender whose clock is 10 minutes ahead', (seconds) => seconds + TEN_MINUTES),
  signedAt('timestamp-ms', 'a sender that counts in milliseconds', (seconds) => seconds * 1000),
  afterSigning('timestamp-text', 'a timestamp that is not a number', (request, { plan }) => {
    requireTimestamp(plan);
    return { ...request, headers: withHeader(request.headers, TIMESTAMP, 'yesterday') };
  }),
  afterSigning('timestamp-dropped', 'a proxy that removes the timestamp', (request, { plan }) => {
    requireTimestamp(plan);
    return { ...request, headers: withoutHeader(request.headers, TIMESTAMP) };
  }),
  afterSigning('timestamp-in-body', 'a forger who moves the timestamp into the body', (request, { plan }) => {
    requireTimestamp(plan);
    return {
      ...request,
      headers: withoutHeader(request.headers, TIMESTAMP),
      body: Buffer.concat([Buffer.from(`${plan.timestampSeconds}.`), request.body]),
    };
  }),
  beforeSigning('bom', 'a sender that begins the body with a byte order mark', ({ body }) => ({
    body: Buffer.concat([Buffer.from('\uFEFF'), body]),
  })),
  beforeSigning('newline', 'a sender that ends the body with a newline', ({ body }) => ({
    body: Buffer.concat([body, Buffer.from('\n')]),
  })),
  beforeSigning('crlf', 'a sender that ends lines with CR and LF', ({ body }) => ({
    body: Buffer.from(JSON.stringify(jsonIn(body), null, 2).replaceAll('\n', '\r\n')),
  })),
  beforeSigning('utf8-broken', 'a sender with another encoding than UTF-8', ({ body }) => ({ body: inLatin1(body) })),
  afterSigning('event-header-conflict', 'a captured delivery, sent again as another event', (request) => ({
    ...request,
    headers: withHeader(request.headers, 'X-Kiket-Event', 'extension.installation'),
  })),
  afterSigning('version-conflict', 'a captured delivery, sent again as another version', (request) => ({
    ...request,
    headers: withHeader(request.headers, 'X-Kiket-Event-Version', 'v99'),
  })),
  afterSigning('organization-changed', 'a captured delivery, sent again for another organization', (request) => ({
    ...request,
    headers: withHeader(request.headers, 'X-Kiket-Organization', '990099'),
  })),
  sentAs('content-length-more', 'a sender whose connection breaks off', (body) => ({
    declaredLength: body.length + 10,
    leavesEarly: true,
  })),
  sentAs('chunked', 'a sender that does not know the length in advance', () => ({ isChunked: true })),
  sentAs('slow', 'a slow connection: the body takes 2 seconds', () => ({ overMs: 2000 })),
  afterSigning('gzip', 'a proxy that compresses the body', (request) => ({
    ...request,
    headers: withHeader(request.headers, 'Content-Encoding', 'gzip'),
    body: gzipSync(request.body),
  })),
  sentAs('disconnect-before-answer', 'a sender that does not wait for the response', () => ({ leavesEarly: true })),
  {
    name: 'duplicate',
    imitates: 'a delivery whose response was lost, sent again',
    apply: (delivery) => [signed(delivery), signed(delivery)],
  },
  beforeSigning('not-json', 'a sender of another format', () => ({ body: Buffer.from('event=issue.created') })),
  beforeSigning('empty', 'a sender that has lost the body', () => ({ body: Buffer.alloc(0) })),
];

/** Returns the tampering of a name. */
export function findTampering(name: string): Tampering | undefined {
  return TAMPERINGS.find((each) => each.name === name);
}
