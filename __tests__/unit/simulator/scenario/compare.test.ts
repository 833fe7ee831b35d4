import { differencesOf, type Facts } from '../../../../lib/simulator/scenario/compare';
import type { Expectation } from '../../../../lib/simulator/scenario/expectation';

const FACTS: Facts = {
  state: 'completed',
  attempts: [
    { kind: 'retryable', status: 503 },
    { kind: 'success', status: 200 },
  ],
  callCounts: { 'POST /comments': 2 },
  effects: 2,
  message: 'Not before the review',
  isAlerted: false,
  workflow: 'running',
  outcome: 'denied',
};

const NOTHING: Facts = {
  state: undefined,
  attempts: undefined,
  callCounts: {},
  effects: 0,
  message: undefined,
  isAlerted: false,
  workflow: undefined,
  outcome: undefined,
};

describe('the differences from an expectation', () => {
  it.each<[Expectation]>([
    [{}],
    [{ state: 'completed', attempts: ['503', 'success'] }],
    [{ calls: { 'POST /comments': 2, 'GET /comments': 0 }, effects: 2 }],
    [{ message: 'Not before the review' }],
    [{ message: '~the review' }],
    [{ alert: false, workflow: 'running', outcome: 'denied' }],
  ])('should be none for %j', (expectation) => {
    expect(differencesOf(expectation, FACTS)).toEqual([]);
  });

  it.each<[Expectation, Facts, object[]]>([
    [{ state: 'halted' }, FACTS, [{ what: 'state', is: 'completed', mustBe: 'halted' }]],
    [{ state: 'halted' }, NOTHING, [{ what: 'state', is: 'none', mustBe: 'halted' }]],
    [{ attempts: ['503', '201'] }, FACTS, [{ what: 'attempts[1]', is: 'success 200', mustBe: '201', attempt: 2 }]],
    [{ attempts: ['503'] }, FACTS, [{ what: 'attempts[1]', is: 'success 200', mustBe: 'none', attempt: 2 }]],
    [{ attempts: ['503', '2xx', '2xx'] }, FACTS, [{ what: 'attempts[2]', is: 'none', mustBe: '2xx', attempt: 3 }]],
    [{ attempts: ['2xx'] }, NOTHING, [{ what: 'attempts[0]', is: 'none', mustBe: '2xx', attempt: 1 }]],
    [{ calls: { 'POST /comments': 1 } }, FACTS, [{ what: 'calls["POST /comments"]', is: '2', mustBe: '1' }]],
    [{ calls: { 'POST /comments': 1 } }, NOTHING, [{ what: 'calls["POST /comments"]', is: '0', mustBe: '1' }]],
    [{ effects: 1 }, FACTS, [{ what: 'effects', is: '2', mustBe: '1' }]],
    [{ message: 'Not' }, FACTS, [{ what: 'message', is: '"Not before the review"', mustBe: '"Not"' }]],
    [
      { message: '~never' },
      FACTS,
      [{ what: 'message', is: '"Not before the review"', mustBe: 'a message with "never"' }],
    ],
    [{ message: '~never' }, NOTHING, [{ what: 'message', is: 'none', mustBe: 'a message with "never"' }]],
    [{ alert: true }, FACTS, [{ what: 'alert', is: 'false', mustBe: 'true' }]],
    [{ workflow: 'halted' }, NOTHING, [{ what: 'workflow', is: 'none', mustBe: 'halted' }]],
    [{ outcome: 'moved' }, FACTS, [{ what: 'outcome', is: 'denied', mustBe: 'moved' }]],
  ])('should name what differs from %j', (expectation, facts, differences) => {
    expect(differencesOf(expectation, facts)).toEqual(differences);
  });
});
