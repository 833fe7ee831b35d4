import { outcomeOf } from '../../../lib/sending/outcome';
import type { Attempt } from '../../../lib/sending/send';
import { diagnose } from '../../../lib/simulator/diagnostics';
import { failure, response, timeout } from '../../support/simulator';

interface Given {
  readonly isGuard?: boolean;
  readonly isSubscribed?: boolean;
  readonly event?: string;
  readonly requestBytes?: number;
}

function codesOf(result: Attempt, given: Given): string[] {
  const { isGuard = false, isSubscribed = true, requestBytes = 1000 } = given;
  const { event = isGuard ? 'workflow.before_transition' : 'issue.created' } = given;
  const outcome = outcomeOf(result, { event, isRequired: true });
  const routing = { isGuard, isSubscribed, timeoutMs: 10_000 };
  const found = diagnose({ result, outcome, event, routing, requestBytes });
  return found.map(({ level, code }) => `${level} ${code}`);
}

const guard = { isGuard: true };
const slow: Attempt = { ...response(200), durationMs: 5001 };
const cut = response(200);
if ('response' in cut) Object.assign(cut.response, { droppedBytes: 5 });

describe('what a developer should know about an attempt', () => {
  it.each([
    [response(200, { ok: true }), {}, []],
    [response(404, 'x'), { event: 'issue.creatd' }, ['warning event.misspelt']],
    [response(200), { event: 'acme.own_event' }, []],
    [response(200), { isSubscribed: false }, ['hint hook.missing']],
    [timeout, {}, ['error delivery.timeout']],
    [failure(), {}, []],
    [response(401, { error: { code: 'signature.mismatch' } }), {}, ['error signature.mismatch']],
    [response(400, { error: { code: 'toString' } }), {}, ['error toString']],
    [response(302), {}, ['error response.redirect']],
    [response(400), {}, ['hint response.empty']],
    [response(429, 'x'), {}, ['hint response.retry_after']],
    [response(503, 'x', [['retry-after', '1']]), {}, []],
    [response(200, { success: false }), {}, ['warning response.says_failure']],
    [response(200, { actions: [{ kind: 'notify' }] }), {}, ['hint response.actions']],
    [response(200, { actions: [] }), {}, []],
    [response(200, 'null'), {}, []],
    [cut, {}, ['warning response.large']],
    [slow, {}, ['hint response.slow']],
    [response(200, 'x'), { requestBytes: 500 * 1024 + 1 }, ['hint payload.large']],
    [failure(), { requestBytes: 600_000 }, ['hint payload.large']],
    [response(200), guard, ['warning guard.no_decision']],
    [response(200, { status: 'no' }), guard, ['warning guard.no_decision']],
    [response(200, { status: 'deny' }), guard, ['hint guard.no_message']],
    [response(200, { status: 'pending', message: 'x' }), guard, []],
    [response(200, { status: 'allow' }), guard, []],
    [response(500, 'x'), guard, ['error guard.failed']],
  ] as const)('should be, of %j with %j, %j', (result, given, codes) => {
    expect(codesOf(result, given)).toEqual(codes);
  });
});
