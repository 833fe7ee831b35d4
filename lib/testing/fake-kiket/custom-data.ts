import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../../guards';
import { json, NO_CONTENT, Refusal, type Answer } from './answer';
import { paginate, type FakeKiketPagination } from './paging';
import { asJson, objectIn, wholeNumber, type JsonObject, type Query } from './parameters';
import type { Call, Route } from './router';

/** A record of custom data, as it goes over the wire. */
export interface FakeKiketRecord {
  readonly id: number | string;
  /** ISO 8601. */
  readonly created_at: string;
  /** ISO 8601. */
  readonly updated_at: string;
  /** ISO 8601. The API never shows it: a deleted record is gone there. */
  readonly deleted_at?: string;
  readonly [field: string]: unknown;
}

interface Row {
  readonly place: number;
  readonly projectId: number;
  readonly module: string;
  readonly table: string;
  record: FakeKiketRecord;
  deletedAt: string | undefined;
}

const TABLE = '/api/v1/ext/custom_data/:module/:table';

export class CustomData {
  /** By project, module, table and id. */
  readonly #rows = new Map<string, Row>();
  readonly #pagination: FakeKiketPagination;
  readonly #timestamp: () => string;
  #added = 0;

  readonly routes: readonly Route[] = [
    { method: 'GET', path: TABLE, handle: (call, module, table) => this.#list(call, module, table) },
    { method: 'POST', path: TABLE, handle: (call, module, table) => this.#create(call, module, table) },
    { method: 'GET', path: `${TABLE}/:id`, handle: (call, ...path) => answer(this.#find(call, path)) },
    { method: 'PATCH', path: `${TABLE}/:id`, handle: (call, ...path) => this.#update(call, path) },
    { method: 'DELETE', path: `${TABLE}/:id`, handle: (call, ...path) => this.#delete(call, path) },
  ];

  constructor(pagination: FakeKiketPagination, timestamp: () => string) {
    this.#pagination = pagination;
    this.#timestamp = timestamp;
  }

  /** An `id` in `fields` is kept, and what has it already makes way; otherwise the record gets the next free number. */
  add(projectId: number, module: string, table: string, fields: JsonObject): FakeKiketRecord {
    const now = this.#timestamp();
    const keyFor = (id: unknown): string => keyOf(projectId, module, table, String(id));
    do this.#added++;
    while (this.#rows.has(keyFor(this.#added)));
    const place = this.#added;
    const id = (fields['id'] as FakeKiketRecord['id'] | undefined) ?? place;
    const record: FakeKiketRecord = { id, ...asJson(fields), created_at: now, updated_at: now };
    this.#rows.delete(keyFor(id));
    this.#rows.set(keyFor(id), { place, projectId, module, table, record, deletedAt: undefined });
    return record;
  }

  /** In the order in which they were added; a deleted one has `deleted_at`. */
  records(module: string, table: string, projectId: number | undefined, withDeleted: boolean): FakeKiketRecord[] {
    const rows = this.#rowsOf(module, table, projectId).filter((row) => withDeleted || row.deletedAt === undefined);
    return rows.map(({ record, deletedAt }) => ({ ...record, ...(deletedAt && { deleted_at: deletedAt }) }));
  }

  #list({ query }: Call, module: string, table: string): Answer {
    const filters = Object.entries(filtersOf(query));
    const found = this.#rowsOf(module, table, projectOf(query)).filter(
      ({ record, deletedAt }) =>
        deletedAt === undefined && filters.every(([name, value]) => isDeepStrictEqual(record[name], value)),
    );
    const { items, fields } = paginate[this.#pagination](found, query);
    return json(200, { data: items.map(({ record }) => record), ...fields });
  }

  #create({ query, body }: Call, module: string, table: string): Answer {
    const projectId = projectOf(query);
    const fields = { ...objectIn(body, 'record'), id: undefined };
    return json(201, { data: this.add(projectId, module, table, fields) });
  }

  #update(call: Call, path: string[]): Answer {
    const row = this.#find(call, path);
    const { id, created_at } = row.record;
    row.record = { ...row.record, ...objectIn(call.body, 'record'), id, created_at, updated_at: this.#timestamp() };
    return answer(row);
  }

  #delete(call: Call, path: string[]): Answer {
    const row = this.#find(call, path);
    row.deletedAt = this.#timestamp();
    return NO_CONTENT;
  }

  #find({ query }: Call, path: string[]): Row {
    const row = this.#rows.get(keyOf(projectOf(query), ...path));
    if (row === undefined || row.deletedAt !== undefined) throw new Refusal(404, 'Record not found');
    return row;
  }

  #rowsOf(module: string, table: string, projectId: number | undefined): Row[] {
    return [...this.#rows.values()].filter(
      (row) => row.module === module && row.table === table && (projectId ?? row.projectId) === row.projectId,
    );
  }
}

function answer({ record }: Row): Answer {
  return json(200, { data: record });
}

function keyOf(projectId: number, ...path: string[]): string {
  return JSON.stringify([projectId, ...path]);
}

function projectOf(query: Query): number {
  const projectId = wholeNumber(query, 'project_id');
  if (projectId === undefined) throw new Refusal(422, 'project_id is missing');
  return projectId;
}

function filtersOf(query: Query): JsonObject {
  const filters = parse(query['filters'] ?? '{}');
  if (isObject(filters)) return filters;
  throw new Refusal(400, 'filters must be a JSON object');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
