import { headerOf, withHeader, withoutHeader, type OutgoingRequest } from '../../sending/http-message';
import type { ConformanceCase } from '../case';
import { isFailure, isFinal, isTaken, shownResponse, statusOf, type Exchange } from '../exchange';
import { signed, type Probe } from '../probe';
import type { Json } from '../session';
import { padded } from './genuine';

const SIGNATURE = 'X-Kiket-Signature';
const MB = 1024 * 1024;

/** A forger does not wait longer for a response either. */
const CUT_WITHIN_MS = 2000;

/** Sends forgeries, each of which must not be taken. */
function forgeries(make: (probe: Probe) => readonly (readonly [what: string, request: OutgoingRequest])[]) {
  return async (probe: Probe): Promise<void> => {
    for (const [what, request] of make(probe)) probe.expectNotTaken(await probe.send(what, request));
  };
}

/** Changes the digits of the right signature. */
function withDigits(probe: Probe, change: (digits: string) => string): OutgoingRequest {
  const request = probe.request();
  const { prefix } = probe.session.form;
  const digits = headerOf(request.headers, SIGNATURE)!.slice(prefix.length);
  return { ...request, headers: withHeader(request.headers, SIGNATURE, prefix + change(digits)) };
}

/** A MAC of the JSON with indents, over a compact body. */
function prettySigned(probe: Probe): OutgoingRequest {
  const delivery = probe.delivery();
  const pretty = Buffer.from(JSON.stringify(JSON.parse(delivery.body.toString()), null, 2));
  return { ...signed({ ...delivery, body: pretty }), body: delivery.body };
}

const COMPARE =
  'Compare all bytes of the MAC in constant time, over the raw body. Refuse what is absent, empty or of another length.';

