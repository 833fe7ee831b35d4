import type { IncomingHttpHeaders } from 'node:http';
import type { TokenClaims } from './auth';
import type { ContractPayload, KiketPayload } from './payload';
import { headerId, isId, isObject, nonEmptyString, type KiketId } from '../guards';

/** Returns the project that the payload names, if it is a valid id. */
export function payloadProjectId(payload: ContractPayload): KiketId | undefined {
  return toId(namedProjects(payload)[0]);
}

/**
 * Returns the project of the payload, or of the verified runtime token when the payload names none, or of the header when
 * there is no token either. A header never replaces a signed or verified value, even one that is not a valid id.
 */
export function deliveryProjectId(
  payload: ContractPayload,
  token: TokenClaims | undefined,
  headers: IncomingHttpHeaders,
): KiketId | undefined {
  const [named] = namedProjects(payload);
  if (named !== undefined) return toId(named);
  return token === undefined ? headerId(headers['x-kiket-project']) : token.projectId;
}

/** Returns the organization that the payload names, if it is a valid id. */
export function payloadOrganizationId(payload: KiketPayload | undefined): KiketId | undefined {
  return toId(payload === undefined ? undefined : namedOrganizations(payload)[0]);
}

/** Returns the organization, by the rules of {@link deliveryProjectId}. */
export function deliveryOrganizationId(
  payload: KiketPayload | undefined,
  token: TokenClaims | undefined,
  headers: IncomingHttpHeaders,
): KiketId | undefined {
  const [named] = payload === undefined ? [] : namedOrganizations(payload);
  if (named !== undefined) return toId(named);
  return token === undefined ? headerId(headers['x-kiket-organization']) : token.organizationId;
}

/** Returns the key of the project that the payload names. */
export function payloadProjectKey(payload: KiketPayload | undefined): string | undefined {
  const project = payload?.['project'];
  return nonEmptyString(payload?.['projectKey']) ?? (isObject(project) ? nonEmptyString(project['key']) : undefined);
}

/** Returns the projects that the payload names, as it has them: first the one that counts. */
export function namedProjects(payload: KiketPayload | ContractPayload): unknown[] {
  return idsIn(payload, 'project_id');
}

/** Returns the organizations that the payload names, as it has them: first the one that counts. */
export function namedOrganizations(payload: KiketPayload | ContractPayload): unknown[] {
  const { organizationId } = payload;
  const ids = idsIn(payload, 'organization_id');
  return organizationId == null ? ids : [organizationId, ...ids];
}

/** Returns the values of a field in the issues of each envelope, then at the top. */
function idsIn(payload: KiketPayload | ContractPayload, field: 'project_id' | 'organization_id'): unknown[] {
  const ids: unknown[] = [];
  for (const fields of [payload, payload['data'], payload['payload']]) {
    if (!isObject(fields)) continue;
    for (const issue of [fields['issue'], fields['case']]) if (isObject(issue)) ids.push(issue[field]);
  }
  ids.push(payload[field]);
  return ids.filter((id) => id != null);
}

function toId(value: unknown): KiketId | undefined {
  return isId(value) ? value : undefined;
}
