import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isId, isObject, type KiketId } from '../../guards';
import {
  boolean,
  checked,
  describe,
  hidden,
  integer,
  list,
  oneOf,
  optional,
  optionError,
  readOptions,
  requireObject,
  shown,
  string,
  type Option,
  type OptionTable,
  type OptionValues,
} from '../../options';
import { TAMPERINGS } from '../../sending/tamper';
import { FAULT_KINDS } from '../faults';
import type { DeliveryInput, DeliveryOptions, FaultInput, ReplayMode } from '../local-kiket';
import { MAX_COUNT, OF_CALLS, OF_DELIVERY, OF_ISSUE, type ExpectationName } from './expectation';
import type { ScenarioStep } from './scenario';
import { durationIn, endpointOption, flag, idOption, named, objectOption } from './value-options';

/** The action of a step. */
export type StepAction =
  | { readonly kind: 'issue'; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly kind: 'transition'; readonly issue: KiketId; readonly to: string }
  | { readonly kind: 'decide'; readonly issue: KiketId; readonly decision: 'approve' | 'reject' }
  | { readonly kind: 'resume'; readonly issue: KiketId }
  | { readonly kind: 'fault'; readonly input: FaultInput | 'off'; readonly isOff: boolean }
  | { readonly kind: 'send'; readonly input: DeliveryInput; readonly isConcurrent: boolean }
  | {
      readonly kind: 'replay';
      readonly of: string;
      readonly mode: ReplayMode;
      readonly set: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'secret'; readonly key: string; readonly value: string | null }
  | { readonly kind: 'rotate' }
  | { readonly kind: 'slaEvent'; readonly fields: Readonly<Record<string, unknown>> }
  /** `undefined` until all deliveries have ended. */
  | { readonly kind: 'wait'; readonly ms: number | undefined };

/** Where a value stands, for messages. */
export interface Place {
  readonly who: string;
  /** `steps[3]`. */
  readonly name: string;
  /** Of the files that a scenario names. */
  readonly directory: string;
}

/** How a member of a step becomes an action. */
export interface ActionKind {
  /** The member, and those that belong to it. */
  readonly fields: Readonly<Record<string, Option<unknown, unknown>>>;
  readonly expects: readonly ExpectationName[];
  /** Returns the action, and how it is called by default. */
  readonly create: (values: never, place: Place) => { readonly action: StepAction; readonly name: string };
}

function actionKind<T extends Readonly<Record<string, Option<unknown, unknown>>>>(
  fields: T,
  expects: readonly ExpectationName[],
  create: (values: OptionValues<T>, place: Place) => { readonly action: StepAction; readonly name: string },
): ActionKind {
  return { fields, expects, create };
}

/** An object with these members, and no other. */
function membersOf<T extends Readonly<Record<string, Option<unknown, unknown>>>>(
  table: T,
): Option<object, OptionValues<T>> {
  return {
    default: undefined,
    read: (value, who, name) => {
      requireObject(who, name, value);
      return readOptions(who, value, table, `${name}.`);
    },
  };
}

const DELIVERY_OPTIONS = {
  envelope: optional(oneOf('contract', 'data')),
  eventVersion: optional(string()),
  projectId: optional(idOption),
  organizationId: optional(idOption),
  invocationId: optional(string()),
  scheme: optional(oneOf('timestamped', 'body')),
  prefix: optional(checked<string>('a string', (value) => typeof value === 'string')),
  minimalHeaders: optional(flag),
  timestampOffsetSeconds: optional(integer({ min: -1e9, max: 1e9 })),
  missing: optional(list(string())),
  scopes: optional(list(string())),
  endpoint: optional(endpointOption),
  required: optional(flag),
} satisfies OptionTable<DeliveryOptions>;

const FAULT = membersOf({
  side: required(oneOf('delivery', 'api')),
  kind: string(),
  times: optional(integer({ min: 1, max: MAX_COUNT })),
  fields: optional(objectOption),
  off: boolean(false),
});

const faultOption: Option<unknown, OptionValues<{ readonly fault: typeof FAULT }>['fault'] | 'off'> = {
  default: undefined,
  read(value, who, name) {
    if (value === 'off') return value;
    if (!isObject(value)) throw optionError(who, name, 'an object or "off"', `is ${shown(value)}`);
    const fault = FAULT.read(value, who, name);
    const kinds = FAULT_KINDS.filter(({ side }) => side === fault.side).map(({ kind }) => kind);
    named(`a fault of ${fault.side}`, kinds).read(fault.kind, who, `${name}.kind`);
    return fault;
  },
};

const tamperOption = named(
  'a tampering',
  TAMPERINGS.map(({ name }) => name),
);

/** `undefined` until all deliveries have ended. */
const waitOption: Option<string, { readonly ms: number | undefined }> = {
  default: undefined,
  read(value, who, name) {
    const ms = durationIn(value);
    if (ms !== undefined || value === 'settled') return { ms };
    throw optionError(who, name, 'a duration such as 500ms, or "settled"', `is ${shown(value)}`);
  },
};

