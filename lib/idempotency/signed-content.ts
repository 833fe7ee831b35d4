import { parseJson } from '../json';

/** What each attempt of a delivery brings anew (`contract.md` §3). */
const PER_ATTEMPT = ['authentication', 'secrets', 'secret_status'];

/** How many bytes such a key takes, with its quotes. */
const LENGTHS: ReadonlySet<number> = new Set(PER_ATTEMPT.map((name) => name.length + 2));

/** Stands at the top of no member, so that two never read as one. */
const SEPARATOR = Buffer.from(',');

const WHITE_SPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/**
 * What all attempts of one delivery share: the bytes of the body, without the members at its top that an attempt brings anew.
 *
 * The bytes rather than the parsed payload, which a middleware may have changed, and which takes four times as long to write
 * anew (3 ms at 450 KB).
 *
 * @param body a JSON object, as parsing it has shown; only its shape is looked at.
 */
export function signedContent(body: Buffer): Buffer {
  /** Members that are kept and stand side by side are one run, with the commas between them. */
  const runs: Buffer[] = [];
  let runStart = -1;
  let runEnd = -1;
  let depth = 0;
  let start = 0;
  let hasKey = false;
  let isKept = false;

  for (let at = 0; at < body.length; at++) {
    switch (body[at]) {
      case QUOTE: {
        const end = endOfString(body, at);
        if (!hasKey) {
          hasKey = true;
          isKept = !isPerAttempt(body, at, end + 1);
        }
        at = end;
        break;
      }
      case OPENING_BRACE:
      case OPENING_BRACKET:
        if (++depth === 1) start = at + 1;
        break;
      case CLOSING_BRACE:
      case CLOSING_BRACKET:
        if (--depth === 0) endMember(at);
        break;
      case COMMA:
        if (depth === 1) endMember(at);
        break;
    }
  }
  endRun();
  return runs.length === 1 ? runs[0]! : Buffer.concat(runs);

  function endMember(end: number): void {
    if (hasKey && isKept) addToRun(skipSpace(body, start, 1), skipSpace(body, end - 1, -1) + 1);
    hasKey = false;
    start = end + 1;
  }

  function addToRun(start: number, end: number): void {
    if (start !== runEnd + 1) {
      endRun();
      runStart = start;
    }
    runEnd = end;
  }

  function endRun(): void {
    if (runEnd === -1) return;
    if (runs.length > 0) runs.push(SEPARATOR);
    runs.push(body.subarray(runStart, runEnd));
  }
}

function endOfString(body: Buffer, start: number): number {
  let at = start + 1;
  while (at < body.length && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Most keys are told by their length; but one may be written with escapes. */
function isPerAttempt(body: Buffer, start: number, end: number): boolean {
  let hasEscape = false;
  for (let at = start; at < end; at++) hasEscape ||= body[at] === BACKSLASH;
  if (!hasEscape && !LENGTHS.has(end - start)) return false;
  const key = body.toString('latin1', start, end);
  return PER_ATTEMPT.includes(String(hasEscape ? parseJson(key) : key.slice(1, -1)));
}

/** White space around a member depends on what stands beside it. */
function skipSpace(body: Buffer, start: number, step: 1 | -1): number {
  let at = start;
  while (WHITE_SPACE.has(body[at]!)) at += step;
  return at;
}