export const FORGERIES: readonly ConformanceCase[] = [
  {
    id: 'B1',
    severity: 'must',
    section: '2',
    requirement: 'A delivery without a signature is refused.',
    sends: 'no signature; an empty one',
    advice: 'Refuse before anything else is done when the header is absent or empty.',
    run: forgeries((probe) => [
      ['no signature', probe.tampered('no-signature')],
      ['an empty signature', withDigits(probe, () => '')],
    ]),
  },
  {
    id: 'B2',
    severity: 'must',
    section: '2',
    requirement: 'A signature with another secret is refused.',
    sends: 'a signature with another secret',
    advice: COMPARE,
    run: forgeries((probe) => [['signed with another secret', probe.tampered('wrong-secret')]]),
  },
  {
    id: 'B3',
    severity: 'must',
    section: '2',
    requirement: 'A body that was changed after it was signed is refused.',
    sends: 'one byte of the body changed; the end cut off',
    advice: 'Compute the MAC over the whole body.',
    run: forgeries((probe) => [
      ['one byte changed after signing', probe.tampered('body-byte')],
      ['the end cut off after signing', probe.tampered('body-truncated')],
    ]),
  },
  {
    id: 'B4',
    severity: 'must',
    section: '2',
    requirement: 'A MAC of the same JSON in other bytes is refused: the signature covers the raw body.',
    sends: 'the MAC of the compact JSON over a body with indents, and the reverse',
    advice: 'Do not serialise a parsed body to verify it: other senders write JSON in another way.',
    run: forgeries((probe) => [
      ['the MAC of the compact JSON', probe.tampered('reserialised')],
      ['the MAC of the JSON with indents', prettySigned(probe)],
    ]),
  },
  {
    id: 'B5',
    severity: 'must',
    section: '2',
    requirement: 'A secret that is unset, or a name in its place, is not a secret.',
    sends: 'MACs with an empty key, undefined, null, the name of the variable, env.NAME',
    advice: 'End at start-up when the secret is unset, and resolve env.NAME of the manifest.',
    run: forgeries((probe) => {
      const { secretName } = probe.session.settings;
      const keys = ['', 'undefined', 'null', secretName, `env.${secretName}`, `env:${secretName}`];
      return keys.map((secret) => [
        `signed with ${secret === '' ? 'an empty key' : `the key "${secret}"`}`,
        probe.request({ plan: { secret } }),
      ]);
    }),
  },
  {
    id: 'B6',
    severity: 'must',
    section: '2, 4',
    requirement: 'A signature of another form is refused, and never ends in a 5xx, which Kiket would repeat.',
    sends: '63, 62, 8 and 65 digits; not hexadecimal; base64; 64 KB; two signatures',
    advice: 'Check the form before you compare: timingSafeEqual throws for values of different length.',
    run: otherForms,
  },
  {
    id: 'B7',
    severity: 'must',
    section: '2',
    requirement: 'The timestamp is signed, and at most 5 minutes old or ahead.',
    sends: 'a timestamp that was changed, dropped or is a string; in milliseconds; 10 minutes old; 10 minutes ahead',
    advice: 'Put the header itself into the signed text, and compare it with the clock in both directions.',
    inapplicable: ({ form }) => (form.scheme === 'body' ? 'the signature covers no timestamp' : undefined),
    run: async (probe) => {
      const request = probe.request();
      const later = String(Number(headerOf(request.headers, 'X-Kiket-Timestamp')) + 1);
      const headers = withHeader(request.headers, 'X-Kiket-Timestamp', later);
      probe.expectNotTaken(await probe.send('a timestamp that was changed', { ...request, headers }));
      probe.expectNotTaken(await probe.send('a timestamp that was dropped', probe.tampered('timestamp-dropped')));
      for (const name of ['timestamp-text', 'timestamp-ms', 'stale', 'future']) {
        probe.expectNotTaken(await probe.send(WINDOW[name]!, probe.tampered(name)), 'should');
      }
    },
  },
  {
    id: 'B8',
    severity: 'must',
    section: '2',
    requirement: 'A timestamp that was moved into the body is not taken for a body that was signed alone.',
    sends: '<timestamp>.<JSON> as body, with its MAC, and no timestamp',
    advice: 'Accept one scheme only, and require that the body is a JSON object.',
    run: forgeries((probe) => {
      const delivery = probe.delivery({ plan: { scheme: 'timestamped' } });
      return [['the timestamp in the body', movedTimestamp(signed(delivery), delivery.plan.timestampSeconds)]];
    }),
  },
  {
    id: 'B9',
    severity: 'should',
    section: '2',
    requirement: 'X-Kiket-Event is not signed: it does not make another event of a signed body.',
    sends: 'a signed body of check.unknown, with the header of the event',
    advice: 'Take the event from the signed body, and refuse a header that names another one.',
    run: otherEvent,
  },
  {
    id: 'B10',
    severity: 'should',
    section: '3',
    requirement: 'Whoever cannot sign cannot occupy the receiver: a large body is not read to its end.',
    sends: 'the first 2 of 5 MB, with a wrong signature',
    advice: 'Refuse by Content-Length before you read, and stop reading at the limit.',
    run: async (probe) => {
      const request = {
        ...probe.tampered('wrong-secret', { payload: padded(5 * MB) }),
        transfer: { stopsAfter: 2 * MB },
      };
      const exchange = await probe.send('2 of 5 MB', request, { isForeign: true, timeoutMs: CUT_WITHIN_MS });
      const { attempt } = exchange;
      const isCut = 'response' in attempt || attempt.failure.code !== 'timeout';
      if (!isCut) probe.fail(exchange, 'no response within 2 s: it waits for the rest of 5 MB');
      probe.expectNotTaken(exchange);
    },
  },
  {
    id: 'B11',
    severity: 'should',
    section: '4',
    requirement: 'A refusal is a 4xx other than 429, so that Kiket does not deliver it again.',
    sends: 'the responses to all forgeries',
    advice: 'Respond with 401. A 5xx makes Kiket repeat what cannot succeed.',
    isLast: true,
    run: (probe) => {
      const refusals = probe.session.exchanges.filter(
        (exchange) => REFUSED.includes(exchange.caseId) && !isTaken(exchange),
      );
      const exchange = refusals.find((each) => !isFinal(each));
      if (exchange !== undefined) probe.fail(exchange, `${exchange.what}: ${shownResponse(exchange)}`);
      if (refusals.length === 0) probe.inapplicable('no forgery was refused');
    },
  },
];

