import { KiketError } from '../errors';

/** The event whose answer decides whether a transition goes on (`contract.md` §4). */
export type KiketGuardEvent = 'workflow.before_transition';

/** `data` is shown in the project's extension activity; the platform records it, so no secret belongs into it. */
export interface KiketReplyOptions {
  /** Becomes `metadata`. */
  data?: object | undefined;
}

export interface KiketAllowOptions extends KiketReplyOptions {
  message?: string | undefined;
  /** Becomes `metadata.output_fields`, which the configuration screen shows. */
  outputFields?: Readonly<Record<string, string>> | undefined;
}

/** What a guard answers. */
export interface KiketGuardReply {
  readonly status: 'allow' | 'deny' | 'pending';
  readonly message?: string | undefined;
  readonly metadata?: object | undefined;
}

/** Lets the transition go on. */
export function allow(options: Readonly<KiketAllowOptions> = {}): KiketGuardReply {
  const { message, data, outputFields } = options;
  return reply('allow', message, outputFields === undefined ? data : { ...data, output_fields: outputFields });
}

/** Cancels the transition and shows `message`. */
export function deny(message: string, options: Readonly<KiketReplyOptions> = {}): KiketGuardReply {
  return reply('deny', message, options.data);
}

/** Keeps the transition blocked until approvals resolve. */
export function pending(message: string, options: Readonly<KiketReplyOptions> = {}): KiketGuardReply {
  return reply('pending', message, options.data);
}

/**
 * @internal The reply of a handler as the JSON of a response; `undefined` for an empty one.
 *
 * @throws {KiketError} `reply.invalid`; `reply.missing` for a guard event without a decision.
 */
export function serializeReply(reply: unknown, event: string | undefined): string | undefined {
  const json = toJson(reply);
  if (!isGuard(event) || (json !== undefined && decisionOf(json) !== undefined)) return json;
  throw KiketError.of(
    'reply.missing',
    'The guard returned no decision, which Kiket would read as consent. Return allow(), deny() or pending().',
  );
}

function toJson(body: unknown): string | undefined {
  if (body === undefined || body === null) return undefined;
  try {
    const json = typeof body === 'object' ? JSON.stringify(body) : undefined;
    // A Date, and whatever has a toJSON of its own, may become a text.
    if (json?.startsWith('{') || json?.startsWith('[')) return json;
  } catch (cause) {
    throw replyInvalid({ cause });
  }
  throw replyInvalid();
}

function replyInvalid(options?: { cause: unknown }): KiketError {
  return KiketError.of(
    'reply.invalid',
    'The reply of the handler cannot be written as JSON. Return a plain object, or nothing.',
    options,
  );
}

/** @internal Whether the platform must not be left without a decision: it would read silence as consent. */
export function isGuard(event: string | undefined): boolean {
  return event === ('workflow.before_transition' satisfies KiketGuardEvent);
}

/** @internal What the platform takes a guard's answer for; `undefined` for one that says nothing, which it reads as consent. */
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
