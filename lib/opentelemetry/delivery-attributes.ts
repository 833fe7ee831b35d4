import type { Attributes } from '@opentelemetry/api';
import type { Delivery } from '../delivery/delivery';
import type { KiketRecord } from '../exchange/record';
import { shorten } from '../text';
import { defined } from './defined';

/** What one span can say. The payload of an unverified delivery may say anything, and is not quoted. */
export function deliveryAttributes(delivery: Delivery): Attributes {
  const { verified, event, eventVersion, invocationId, projectId, organizationId } = delivery;
  return {
    'kiket.event': verified ? shorten(event) : undefined,
    'kiket.event_version': verified ? shorten(eventVersion) : undefined,
    'kiket.invocation_id': shorten(invocationId),
    'kiket.project_id': verified ? projectId : undefined,
    'kiket.organization_id': organizationId,
  };
}

/** What few values can be said of many deliveries with. Only verified ones have an event. */
export function recordAttributes(record: KiketRecord): Attributes {
  const { event, outcome, status, replayed } = record;
  const code = shorten(record.code);
  const hasStatus = status !== 0;
  return defined({
    'kiket.event': shorten(event),
    'kiket.outcome': outcome,
    'kiket.replayed': replayed ? true : undefined,
    'kiket.error_code': code,
    'http.response.status_code': hasStatus ? status : undefined,
    'error.type': isServerError(record) ? (code ?? (hasStatus ? String(status) : 'client_disconnected')) : undefined,
  });
}

/** As the conventions for HTTP have it: a 4xx is the caller's error, a 429 too. */
export function isServerError({ status }: KiketRecord): boolean {
  return status === 0 || status >= 500;
}
