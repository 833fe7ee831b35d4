import { headerOf, type HeaderLine } from '../../sending/http-message';
import type { Capture } from '../capture';
import { FormatError, textOf, type CaptureFormat } from './format';
import { shellWords } from './shell-words';

/** A curl command line for a POSIX shell, as browsers and API documentation have it. */
export const CURL: CaptureFormat = {
  name: 'curl',
  title: 'a curl command line',
  read(bytes) {
    const text = textOf(bytes).trim();
    if (!/^(?:\$ )?curl\s/.test(text)) throw new FormatError('it does not begin with curl');
    const [, ...words] = shellWords(text.replace(/^\$ /, ''));
    return [captureOf(words)];
  },
};

/** Options with a value that does not change what a receiver reads. */
const IGNORED_WITH_VALUE = new Set(
  ['-o', '--output', '-m', '--max-time', '--connect-timeout', '--retry', '-w', '--write-out', '-x', '--proxy'].concat([
    '--cacert',
    '--capath',
    '-E',
    '--cert',
    '--key',
    '--resolve',
    '-D',
    '--dump-header',
    '-c',
    '--cookie-jar',
  ]),
);
/** Options with a value that is a header. */
const HEADERS: Readonly<Record<string, string>> = {
  '-A': 'User-Agent',
  '--user-agent': 'User-Agent',
  '-e': 'Referer',
  '--referer': 'Referer',
  '-b': 'Cookie',
  '--cookie': 'Cookie',
};
const DATA = new Set(['-d', '--data', '--data-ascii', '--data-raw', '--data-binary', '--json']);
/** Letters of switches that may be joined, as in `-sS`. */
const SWITCHES = /^-[sSikLvfgN#0146]+$/;
const LONG_SWITCHES =
  /^--(?:silent|show-error|include|insecure|location|verbose|fail|compressed|globoff|no-buffer|http1\.1|http1\.0|http2|fail-with-body|ipv4|ipv6|path-as-is)$/;

function captureOf(words: readonly string[]): Capture {
  const headers: HeaderLine[] = [];
  const data: string[] = [];
  let method: string | undefined;
  let url: string | undefined;
  let isJson = false;
  const rest = [...words];
  while (rest.length > 0) {
    const word = rest.shift()!;
    const [option, joined] = splitOption(word);
    const value = (): string => {
      const given = joined ?? rest.shift();
      if (given === undefined) throw new FormatError(`${option} has no value`);
      return given;
    };
    if (!option.startsWith('-')) url = onlyOne(url, word);
    else if (option === '--url') url = onlyOne(url, value());
    else if (option === '-X' || option === '--request') method = value();
    else if (option === '-H' || option === '--header') headers.push(...headerIn(value()));
    else if (option === '-u' || option === '--user') headers.push(['Authorization', basic(value())]);
    else if (HEADERS[option] !== undefined) headers.push([HEADERS[option], value()]);
    else if (DATA.has(option)) {
      data.push(dataIn(option, value()));
      isJson ||= option === '--json';
    } else if (IGNORED_WITH_VALUE.has(option)) value();
    else if (!SWITCHES.test(option) && !LONG_SWITCHES.test(option)) {
      throw new FormatError(`the option ${option} is not known here`);
    }
  }
  if (url === undefined) throw new FormatError('it has no URL');
  return {
    method: method ?? (data.length > 0 ? 'POST' : 'GET'),
    url: /^[a-z]+:\/\//i.test(url) ? url : `http://${url}`,
    headers: data.length > 0 ? withDefaults(headers, isJson) : headers,
    // --json joins without a sign.
    body: Buffer.from(data.join(isJson ? '' : '&')),
  };
}

/** Switches may stand before another letter, and the value right behind it: `-sXPOST`. */
function splitOption(word: string): [option: string, value: string | undefined] {
  const [, letter, value] = /^-[sSikLvfgN#]*([XHdAebuomwx])(.*)$/s.exec(word) ?? [];
  if (letter === undefined) return [word, undefined];
  return [`-${letter}`, value === '' ? undefined : value];
}

function onlyOne(before: string | undefined, url: string): string {
  if (before === undefined) return url;
  throw new FormatError(`it has two URLs, or an option whose value begins at ${JSON.stringify(url)}`);
}

/** A header without a value, `N:`, is one that curl does not send. */
function headerIn(text: string): HeaderLine[] {
  const [, name, value] = /^([^\s:;]+)[:;]\s*(.*)$/s.exec(text) ?? [];
  if (name === undefined) throw new FormatError('the value of a -H is not a header');
  return value === '' && !text.trimEnd().endsWith(';') ? [] : [[name, value!]];
}

function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

function dataIn(option: string, value: string): string {
  if (option === '--data-raw' || !value.startsWith('@')) return value;
  throw new FormatError(`${option} reads the body from another file: write it into the command line`);
}

function withDefaults(headers: readonly HeaderLine[], isJson: boolean): HeaderLine[] {
  const defaults: HeaderLine[] = isJson
    ? [
        ['Content-Type', 'application/json'],
        ['Accept', 'application/json'],
      ]
    : [['Content-Type', 'application/x-www-form-urlencoded']];
  return [...headers, ...defaults.filter(([name]) => headerOf(headers, name) === undefined)];
}
