import { KiketError, PayloadError } from '../errors';
import type { Exchange } from '../exchange/exchange';
import { asKiketDelivery } from '../delivery/delivery';
import { isId, isNonEmptyString, isObject, type KiketId } from '../guards';
import type { KiketPayload } from '../delivery/payload';

/** The data of a job, which are written to the database of the queue. They contain no secrets. */
export interface JobData {
  readonly event: string;
  readonly eventVersion: string;
  readonly payload: KiketPayload;
  readonly deliveryId: string | undefined;
  readonly invocationId: string | undefined;
  readonly projectId: KiketId | undefined;
  readonly organizationId: KiketId | undefined;
  /** The default project of API calls. */
  readonly apiProjectId: KiketId | undefined;
}

/** @throws {KiketError} `handler.failed` when a handler has changed the payload so that JSON cannot represent it. */
export function toJobData({ delivery, parsed }: Exchange): JobData {
  const { event, eventVersion, payload, deliveryId, invocationId, projectId, organizationId } =
    asKiketDelivery(delivery);
  const publicPayload: Record<string, unknown> = { ...payload };
  delete publicPayload['authentication'];
  delete publicPayload['secrets'];
  const data: JobData = {
    event,
    eventVersion,
    payload: publicPayload,
    deliveryId,
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
      'The payload cannot be written as JSON, so it cannot be queued. It is nested too deeply, or a handler has changed it.',
      { cause },
    );
  }
  return data;
}

/** @throws {PayloadError} `payload.invalid` when the data were not created by {@link toJobData}. */
export function readJobData(data: unknown): JobData {
  if (isObject(data)) {
    const { event, eventVersion, payload, deliveryId, invocationId, projectId, organizationId, apiProjectId } = data;
    if (
      isNonEmptyString(event) &&
      isNonEmptyString(eventVersion) &&
      isObject(payload) &&
      isStringOrAbsent(deliveryId) &&
      isStringOrAbsent(invocationId) &&
      isIdOrAbsent(projectId) &&
      isIdOrAbsent(organizationId) &&
      isIdOrAbsent(apiProjectId)
    ) {
      return { event, eventVersion, payload, deliveryId, invocationId, projectId, organizationId, apiProjectId };
    }
  }
  throw PayloadError.of(
    'payload.invalid',
    'The job does not contain a delivery of kiketEnqueue. Use another queue for other jobs.',
  );
}

function isStringOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || isNonEmptyString(value);
}

function isIdOrAbsent(value: unknown): value is KiketId | undefined {
  return value === undefined || isId(value);
}
