import { isListed, type Caller } from './callers';
import { asJson, nextId } from './items';
import { idIn, type Query } from './parameters';
import type { KiketId } from '../guards';

/** A member of a project, as it goes over the wire. */
export interface FakeKiketMember {
  /** Counted from 1, unless the member brings one. */
  readonly id: KiketId;
  /** Default 1. */
  readonly project_id: KiketId;
  /** Default `Member` and the id. */
  readonly name: string;
  /** Default `member-`, the id and `@example.com`. */
  readonly email: string;
  readonly [field: string]: unknown;
}

/** Members of projects. */
export class MemberStore {
  readonly #members: FakeKiketMember[] = [];

  add(member: Partial<FakeKiketMember>): FakeKiketMember {
    const { id = nextId(this.#members) } = member;
    const name = `Member ${id}`;
    const added: FakeKiketMember = { id, project_id: 1, name, email: `member-${id}@example.com`, ...asJson(member) };
    this.#members.push(added);
    return added;
  }

  list(caller: Caller, query: Query): FakeKiketMember[] {
    const projectId = idIn(query, 'project_id');
    return this.#members.filter((member) => isListed(caller, member, projectId));
  }
}
