import { setTimeout as wait } from 'node:timers/promises';
import type { Transfer } from '../../sending/http-message';
import type { ConformanceCase } from '../case';
import { isRetried, isTaken, shownResponse, textOf, type Exchange } from '../exchange';
import type { Probe } from '../probe';
import type { Json } from '../session';

/** How often a delivery is repeated while the receiver is still at work. */
const MOST_RETRIES = 20;

const ONCE = 'Remember each delivery by its invocation and content for more than a day, e.g. with kiketIdempotency.';

/**
 * Sends a delivery, and then the same bytes again. The second must be taken; both together should have the effects of one.
 *
 * @param transfer of the first one.
 */
export async function repeatedOnce(probe: Probe, when: string, transfer?: Transfer): Promise<void> {
  const usual = await usualEffects(probe);
  const request = probe.request();
  let first: Exchange | undefined;
  let second: Exchange | undefined;
  const effects = await probe.effectsOf(async () => {
    const isForeign = transfer !== undefined;
    first = await probe.send('a delivery', { ...request, transfer }, { isForeign });
    second = await sendUntilDone(probe, `the same bytes ${when}`, request);
  });
  if (transfer === undefined) probe.expectTaken(first!);
  probe.expectTaken(second!);
  judgeEffects(probe, second!, usual, effects);
  if (transfer === undefined && textOf(first!) !== textOf(second!)) {
    probe.fail(second, `${second!.what}: another body than the first time`, 'hint');
  }
}

/** Kiket, too, delivers again while the first attempt is still handled. */
async function sendUntilDone(probe: Probe, what: string, request: Parameters<Probe['send']>[1]): Promise<Exchange> {
  for (let retries = 0; ; retries++) {
    const exchange = await probe.send(what, request);
    if (!isRetried(exchange) || retries === MOST_RETRIES || probe.session.isInterrupted) return exchange;
    await wait(100);
  }
}

/** Returns the effects of one new delivery; `undefined` when they are not counted. */
async function usualEffects(probe: Probe): Promise<number | undefined> {
  const { session } = probe;
  return (session.usualEffects ??= await probe.effectsOf(() => probe.deliver('another delivery')));
}

function judgeEffects(probe: Probe, exchange: Exchange, usual: number | undefined, effects: number | undefined): void {
  if (usual === undefined || effects === undefined)
    return probe.note('Effects were not counted: see --api and --effects.');
  if (usual === 0) return probe.note('A delivery has no effects that could be counted.');
  if (effects > usual) {
    probe.fail(exchange, `${exchange.what}: ${effects} effects, where one delivery has ${usual}`, 'should');
  }
}

