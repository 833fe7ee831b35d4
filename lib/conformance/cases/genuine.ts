import { headerOf, withHeader } from '../../sending/http-message';
import type { ConformanceCase } from '../case';
import { isFailure, isRetried, isTaken, shownResponse } from '../exchange';
import type { Probe } from '../probe';
import type { Json } from '../session';

const RAW = 'Compute the MAC over the bytes of the request, before any parser, and parse the same bytes afterwards.';

/** A genuine delivery whose JSON is written in another way. */
function written(
  letter: string,
  sends: string,
  write: (payload: Json) => string,
  payload?: (payload: Json) => Json,
): ConformanceCase {
  return {
    id: `A2${letter}`,
    severity: 'must',
    section: '2',
    requirement: 'The signature covers the raw body, however its JSON is written.',
    sends,
    advice: RAW,
    run: async (probe) => probe.expectTaken(await probe.deliver(sends, { write, payload })),
  };
}

/** Adds a member to `context`, which is that of the workflow. */
const inContext = (added: Json) => (payload: Json) => ({
  ...payload,
  context: { ...(payload['context'] as Json), ...added },
});

const withText = (text: string) => inContext({ text });

/** Writes a member of `context` as it is given. */
const writing = (json: string) => (payload: Json) => JSON.stringify(payload).replace('"text":"json"', `"text":${json}`);

const KB = 1024;

/** Pads the payload to a size in bytes. */
export const padded = (bytes: number) => (payload: Json) => {
  const missing = bytes - Buffer.byteLength(JSON.stringify(payload)) - ',"padding":""'.length;
  return inContext({ padding: 'x'.repeat(Math.max(0, missing)) })(payload);
};

