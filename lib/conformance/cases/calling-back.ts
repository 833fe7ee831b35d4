import { startFakeKiket } from '../../fake-kiket/start-fake-kiket';
import type { FakeKiketRequest } from '../../fake-kiket/fake-kiket';
import type { FakeKiketFault } from '../../fake-kiket/faults';
import type { ConformanceCase } from '../case';
import { isRetried, shownResponse, textOf, type Exchange } from '../exchange';
import type { Probe } from '../probe';
import type { CheckSession, DeliveryChange, Json } from '../session';

/** More calls within one delivery that is refused by the rate limit are a storm. */
const MOST_CALLS = 5;

const inapplicable = (session: CheckSession): string | undefined => {
  if (session.settings.api === undefined) return 'the API of Kiket is not there: see --api';
  return session.hasCalledBack ? undefined : 'the extension does not call back';
};

/** Delivers, and returns the calls of the extension meanwhile. */
async function callsOf(
  probe: Probe,
  what: string,
  change?: DeliveryChange,
): Promise<{ readonly exchange: Exchange; readonly calls: readonly FakeKiketRequest[] }> {
  const { requests } = probe.session.settings.api!;
  const before = requests.length;
  const exchange = await probe.deliver(what, change);
  return { exchange, calls: requests.slice(before) };
}

/** Delivers while the API has a fault. */
async function whileFailing(probe: Probe, what: string, fault: FakeKiketFault): Promise<Exchange> {
  const works = probe.session.settings.api!.fail(fault);
  try {
    return await probe.deliver(what);
  } finally {
    works();
  }
}

const withApi = (change: Json) => (payload: Json) => ({ ...payload, api: { ...(payload['api'] as Json), ...change } });

export const CALLING_BACK: readonly ConformanceCase[] = [
  {
    id: 'H1',
    severity: 'must',
    section: '3, 5',
    requirement: 'The runtime token goes into the header that api.runtime_header names, and no API key beside it.',
    sends: 'a delivery with a token',
    advice: 'Use authentication.runtime_token for the calls of a delivery, and the API key only without one.',
    inapplicable,
    run: async (probe) => {
      const { exchange, calls } = await callsOf(probe, 'a delivery with a token');
      const { authentication, api } = JSON.parse(exchange.request.body.toString()) as {
        authentication: { runtime_token: string };
        api: { runtime_header: string };
      };
      if (calls.length === 0) probe.inapplicable('no call was seen');
      const header = api.runtime_header.toLowerCase();
      for (const { headers, target } of calls) {
        if (headers[header] !== authentication.runtime_token) {
          return probe.fail(exchange, `${target}: no token in ${api.runtime_header}`);
        }
        if (headers['x-kiket-api-key'] !== undefined)
          return probe.fail(exchange, `${target}: an API key beside the token`);
      }
    },
  },
  {
    id: 'H2',
    severity: 'should',
    section: '3',
    requirement: 'The name of the header is that of the payload.',
    sends: 'another api.runtime_header',
    advice: 'Read the name from api.runtime_header.',
    inapplicable,
    run: async (probe) => {
      const payload = withApi({ runtime_header: 'X-Check-Runtime-Token' });
      const { exchange, calls } = await callsOf(probe, 'another header for the token', { payload });
      if (calls.length === 0) probe.inapplicable('no call was seen');
      const isNamed = calls.every(({ headers }) => headers['x-check-runtime-token'] !== undefined);
      if (!isNamed) probe.fail(exchange, 'the token is not in X-Check-Runtime-Token');
    },
  },
  {
    id: 'H3',
    severity: 'should',
    section: '4',
    requirement: 'When the API fails, Kiket is asked to deliver again, within 10 seconds.',
    sends: 'deliveries while the API responds with 500, 429, or not at all',
    advice: 'Respond with 503 when a call fails, and set a time limit for calls.',
    inapplicable,
    run: async (probe) => {
      const faults: readonly (readonly [string, FakeKiketFault])[] = [
        ['the API responds with 500', { kind: 'status', status: 500 }],
        ['the API responds with 429', { kind: 'rate-limit', retryAfter: 30 }],
        ['the API does not respond', { kind: 'hang' }],
      ];
      for (const [what, fault] of faults) {
        const exchange = await whileFailing(probe, what, fault);
        probe.expect(exchange, (each) => 'response' in each.attempt && isRetried(each));
      }
    },
  },
  {
    id: 'H4',
    severity: 'hint',
    section: '5',
    requirement: 'When the API refuses, there is a response without a stack trace.',
    sends: 'deliveries while the API responds with 403 and 404',
    advice: 'Handle the errors of calls.',
    inapplicable,
    run: async (probe) => {
      for (const status of [403, 404]) {
        const exchange = await whileFailing(probe, `the API responds with ${status}`, { kind: 'status', status });
        const hasStack = /^\s*at .+:\d+/m.test(textOf(exchange));
        probe.expect(exchange, ({ attempt }) => 'response' in attempt && !hasStack);
      }
    },
  },
  {
    id: 'H5',
    severity: 'should',
    section: '3',
    requirement: 'Without a token, calls have the API key, or there are none.',
    sends: 'a delivery without authentication',
    advice: 'Use the API key of the extension when the payload has no token.',
    inapplicable,
    run: async (probe) => {
      const payload = ({ authentication: _authentication, ...rest }: Json) => rest;
      const { exchange, calls } = await callsOf(probe, 'no token', { payload });
      const bare = calls.find(({ headers }) => headers['x-kiket-api-key'] === undefined);
      if (bare !== undefined) probe.fail(exchange, `${bare.target}: a call without a credential`);
    },
  },
  {
    id: 'H6',
    severity: 'hint',
    section: 'security',
    requirement: 'The token is not sent to another origin because a payload names it.',
    sends: 'another origin in api.base_url, signed',
    advice: 'Allow the origins of Kiket only.',
    inapplicable,
    run: async (probe) => {
      const other = await startFakeKiket();
      try {
        const exchange = await probe.deliver('another origin', { payload: withApi({ base_url: other.url }) });
        if (other.requests.length > 0) probe.fail(exchange, 'the token was sent to another origin');
      } finally {
        await other.close();
      }
    },
  },
  {
    id: 'H7',
    severity: 'hint',
    section: '5',
    requirement: 'At the rate limit, calls are not repeated without a pause.',
    sends: 'a delivery while the API responds with 429 and Retry-After',
    advice: 'Wait as long as Retry-After says, or respond with 503 and let Kiket deliver again.',
    inapplicable,
    run: async (probe) => {
      const works = probe.session.settings.api!.fail({ kind: 'rate-limit', retryAfter: 30 });
      try {
        const { exchange, calls } = await callsOf(probe, 'the rate limit is reached');
        if (calls.length > MOST_CALLS) probe.fail(exchange, `${calls.length} calls: ${shownResponse(exchange)}`);
      } finally {
        works();
      }
    },
  },
];
