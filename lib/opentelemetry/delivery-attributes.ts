import type { Attributes } from '@opentelemetry/api';
import type { Delivery } from '../delivery/delivery';
import type { KiketRecord } from '../exchange/record';
import { shorten } from '../text';

/** Attributes of one span. Without a verified signature or token, none comes from the payload. */
export function deliveryAttributes(delivery: Delivery): Attributes {
  const { verified, event, eventVersion, invocationId, projectId, organizationId } = delivery;
  return defined({
    'kiket.event': verified ? shorten(event) : undefined,
    'kiket.event_version': verified ? shorten(eventVersion) : undefined,
    'kiket.invocation_id': shorten(invocationId),
    'kiket.project_id': verified ? projectId : undefined,
    'kiket.organization_id': organizationId,
  });
}

/** Attributes with few values, for spans and metrics. Only a record of a verified delivery has an event. */
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

/** True for a 5xx and a disconnected client. OpenTelemetry's conventions for servers count a 4xx as the client's error. */
export function isServerError({ status }: KiketRecord): boolean {
  return status === 0 || status >= 500;
}

/** Exporters of metrics would write an attribute that is undefined as a string. */
function defined(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
