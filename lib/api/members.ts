import { listOf, type Requests } from './requests';
import type { KiketId } from '../guards';

/** A user, as the API sends it. Its fields are not checked. */
export interface KiketApiUser {
  /** The id of the user. */
  readonly id?: KiketId;
  /** The name that other users see. */
  readonly name?: string | null;
  /** The e-mail address. */
  readonly email?: string | null;
  readonly [field: string]: unknown;
}

/** Lists the members of a project. */
export async function members(api: Requests, projectId: KiketId | undefined): Promise<KiketApiUser[]> {
  return listOf(
    await api.request('GET', '/api/v1/ext/project/members', { query: { project_id: projectId } }),
    'members',
    'users',
  );
}
