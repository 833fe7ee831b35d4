import { createHash, createHmac } from 'node:crypto';
import { deviantForm, expectedForm, type Form } from './form';
import type { SignedText } from './signed-texts';

/** A digest of key and text. */
export interface Digest {
  /** In hex digits. */
  readonly length: number;
  /** Returns hex digits. */
  readonly compute: (key: Buffer, parts: readonly (Buffer | string)[]) => string;
}

const hmac = (algorithm: string, length: number): Digest => ({
  length,
  compute(key, parts) {
    const hash = createHmac(algorithm, key);
    for (const part of parts) hash.update(part);
    return hash.digest('hex');
  },
});

const hash = (
  length: number,
  arrange: (key: Buffer, parts: readonly (Buffer | string)[]) => readonly (Buffer | string)[],
): Digest => ({
  length,
  compute(key, parts) {
    const sha256 = createHash('sha256');
    for (const part of arrange(key, parts)) sha256.update(part);
    return sha256.digest('hex');
  },
});

/** The digests that may have been used, the right one first. */
export const DIGESTS: readonly Form<Digest>[] = [
  expectedForm(hmac('sha256', 64)),
  deviantForm('digest-algorithm', 'HMAC-SHA1 is used in place of HMAC-SHA256', 1, hmac('sha1', 40)),
  deviantForm('digest-algorithm', 'HMAC-SHA512 is used in place of HMAC-SHA256', 1, hmac('sha512', 128)),
  deviantForm('digest-algorithm', 'HMAC-SHA384 is used in place of HMAC-SHA256', 2, hmac('sha384', 96)),
  deviantForm('digest-algorithm', 'HMAC-MD5 is used in place of HMAC-SHA256', 2, hmac('md5', 32)),
  deviantForm(
    'digest-algorithm',
    'SHA-256 without a key is used',
    2,
    hash(64, (_key, parts) => parts),
  ),
  deviantForm(
    'digest-algorithm',
    'SHA-256 of secret and text is used',
    2,
    hash(64, (key, parts) => [key, ...parts]),
  ),
  deviantForm(
    'digest-algorithm',
    'SHA-256 of text and secret is used',
    2,
    hash(64, (key, parts) => [...parts, key]),
  ),
  deviantForm('digest-algorithm', 'secret and text are exchanged as arguments of the HMAC', 2, {
    length: 64,
    compute: (key, parts) => createHmac('sha256', joined(parts)).update(key).digest('hex'),
  }),
];

function joined(parts: readonly (Buffer | string)[]): Buffer {
  return Buffer.concat(parts.map((part) => Buffer.from(part as string)));
}

/** Returns the parts of a text, which are not copied. */
export function partsOf({ before, after, isHashed }: SignedText, body: Buffer): readonly (Buffer | string)[] {
  const middle = isHashed ? createHash('sha256').update(body).digest('hex') : body;
  return [before, middle, after].filter((part) => part.length > 0);
}
