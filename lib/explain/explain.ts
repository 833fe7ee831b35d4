import { createHash } from 'node:crypto';
import { SignatureError, type KiketErrorCode } from '../errors';
import { isObject } from '../guards';
import type { HeaderLine } from '../sending/http-message';
import { computeMac, toKeys, type KiketSignatureScheme } from '../signature/hmac';
import { matchSignature } from '../signature/match-signature';
import { readSignatureHeaders } from '../signature/signature-headers';
import { ADVICE, type AdviceId } from './advice';
import { bodyForms } from './body-forms';
import { checkRequest, type Finding } from './checks';
import { search, type Match } from './search';
import { secretForms, type KnownSecret } from './secret-forms';
import { readSignature } from './signature-readings';
import { joinedHeader, secondsOf, signedTexts } from './signed-texts';

/** A request whose signature is explained. A capture is one. */
export interface ReceivedRequest {
  /** In upper case. */
  readonly method: string;
  /** The URL or the path. */
  readonly url?: string | undefined;
  readonly headers: readonly HeaderLine[];
  /** The exact bytes. */
  readonly body: Buffer;
  /** ISO 8601. */
  readonly receivedAt?: string | undefined;
  /** True when secrets were removed from the body. */
  readonly isRedacted?: boolean | undefined;
}

/** How a request is explained. */
export interface ExplainSettings {
  /** The delivery secrets, the current one first. At least one. */
  readonly secrets: readonly KnownSecret[];
  /** Further secrets, one of which may have been taken by mistake. */
  readonly others: readonly KnownSecret[];
  /** The schemes that the receiver accepts. */
  readonly signatureSchemes: readonly KiketSignatureScheme[];
  /** Largest distance of the timestamp from the time at which the request was received. */
  readonly toleranceSeconds: number;
  /** Seconds since 1970, for a request that does not say when it was received. */
  readonly nowSeconds: number;
  /** Goes on after the first explanation. */
  readonly isAll: boolean;
  /** The result has the expected signature. */
  readonly showsExpected: boolean;
}

/** Why a signature does not match. */
export interface SignatureCause {
  /** For programs, e.g. `body-reserialised`. Further ones may be added. */
  readonly id: AdviceId;
  /** The condition under which the signature matches, or what the request shows. */
  readonly condition: string;
  /** The cause, in one sentence. */
  readonly cause: string;
  /** The advice, in one sentence. */
  readonly mend: string;
}

/** How the body that was signed differs from the one that was received. */
export interface BodyDifference {
  /** Length of the signed body less that of the received one. */
  readonly bytes: number;
  /** Offset of the first byte that differs, from 0. */
  readonly firstAt: number;
}

/** The result of explainSignature: whether a signature matches, and why not. */
export interface SignatureExplanation {
  /**
   * `valid`; `refused`, when the HMAC is right, but a receiver does not accept the request, e.g. because it is stale; `explained`, when
   * a cause was found; else `unexplained`.
   */
  readonly verdict: 'valid' | 'refused' | 'explained' | 'unexplained';
  /** The error code with which kiketVerify refuses the request; `undefined` when it is valid. */
  readonly code: KiketErrorCode | undefined;
  /** The scheme of the signature; `undefined` unless the verdict is `valid` or `refused`. */
  readonly scheme: KiketSignatureScheme | undefined;
  /** Index of the secret with which the signature, or its explanation, was made. */
  readonly secretIndex: number | undefined;
  /** Age of the timestamp when the request was received, in seconds; negative when it is ahead. */
  readonly ageSeconds: number | undefined;
  /** True when the signature matches once the causes are undone: an HMAC proves them. False for causes that the request shows. */
  readonly isProved: boolean;
  /** All of them together explain the signature. Empty when the verdict is `valid` or `unexplained`. */
  readonly causes: readonly SignatureCause[];
  /** Other explanations, when all were asked for. */
  readonly alternatives: readonly (readonly SignatureCause[])[];
  /** Further observations, which may have to do with it. */
  readonly hints: readonly SignatureCause[];
  /** The difference of the signed body; `undefined` when it is the received one, or unknown. */
  readonly difference: BodyDifference | undefined;
  /** How many combinations of secret, body, text and digest were tried. */
  readonly combinations: number;
  /** True when combinations were left out, because the body is large. */
  readonly isLimited: boolean;
  /** Facts about the body, to compare with those that the sender has logged. */
  readonly body: {
    /** Its length. */
    readonly bytes: number;
    /** Its hash, in hex. */
    readonly sha256: string;
    /** True when the last byte is a newline, which senders and tools add or remove. */
    readonly endsInNewline: boolean;
  };
  /** The right signature with the first secret, in hex; only when it was asked for. */
  readonly expected: string | undefined;
}

