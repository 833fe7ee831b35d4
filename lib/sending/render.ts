import { randomBytes, randomUUID } from 'node:crypto';
import type { KiketId } from '../guards';
import { examplePayload } from './example-payload';

/** The platform's part of a payload, beside the fields of the event. */
export interface PlatformPart {
  /** Secrets of the delivery; none, when empty. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Names of secrets that the platform could not fetch. */
  readonly missing: readonly string[];
  /** The runtime token and where to call back; `undefined` for a delivery without. */
  readonly callback: object | undefined;
}

/** How an event is rendered. */
export interface EventOptions {
  /** Where the fields of the event are. */
  readonly envelope: 'contract' | 'data';
  /** As the platform writes it, e.g. `v1`. */
  readonly eventVersion: string;
  /** The project of the issue. */
  readonly projectId: KiketId | undefined;
  /** The organization; only the envelope `data` names it. */
  readonly organizationId?: KiketId | undefined;
  /** The id of the delivery in the envelope `data`, the same in all attempts. Default a new one. */
  readonly id?: string | undefined;
}

/** Options of {@link renderPayload}. */
export interface RenderOptions extends EventOptions, PlatformPart {}

/**
 * Returns the payload of an event as the platform renders it: the fields of the event with fresh ids, then secrets, token and the
 * address of the API.
 */
export function renderPayload(event: string, options: RenderOptions): Record<string, unknown> {
  return withPlatformPart(renderEvent(event, options), options);
}

/** Returns the fields of an event, with fresh ids. */
export function renderEvent(event: string, options: EventOptions): Record<string, unknown> {
  const { envelope, eventVersion, projectId, organizationId, id = randomUUID() } = options;
  const payload = structuredClone(examplePayload(event, { envelope })) as Record<string, unknown>;
  if (envelope === 'contract') payload['event_version'] = eventVersion;
  else {
    payload['id'] = `evt_${id}`;
    if (organizationId !== undefined) payload['organizationId'] = String(organizationId);
  }
  const fields = (envelope === 'contract' ? payload : payload['data']) as Record<string, unknown>;
  const subject = (fields['issue'] ?? fields['case']) as Record<string, unknown> | undefined;
  // In the envelope `data`, ids are strings.
  if (subject !== undefined && projectId !== undefined) {
    subject['project_id'] = envelope === 'contract' ? projectId : String(projectId);
  }
  return payload;
}

/** Returns a payload with secrets, token and the address of the API. */
export function withPlatformPart(
  payload: Readonly<Record<string, unknown>>,
  { secrets, missing, callback }: PlatformPart,
): Record<string, unknown> {
  return {
    ...payload,
    ...callback,
    ...(Object.keys(secrets).length > 0 && { secrets }),
    ...(missing.length > 0 && { secret_status: { missing } }),
  };
}

/** Ten minutes, in milliseconds. */
const TOKEN_LIFETIME_MS = 600_000;

/** Returns a runtime token for one attempt, as the platform renders a new one for each. Kiket's API refuses it. */
export function newRuntimeToken(): { readonly runtime_token: string; readonly expires_at: string } {
  return {
    runtime_token: randomBytes(24).toString('base64url'),
    expires_at: new Date(Date.now() + TOKEN_LIFETIME_MS).toISOString(),
  };
}
