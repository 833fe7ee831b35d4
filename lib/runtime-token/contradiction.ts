import type { IncomingMessage } from 'node:http';
import type { TokenClaims } from '../delivery/auth';
import type { ContractPayload } from '../delivery/payload';
import type { SignatureError } from '../errors';
import { namedOrganizations, namedProjects } from '../delivery/ids';
import { headerId, isId, type KiketId } from '../guards';
import { tokenError } from './token-errors';

/**
 * Returns the error of a token that contradicts its delivery.
 *
 * @param unsigned the payload, when only the token vouches for it.
 */
export function contradictionTo(
  { organizationId, projectId }: TokenClaims,
  { headers }: IncomingMessage,
  unsigned: ContractPayload | undefined,
): SignatureError | undefined {
  if (differ(headerId(headers['x-kiket-organization']), organizationId)) {
    return tokenError('is of another organization than X-Kiket-Organization');
  }
  if (differ(headerId(headers['x-kiket-project']), projectId)) {
    return tokenError('is of another project than X-Kiket-Project');
  }
  if (unsigned === undefined) return undefined;
  // A handler may read any of them.
  if (namedProjects(unsigned).some((id) => isOther(id, projectId))) {
    return tokenError('is not of the project in the payload');
  }
  if (namedOrganizations(unsigned).some((id) => isOther(id, organizationId))) {
    return tokenError('is not of the organization in the payload');
  }
  return undefined;
}

/** True when a header claims another id than the token. */
function differ(claimed: KiketId | undefined, verified: KiketId | undefined): boolean {
  return claimed !== undefined && verified !== undefined && String(claimed) !== String(verified);
}

/** True when an unsigned payload names an id that the token does not vouch for. */
function isOther(named: unknown, verified: KiketId | undefined): boolean {
  return !isId(named) || String(named) !== String(verified);
}