/** By the member that names it. */
export const ACTIONS = {
  issue: actionKind({ issue: objectOption }, OF_ISSUE, ({ issue }) => ({
    action: { kind: 'issue', fields: issue },
    name: `issue ${idText(issue['id'])}`.trimEnd(),
  })),
  transition: actionKind(
    { transition: membersOf({ issue: idOption, to: string() }) },
    [...OF_DELIVERY, 'outcome'],
    ({ transition }) => ({
      action: { kind: 'transition', ...transition },
      name: `issue ${transition.issue} → ${transition.to}`,
    }),
  ),
  decide: actionKind(
    { decide: membersOf({ issue: idOption, decision: required(oneOf('approve', 'reject')) }) },
    [...OF_ISSUE, 'outcome'],
    ({ decide }) => ({ action: { kind: 'decide', ...decide }, name: `${decide.decision} issue ${decide.issue}` }),
  ),
  resume: actionKind({ resume: idOption }, OF_ISSUE, ({ resume }) => ({
    action: { kind: 'resume', issue: resume },
    name: `resume issue ${resume}`,
  })),
  fault: actionKind({ fault: faultOption }, [], ({ fault }) => {
    if (fault === 'off') return { action: { kind: 'fault', input: 'off', isOff: true }, name: 'all faults off' };
    const { off: isOff, ...input } = fault;
    return { action: { kind: 'fault', input, isOff }, name: `fault ${input.kind}${isOff ? ' off' : ''}` };
  }),
  send: actionKind(
    {
      send: string(),
      payload: optional(objectOption),
      file: optional(string()),
      set: optional(objectOption),
      unset: optional(list(string())),
      options: optional(membersOf(DELIVERY_OPTIONS)),
      tamper: optional(tamperOption),
      duplicate: optional(oneOf('once', 'concurrent')),
      background: boolean(false),
    },
    OF_DELIVERY,
    ({ send: event, payload, file, set, unset, options, tamper, duplicate }, place) => {
      const pairs = { payload, file, tamper, duplicate };
      exclude(place, pairs, 'payload', 'file');
      exclude(place, pairs, 'tamper', 'duplicate');
      const input = {
        event,
        payload: file === undefined ? payload : readPayload(file, place),
        set,
        unset,
        options,
        tamper: duplicate === 'once' ? 'duplicate' : tamper,
      };
      return { action: { kind: 'send', input, isConcurrent: duplicate === 'concurrent' }, name: event };
    },
  ),
  replay: actionKind(
    {
      replay: string(),
      mode: optional(oneOf<ReplayMode>('resign', 'exact', 'fresh')),
      set: optional(objectOption),
      background: boolean(false),
    },
    OF_DELIVERY,
    ({ replay, mode, set }, { who, name }) => {
      if (set !== undefined && mode !== undefined && mode !== 'fresh') {
        throw optionError(who, `${name}.mode`, '"fresh" beside set', `is "${mode}"`);
      }
      const found = mode ?? (set === undefined ? 'resign' : 'fresh');
      return { action: { kind: 'replay', of: replay, mode: found, set: set ?? {} }, name: `${replay} again` };
    },
  ),
  secret: actionKind(
    {
      secret: membersOf({
        key: string(),
        value: hidden<string | null>(
          'a non-empty string or null',
          (value) => value === null || (typeof value === 'string' && value !== ''),
        ),
      }),
    },
    [],
    ({ secret }) => ({ action: { kind: 'secret', ...secret }, name: `secret ${secret.key}` }),
  ),
  rotate: actionKind({ rotate: checked<true>('true', (value) => value === true) }, [], () => ({
    action: { kind: 'rotate' },
    name: 'rotation of the delivery secret',
  })),
  slaEvent: actionKind({ slaEvent: objectOption }, OF_DELIVERY, ({ slaEvent }) => ({
    action: { kind: 'slaEvent', fields: slaEvent },
    name: 'SLA event',
  })),
  wait: actionKind({ wait: waitOption }, OF_CALLS, ({ wait }) => ({
    action: { kind: 'wait', ms: wait.ms },
    name: wait.ms === undefined ? 'wait until all have ended' : `wait ${wait.ms} ms`,
  })),
} satisfies Partial<Record<keyof ScenarioStep, ActionKind>>;

/** The members of which a step has one. */
export const ACTION_NAMES = Object.keys(ACTIONS) as (keyof typeof ACTIONS)[];

/** The same option without its default. */
function required<In, Out>(option: Option<In, Out>): Option<In, Out> {
  return { ...option, default: undefined };
}

function idText(value: unknown): string {
  return isId(value) ? String(value) : '';
}

function exclude({ who, name }: Place, values: Readonly<Record<string, unknown>>, one: string, other: string): void {
  if (values[one] === undefined || values[other] === undefined) return;
  throw new TypeError(`${who}: ${name}.${one} and ${name}.${other} exclude each other`);
}

function readPayload(file: string, { who, name, directory }: Place): Readonly<Record<string, unknown>> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(resolve(directory, file), 'utf8'));
  } catch (error) {
    throw optionError(who, `${name}.file`, 'a file with JSON', `cannot be read: ${(error as Error).message}`);
  }
  if (isObject(content)) return content;
  throw optionError(who, `${name}.file`, 'a file with a JSON object', `has ${describe(content)}`);
}
