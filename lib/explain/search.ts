import { DIGESTS, partsOf, type Digest } from './digests';
import type { Deviation, Form } from './form';
import type { SigningKey } from './secret-forms';
import { findReading, isReadable, type Reading } from './signature-readings';
import type { SignedText } from './signed-texts';

/** The candidates for the parts of a signature. Each list begins with the form that Kiket uses; for keys these are the secrets. */
export interface SearchSpace {
  readonly keys: readonly Form<SigningKey>[];
  readonly bodies: readonly Form<Buffer>[];
  readonly texts: readonly Form<SignedText>[];
}

/** How a signature can be reached. */
export interface Match {
  readonly key: SigningKey;
  /** The body that was signed. */
  readonly body: Buffer;
  readonly text: SignedText;
  /** Empty for a valid signature. */
  readonly deviations: readonly Deviation[];
}

/** The result of {@link search}. */
export interface SearchResult {
  /** The first one, or all. */
  readonly matches: readonly Match[];
  /** How many digests were computed. */
  readonly combinations: number;
  /** True when combinations of several deviations were left out, because the body is large. */
  readonly isLimited: boolean;
}

interface Candidate {
  readonly key: Form<SigningKey>;
  readonly body: Form<Buffer>;
  readonly text: Form<SignedText>;
  readonly digest: Form<Digest>;
}

/** How much is hashed for combinations of several deviations: all of them for a body of 64 KB and one secret. */
const MAX_HASHED_BYTES = 1024 * 1024 * 1024;

/**
 * Tries what a signature may be made of, until one combination fits: first single deviations, then pairs, then triples of those that
 * happen often; among each of these the lightest first.
 *
 * @param isAll goes on after the first match.
 */
export function search(space: SearchSpace, readings: readonly Reading[], isAll: boolean): SearchResult {
  const matches: Match[] = [];
  let combinations = 0;
  let hashedBytes = 0;
  let isLimited = false;
  for (const candidates of stagesOf(space, readings)) {
    for (const candidate of candidates) {
      const { length } = candidate.body.value;
      if (deviationsOf(candidate).length > 1 && hashedBytes + length > MAX_HASHED_BYTES) {
        isLimited = true;
        continue;
      }
      combinations++;
      hashedBytes += length;
      const match = tryOne(candidate, readings);
      if (match === undefined) continue;
      matches.push(match);
      if (!isAll) return { matches, combinations, isLimited };
    }
  }
  return { matches, combinations, isLimited };
}

function tryOne(candidate: Candidate, readings: readonly Reading[]): Match | undefined {
  const { key, body, text, digest } = candidate;
  const computed = digest.value.compute(key.value.bytes, partsOf(text.value, body.value));
  const reading = findReading(readings, computed);
  if (reading === undefined) return undefined;
  const deviations = [...deviationsOf(candidate), ...reading.deviations];
  return { key: key.value, body: body.value, text: text.value, deviations };
}

function deviationsOf({ key, body, text, digest }: Candidate): Deviation[] {
  return [key, body, text, digest].flatMap(({ deviation }) => deviation ?? []);
}

type Part = 'key' | 'body' | 'text' | 'digest';

/** Which parts deviate together, stage by stage. */
const STAGES: readonly (readonly (readonly Part[])[])[] = [
  [[]],
  [['key'], ['body'], ['text'], ['digest']],
  [
    ['key', 'body'],
    ['key', 'text'],
    ['body', 'text'],
    ['key', 'digest'],
    ['body', 'digest'],
    ['text', 'digest'],
  ],
  [['key', 'body', 'text']],
];

/** Three deviations are tried of this weight only. */
const LIGHT = 1;

function* stagesOf(space: SearchSpace, readings: readonly Reading[]): Generator<readonly Candidate[]> {
  const digests = DIGESTS.filter(({ value }) => isReadable(readings, value.length));
  const all = { key: space.keys, body: space.bodies, text: space.texts, digest: digests };
  for (const stage of STAGES) {
    const candidates = stage.flatMap((parts) => {
      const chosen = <T>(part: Part, forms: readonly Form<T>[]): readonly Form<T>[] =>
        forms.filter((form) => isChosen(part, form, parts));
      return product({
        key: chosen('key', all.key),
        body: chosen('body', all.body),
        text: chosen('text', all.text).filter(({ value }) => !value.isRare || parts.length === 1),
        digest: chosen('digest', all.digest),
      });
    });
    yield candidates.sort((a, b) => weightOf(a) - weightOf(b));
  }
}

function isChosen(part: Part, { deviation }: Form<unknown>, parts: readonly Part[]): boolean {
  if (!parts.includes(part)) return deviation === undefined;
  return deviation !== undefined && (parts.length < 3 || deviation.weight <= LIGHT);
}

interface Chosen {
  readonly key: readonly Form<SigningKey>[];
  readonly body: readonly Form<Buffer>[];
  readonly text: readonly Form<SignedText>[];
  readonly digest: readonly Form<Digest>[];
}

function product({ key: keys, body: bodies, text: texts, digest: digests }: Chosen): Candidate[] {
  return keys.flatMap((key) =>
    bodies.flatMap((body) => texts.flatMap((text) => digests.map((digest) => ({ key, body, text, digest })))),
  );
}

function weightOf(candidate: Candidate): number {
  return deviationsOf(candidate).reduce((sum, { weight }) => sum + weight, 0);
}