export const REPEATS: readonly ConformanceCase[] = [
  {
    id: 'E1',
    severity: 'must',
    section: '4',
    requirement: 'The same bytes twice are taken twice, have one effect, and get one response.',
    sends: 'the same bytes twice',
    advice: ONCE,
    run: (probe) => repeatedOnce(probe, 'again'),
  },
  {
    id: 'E2',
    severity: 'must',
    section: '4',
    requirement:
      'The same bytes at the same time have one effect, and none gets a final 4xx, which would halt the workflow.',
    sends: 'the same bytes five times at once',
    advice: 'Lock the delivery while it is handled, and respond to the others with 503 and Retry-After.',
    run: async (probe) => {
      const usual = await usualEffects(probe);
      const request = probe.request();
      let exchanges: readonly Exchange[] = [];
      const effects = await probe.effectsOf(async () => {
        exchanges = await Promise.all(Array.from({ length: 5 }, () => probe.send('one of 5 at once', request)));
      });
      const refused = exchanges.find((exchange) => !isTaken(exchange) && !isRetried(exchange));
      if (refused !== undefined) probe.fail(refused, `one of 5 at once: ${shownResponse(refused)}`);
      judgeEffects(probe, exchanges[0]!, usual, effects);
    },
  },
  {
    id: 'E3',
    severity: 'must',
    section: '3, 4',
    requirement: 'A retry of Kiket has a fresh token and a fresh signature, and is the same delivery.',
    sends: 'the same invocation and content, with another token, expiry and time',
    advice: 'Leave authentication, secrets and secret_status out of what identifies a delivery.',
    run: async (probe) => {
      const usual = await usualEffects(probe);
      const first = probe.delivery();
      const content = JSON.parse(first.body.toString()) as Json;
      const invocationId = first.plan.invocationId;
      const again = probe.request({
        payload: ({ authentication }) => ({ ...content, authentication }),
        plan: { invocationId, timestampSeconds: first.plan.timestampSeconds + 1 },
      });
      let second: Exchange | undefined;
      const effects = await probe.effectsOf(async () => {
        const payload = () => content;
        const { timestampSeconds } = first.plan;
        const request = probe.request({ payload, plan: { invocationId, timestampSeconds } });
        probe.expectTaken(await probe.send('a delivery', request));
        second = await probe.send('its retry, with a fresh token', again);
      });
      probe.expectTaken(second!);
      judgeEffects(probe, second!, usual, effects);
    },
  },
  {
    id: 'E4',
    severity: 'should',
    section: '2',
    requirement: 'Another content under the same invocation is another delivery: the invocation is not signed.',
    sends: 'the same invocation with another content',
    advice: 'Identify a delivery by its signed content, and not by X-Kiket-Invocation alone.',
    run: otherContent,
  },
  {
    id: 'E5',
    severity: 'hint',
    section: '2',
    requirement: 'The same content under another invocation is noted only: it may be a new delivery or a replay.',
    sends: 'the same bytes with another invocation',
    advice: 'Decide whether identical bytes are one delivery.',
    run: async (probe) => {
      const delivery = probe.delivery();
      const payload = () => JSON.parse(delivery.body.toString()) as Json;
      const { timestampSeconds, invocationId } = delivery.plan;
      await probe.send('a delivery', probe.request({ payload, plan: { timestampSeconds, invocationId } }));
      let again: Exchange | undefined;
      const effects = await probe.effectsOf(async () => {
        const invocation = probe.session.nextInvocation();
        const request = probe.request({ payload, plan: { timestampSeconds, invocationId: invocation } });
        again = await probe.send('the same bytes, another invocation', request);
      });
      const counted = effects === undefined ? '' : `, with ${effects} effects`;
      probe.note(`The same bytes under another invocation get ${shownResponse(again!)}${counted}.`);
    },
  },
  {
    id: 'E6',
    severity: 'must',
    section: '4',
    requirement: 'After a response that Kiket repeats, the same delivery is handled.',
    sends: 'a delivery while the API of Kiket fails, and the same again when it works',
    advice: 'Forget a delivery that failed with 5xx or 429, so that its retry runs.',
    inapplicable: (session) => (session.hasCalledBack ? undefined : 'no call to the API was seen: see --api'),
    run: async (probe) => {
      const { api } = probe.session.settings;
      const request = probe.request();
      const works = api!.fail({ kind: 'status', status: 503 });
      const first = await probe.send('a delivery while the API fails', request);
      works();
      if (!isRetried(first)) probe.inapplicable('a failure of the API does not make the response retryable');
      probe.expectTaken(await sendUntilDone(probe, 'the same when the API works', request));
    },
  },
];

async function otherContent(probe: Probe): Promise<void> {
  const named = (name: string) => (payload: Json) => {
    const subject = payload['issue'] === undefined ? 'case' : 'issue';
    return { ...payload, [subject]: { ...(payload[subject] as Json | undefined), title: `Check ${name}` } };
  };
  const usual = await usualEffects(probe);
  const invocationId = probe.session.nextInvocation();
  const first = await probe.deliver('a delivery', { payload: named('one'), plan: { invocationId } });
  let other: Exchange | undefined;
  const effects = await probe.effectsOf(async () => {
    other = await probe.deliver('another content, same invocation', { payload: named('two'), plan: { invocationId } });
  });
  const control = await probe.deliver('another content, new invocation', { payload: named('three') });

  const isVarying = textOf(first) !== textOf(control);
  const isCounted = usual !== undefined && usual > 0;
  if (!isVarying && !isCounted)
    probe.inapplicable('responses do not depend on the content, and no effects were counted');
  if (isVarying && textOf(first) === textOf(other!)) probe.fail(other, `${other!.what}: the response to the first one`);
  else if (isCounted && effects === 0 && isTaken(other!)) probe.fail(other, `${other!.what}: taken, without an effect`);
}
