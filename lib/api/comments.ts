import type { KiketApiUser } from './members';
import { itemOf, listOf, type Requests } from './requests';
import { segment } from './target';
import type { KiketId } from '../guards';

/** A comment on an issue, as the API sends it. Its fields are not checked. */
export interface KiketApiComment {
  /** The id of the comment. */
  readonly id?: KiketId;
  /** The text. */
  readonly body?: string;
  /** The user who wrote it. */
  readonly author?: KiketApiUser | null;
  /** ISO 8601. */
  readonly created_at?: string;
  /** ISO 8601. */
  readonly updated_at?: string;
  readonly [field: string]: unknown;
}

/** The comments on one issue. */
export interface KiketComments {
  /** Lists the comments. */
  list(): Promise<KiketApiComment[]>;
  /** Adds a comment. */
  create(text: string): Promise<KiketApiComment>;
  /** Replaces the text of a comment. */
  update(id: string | number, text: string): Promise<KiketApiComment>;
  /** Deletes a comment. */
  delete(id: string | number): Promise<void>;
}

/** @param path of the list. */
export function comments(api: Requests, path: string): KiketComments {
  const pathOf = (id: string | number): string => `${path}/${segment('the id of the comment', id)}`;
  return {
    list: async () => listOf(await api.request('GET', path), 'comments'),
    create: async (text) => itemOf('POST', await api.request('POST', path, { body: toBody(text) }), 'comment'),
    update: async (id, text) =>
      itemOf('PATCH', await api.request('PATCH', pathOf(id), { body: toBody(text) }), 'comment'),
    async delete(id) {
      await api.request('DELETE', pathOf(id));
    },
  };
}

function toBody(text: string): object {
  return { comment: { body: text } };
}
