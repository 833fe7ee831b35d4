import { outcomeOf, type DeliveredHook } from '../../../lib/sending/outcome';
import type { Attempt } from '../../../lib/sending/send';

const required: DeliveredHook = { event: 'issue.created', isRequired: true };
const optional: DeliveredHook = { event: 'issue.created', isRequired: false };
const guard: DeliveredHook = { event: 'workflow.before_transition', isRequired: true };
const shortGuard: DeliveredHook = { event: 'before_transition', isRequired: true };
const nameless: DeliveredHook = { event: undefined, isRequired: true };

function response(status: number, body: object | string = ''): Attempt {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { response: { status, headers: [], body: Buffer.from(text), droppedBytes: 0 }, durationMs: 1 };
}

const timeout: Attempt = { failure: { code: 'timeout', message: 'no response within 10 ms' }, durationMs: 10 };

const COMPLETE = 'the delivery is complete';
const AGAIN = 'Kiket sends the delivery again, up to 5 times';
const ALERT = `${AGAIN}, and alerts when all attempts have failed`;
const HALTS = 'Kiket gives the delivery up, and halts the workflow';
const GOES_ON = 'Kiket gives the delivery up, and the workflow goes on';

describe('the outcome of a delivery', () => {
  it.each([
    [200, required, 'success', COMPLETE],
    [204, required, 'success', COMPLETE],
    [299, nameless, 'success', COMPLETE],
    [302, required, 'final', HALTS],
    [400, required, 'final', HALTS],
    [400, optional, 'final', GOES_ON],
    [401, nameless, 'final', HALTS],
    [422, required, 'final', HALTS],
    [429, required, 'retryable', ALERT],
    [429, optional, 'retryable', AGAIN],
    [500, required, 'retryable', ALERT],
    [503, optional, 'retryable', AGAIN],
  ] as const)('should be, for %d', (status, hook, kind, consequence) => {
    const expected = { kind, consequence, decision: undefined, code: undefined };
    expect(outcomeOf(response(status), hook)).toEqual(expected);
  });

  it('should be retryable without a response', () => {
    expect(outcomeOf(timeout, required)).toMatchObject({ kind: 'retryable', consequence: ALERT });
  });

  it.each([{ ok: false }, { success: false }])('should be a success, with a remark, for 200 and %j', (body) => {
    expect(outcomeOf(response(200, body), required)).toMatchObject({
      kind: 'success',
      consequence: `${COMPLETE}: Kiket takes every 2xx for a success, also one that says otherwise`,
    });
  });

  it.each([
    [{ error: { code: 'signature.stale' } }, 'signature.stale'],
    [{ error: { code: 7 } }, undefined],
    [{ error: 'no' }, undefined],
    ['not JSON', undefined],
    ['null', undefined],
  ])('should have the code of the response %j', (body, code) => {
    expect(outcomeOf(response(401, body), required).code).toBe(code);
  });

  it('should not have the status of a response as a decision for another event', () => {
    expect(outcomeOf(response(200, { status: 'deny' }), required).decision).toBeUndefined();
  });
});

describe('the outcome of a guard', () => {
  const APPROVAL = 'the transition goes on, because Kiket takes a response without a decision for approval';
  const CANCELLED = 'the transition is cancelled, as by deny';

  it.each([
    [{ status: 'allow' }, 'allow', 'the transition goes on'],
    [{ status: 'deny' }, 'deny', 'the transition is cancelled'],
    [{ status: 'deny', message: 'Later' }, 'deny', 'the transition is cancelled, and the user sees: Later'],
    [{ status: 'deny', message: 7 }, 'deny', 'the transition is cancelled'],
    [{ status: 'pending' }, 'pending', 'the transition waits for an approval'],
    [{ status: 'ALLOW' }, 'allow', APPROVAL],
    [{ ok: false }, 'allow', APPROVAL],
    ['', 'allow', APPROVAL],
    ['deny', 'allow', APPROVAL],
    ['null', 'allow', APPROVAL],
  ])('should be, for 200 and %j', (body, decision, consequence) => {
    for (const hook of [guard, shortGuard]) {
      expect(outcomeOf(response(200, body), hook)).toEqual({ kind: 'success', code: undefined, decision, consequence });
    }
  });

  it.each([
    [response(422, { status: 'allow' }), 'final'],
    [response(500, { status: 'allow' }), 'retryable'],
    [response(429), 'retryable'],
    [timeout, 'retryable'],
  ] as const)('should be deny for a failure', (attempt, kind) => {
    expect(outcomeOf(attempt, guard)).toEqual({ kind, code: undefined, decision: 'deny', consequence: CANCELLED });
  });
});
