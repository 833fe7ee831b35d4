import { Refusal } from './answer';
import { countOf, type Query } from './parameters';

export const PAGINATIONS = ['none', 'cursor', 'pages'] as const;

export type FakeKiketPagination = (typeof PAGINATIONS)[number];

export interface Page<T> {
  readonly items: readonly T[];
  /** What stands beside the items in the answer's body. */
  readonly fields: object;
}

/** Something in a list that never changes its place, also when what is before it goes. */
export interface Placed {
  readonly place: number;
}

export const paginate: Readonly<
  Record<FakeKiketPagination, <T extends Placed>(items: readonly T[], query: Query) => Page<T>>
> = {
  none: (items, query) => ({ items: items.slice(0, countOf(query, 'limit')), fields: {} }),
  cursor: byCursor,
  pages: (items, query) => byNumber(items, query, 'limit'),
};

/** `size` is the name of the parameter that says how many are on a page. */
export function byNumber<T>(items: readonly T[], query: Query, size: string): Page<T> {
  const perPage = countOf(query, size);
  const page = countOf(query, 'page', 1);
  return {
    items: items.slice((page - 1) * perPage, page * perPage),
    fields: {
      pagination: {
        page,
        per_page: perPage,
        total_pages: Math.ceil(items.length / perPage),
        total_count: items.length,
      },
    },
  };
}

function byCursor<T extends Placed>(items: readonly T[], query: Query): Page<T> {
  const limit = countOf(query, 'limit');
  const after = placeOf(query['cursor']);
  const rest = items.filter(({ place }) => place > after);
  const page = rest.slice(0, limit);
  const next = rest.length > limit ? { next_cursor: cursorAfter(page.at(-1)!.place) } : {};
  return { items: page, fields: next };
}

function cursorAfter(place: number): string {
  return Buffer.from(`after ${place}`).toString('base64url');
}

function placeOf(cursor: string | undefined): number {
  if (cursor === undefined) return Number.NEGATIVE_INFINITY;
  const place = /^after (\d+)$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
  if (place === undefined) throw new Refusal(400, 'Unknown cursor');
  return Number(place);
}
