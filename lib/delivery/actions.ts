import { isNonEmptyString, isObject } from '../guards';
import { describe, optionError, requireObject } from '../options';

/** The kinds of directives that the platform documents. */
const KINDS = ['add_comment', 'set_field', 'transition', 'assign', 'notify'] as const;

/** The kind of a directive. */
export type KiketActionKind = (typeof KINDS)[number];

/** A directive in a reply, for the platform to carry out. */
export interface KiketAction {
  /** The effect on the issue of the delivery. */
  readonly kind: KiketActionKind;
  readonly [field: string]: unknown;
}

/** A reply with directives, for events other than guard events. */
export interface KiketActionsReply {
  /** In the order in which the platform carries them out. */
  readonly actions: readonly KiketAction[];
  readonly [field: string]: unknown;
}

/**
 * Returns a reply that asks the platform to carry out `actions`. A guard event must not be replied to with it.
 *
 * @throws {TypeError} when there is none, or one is invalid.
 * @example kiketHandler('issue.created', () => actions(addComment('Thank you.'), assign({ user: 'triage' })))
 */
export function actions(...directives: readonly KiketAction[]): KiketActionsReply {
  if (directives.length === 0) throw new TypeError('actions: must be given at least one directive');
  if (Array.isArray(directives[0])) throw optionError('actions', 'directives', 'given one by one', 'is an array');
  const problem = actionsProblem(directives);
  if (problem !== undefined) throw new TypeError(problem);
  return { actions: directives };
}

/**
 * Returns a directive that adds a comment to the issue.
 *
 * @throws {TypeError} when `body` is not a non-empty string.
 */
export function addComment(body: string): KiketAction {
  if (!isNonEmptyString(body)) throw optionError('addComment', 'body', 'a non-empty string', `is ${describe(body)}`);
  return { kind: 'add_comment', body };
}

/**
 * Returns a directive that sets a field of the issue. The platform does not document its fields: they are sent as given.
 *
 * @throws {TypeError} when `fields` is not an object.
 */
export function setField(fields: Readonly<Record<string, unknown>>): KiketAction {
  return directive('setField', 'set_field', fields);
}

/**
 * Returns a directive that moves the issue to another state. Its fields are sent as given. It needs a scope for workflows.
 *
 * @throws {TypeError} when `fields` is not an object.
 */
export function transition(fields: Readonly<Record<string, unknown>>): KiketAction {
  return directive('transition', 'transition', fields);
}

/**
 * Returns a directive that assigns the issue. Its fields are sent as given.
 *
 * @throws {TypeError} when `fields` is not an object.
 */
export function assign(fields: Readonly<Record<string, unknown>>): KiketAction {
  return directive('assign', 'assign', fields);
}

/**
 * Returns a directive that notifies somebody. Its fields are sent as given.
 *
 * @throws {TypeError} when `fields` is not an object.
 */
export function notify(fields: Readonly<Record<string, unknown>>): KiketAction {
  return directive('notify', 'notify', fields);
}

function directive(who: string, kind: KiketActionKind, fields: Readonly<Record<string, unknown>>): KiketAction {
  requireObject(who, 'fields', fields);
  return { ...fields, kind };
}

/** @internal True for a list of directives. A list of other values is data that the handler wants recorded. */
export function areActions(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.some((each) => isObject(each) && 'kind' in each);
}

/** @internal Returns what is invalid in a list of directives. */
export function actionsProblem(list: readonly unknown[]): string | undefined {
  for (const [index, action] of list.entries()) {
    const name = `actions[${index}]`;
    if (!isObject(action)) return `${name} must be an object`;
    if (!(KINDS as readonly unknown[]).includes(action['kind']))
      return `${name}.kind must be one of ${KINDS.join(', ')}`;
    if (action['kind'] === 'add_comment' && !isNonEmptyString(action['body'])) {
      return `${name}.body must be a non-empty string`;
    }
  }
  return undefined;
}
