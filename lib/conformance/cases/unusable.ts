import { headerOf, type OutgoingRequest } from '../../sending/http-message';
import { signedRequest } from '../../sending/sign';
import type { ConformanceCase } from '../case';
import { isFailure, isFinal, isRetried, isTaken, objectOf, statusOf, textOf, type Exchange } from '../exchange';
import type { Probe } from '../probe';
import type { Json } from '../session';

/** Appears in the malformed body, and so in a response that quotes it. V8 quotes 20 characters at most. */
export const ECHO = 'check_4711';

/** Returns a delivery of bytes that are not a payload, signed. */
export function unusable(probe: Probe, body: string | Buffer, event?: string): OutgoingRequest {
  const { url, plan } = probe.delivery({ event });
  return signedRequest(url, Buffer.from(body as string), plan);
}

const BODIES: readonly (readonly [what: string, body: string | Buffer])[] = [
  ['malformed JSON', `{"a":${ECHO}}`],
  ['an empty body', ''],
  ['an array', '[]'],
  ['a string', '"x"'],
  ['a number', '1'],
  ['null', 'null'],
  ['broken UTF-8', Buffer.from('7b226576656e74223a22e9227d', 'hex')],
];

/** True for a request whose response the receiver itself has made. */
const isOwn = ({ isForeign, attempt }: Exchange): boolean => !isForeign && 'response' in attempt;

const isNotFailed = (exchange: Exchange): boolean => !isFailure(exchange);

const headersOf = ({ attempt }: Exchange) => ('response' in attempt ? attempt.response.headers : []);

/** Reports the first response for which `problem` returns one. */
function inspect(problem: (exchange: Exchange) => string | undefined) {
  return (probe: Probe): void => {
    for (const exchange of probe.session.exchanges.filter(isOwn)) {
      const found = problem(exchange);
      if (found !== undefined) return probe.fail(exchange, `${exchange.what}: ${found}`);
    }
  };
}

