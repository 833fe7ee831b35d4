import type { IncomingMessage } from 'node:http';
import type { TokenClaims } from '../delivery/auth';
import type { ContractPayload } from '../delivery/payload';
import type { SignatureError } from '../errors';
import { headerId, isObject } from '../guards';
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
  const project: unknown = isObject(unsigned?.issue) ? (unsigned.issue.project_id ?? undefined) : undefined;
  if (project !== undefined && project !== projectId) return tokenError('is not of the project in the payload');
  return undefined;
}

function differ(claimed: number | undefined, verified: number | undefined): boolean {
  return claimed !== undefined && verified !== undefined && claimed !== verified;
}
