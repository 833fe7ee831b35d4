import type { HeaderLine } from '../sending/http-message';
import { parseMac } from '../signature/hmac';
import type { AdviceId } from './advice';
import { DIGESTS } from './digests';
import type { Deviation } from './form';

/** A meaning that a signature header may have. */
export interface Reading {
  /** Hex digits in lower case. */
  readonly digits: string;
  /** The digits are the beginning of the digest only. */
  readonly isCut: boolean;
  /** Empty for a header as Kiket sends it. */
  readonly deviations: readonly Deviation[];
}

/** The signature of a request. */
export interface SignatureHeader {
  /** The values of X-Kiket-Signature, or of a similar header where it is missing; each is one value of a list. */
  readonly values: readonly string[];
  /** The header that they are in; `undefined` without any. */
  readonly name: string | undefined;
  /** In the order in which they are tried. Only those that a digest can fit. */
  readonly readings: readonly Reading[];
  /** The timestamp within the value, as Stripe sends it. */
  readonly timestamp: string | undefined;
}

const KIKET_HEADER = 'x-kiket-signature';

/** Reads the signature of a request in every way that a sender may have meant. */
export function readSignature(headers: readonly HeaderLine[]): SignatureHeader {
  const own = headers.filter(([name]) => name.toLowerCase() === KIKET_HEADER);
  const found = own.length > 0 ? own : headers.filter(([name]) => /signature|hmac/i.test(name));
  const values = found.flatMap(([, value]) => splitList(value));
  const common: Deviation[] = [];
  if (own.length === 0 && found.length > 0) {
    common.push({ id: 'signature-header', condition: `the header ${found[0]![0]} is taken for it`, weight: 1 });
  }
  if (values.length > 1) {
    common.push({ id: 'signature-repeated', condition: 'one of several signatures is taken', weight: 1 });
  }
  return {
    values,
    name: found[0]?.[0],
    readings: values
      .flatMap(readingsOf)
      .filter((reading) => DIGESTS.some((digest) => isReadable([reading], digest.value.length)))
      .map((reading) => ({ ...reading, deviations: [...common, ...reading.deviations] })),
    timestamp: values.map((value) => /(?:^|,)t=(\d+)/.exec(value)?.[1]).find((each) => each !== undefined),
  };
}

/** Of a list of signatures each. The commas of Stripe (`t=…,v1=…`) and Standard Webhooks (`v1,…`) separate something else. */
function splitList(value: string): string[] {
  if (/(?:^|,)\s*t=\d+/.test(value)) return [value];
  return value
    .split(/(?<!\bv\d+a?),\s*|\s+(?=v\d+a?,)/)
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

const PREFIX = /^(?:(?:hmac-)?(?:sha-?(?:1|256|384|512)|md5)|hmac|signature|v\d+a?|s)[=:, ]\s*/i;

function readingsOf(value: string): Reading[] {
  const mac = parseMac(value);
  const inStripe = /(?:^|,)\s*v\d=([^,]+)/.exec(value)?.[1];
  const unquoted = (inStripe ?? value).replace(/^(["'])(.*)\1$/, '$2');
  const core = unquoted.replace(PREFIX, '');
  const readings = coreReadings(core);
  if (mac !== undefined || core === value) return readings;
  return readings.map((reading) => ({ ...reading, deviations: [withoutSurroundings(reading.deviations)] }));
}

function withoutSurroundings([inner]: readonly Deviation[]): Deviation {
  if (inner === undefined) return encoding('what stands around the signature is left out');
  return { ...inner, condition: `${inner.condition}, and what stands around it is left out` };
}

/** Below, a digest could be met by accident. */
const FEWEST_DIGITS = 8;
const MAC_DIGITS = 64;

function coreReadings(core: string): Reading[] {
  if (/^[\da-f]+$/i.test(core)) return hexReadings(core.toLowerCase());
  if (!/^[\w+/-]+={0,2}$/.test(core)) return [];
  const bytes = Buffer.from(core, 'base64');
  const name = /[-_]/.test(core) ? 'base64url' : 'base64';
  const text = bytes.toString('latin1');
  if (/^[\da-f]{32,}$/i.test(text)) return [read(text.toLowerCase(), `the signature is the ${name} of hex digits`)];
  return [
    read(bytes.toString('hex'), `the signature is ${name} in place of hex`),
    ...cut(bytes.toString('hex'), `the signature is the beginning of the digest, in ${name}`),
  ];
}

function hexReadings(digits: string): Reading[] {
  const readings: Reading[] = [{ digits, isCut: false, deviations: [] }];
  const inner = digits.length % 2 === 0 ? Buffer.from(digits, 'hex').toString('latin1') : '';
  if (/^[\da-f]{32,}$/i.test(inner)) readings.push(read(inner.toLowerCase(), 'the signature is the hex of hex digits'));
  if (digits.length < MAC_DIGITS && digits.length >= MAC_DIGITS - 4) {
    readings.push(read(digits.padStart(MAC_DIGITS, '0'), 'the signature has lost the zeros at its start'));
  }
  return [...readings, ...cut(digits, 'the signature is only the beginning of the digest')];
}

function read(digits: string, condition: string): Reading {
  return { digits, isCut: false, deviations: [encoding(condition)] };
}

function cut(digits: string, condition: string): Reading[] {
  return digits.length < FEWEST_DIGITS ? [] : [{ digits, isCut: true, deviations: [encoding(condition)] }];
}

function encoding(condition: string): Deviation {
  const id: AdviceId = 'signature-encoding';
  return { id, condition, weight: 1 };
}

/** Returns the first reading that a digest fits. */
export function findReading(readings: readonly Reading[], digest: string): Reading | undefined {
  return readings.find(({ digits, isCut }) =>
    isCut ? digits.length < digest.length && digest.startsWith(digits) : digits === digest,
  );
}

/** True when a digest of this length can fit one of the readings. */
export function isReadable(readings: readonly Reading[], length: number): boolean {
  return readings.some(({ digits, isCut }) => (isCut ? digits.length < length : digits.length === length));
}