export const GENUINE: readonly ConformanceCase[] = [
  {
    id: 'A1',
    severity: 'must',
    section: '2, 4',
    requirement: 'A genuine delivery is taken with a status of 2xx.',
    sends: 'the example of the event, signed',
    advice: 'Respond with 2xx once the delivery is handled, or stored to be handled later.',
    run: async (probe) => probe.expectTaken(await probe.deliver('a genuine delivery')),
  },
  {
    id: 'A2',
    severity: 'must',
    section: '2',
    requirement: 'The signature covers the raw body, however its JSON is written.',
    sends: 'the same, with indents and in another order',
    advice: RAW,
    run: async (probe) => {
      const reversed = (payload: Json) => Object.fromEntries(Object.entries(payload).reverse());
      const write = (payload: Json) => JSON.stringify(payload, null, 2);
      probe.expectTaken(await probe.deliver('with indents, and in another order', { payload: reversed, write }));
    },
  },
  written(
    'b',
    'slashes that are escaped',
    (payload) => JSON.stringify(payload).replaceAll('/', '\\/'),
    withText('a/b'),
  ),
  written(
    'c',
    'characters as \\u escapes',
    (payload) =>
      JSON.stringify(payload).replace(
        /[\u0080-\uffff]/g,
        (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
      ),
    withText('Zoë 🚪'),
  ),
  written('d', 'characters beyond ASCII', (payload) => JSON.stringify(payload), withText('Zoë, 日本, 🚪, e\u0301')),
  written('e', 'numbers that JavaScript writes otherwise', writing('[1.0,1e3,9007199254740993]'), withText('json')),
  written('f', 'a newline at the end', (payload) => `${JSON.stringify(payload)}\n`),
  written('g', 'lines that end with CR and LF', (payload) => JSON.stringify(payload, null, 2).replaceAll('\n', '\r\n')),
  written('h', 'four blanks before the JSON', (payload) => `    ${JSON.stringify(payload)}`),
  {
    id: 'A3',
    severity: 'should',
    section: '2',
    requirement: 'Both spellings of a signature are accepted: with and without sha256=, in lower and upper case.',
    sends: 'a signature with the other prefix; in upper case; of the other scheme',
    advice: 'Remove an optional "sha256=", then decode the hex digits, and compare bytes.',
    run: async (probe) => {
      const { prefix, scheme } = probe.session.form;
      const other = prefix === '' ? 'sha256=' : '';
      const named = other === '' ? 'the digits alone' : 'with sha256=';
      probe.expectTaken(await probe.deliver(named, { plan: { prefix: other } }));
      const request = probe.request();
      const digits = headerOf(request.headers, 'X-Kiket-Signature')!.slice(prefix.length).toUpperCase();
      const headers = withHeader(request.headers, 'X-Kiket-Signature', prefix + digits);
      probe.expectTaken(await probe.send('digits in upper case', { ...request, headers }), 'hint');
      const otherScheme = scheme === 'body' ? 'timestamped' : 'body';
      const exchange = await probe.deliver(`the scheme ${otherScheme}`, { plan: { scheme: otherScheme } });
      if (isTaken(exchange)) probe.note('It accepts both schemes: signatures with and without a timestamp.');
    },
  },
  {
    id: 'A4',
    severity: 'should',
    section: '2',
    requirement: 'The headers that are not signed may be absent.',
    sends: 'Content-Type, Accept and the signature only',
    advice: 'Read event and version from the body. Use the other headers for logs only.',
    run: async (probe) => probe.expectTaken(await probe.deliver('minimal headers', { plan: { headers: 'minimal' } })),
  },
  {
    id: 'A5',
    severity: 'hint',
    section: '3',
    requirement: 'The version may also be in the query, and be written 1 in place of v1.',
    sends: '?event=…&version=1; 1 in the body and the header',
    advice: 'Compare versions without a leading v.',
    run: async (probe) => {
      const { url, event } = probe.session.settings;
      const withQuery = new URL(url);
      withQuery.searchParams.set('event', event);
      withQuery.searchParams.set('version', '1');
      probe.expectTaken(await probe.deliver('event and version in the query', { url: withQuery.href }));
      const payload = (given: Json) => ({ ...given, event_version: '1' });
      probe.expectTaken(await probe.deliver('the version 1', { payload, plan: { eventVersion: '1' } }));
    },
  },
  {
    id: 'A6',
    severity: 'should',
    section: '2',
    requirement: 'A byte order mark before the JSON is part of the raw body.',
    sends: 'a byte order mark, then the JSON',
    advice: 'Verify the bytes with the mark, and remove it before you parse.',
    run: async (probe) => probe.expectTaken(await probe.send('a byte order mark', probe.tampered('bom'))),
  },
  {
    id: 'A7',
    severity: 'should',
    section: 'HTTP',
    requirement: 'The type of the body may have parameters.',
    sends: 'Content-Type: application/json; charset=utf-8',
    advice: 'Compare the media type without its parameters.',
    run: async (probe) => {
      const request = probe.request();
      const headers = withHeader(request.headers, 'Content-Type', 'application/json; charset=utf-8');
      probe.expectTaken(await probe.send('a type with charset', { ...request, headers }));
    },
  },
  {
    id: 'A8',
    severity: 'should',
    section: 'HTTP',
    requirement: 'A body may come in chunks without a length, and slowly.',
    sends: 'chunks without a length; a body over 2 seconds',
    advice: 'Read the stream to its end. Do not rely on Content-Length.',
    run: async (probe) => {
      const results = await Promise.all([
        probe.send('in chunks, without a length', probe.tampered('chunked')),
        probe.send('over 2 seconds', probe.tampered('slow')),
      ]);
      for (const exchange of results) probe.expectTaken(exchange);
    },
  },
  {
    id: 'A9',
    severity: 'should',
    section: '3',
    requirement: 'Payloads have up to 500 KB. A 413 is final, and halts the workflow.',
    sends: '100 KB, 250 KB, 500 KB',
    advice: 'Raise the limit of the body parser to 1 MB: express.json() has 100 KB by default.',
    run: async (probe) => {
      for (const size of [100, 250, 500]) {
        probe.expectTaken(await probe.deliver(`${size} KB`, { payload: padded(size * KB) }));
      }
    },
  },
  {
    id: 'A10',
    severity: 'should',
    section: '3',
    requirement: 'Unknown, null and absent members of the payload are accepted.',
    sends: 'unknown members; null for optional objects; without authentication, secrets and api',
    advice: 'Read optional members with ?. and a default. Ignore those that you do not know.',
    run: absentMembers,
  },
  {
    id: 'A11',
    severity: 'should',
    section: '2',
    requirement: 'The previous secret is valid for 24 hours after a rotation.',
    sends: 'a delivery with the second secret',
    advice: 'Accept a list of secrets.',
    inapplicable: ({ settings }) => (settings.deliverySecrets.length < 2 ? 'only one secret is given' : undefined),
    run: async (probe) => {
      const secret = probe.session.settings.deliverySecrets[1];
      probe.expectTaken(await probe.deliver('signed with the previous secret', { plan: { secret } }));
    },
  },
  {
    id: 'A12',
    severity: 'must',
    section: '3',
    requirement: 'Five deliveries at once, and many on one connection, are all taken.',
    sends: '5 different deliveries at once; 20 in a row on one connection',
    advice: 'Look for state that requests share. Respond with 503 when there is too much to do.',
    run: async (probe) => {
      const atOnce = await Promise.all(Array.from({ length: 5 }, () => probe.deliver('one of 5 at once')));
      const inARow = [];
      for (let i = 0; i < 20; i++) {
        const change = { event: probe.session.settings.event, isAlone: false };
        inARow.push(await probe.send('one of 20 on one connection', probe.request(), change));
      }
      for (const exchange of [...atOnce, ...inARow].filter((each) => !isTaken(each))) {
        const severity = isRetried(exchange) || isFailure(exchange) ? 'should' : 'must';
        return probe.fail(exchange, `${exchange.what}: ${shownResponse(exchange)}`, severity);
      }
    },
  },
];

/** Members that the extension was configured to need are left as they are. */
async function absentMembers(probe: Probe): Promise<void> {
  const { secrets, api } = probe.session.settings;
  const added = (payload: Json) => ({ ...payload, check_unknown: { nested: [1, null] }, check_text: 'unknown' });
  probe.expectTaken(await probe.deliver('unknown members', { payload: added }));

  const nulls = (payload: Json) => ({ ...payload, context: null, definition: null, secret_status: null });
  probe.expectTaken(await probe.deliver('null for optional objects', { payload: nulls }));

  const without = (payload: Json) => {
    const isKept = (name: string) =>
      (name !== 'secrets' || Object.keys(secrets).length > 0) &&
      ((name !== 'authentication' && name !== 'api') || api !== undefined);
    return Object.fromEntries(Object.entries(payload).filter(([name]) => isKept(name)));
  };
  probe.expectTaken(await probe.deliver('without secrets and token', { payload: without }));
}
