import {
  describe,
  integer,
  list,
  oneOf,
  optional,
  optionError,
  requireObject,
  shown,
  string,
  type Option,
  type OptionTable,
  type OptionValues,
} from '../../options';
import type { DeliveryState, WorkflowState } from '../model';
import { problemOf } from './attempt-words';
import type { ScenarioExpectation } from './scenario';
import { flag } from './value-options';

const STATES = oneOf<Exclude<DeliveryState, 'sending' | 'queued'>>(
  'completed',
  'denied',
  'pending',
  'halted',
  'failed',
  'cancelled',
  'retrying',
);

const callsOption: Option<Readonly<Record<string, number | undefined>>, Readonly<Record<string, number>>> = {
  default: undefined,
  read(value, who, name) {
    requireObject(who, name, value);
    const counts = Object.entries(value).filter(([, count]) => count !== undefined);
    for (const [call, count] of counts) {
      if (!/^[A-Z]+ \/\S*$/.test(call)) {
        throw optionError(who, name, 'by method and path, such as "GET /api/v1/ext/issues/7"', `has ${shown(call)}`);
      }
      integer({ min: 0, max: MAX_COUNT }).read(count, who, `${name}["${call}"]`);
    }
    return Object.fromEntries(counts) as Record<string, number>;
  },
};

const attemptOption: Option<string, string> = {
  default: undefined,
  read(value, who, name) {
    const problem = typeof value === 'string' ? problemOf(value) : `is ${describe(value)}`;
    if (problem === undefined) return value as string;
    throw optionError(who, name, 'words such as "success", "retryable 429" or "final 401 signature.mismatch"', problem);
  },
};

/** The most that can be counted. */
export const MAX_COUNT = 1_000_000;

/** The members of `expect`. */
export const EXPECTATIONS = {
  state: optional(STATES),
  attempts: optional(list(attemptOption)),
  calls: optional(callsOption),
  effects: optional(integer({ min: 0, max: MAX_COUNT })),
  message: optional(string()),
  alert: optional(flag),
  workflow: optional(oneOf<WorkflowState['kind']>('running', 'waiting', 'pending', 'halted')),
  outcome: optional(oneOf('moved', 'denied', 'pending')),
} satisfies OptionTable<ScenarioExpectation>;

/** The expected result of a step; members that are undefined are not compared. */
export type Expectation = Partial<OptionValues<typeof EXPECTATIONS>>;

/** A member of `expect`. */
export type ExpectationName = keyof typeof EXPECTATIONS;

/** For a step that delivers nothing itself. */
export const OF_CALLS = ['calls', 'effects', 'alert'] as const;
/** For one that belongs to an issue. */
export const OF_ISSUE = [...OF_CALLS, 'workflow'] as const;
/** For one that delivers. */
export const OF_DELIVERY = [...OF_ISSUE, 'state', 'attempts', 'message'] as const;
