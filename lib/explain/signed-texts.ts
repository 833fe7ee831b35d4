import { headerOf, type HeaderLine } from '../sending/http-message';
import type { AdviceId } from './advice';
import { deviantForm, expectedForm, type Form } from './form';

/** The text that is signed, made of a body. */
export interface SignedText {
  /** Before the body. */
  readonly before: string;
  /** After the body. */
  readonly after: string;
  /** Its hash stands in the place of the body. */
  readonly isHashed: boolean;
  /** Tried with the body as it is only: there are hundreds of its kind. */
  readonly isRare: boolean;
}

/** A request, as far as formulas use it. */
export interface FormulaRequest {
  readonly method: string;
  readonly url: string | undefined;
  readonly headers: readonly HeaderLine[];
  /** Timestamps that are in no header of that purpose, in seconds since 1970, such as when the request was received. */
  readonly nearSeconds: readonly number[];
  /** The timestamp in the signature header, as Stripe sends it. */
  readonly signatureTimestamp: string | undefined;
}

/** How far a lost timestamp may be from the time at which the request was received, in seconds. */
const WINDOW_SECONDS = 300;

const DIGITS = /^\d+$/;

/** Returns the texts that may have been signed, the right one first. */
export function signedTexts(request: FormulaRequest): readonly Form<SignedText>[] {
  const forms = new TextList();
  const { headers, signatureTimestamp } = request;
  const sent = joinedHeader(headers, 'X-Kiket-Timestamp') ?? signatureTimestamp;
  const timestamp = sent !== undefined && DIGITS.test(sent) ? sent : undefined;
  forms.expect(timestamp === undefined ? '' : `${timestamp}.`);
  forms.add('other-scheme', 'the body alone is signed, without the timestamp', 1, '');

  for (const [time, of] of timesOf(sent, headers)) addFormulas(forms, time, of, idsOf(headers));
  for (const [id, of] of idsOf(headers))
    forms.add('text-formula', `${of} and a dot are signed before the body`, 3, `${id}.`);
  forms.add('text-formula', 'the SHA-256 of the body is signed', 3, '', '', { isHashed: true });
  addRequestLines(forms, request, sent);
  if (timestamp === undefined) addLostTimestamps(forms, request.nearSeconds);
  return forms.all;
}

