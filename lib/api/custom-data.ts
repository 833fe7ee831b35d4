import { KiketApiError } from '../errors';
import { isNonEmptyString } from '../guards';
import { malformed } from './failure';
import { dataOf, type Requests } from './requests';
import { segment } from './target';

export interface KiketListOptions {
  /** Records in one page; the API has a default of its own. */
  limit?: number | undefined;
  /** Values that fields must have, by field. */
  filters?: object | undefined;
}

/** The records of one table of a module. `T` is asserted, not checked. */
export interface KiketTable<T> {
  /** One page, as the API gives it. */
  list(options?: Readonly<KiketListOptions>): Promise<T[]>;
  /**
   * Record by record, over all pages that the API offers, by a cursor or by numbers. Where it offers none, that is one
   * page; and if that page is as long as `limit`, so that there may be more, this ends with `api.refused` rather than as
   * if it were complete.
   */
  iterate(options?: Readonly<KiketListOptions>): AsyncIterable<T>;
  get(id: string | number): Promise<T>;
  create(record: object): Promise<T>;
  /** Changes the fields that are given. */
  update(id: string | number, changes: object): Promise<T>;
  delete(id: string | number): Promise<void>;
}

interface Page {
  readonly pagination?: {
    readonly page?: unknown;
    readonly total_pages?: unknown;
    readonly next_cursor?: unknown;
  } | null;
  readonly next_cursor?: unknown;
}

export class CustomDataTable<T> implements KiketTable<T> {
  readonly #api: Requests;
  readonly #path: string;
  readonly #projectId: number | undefined;

  constructor(api: Requests, module: string, table: string, projectId: number | undefined) {
    this.#api = api;
    this.#path = `/api/v1/ext/custom_data/${segment('the module', module)}/${segment('the table', table)}`;
    this.#projectId = projectId;
  }

  async list(options: Readonly<KiketListOptions> = {}): Promise<T[]> {
    return recordsOf<T>(await this.#page(options));
  }

  async *iterate(options: Readonly<KiketListOptions> = {}): AsyncIterable<T> {
    const followed = new Set<string>();
    let next: object | undefined;
    for (;;) {
      const page = (await this.#page(options, next)) as Page;
      const records = recordsOf<T>(page);
      yield* records;
      next = nextPage(page);
      if (next === undefined) {
        const offersPages = followed.size > 0 || saysThatItIsLast(page);
        if (!offersPages && records.length === options.limit) throw mayHaveMore();
        return;
      }
      // Pages that go round in a circle would go on for ever.
      const place = JSON.stringify(next);
      if (followed.has(place)) throw malformed('GET');
      followed.add(place);
    }
  }

  async get(id: string | number): Promise<T> {
    return dataOf('GET', await this.#record('GET', id)) as T;
  }

  async create(record: object): Promise<T> {
    const query = { project_id: this.#projectId };
    return dataOf('POST', await this.#api.request('POST', this.#path, { query, body: { record } })) as T;
  }

  async update(id: string | number, changes: object): Promise<T> {
    return dataOf('PATCH', await this.#record('PATCH', id, { record: changes })) as T;
  }

  async delete(id: string | number): Promise<void> {
    await this.#record('DELETE', id);
  }

  #page({ limit, filters }: Readonly<KiketListOptions>, place?: object): Promise<unknown> {
    return this.#api.request('GET', this.#path, {
      query: { project_id: this.#projectId, limit, filters, ...place },
    });
  }

  #record(method: 'GET' | 'PATCH' | 'DELETE', id: string | number, body?: object): Promise<unknown> {
    const query = { project_id: this.#projectId };
    return this.#api.request(method, `${this.#path}/${segment('the id of the record', id)}`, { query, body });
  }
}

function recordsOf<T>(page: unknown): T[] {
  return dataOf('GET', page, Array.isArray) as T[];
}

/** The contract has no pages here; the platform's documents know a cursor, and lists of issues number their pages. */
function nextPage({ pagination, next_cursor: cursor = pagination?.next_cursor }: Page): object | undefined {
  if (isNonEmptyString(cursor)) return { cursor };
  const { page, total_pages: pages } = pagination ?? {};
  return typeof page === 'number' && typeof pages === 'number' && page < pages ? { page: page + 1 } : undefined;
}

/** Whether the API says itself that there is no page after this one. */
function saysThatItIsLast({ pagination, next_cursor: cursor }: Page): boolean {
  return cursor === null || typeof pagination?.total_pages === 'number' || pagination?.next_cursor === null;
}

function mayHaveMore(): KiketApiError {
  return KiketApiError.because(
    'api.refused',
    'The table may have more records than one page, and the API offers no further one. Raise limit, or filter.',
  );
}
