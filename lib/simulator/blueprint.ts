import { randomUUID } from 'node:crypto';
import { factsOf } from '../captures/facts';
import { payloadOrganizationId, payloadProjectId } from '../delivery/ids';
import type { KiketId } from '../guards';
import { setIn, unsetIn } from '../sending/edit';
import type { HeaderLine } from '../sending/http-message';
import { renderEvent } from '../sending/render';
import type { SigningPlan } from '../sending/sign';
import type { KiketSignatureScheme } from '../signature/hmac';
import { readInput } from './delivery-input';
import { InputError, type DeliveryInput, type DeliveryOptions } from './local-kiket';
import type { Settings } from './settings';

/** The content of a delivery, from which the request of each attempt is made. */
export interface Blueprint {
  readonly invocationId: string;
  readonly event: string | undefined;
  readonly eventVersion: string | undefined;
  readonly projectId: KiketId | undefined;
  readonly organizationId: KiketId | undefined;
  /** A payload, to which each attempt adds secrets, token and the address of the API; or the bytes of a body. */
  readonly content:
    | { readonly payload: Readonly<Record<string, unknown>> }
    | { readonly bytes: Buffer }
    /** A request that is sent again as it is. */
    | { readonly bytes: Buffer; readonly headers: readonly HeaderLine[] };
  readonly scheme: KiketSignatureScheme;
  readonly prefix: string;
  readonly headers: SigningPlan['headers'];
  readonly timestampOffsetSeconds: number;
  readonly missing: readonly string[];
  readonly scopes: readonly string[] | undefined;
  /** A path, in place of that of the receiver's URL. */
  readonly endpoint: string | undefined;
  /** `undefined` when the hook decides. */
  readonly isRequired: boolean | undefined;
  readonly tamper: string | undefined;
  /** True when it had secrets, which a state directory does not keep, before a restart: it cannot be sent. */
  readonly isIncomplete: boolean;
}

/** Fields that the platform adds itself. */
const OF_PLATFORM = new Set(['authentication', 'secrets', 'secret_status', 'api']);

/** @throws {InputError} when the input is invalid. */
export function blueprintOf(given: DeliveryInput, settings: Settings): Blueprint {
  const input = readInput(given);
  const { options, tamper } = input;
  const invocationId = options.invocationId ?? randomUUID();
  const content = contentOf(input, invocationId, options, settings);
  const facts = factsOf({
    headers: [],
    body: 'bytes' in content ? content.bytes : Buffer.from(JSON.stringify(content.payload)),
  });
  const payload = 'payload' in content ? content.payload : undefined;
  return {
    invocationId,
    event: input.event ?? facts.event,
    eventVersion: options.eventVersion ?? facts.eventVersion ?? settings.eventVersion,
    projectId: options.projectId ?? (payload && payloadProjectId(payload)) ?? settings.projectId,
    organizationId: options.organizationId ?? (payload && payloadOrganizationId(payload)) ?? settings.organizationId,
    content,
    scheme: options.scheme ?? settings.scheme,
    prefix: options.prefix ?? '',
    headers: options.minimalHeaders === true ? 'minimal' : 'full',
    timestampOffsetSeconds: options.timestampOffsetSeconds ?? 0,
    missing: options.missing ?? [],
    scopes: options.scopes,
    endpoint: options.endpoint,
    isRequired: options.required,
    tamper,
    isIncomplete: false,
  };
}

function contentOf(
  { event, payload, bodyBase64, set = {}, unset = [] }: DeliveryInput,
  id: string,
  { envelope, eventVersion, projectId, organizationId }: DeliveryOptions,
  settings: Settings,
): Blueprint['content'] {
  if (payload !== undefined && bodyBase64 !== undefined)
    throw new InputError(400, 'payload and bodyBase64 exclude each other');
  if (bodyBase64 !== undefined) return { bytes: Buffer.from(bodyBase64, 'base64') };
  if (payload === undefined && event === undefined)
    throw new InputError(400, 'one of event, payload and bodyBase64 is missing');
  const rendered =
    payload ??
    renderEvent(event!, {
      envelope: envelope ?? settings.envelope,
      eventVersion: eventVersion ?? settings.eventVersion,
      projectId: projectId ?? settings.projectId,
      organizationId: organizationId ?? settings.organizationId,
      id,
    });
  return { payload: edited(withoutPlatformPart(rendered), set, unset) };
}

/** Returns a payload without the fields that the platform adds. */
function withoutPlatformPart(payload: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(payload).filter(([name]) => !OF_PLATFORM.has(name)));
}

/** @throws {InputError} for a path that leads nowhere. */
export function edited(
  payload: Record<string, unknown>,
  set: Readonly<Record<string, unknown>>,
  unset: readonly string[],
): Record<string, unknown> {
  if (isDeep([payload, set], MOST_LEVELS + 2)) throw new InputError(400, TOO_DEEP);
  const copy = structuredClone(payload);
  try {
    for (const [path, value] of Object.entries(set)) setIn(copy, path, structuredClone(value));
    for (const path of unset) unsetIn(copy, path);
  } catch (error) {
    throw new InputError(400, (error as Error).message);
  }
  if (isDeep(copy, MOST_LEVELS)) throw new InputError(400, TOO_DEEP);
  return copy;
}

/** In a few thousand levels, the stack ends: where an attempt is made, or where it is saved. */
const MOST_LEVELS = 500;

const TOO_DEEP = `a payload may have ${MOST_LEVELS} levels`;

function isDeep(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => isDeep(each, levels - 1));
}