export const UNUSABLE: readonly ConformanceCase[] = [
  {
    id: 'C1',
    severity: 'should',
    section: '4',
    requirement: 'What cannot become better is refused with a 4xx other than 429, neither repeated nor taken.',
    sends: 'malformed JSON; an empty body; an array, a string, a number, null; broken UTF-8',
    advice: 'Catch the error of the parser, check that the payload is an object, and respond with 400.',
    run: async (probe) => {
      for (const [what, body] of BODIES) probe.expect(await probe.send(what, unusable(probe, body)), isFinal);
    },
  },
  {
    id: 'C2',
    severity: 'hint',
    section: '3',
    requirement: 'A payload without an event is refused with a 4xx other than 429.',
    sends: 'no event at all; an event that is a number',
    advice: 'Check that the event is a non-empty string.',
    run: async (probe) => {
      const without = ({ event: _event, ...payload }: Json) => payload;
      const nameless = probe.request({ payload: without, plan: { event: undefined } });
      probe.expect(await probe.send('no event', nameless), isFinal);
      const numbered = probe.request({ payload: (each) => ({ ...each, event: 7 }), plan: { event: undefined } });
      probe.expect(await probe.send('an event that is a number', numbered), isFinal);
    },
  },
  {
    id: 'C3',
    severity: 'should',
    section: '4',
    requirement: 'An unknown event is taken or refused, but does not fail: Kiket would repeat it.',
    sends: 'the event check.unknown',
    advice: 'Respond with 2xx to ignore it, or with 404.',
    run: async (probe) => {
      const renamed = (payload: Json) => ({ ...payload, event: 'check.unknown' });
      const request = probe.request({ payload: renamed, plan: { event: 'check.unknown' } });
      probe.expect(await probe.send('an unknown event', request), (each) => !isRetried(each));
    },
  },
  {
    id: 'C4',
    severity: 'hint',
    section: '3',
    requirement: 'An unknown version is taken or refused, but does not fail.',
    sends: 'the version v999',
    advice: 'Respond with 2xx to ignore it, or with 404.',
    run: async (probe) => {
      const payload = (each: Json) => ({ ...each, event_version: 'v999' });
      const request = probe.request({ payload, plan: { eventVersion: 'v999' } });
      probe.expect(await probe.send('an unknown version', request), (each) => !isRetried(each));
    },
  },
  {
    id: 'C5',
    severity: 'should',
    section: 'robustness',
    requirement: 'Extreme payloads get a response, and the receiver lives on.',
    sends: '10,000 levels; 100,000 members; __proto__',
    advice: 'Parse in a try, do not walk payloads recursively, and do not copy __proto__.',
    run: async (probe) => {
      const deep = `"deep":${'['.repeat(10_000)}${']'.repeat(10_000)}`;
      const many = `"many":{${Array.from({ length: 100_000 }, (_, i) => `"${i.toString(36)}":1`).join(',')}}`;
      const proto = '"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}';
      const members = [
        ['10,000 levels', deep],
        ['100,000 members', many],
        ['__proto__', proto],
      ] as const;
      for (const [what, member] of members) {
        const write = (payload: Json) => `${JSON.stringify(payload).slice(0, -1)},${member}}`;
        probe.expect(await probe.deliver(what, { write }), ({ attempt }) => 'response' in attempt);
      }
    },
  },
  {
    id: 'C6',
    severity: 'hint',
    section: '1',
    requirement: 'Only POST is a delivery.',
    sends: 'GET, PUT and HEAD',
    advice: 'Register the route for POST only.',
    run: async (probe) => {
      for (const method of ['GET', 'PUT', 'HEAD']) {
        const request = { ...probe.request(), method };
        const bodiless = { ...request, body: Buffer.alloc(0) };
        probe.expectNotTaken(await probe.send(method, method === 'PUT' ? request : bodiless, { isForeign: true }));
      }
    },
  },
  {
    id: 'C7',
    severity: 'should',
    section: '1',
    requirement: 'A response is JSON with its type, or empty.',
    sends: 'all responses of the receiver',
    advice: 'Respond with res.json(), or without a body.',
    isLast: true,
    run: inspect((exchange) => {
      if (textOf(exchange) === '') return undefined;
      const type = headerOf(headersOf(exchange), 'Content-Type') ?? '';
      if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type))
        return `the type is ${type === '' ? 'absent' : type}`;
      return isJson(textOf(exchange)) ? undefined : 'the body is not JSON';
    }),
  },
  {
    id: 'C8',
    severity: 'should',
    section: '4',
    requirement: 'An error says why: Kiket shows the body in the activity of the project.',
    sends: 'all responses with 4xx and 5xx',
    advice: 'Respond with JSON that has a code or a message, such as {"error":{"code":"…","message":"…"}}.',
    isLast: true,
    run: inspect((exchange) => {
      if (statusOf(exchange) < 400 || Object.keys(objectOf(exchange) ?? {}).length > 0) return undefined;
      return `${statusOf(exchange)} without a JSON object that says why`;
    }),
  },
  {
    id: 'C9',
    severity: 'hint',
    section: 'HTTP',
    requirement: 'A response with 429 or 503 says when to try again.',
    sends: 'all responses with 429 and 503',
    advice: 'Send Retry-After in seconds.',
    isLast: true,
    run: inspect((exchange) => {
      const isLimited = [429, 503].includes(statusOf(exchange));
      const hasDelay = headerOf(headersOf(exchange), 'Retry-After') !== undefined;
      return isLimited && !hasDelay ? `${statusOf(exchange)} without Retry-After` : undefined;
    }),
  },
  {
    id: 'C10',
    severity: 'should',
    section: '4',
    requirement: 'A delivery is not redirected: Kiket does not follow.',
    sends: 'all responses of the receiver',
    advice: 'Register the exact URL at Kiket, with or without the slash at its end.',
    isLast: true,
    run: inspect((exchange) => {
      const status = statusOf(exchange);
      return status >= 300 && status < 400 ? `redirected with ${status}` : undefined;
    }),
  },
  {
    id: 'C11',
    severity: 'should',
    section: '3',
    requirement: 'Missing secrets do not fail: they are named, so that an operator can be asked for them.',
    sends: 'secret_status.missing with all names, and no secrets',
    advice: 'Respond with 422 and the names of the missing secrets.',
    run: async (probe) => {
      const { secrets } = probe.session.settings;
      const missing = [...Object.keys(secrets), 'CHECK_CANARY'];
      const payload = (each: Json) => ({ ...each, secrets: {}, secret_status: { missing } });
      const exchange = await probe.deliver('no secrets', { payload });
      if (isTaken(exchange)) return;
      probe.expect(exchange, isFinal);
      const isNamed = Object.keys(secrets).some((name) => textOf(exchange).includes(name));
      if (isFinal(exchange) && Object.keys(secrets).length > 0 && !isNamed) {
        probe.fail(exchange, `no secrets: ${statusOf(exchange)} without the name of a missing secret`);
      }
    },
  },
  {
    id: 'C12',
    severity: 'hint',
    section: '3',
    requirement: 'An expired token and missing scopes do not fail with a 5xx.',
    sends: 'expires_at in the past; no scopes',
    advice: 'Respond with 403 when a scope is missing.',
    run: async (probe) => {
      const past = new Date(Date.now() - 3_600_000).toISOString();
      const changes = [
        ['an expired token', { expires_at: past }],
        ['no scopes', { scopes: [] }],
      ] as const;
      for (const [what, change] of changes) {
        const payload = (each: Json) => ({
          ...each,
          authentication: { ...(each['authentication'] as Json), ...change },
        });
        probe.expect(await probe.deliver(what, { payload }), isNotFailed);
      }
    },
  },
];

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