/** In bytes. Kiket sends at most 500 KB; each form of a larger body would take as much memory again. */
const LARGEST_SEARCHED = 10 * 1024 * 1024;

/** Explains the signature of one request. A body of more than 10 MB is verified, but not searched. */
export function explainRequest(request: ReceivedRequest, settings: ExplainSettings): SignatureExplanation {
  const { headers, body } = request;
  const receivedSeconds = secondsOf(request.receivedAt ?? '') ?? settings.nowSeconds;
  const signature = readSignature(headers);
  const findings = checkRequest({ headers, body, isRedacted: request.isRedacted === true }, signature, {
    nowSeconds: receivedSeconds,
    toleranceSeconds: settings.toleranceSeconds,
  });
  const texts = signedTexts({
    method: request.method,
    url: request.url,
    headers,
    nearSeconds: [...new Set([receivedSeconds, ...datesOf(headers)])],
    signatureTimestamp: signature.timestamp,
  });
  const verified = verify(request, settings, receivedSeconds);
  const isValid = !(verified instanceof SignatureError);
  const isSearched = !isValid && body.length <= LARGEST_SEARCHED;
  const { matches, combinations, isLimited } = isSearched
    ? search(
        {
          keys: secretForms(settings.secrets, [...settings.others, ...secretsIn(body)]),
          bodies: bodyForms(body),
          texts,
        },
        signature.readings,
        settings.isAll,
      )
    : { matches: [], combinations: 0, isLimited: !isValid };
  const [first, ...others] = matches;
  const timestamp = singleTimestamp(headers);

  return {
    ...verdictOf(first, verified, findings, settings),
    code: isValid ? undefined : verified.code,
    secretIndex: isValid ? verified.secretIndex : first?.key.secretIndex,
    ageSeconds: timestamp === undefined ? undefined : receivedSeconds - timestamp,
    alternatives: others.map(causesOf),
    difference: first === undefined ? undefined : differenceOf(first.body, body),
    combinations,
    isLimited,
    body: {
      bytes: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
      endsInNewline: body.at(-1) === NEWLINE,
    },
    expected: settings.showsExpected ? expectedOf(settings.secrets, texts[0]!.value.before, body) : undefined,
  };
}

const NEWLINE = 0x0a;

/** As kiketVerify does. */
function verify({ headers, body }: ReceivedRequest, settings: ExplainSettings, receivedSeconds: number) {
  const { signatureSchemes, toleranceSeconds } = settings;
  const claimed = readSignatureHeaders(
    {
      'x-kiket-signature': joinedHeader(headers, 'X-Kiket-Signature'),
      'x-kiket-timestamp': joinedHeader(headers, 'X-Kiket-Timestamp'),
    },
    { signatureSchemes, toleranceSeconds, now: () => receivedSeconds * 1000 },
  );
  if (claimed instanceof SignatureError) return claimed;
  const keys = toKeys(
    'explainSignature',
    settings.secrets.map(({ value }) => value),
  );
  return matchSignature(keys, claimed, body);
}

type Verdict = Pick<SignatureExplanation, 'verdict' | 'scheme' | 'isProved' | 'causes' | 'hints'>;