const WINDOW: Readonly<Record<string, string>> = {
  'timestamp-text': 'a timestamp that is a string',
  'timestamp-ms': 'a timestamp in milliseconds',
  stale: 'a delivery that was signed 10 minutes ago',
  future: 'a delivery that is signed 10 minutes ahead',
};

/** B6 judges its own. */
const REFUSED = ['B1', 'B2', 'B3', 'B4', 'B5', 'B7', 'B8'];

function movedTimestamp(request: OutgoingRequest, timestampSeconds: number): OutgoingRequest {
  const body = Buffer.concat([Buffer.from(`${timestampSeconds}.`), request.body]);
  return { ...request, headers: withoutHeader(request.headers, 'X-Kiket-Timestamp'), body };
}

async function otherForms(probe: Probe): Promise<void> {
  const wrong = '0'.repeat(64);
  const forms: readonly (readonly [string, OutgoingRequest])[] = [
    ['63 digits', withDigits(probe, (digits) => digits.slice(0, 63))],
    ['62 digits', withDigits(probe, (digits) => digits.slice(0, 62))],
    ['8 digits', withDigits(probe, (digits) => digits.slice(0, 8))],
    ['65 digits', withDigits(probe, (digits) => `${digits}0`)],
    ['digits that are not hexadecimal', withDigits(probe, (digits) => `${digits.slice(0, 62)}zz`)],
    ['64 letters that are not hexadecimal', withDigits(probe, () => 'z'.repeat(64))],
    ['characters beyond ASCII', withDigits(probe, (digits) => `${digits.slice(0, 63)}é`)],
    ['base64', withDigits(probe, (digits) => Buffer.from(digits, 'hex').toString('base64'))],
    ['the right signature twice', probe.tampered('signature-repeated')],
    ['a wrong signature, then the right one', withDigits(probe, (digits) => `${wrong}, ${digits}`)],
    ['the right signature, then a wrong one', withDigits(probe, (digits) => `${digits}, ${wrong}`)],
  ];
  const judge = (exchange: Exchange): void => {
    probe.expectNotTaken(exchange);
    if (isFailure(exchange)) probe.fail(exchange, `${exchange.what}: ${shownResponse(exchange)}`, 'should');
  };
  for (const [what, request] of forms) judge(await probe.send(what, request));
  // The HTTP server itself may end the connection.
  const long = await probe.send('64 KB', probe.tampered('signature-64kb'), { isForeign: true });
  probe.expectNotTaken(long);
  if (statusOf(long) >= 500) probe.fail(long, `64 KB: ${shownResponse(long)}`, 'should');
}

const UNKNOWN = 'check.unknown';

async function otherEvent(probe: Probe): Promise<void> {
  const { event } = probe.session.settings;
  const renamed = (payload: Json) => ({ ...payload, event: UNKNOWN });
  const unknown = await probe.send('an unknown event', probe.request({ payload: renamed, plan: { event: UNKNOWN } }));
  const unknownEffects = await effectsOf(probe, { payload: renamed, plan: { event: UNKNOWN } });
  let conflicting: Exchange | undefined;
  const effects = await probe.effectsOf(async () => {
    conflicting = await probe.send(`the header ${event} over the body ${UNKNOWN}`, probe.request({ payload: renamed }));
  });
  if (!isTaken(conflicting!)) return;
  if (!isTaken(unknown)) {
    probe.fail(conflicting, `an event that is refused by itself is taken with the header X-Kiket-Event: ${event}`);
  } else if (unknownEffects === 0 && effects !== undefined && effects > 0) {
    probe.fail(conflicting, `an event without effects has ${effects} with the header X-Kiket-Event: ${event}`);
  } else if (unknownEffects === undefined) {
    probe.inapplicable('an unknown event is taken, and effects are not counted');
  }
}

async function effectsOf(probe: Probe, change: Parameters<Probe['request']>[0]): Promise<number | undefined> {
  if (!probe.session.countsEffects) return undefined;
  return probe.effectsOf(() => probe.send('an unknown event', probe.request(change)));
}
