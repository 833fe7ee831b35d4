import type { IncomingHttpHeaders } from 'node:http';
import type { TokenClaims } from './auth';
import type { ContractPayload } from './payload';
import { headerId, isId } from '../guards';

/** Returns the project that the payload names, if it is a valid id. */
export function payloadProjectId({ issue }: ContractPayload): number | undefined {
  const id: unknown = issue?.project_id;
  return isId(id) ? id : undefined;
}

/**
 * Returns the project of the payload, or of the verified runtime token when the payload names none, or of the header when
 * there is no token either. A header never replaces a signed or verified value, even one that is not a valid id.
 */
export function deliveryProjectId(
  payload: ContractPayload,
  token: TokenClaims | undefined,
  headers: IncomingHttpHeaders,
): number | undefined {
  const isNamed = (payload.issue?.project_id ?? undefined) !== undefined;
  if (isNamed) return payloadProjectId(payload);
  return token === undefined ? headerId(headers['x-kiket-project']) : token.projectId;
}
