import { isTaken, isFailure, isFinal, shownResponse, statusOf } from '../exchange';
import type { ConformanceCase } from '../case';
import { repeatedOnce } from './repeats';
import { padded } from './genuine';

const MB = 1024 * 1024;

/** A person, or another delivery, waits. */
const NOTED_MS = 5000;

/** In time limits of a response. */
const STALLED = 3;

export const TIME_AND_SIZE: readonly ConformanceCase[] = [
  {
    id: 'D1',
    severity: 'must',
    section: '3',
    requirement: 'A response comes within 10 seconds: later it is lost, and Kiket delivers again.',
    sends: 'all requests of the run',
    advice: 'Store the delivery, respond, and do the work afterwards.',
    isLast: true,
    run: (probe) => {
      const exchanges = probe.session.exchanges.filter(({ isForeign }) => !isForeign);
      const late = exchanges.find(({ attempt }) => 'failure' in attempt && attempt.failure.code === 'timeout');
      if (late !== undefined) return probe.fail(late, `${late.what}: ${shownResponse(late)}`);
      const [slowest] = exchanges.sort((a, b) => durationOf(b) - durationOf(a));
      if (slowest !== undefined && durationOf(slowest) > NOTED_MS) {
        probe.note(`${slowest.what} took ${(durationOf(slowest) / 1000).toFixed(1)} s.`);
      }
    },
  },
  {
    id: 'D2',
    severity: 'should',
    section: '3',
    requirement: 'A delivery over the limit is refused with a 4xx, and does no harm.',
    sends: '5 MB, signed',
    advice: 'Set a limit of about 1 MB, and respond with 413.',
    run: async (probe) => {
      const exchange = await probe.deliver('5 MB', { payload: padded(5 * MB) });
      if (isTaken(exchange)) return probe.note('It takes 5 MB, ten times of what Kiket sends.');
      probe.expect(exchange, isFinal);
    },
  },
  {
    id: 'D3',
    severity: 'should',
    section: 'HTTP',
    requirement: 'A connection that breaks off in the body does no harm.',
    sends: 'a Content-Length beyond the body, and the end of the connection',
    advice: 'Handle the errors of the request stream.',
    run: async (probe) => {
      await probe.send('a body that breaks off', probe.tampered('content-length-more'), { isForeign: true });
    },
  },
  {
    id: 'D4',
    severity: 'hint',
    section: 'HTTP',
    requirement: 'A body that does not go on is given up.',
    sends: 'half of a body, and then nothing for 30 s',
    advice: 'Set a time limit for reading a body, e.g. requestTimeout of the HTTP server.',
    run: async (probe) => {
      const request = probe.request();
      const transfer = { stopsAfter: request.body.length >> 1 };
      const change = { isForeign: true, timeoutMs: probe.session.settings.timeoutMs * STALLED };
      const exchange = await probe.send('half of a body', { ...request, transfer }, change);
      const { attempt } = exchange;
      if ('failure' in attempt && attempt.failure.code === 'timeout') {
        probe.fail(exchange, `it waits for the rest of the body: ${attempt.failure.message}`);
      }
    },
  },
  {
    id: 'D5',
    severity: 'hint',
    section: 'HTTP',
    requirement: 'A compressed body does not fail with a 5xx.',
    sends: 'the body in gzip, signed before',
    advice: 'Respond with 415: the signature covers other bytes than those that come.',
    run: async (probe) => {
      const exchange = await probe.send('gzip', probe.tampered('gzip'));
      probe.expect(exchange, (each) => !isFailure(each) && statusOf(each) !== 429);
    },
  },
  {
    id: 'D6',
    severity: 'should',
    section: '4',
    requirement: 'A delivery whose sender left before the response is taken when it comes again, with one effect.',
    sends: 'a delivery whose sender does not wait, and the same again',
    advice: 'Remember the delivery by its invocation and content, and finish what was begun.',
    run: (probe) => repeatedOnce(probe, 'after the sender has left', { leavesEarly: true }),
  },
];

function durationOf({ attempt, sendingMs }: { attempt: { durationMs: number }; sendingMs: number }): number {
  return attempt.durationMs - sendingMs;
}
