import { isObject } from '../../guards';
import { decisionOf } from '../../delivery/reply';
import type { ConformanceCase } from '../case';
import { isTaken, objectOf, shownResponse, statusOf, textOf, type Exchange } from '../exchange';
import type { Probe } from '../probe';
import type { CheckSession, Json } from '../session';
import { unusable } from './unusable';

/** A person waits for the transition. */
const PATIENCE_MS = 2000;

const inapplicable = ({ settings }: CheckSession): string | undefined =>
  settings.guard === undefined ? 'no guard is given: see --guard' : undefined;

function guardOf(probe: Probe): string {
  return probe.session.settings.guard!.event;
}

function deliver(probe: Probe, what: string, payload?: (payload: Json) => Json): Promise<Exchange> {
  return probe.deliver(what, { event: guardOf(probe), payload });
}

function decision(exchange: Exchange): string | undefined {
  return isTaken(exchange) ? decisionOf(textOf(exchange)) : undefined;
}

function expectDecision(probe: Probe, exchange: Exchange): void {
  if (decision(exchange) !== undefined) return;
  if (isTaken(exchange)) probe.fail(exchange, `${exchange.what}: ${statusOf(exchange)} without a decision is consent`);
}

/** Reports the first decision for which `problem` returns one. */
function inspect(problem: (reply: Json, exchange: Exchange) => string | undefined) {
  return (probe: Probe): void => {
    const seen = probe.session.exchanges.filter(
      (each) => each.event === guardOf(probe) && decision(each) !== undefined,
    );
    if (seen.length === 0) probe.inapplicable('no decision was seen');
    for (const exchange of seen) {
      const found = problem(objectOf(exchange)!, exchange);
      if (found !== undefined) return probe.fail(exchange, `${exchange.what}: ${found}`);
    }
  };
}

const DECIDE = 'Return {"status":"allow"}, "deny" or "pending" on every path of a guard.';

export const GUARD_CASES: readonly ConformanceCase[] = [
  {
    id: 'F1',
    severity: 'must',
    section: '4',
    requirement:
      'A guard responds with a JSON object whose status is allow, pending or deny: anything else is consent.',
    sends: 'a transition to decide about',
    advice: DECIDE,
    inapplicable,
    run: async (probe) => {
      const exchange = await deliver(probe, 'a transition');
      expectDecision(probe, exchange);
      probe.expectTaken(exchange);
    },
  },
  {
    id: 'F2',
    severity: 'must',
    section: '4',
    requirement: 'A guard that cannot decide fails, or decides: it does not respond with an empty 2xx.',
    sends: 'no transition; unknown states',
    advice: DECIDE,
    inapplicable,
    run: async (probe) => {
      const without = ({ transition: _transition, ...payload }: Json) => payload;
      expectDecision(probe, await deliver(probe, 'no transition', without));
      const transition = { from: 'check_unknown', to: 'check_unknown_too', performed_by: null };
      expectDecision(probe, await deliver(probe, 'unknown states', (payload) => ({ ...payload, transition })));
    },
  },
  {
    id: 'F3',
    severity: 'must',
    section: '4',
    requirement: 'A guard that cannot read the delivery fails: an empty 2xx is consent.',
    sends: 'malformed JSON to the guard',
    advice: 'Respond with 400 when the body cannot be parsed.',
    inapplicable,
    run: async (probe) => {
      const event = guardOf(probe);
      const exchange = await probe.send('malformed JSON', unusable(probe, '{"transition": to', event), { event });
      const isBlocked = ['deny', 'pending'].includes(decision(exchange) ?? '');
      if (isTaken(exchange) && !isBlocked)
        probe.fail(exchange, `malformed JSON: ${shownResponse(exchange)} is consent`);
    },
  },
  {
    id: 'F4',
    severity: 'should',
    section: '4',
    requirement: 'A refusal has a message for the user.',
    sends: 'all responses with deny and pending',
    advice: 'Return a message with deny and pending.',
    inapplicable,
    isLast: true,
    run: inspect(({ status, message }) =>
      status === 'allow' || (typeof message === 'string' && message !== '')
        ? undefined
        : `${String(status)} without a message`,
    ),
  },
  {
    id: 'F5',
    severity: 'hint',
    section: '4',
    requirement: 'metadata.output_fields are strings.',
    sends: 'all responses with metadata.output_fields',
    advice: 'Convert the values to strings.',
    inapplicable,
    isLast: true,
    run: inspect(({ metadata }) => {
      const fields = isObject(metadata) ? metadata['output_fields'] : undefined;
      if (fields === undefined) return undefined;
      const isFine = isObject(fields) && Object.values(fields).every((value) => typeof value === 'string');
      return isFine ? undefined : 'output_fields are not all strings';
    }),
  },
  {
    id: 'F6',
    severity: 'should',
    section: 'robustness',
    requirement: 'The same transition gets the same decision.',
    sends: 'the same bytes twice',
    advice: 'Decide by the delivery and by stored state only.',
    inapplicable,
    run: async (probe) => {
      const event = guardOf(probe);
      const request = probe.request({ event });
      const first = await probe.send('a transition', request, { event });
      const second = await probe.send('the same transition again', request, { event });
      if (decision(first) !== decision(second)) {
        probe.fail(second, `first ${decision(first) ?? statusOf(first)}, then ${decision(second) ?? statusOf(second)}`);
      }
    },
  },
  {
    id: 'F7',
    severity: 'hint',
    section: 'robustness',
    requirement: 'A guard decides within 2 seconds: a person waits.',
    sends: 'all responses of the guard',
    advice: 'Decide by the payload, and keep what other systems say in a cache.',
    inapplicable,
    isLast: true,
    run: inspect((_reply, { attempt: { durationMs } }) =>
      durationMs > PATIENCE_MS ? `${(durationMs / 1000).toFixed(1)} s` : undefined,
    ),
  },
];