function verdictOf(
  match: Match | undefined,
  verified: ReturnType<typeof verify>,
  findings: readonly Finding[],
  { signatureSchemes }: ExplainSettings,
): Verdict {
  const hints = findings.map(causeOfFinding);
  if (!(verified instanceof SignatureError)) {
    const rest = hints.filter(({ id }) => !isOfScheme(id));
    return { verdict: 'valid', scheme: verified.scheme, isProved: true, causes: [], hints: rest };
  }
  if (match === undefined) {
    const certain = findings.filter(({ isCertain }) => isCertain).map(causeOfFinding);
    const rest = findings.filter(({ isCertain }) => !isCertain).map(causeOfFinding);
    const verdict = certain.length > 0 ? 'explained' : 'unexplained';
    return { verdict, scheme: undefined, isProved: false, causes: certain, hints: rest };
  }
  if (match.deviations.length > 0) {
    const causes = causesOf(match);
    return { verdict: 'explained', scheme: undefined, isProved: true, causes, hints: without(hints, causes) };
  }
  const scheme = match.text.before === '' ? 'body' : 'timestamped';
  const causes = [refusalOf(verified, hints, signatureSchemes.includes(scheme))];
  return { verdict: 'refused', scheme, isProved: true, causes, hints: without(hints, causes) };
}

/** A signature that matches needs no advice about its timestamp. */
function isOfScheme(id: AdviceId): boolean {
  return id === 'timestamp-missing' || id === 'timestamp-form';
}

function without(hints: readonly SignatureCause[], causes: readonly SignatureCause[]): SignatureCause[] {
  const ids = new Set(causes.map(({ id }) => id));
  return hints.filter(({ id }) => !ids.has(id));
}

/** Why a receiver refuses a request whose HMAC is right. */
function refusalOf({ code }: SignatureError, hints: readonly SignatureCause[], isAccepted: boolean): SignatureCause {
  if (!isAccepted) return cause('scheme-refused', 'The receiver does not accept the scheme.');
  if (code === 'signature.stale') return hints.find(({ id }) => id === 'timestamp-stale' || id === 'timestamp-form')!;
  return cause('timestamp-in-body', 'The body begins with digits and a dot.');
}

function causesOf({ deviations }: Match): SignatureCause[] {
  return deviations.map(({ id, condition }) => cause(id, condition));
}

function causeOfFinding({ id, seen }: Finding): SignatureCause {
  return cause(id, seen);
}

/** Returns a cause with its advice. */
export function cause(id: AdviceId, condition: string): SignatureCause {
  return { id, condition, ...ADVICE[id] };
}

/** Values of the payload that somebody may have taken for the delivery secret. */
function secretsIn(body: Buffer): KnownSecret[] {
  let payload: unknown;
  try {
    payload = JSON.parse(body.toString());
  } catch {
    return [];
  }
  if (!isObject(payload)) return [];
  const { authentication, secrets } = payload;
  const token = isObject(authentication) ? { 'authentication.runtime_token': authentication['runtime_token'] } : {};
  const named = isObject(secrets)
    ? Object.entries(secrets).map(([key, value]) => [`secrets.${key}`, value] as const)
    : [];
  return [...Object.entries(token), ...named].flatMap(([source, value]) =>
    typeof value === 'string' && value !== ''
      ? [{ value: Buffer.from(value), source: `${source} of the payload` }]
      : [],
  );
}

function datesOf(headers: readonly HeaderLine[]): number[] {
  return headers.flatMap(([name, value]) => (name.toLowerCase() === 'date' ? (secondsOf(value) ?? []) : []));
}

/** Returns the timestamp in seconds, when a receiver would read it: it is sent once, in digits. */
function singleTimestamp(headers: readonly HeaderLine[]): number | undefined {
  const value = joinedHeader(headers, 'X-Kiket-Timestamp');
  return value !== undefined && /^\d+$/.test(value) ? secondsOf(value) : undefined;
}

function differenceOf(signed: Buffer, received: Buffer): BodyDifference | undefined {
  if (signed.equals(received)) return undefined;
  let firstAt = 0;
  while (firstAt < signed.length && signed[firstAt] === received[firstAt]) firstAt++;
  return { bytes: signed.length - received.length, firstAt };
}

function expectedOf([secret]: readonly KnownSecret[], before: string, body: Buffer): string {
  const [key] = toKeys('explainSignature', secret!.value);
  return computeMac(key!, body, before === '' ? undefined : before.slice(0, -1)).toString('hex');
}