/** Returns a header as a receiver sees it: the values of a repeated one, joined. */
export function joinedHeader(headers: readonly HeaderLine[], name: string): string | undefined {
  const values = headers.filter(([each]) => each.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(', ');
}

class TextList {
  readonly all: Form<SignedText>[] = [];
  readonly #seen = new Set<string>();

  expect(before: string): void {
    this.#seen.add(JSON.stringify([before, '', false]));
    this.all.push(expectedForm({ before, after: '', isHashed: false, isRare: false }));
  }

  add(
    id: AdviceId,
    condition: string,
    weight: number,
    before: string,
    after = '',
    { isHashed = false, isRare = false }: Partial<Pick<SignedText, 'isHashed' | 'isRare'>> = {},
  ): void {
    const key = JSON.stringify([before, after, isHashed]);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.all.push(deviantForm(id, condition, weight, { before, after, isHashed, isRare }));
  }
}

type Named = readonly [value: string, name: string];

function addFormulas(forms: TextList, time: string, of: string, ids: readonly Named[]): void {
  const add = (condition: string, weight: number, before: string, after = '', isHashed = false): void =>
    forms.add('text-formula', condition, weight, before, after, { isHashed });
  add(`${of} and a dot are signed before the body`, 1, `${time}.`);
  add(`${of} is signed before the body, without a dot`, 1, time);
  add(`${of} and a colon are signed before the body`, 2, `${time}:`);
  add(`v0:, ${of} and a colon are signed before the body, as by Slack`, 2, `v0:${time}:`);
  add(`v1:, ${of} and a colon are signed before the body`, 3, `v1:${time}:`);
  add(`${of} and a newline are signed before the body`, 3, `${time}\n`);
  add(`a dot and ${of} are signed after the body`, 2, '', `.${time}`);
  add(`${of} is signed after the body`, 2, '', time);
  for (const [id, idOf] of ids)
    add(`${idOf}, ${of} and dots are signed before the body, as by Svix`, 2, `${id}.${time}.`);
  add(`${of}, a dot and the SHA-256 of the body are signed`, 3, `${time}.`, '', true);
}

/** Returns the timestamp as it was sent, in other units and forms, and those of other headers. */
function* timesOf(sent: string | undefined, headers: readonly HeaderLine[]): Generator<Named> {
  if (sent !== undefined) {
    yield [sent, 'the timestamp'];
    yield* unitsOf(sent);
  }
  for (const [name, value] of headers) {
    if (/timestamp|^date$|(?:^|-)time$/i.test(name) && value !== '') yield [value, `the header ${name}`];
  }
}

function* unitsOf(sent: string): Generator<Named> {
  const seconds = secondsOf(sent);
  if (seconds === undefined) return;
  const iso = new Date(seconds * 1000).toISOString();
  yield [String(seconds), 'the timestamp in seconds'];
  yield [`${seconds}000`, 'the timestamp in milliseconds'];
  yield [iso.replace('.000Z', 'Z'), 'the timestamp in ISO 8601'];
  yield [iso, 'the timestamp in ISO 8601 with milliseconds'];
  if (Number.isNaN(Number(sent))) yield [String(Date.parse(sent)), 'the timestamp in milliseconds'];
}

/** The largest time of `Date`, in seconds. */
const MAX_SECONDS = 8.64e12;

/** Returns a timestamp in seconds since 1970: from seconds, milliseconds, or a date. */
export function secondsOf(text: string): number | undefined {
  const number = Number(text);
  const ms = Number.isNaN(number) ? Date.parse(text) : number > 1e11 ? number : number * 1000;
  const seconds = Math.floor(ms / 1000);
  return text.trim() !== '' && Math.abs(seconds) <= MAX_SECONDS ? seconds : undefined;
}

const ID_HEADERS = ['X-Kiket-Invocation', 'X-Kiket-Delivery', 'webhook-id', 'svix-id', 'X-Kiket-Event'];

function idsOf(headers: readonly HeaderLine[]): readonly Named[] {
  return ID_HEADERS.flatMap((name): Named[] => {
    const value = headerOf(headers, name);
    return value === undefined ? [] : [[value, name]];
  });
}

function addRequestLines(forms: TextList, { method, url, headers }: FormulaRequest, time: string | undefined): void {
  if (url === undefined) return;
  const host = headerOf(headers, 'Host') ?? 'localhost';
  const absolute = URL.canParse(url) ? new URL(url) : new URL(`http://${host}${url.startsWith('/') ? '' : '/'}${url}`);
  const path = absolute.pathname + absolute.search;
  const add = (condition: string, before: string): void => {
    forms.add('text-request', `${condition} are signed before the body`, 2, before);
  };
  add('the path and nothing else', path);
  add('method and path', method + path);
  add('method and path, in lines,', `${method}\n${path}\n`);
  add('method and path, with blanks,', `${method} ${path} `);
  for (const scheme of ['https:', 'http:']) {
    const full = `${scheme}//${absolute.host}${path}`;
    add(`the URL ${scheme}//… and nothing else`, full);
    add(`method and URL ${scheme}//…`, method + full);
  }
  if (time === undefined) return;
  add('timestamp, method and path', time + method + path);
  add('timestamp, method and path, with dots,', `${time}.${method}.${path}.`);
  add('timestamp and path, with dots,', `${time}.${path}.`);
  add('method, path and timestamp, in lines,', `${method}\n${path}\n${time}\n`);
}

function addLostTimestamps(forms: TextList, near: readonly number[]): void {
  for (let distance = 0; distance <= WINDOW_SECONDS; distance++) {
    for (const seconds of near.flatMap((each) => [each - distance, each + distance])) {
      const condition = `the timestamp ${seconds} and a dot are signed before the body`;
      forms.add('timestamp-lost', condition, 3, `${seconds}.`, '', { isRare: true });
    }
  }
}
