import { isObject } from '../../guards';
import {
  checked,
  describe,
  hidden,
  list,
  optional,
  optionError,
  readOptions,
  string,
  type OptionTable,
  type OptionValues,
} from '../../options';
import { parseSchedule, SCHEDULE_NAMES } from '../../sending/schedule';
import { hooksByEvent } from '../hooks';
import { speedOption } from '../simulator-options';
import { ACTION_NAMES, ACTIONS, type ActionKind, type Place, type StepAction } from './actions';
import { EXPECTATIONS, type Expectation } from './expectation';
import type { Scenario, ScenarioStep } from './scenario';
import { durationOption, flag, named, objectOption } from './value-options';

/** A checked scenario. */
export interface CheckedScenario {
  readonly name: string;
  readonly settings: OptionValues<typeof SETTINGS>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly steps: readonly CheckedStep[];
}

/** A checked step. */
export interface CheckedStep {
  readonly name: string;
  readonly action: StepAction;
  /** The next step does not wait for its end. */
  readonly isBackground: boolean;
  readonly withinMs: number | undefined;
  readonly expect: Expectation;
}

const COMMON = {
  name: optional(string()),
  within: optional(durationOption),
  expect: optional(objectOption),
} satisfies OptionTable<Pick<ScenarioStep, 'name' | 'within' | 'expect'>>;

const SETTINGS = {
  hooks: optional(hooksByEvent),
  schedule: optional(
    checked<string>(
      `${SCHEDULE_NAMES}, or delays such as 30s,1m`,
      (value) => typeof value === 'string' && parseSchedule(value) !== undefined,
    ),
  ),
  speed: optional(speedOption),
  honoursRetryAfter: optional(flag),
};

const SECRETS = optional(
  hidden<Readonly<Record<string, string>>>(
    'an object of non-empty strings',
    (value) => isObject(value) && Object.values(value).every((each) => typeof each === 'string' && each !== ''),
  ),
);

/** The members of a scenario. */
export const SCENARIO = {
  $schema: optional(string()),
  name: string(),
  ...SETTINGS,
  secrets: SECRETS,
  steps: list(objectOption, { nonEmpty: true }),
} satisfies OptionTable<Scenario>;

/**
 * Checks a scenario.
 *
 * @param who names it in messages: the function, or the file.
 * @param directory where the files are that it names.
 * @throws {TypeError} that names what is invalid or unknown, such as `steps[3].expect.attempts[0]`.
 */
export function readScenario(scenario: unknown, who: string, directory: string): CheckedScenario {
  if (!isObject(scenario)) throw optionError(who, 'the scenario', 'an object', `is ${describe(scenario)}`);
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- for editors
  const { $schema, name, secrets, steps, ...settings } = readOptions(who, scenario, SCENARIO);
  const names = new Set<string>();
  const read = steps.map((step, i) => {
    const place = { who, name: `steps[${i}]`, directory };
    const found = readStep(step, place);
    if (found.action.kind === 'replay' && !names.has(found.action.of)) {
      named('an earlier step', [...names]).read(found.action.of, who, `${place.name}.replay`);
    }
    names.add(found.name);
    return found;
  });
  return { name, settings, secrets: secrets ?? {}, steps: read };
}

function readStep(step: Readonly<Record<string, unknown>>, place: Place): CheckedStep {
  const { who, name } = place;
  const { fields, expects, create } = actionOf(step, place);
  const values = readOptions(who, step, { ...fields, ...COMMON }, `${name}.`);
  const { action, name: ownName } = create(values as never, place);
  const allowed = Object.fromEntries(expects.map((each) => [each, EXPECTATIONS[each]]));
  return {
    name: values.name ?? ownName,
    action,
    isBackground: (values as { readonly background?: unknown }).background === true,
    withinMs: values.within,
    expect: readOptions(who, values.expect ?? {}, allowed, `${name}.expect.`),
  };
}

function actionOf(step: Readonly<Record<string, unknown>>, { who, name }: Place): ActionKind {
  const [action, ...others] = ACTION_NAMES.filter((each) => step[each] !== undefined);
  if (others.length > 0) {
    throw optionError(who, name, 'one action', `has ${[action, ...others].join(' and ')}`);
  }
  if (action !== undefined) return ACTIONS[action];
  const known = Object.assign({}, COMMON, ...ACTION_NAMES.map((each) => ACTIONS[each].fields)) as ActionKind['fields'];
  const unknown = Object.keys(step).find((each) => !Object.hasOwn(known, each));
  // Names the nearest one.
  if (unknown !== undefined) readOptions(who, { [unknown]: step[unknown] }, known, `${name}.`);
  throw optionError(who, name, `an action: ${ACTION_NAMES.join(', ')}`, 'has none of these members');
}
