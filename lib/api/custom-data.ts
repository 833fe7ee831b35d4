import { KiketApiError } from '../errors';
import { isNonEmptyString, type KiketId } from '../guards';
import { malformedError } from './api-errors';
import { dataOf, type Requests } from './requests';
import { segment } from './target';

/** Filters of a list of records. */
export interface KiketListOptions {
  /** Records in one page. Default that of the API. */
  limit?: number | undefined;
  /** Values that the records must have, by field. Default none. */
  filters?: object | undefined;
}

/** The records of one table of a module. `T` is not checked. */
export interface KiketTable<T> {
  /** The first page. */
  list(options?: Readonly<KiketListOptions>): Promise<T[]>;
  /**
   * All records, page by page. When the API offers no further page, but the one page is as long as `limit`, so that records
   * may be missing, it throws `api.refused`.
   */
  iterate(options?: Readonly<KiketListOptions>): AsyncIterable<T>;
  /** One record. */
  get(id: string | number): Promise<T>;
  /** Creates a record. */
  create(record: object): Promise<T>;
  /** Changes the given fields. */
  update(id: string | number, changes: object): Promise<T>;
  /** Deletes a record. */
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
  readonly #projectId: KiketId | undefined;

  constructor(api: Requests, module: string, table: string, projectId: KiketId | undefined) {
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
        const offersPages = followed.size > 0 || isMarkedLast(page);
        if (!offersPages && records.length === options.limit) throw incompleteError();
        return;
      }
      // Pages that refer to one another in a circle would never end.
      const place = JSON.stringify(next);
      if (followed.has(place)) throw malformedError('GET');
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

/** Kiket documents a cursor; its lists of issues number their pages. */
function nextPage({ pagination, next_cursor: cursor = pagination?.next_cursor }: Page): object | undefined {
  if (isNonEmptyString(cursor)) return { cursor };
  const { page, total_pages: pages } = pagination ?? {};
  return typeof page === 'number' && typeof pages === 'number' && page < pages ? { page: page + 1 } : undefined;
}

/** True when the response says that it is the last page. */
function isMarkedLast({ pagination, next_cursor: cursor }: Page): boolean {
  return cursor === null || typeof pagination?.total_pages === 'number' || pagination?.next_cursor === null;
}

function incompleteError(): KiketApiError {
  return KiketApiError.because(
    'api.refused',
    'The table may have more records than this page, and the API offers no further page. Raise limit, or filter.',
  );
}
