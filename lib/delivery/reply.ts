import { KiketError } from '../errors';
import { isObject } from '../guards';
import { actionsProblem, areActions } from './actions';

/** A guard event: the reply decides whether a transition goes on. The second is its short form. */
export type KiketGuardEvent = 'workflow.before_transition' | 'before_transition';

/** Options of {@link deny} and {@link pending}. */
export interface KiketReplyOptions {
  /**
   * The `metadata` of the reply, without secrets. The platform records it, and shows it in the project's extension
   * activity. Default none.
   */
  data?: object | undefined;
}

/** Options of {@link allow}. */
export interface KiketAllowOptions extends KiketReplyOptions {
  /** The message that the user sees. Default none. */
  message?: string | undefined;
  /** The `metadata.output_fields` of the reply, which the configuration screen shows. Default none. */
  outputFields?: Readonly<Record<string, string>> | undefined;
}

/** The reply to a guard event. */
export interface KiketGuardReply {
  /** The decision. */
  readonly status: 'allow' | 'deny' | 'pending';
  /** Shown to the user. */
  readonly message?: string | undefined;
  /** Recorded by the platform. */
  readonly metadata?: object | undefined;
}

/**
 * Returns a reply that lets the transition go on.
 *
 * @example kiketHandler('workflow.before_transition', () => allow())
 */
export function allow(options: Readonly<KiketAllowOptions> = {}): KiketGuardReply {
  const { message, data, outputFields } = options;
  return reply('allow', message, outputFields === undefined ? data : { ...data, output_fields: outputFields });
}

/**
 * Returns a reply that cancels the transition and shows `message`.
 *
 * @example kiketHandler('workflow.before_transition', () => deny('The invoice is open'))
 */
export function deny(message: string, options: Readonly<KiketReplyOptions> = {}): KiketGuardReply {
  return reply('deny', message, options.data);
}

/**
 * Returns a reply that blocks the transition until it is approved.
 *
 * @example kiketHandler('workflow.before_transition', () => pending('Waiting for the approval of finance'))
 */
export function pending(message: string, options: Readonly<KiketReplyOptions> = {}): KiketGuardReply {
  return reply('pending', message, options.data);
}

/**
 * @internal Serialises the reply of a handler. Returns `undefined` without one.
 *
 * @throws {KiketError} `reply.invalid` when it is not an object, JSON cannot represent it, or its directives are invalid;
 *   `reply.missing` when it does not contain the decision that a guard event needs.
 */
export function serializeReply(reply: unknown, isGuard: boolean): string | undefined {
  const json = toJson(reply);
  if (isObject(reply)) {
    checkActions(reply['actions'], isGuard);
    if (!isGuard && (reply['ok'] === false || reply['success'] === false)) warnOfSuccess();
  }
  if (!isGuard || (json !== undefined && decisionOf(json) !== undefined)) return json;
  throw KiketError.of(
    'reply.missing',
    'The guard returned no decision, which Kiket would treat as approval. Return allow(), deny() or pending().',
  );
}

function checkActions(actions: unknown, isGuard: boolean): void {
  if (!areActions(actions)) return;
  const problem = isGuard ? 'actions cannot be the reply to a guard event' : actionsProblem(actions);
  if (problem !== undefined) throw replyInvalidError(`The reply of the handler is invalid: ${problem}.`);
}

let hasWarned = false;

/** Extensions written for the SDK report failures like this. Kiket counts them as handled. */
function warnOfSuccess(): void {
  if (hasWarned) return;
  hasWarned = true;
  process.emitWarning(
    'A handler replied { ok: false } or { success: false }. Kiket takes every 200 for a success and does not send the delivery ' +
      'again. Throw a RetryableError or a NonRetryableError instead. This warning is shown once.',
    { code: 'KIKET_FAILURE_AS_SUCCESS' },
  );
}

function toJson(body: unknown): string | undefined {
  if (body === undefined || body === null) return undefined;
  try {
    const json = typeof body === 'object' ? JSON.stringify(body) : undefined;
    // toJSON, such as that of a Date, may return a string.
    if (json?.startsWith('{') || json?.startsWith('[')) return json;
  } catch (cause) {
    throw replyInvalidError(UNWRITABLE, { cause });
  }
  throw replyInvalidError(UNWRITABLE);
}

const UNWRITABLE = 'The reply of the handler cannot be written as a JSON object. Return a plain object, or nothing.';

function replyInvalidError(message: string, options?: { cause: unknown }): KiketError {
  return KiketError.of('reply.invalid', message, options);
}

/** @internal The guard events of the platform. They need a decision, as Kiket treats an empty response as approval. */
export const GUARD_EVENTS: readonly string[] = Object.freeze([
  'workflow.before_transition',
  'before_transition',
] satisfies KiketGuardEvent[]);

/** @internal True for an event whose response decides about a transition. */
export function isGuardEvent(event: string | undefined): boolean {
  return event !== undefined && GUARD_EVENTS.includes(event);
}

/** @internal Returns the decision in the body of a response; `undefined` without a valid one. */
export function decisionOf(body: string): KiketGuardReply['status'] | undefined {
  const status = statusIn(body);
  return status === 'allow' || status === 'deny' || status === 'pending' ? status : undefined;
}

function statusIn(body: string): unknown {
  try {
    return (JSON.parse(body) as Partial<KiketGuardReply> | null)?.status;
  } catch {
    return undefined;
  }
}

function reply(
  status: KiketGuardReply['status'],
  message: string | undefined,
  metadata: object | undefined,
): KiketGuardReply {
  return { status, ...(message !== undefined && { message }), ...(metadata !== undefined && { metadata }) };
}
