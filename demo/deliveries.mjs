// The deliveries of the demo, and the expected result of each attempt.
import { readFileSync } from 'node:fs';
import { signDelivery } from 'kiket-express/testing';

/** The example delivery of Kiket's contract. */
const example = JSON.parse(
  readFileSync(new URL('../__tests__/fixtures/example-delivery.json', import.meta.url), 'utf8'),
);

const HALTED = 'halts the workflow';
const OVER_ONE_MEGABYTE = 'x'.repeat(1024 * 1024);

/** @param kiket the fake of Kiket's API. @param oncallUrl the address that receives the alerts. */
export function createDeliveries(secret, kiket, oncallUrl) {
  const signed = (payload, options) => () => signDelivery(payload, { secret, event: payload.event, ...options });
  const changed = (sign, change) => () => change(sign());
  // Each attempt carries a fresh token.
  const callingBack = (issue) => () =>
    signDelivery({ ...example, issue, secrets: { ONCALL_WEBHOOK: oncallUrl }, ...kiket.callback() }, { secret });

  return [
    {
      name: "contract's example",
      path: '/sla',
      event: example.event,
      sign: signed(example),
      expected: ['200 → is done'],
    },
    {
      name: 'guard that denies',
      path: '/guard',
      event: 'workflow.before_transition',
      sign: signed({ event: 'workflow.before_transition', transition: { from: 'review', to: 'done' } }),
      expected: ['200 deny → cancels the transition'],
    },
    {
      name: 'tampered body',
      path: '/sla',
      event: example.event,
      sign: changed(signed(example), ({ headers, body }) => ({
        headers,
        body: body.replace('"overdue_minutes":8', '"overdue_minutes":0'),
      })),
      expected: [`401 signature.mismatch → ${HALTED}`],
    },
    {
      name: 'stale timestamp',
      path: '/sla',
      event: example.event,
      sign: signed(example, { timestampSeconds: Math.floor(Date.now() / 1000) - 600 }),
      expected: [`401 signature.stale → ${HALTED}`],
    },
    {
      name: 'no signature',
      path: '/sla',
      event: example.event,
      sign: changed(signed(example), ({ body }) => ({ headers: { 'Content-Type': 'application/json' }, body })),
      expected: [`401 signature.missing → ${HALTED}`],
    },
    {
      name: 'works at third attempt',
      path: '/flaky',
      event: 'issue.created',
      sign: signed({ event: 'issue.created' }),
      expected: [
        '503 handler.retryable → retries in 10 ms',
        '503 handler.retryable → retries in 20 ms',
        '200 → is done',
      ],
    },
    {
      name: 'fails for good',
      path: '/hopeless',
      event: 'issue.updated',
      sign: signed({ event: 'issue.updated' }),
      expected: [`422 handler.final → ${HALTED}`],
    },
    {
      name: 'outlives its deadline',
      path: '/slow',
      event: 'automation.triggered',
      sign: signed({ event: 'automation.triggered' }),
      expected: [
        ...[10, 20, 40, 80, 160].map((delayMs) => `503 deadline.exceeded → retries in ${delayMs} ms`),
        '503 deadline.exceeded → gives up, alerts',
      ],
    },
    {
      name: 'body over the limit',
      path: '/sla',
      event: example.event,
      sign: signed({ ...example, context: { padding: OVER_ONE_MEGABYTE } }),
      expected: [`413 body.too_large → ${HALTED}`],
    },
    {
      name: 'calls Kiket back',
      path: '/alert/kiket',
      event: example.event,
      sign: callingBack(example.issue),
      expected: ['200 → is done'],
    },
    {
      name: 'API is rate-limited',
      path: '/alert/kiket',
      event: example.event,
      prepare: () => kiket.fail({ kind: 'rate-limit', retryAfter: 30, times: 1 }),
      sign: callingBack({ ...example.issue, id: 4232 }),
      expected: ['429 api.rate_limited → retries in 10 ms', '200 → is done'],
    },
    {
      name: 'API refuses for good',
      path: '/alert/kiket',
      event: example.event,
      prepare: () => kiket.fail({ kind: 'status', status: 403, body: { error: 'Missing scope' }, times: 1 }),
      sign: callingBack({ ...example.issue, id: 4233 }),
      expected: [`422 api.refused → ${HALTED}`],
    },
  ];
}
