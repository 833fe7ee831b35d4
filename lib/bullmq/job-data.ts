import { KiketError, PayloadError } from '../errors';
import type { Exchange } from '../exchange/exchange';
import { asKiketDelivery } from '../delivery/delivery';
import { isId, isNonEmptyString, isObject } from '../guards';
import type { KiketPayload } from '../delivery/payload';

/** All that a job holds of its delivery. Nothing here is secret: it is written to Redis. */
export interface JobData {
  readonly event: string;
  readonly eventVersion: string;
  readonly payload: KiketPayload;
  readonly invocationId: string | undefined;
  readonly projectId: number | undefined;
  readonly organizationId: number | undefined;
  /** The project of calls back. */
  readonly apiProjectId: number | undefined;
}

/** @throws {KiketError} `handler.failed` when a handler has put into the payload what JSON cannot say. */
export function toJobData({ delivery, parsed }: Exchange): JobData {
  const { event, eventVersion, payload, invocationId, projectId, organizationId } = asKiketDelivery(delivery);
  const open: Record<string, unknown> = { ...payload };
  delete open['authentication'];
  delete open['secrets'];
  const data: JobData = {
    event,
    eventVersion,
    payload: open,
    invocationId,
    projectId,
    organizationId,
    apiProjectId: parsed!.apiProjectId,
  };
  try {
    JSON.stringify(data);
  } catch (cause) {
    throw KiketError.of(
      'handler.failed',
      'The payload cannot be written as JSON, so no job can be made of it. It is nested too deeply, or a handler has changed it.',
      { cause },
    );
  }
  return data;
}

/** @throws {PayloadError} `payload.invalid` when the data of a job are not what {@link toJobData} makes. */
export function readJobData(data: unknown): JobData {
  if (isObject(data)) {
    const { event, eventVersion, payload, invocationId, projectId, organizationId, apiProjectId } = data;
    if (
      isNonEmptyString(event) &&
      isNonEmptyString(eventVersion) &&
      isObject(payload) &&
      (invocationId === undefined || isNonEmptyString(invocationId)) &&
      isIdOrAbsent(projectId) &&
      isIdOrAbsent(organizationId) &&
      isIdOrAbsent(apiProjectId)
    ) {
      return { event, eventVersion, payload, invocationId, projectId, organizationId, apiProjectId };
    }
  }
  throw PayloadError.of(
    'payload.invalid',
    'The job holds no delivery as kiketEnqueue writes it. Give jobs of other kinds a queue of their own.',
  );
}

function isIdOrAbsent(value: unknown): value is number | undefined {
  return value === undefined || isId(value);
}
