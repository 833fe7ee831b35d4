import { isDeepStrictEqual } from 'node:util';
import { isObject, type KiketId } from '../guards';
import { asJson } from './items';
import { countIn, idIn, isSame, objectIn, RequestError, type Id, type JsonObject, type Query } from './parameters';

/** A record of custom data, as it goes over the wire. */
export interface FakeKiketRecord {
  /** Counted from 1, unless the record brings one. */
  readonly id: KiketId;
  /** ISO 8601. */
  readonly created_at: string;
  /** ISO 8601. */
  readonly updated_at: string;
  /** ISO 8601. Only in `records()` with `withDeleted`: over the API, a deleted record is not found. */
  readonly deleted_at?: string;
  readonly [field: string]: unknown;
}

/** One table of a module. */
export interface Table {
  readonly module: string;
  readonly table: string;
}

interface Row extends Table {
  readonly projectId: Id;
  record: FakeKiketRecord;
  deletedAt: string | undefined;
}

export class RecordStore {
  /** By project, module, table and id. */
  readonly #rows = new Map<string, Row>();
  readonly #timestamp: () => string;
  #added = 0;

  constructor(timestamp: () => string) {
    this.#timestamp = timestamp;
  }

  /** Keeps an `id` in `fields`, and replaces the record that has it. Without one, the record gets the next free number. */
  add(projectId: Id, { module, table }: Table, fields: JsonObject): FakeKiketRecord {
    const now = this.#timestamp();
    const keyFor = (id: unknown): string => keyOf(projectId, { module, table }, String(id));
    do this.#added++;
    while (this.#rows.has(keyFor(this.#added)));
    const id = (fields['id'] as FakeKiketRecord['id'] | undefined) ?? this.#added;
    const record: FakeKiketRecord = { id, ...asJson(fields), created_at: now, updated_at: now };
    this.#rows.delete(keyFor(id));
    this.#rows.set(keyFor(id), { projectId, module, table, record, deletedAt: undefined });
    return record;
  }

  /** In the order in which they were added. A deleted record has `deleted_at`. */
  records(table: Table, projectId: Id | undefined, withDeleted: boolean): FakeKiketRecord[] {
    const rows = this.#rowsOf(table, projectId).filter((row) => withDeleted || row.deletedAt === undefined);
    return rows.map(({ record, deletedAt }) => ({ ...record, ...(deletedAt && { deleted_at: deletedAt }) }));
  }

  list(table: Table, query: Query): FakeKiketRecord[] {
    const filters = Object.entries(filtersIn(query));
    return this.records(table, projectIn(query), false)
      .filter((record) => filters.every(([name, value]) => isDeepStrictEqual(record[name], value)))
      .slice(0, countIn(query, 'limit'));
  }

  find(table: Table, id: string, query: Query): FakeKiketRecord {
    return this.#find(table, id, query).record;
  }

  create(table: Table, query: Query, body: unknown): FakeKiketRecord {
    const projectId = projectIn(query);
    return this.add(projectId, table, { ...objectIn(body, 'record'), id: undefined });
  }

  update(table: Table, id: string, query: Query, body: unknown): FakeKiketRecord {
    const row = this.#find(table, id, query);
    const { id: ownId, created_at } = row.record;
    const changes = objectIn(body, 'record');
    row.record = { ...row.record, ...changes, id: ownId, created_at, updated_at: this.#timestamp() };
    return row.record;
  }

  delete(table: Table, id: string, query: Query): void {
    this.#find(table, id, query).deletedAt = this.#timestamp();
  }

  #find(table: Table, id: string, query: Query): Row {
    const row = this.#rows.get(keyOf(projectIn(query), table, id));
    if (row === undefined || row.deletedAt !== undefined) throw new RequestError(404, 'Record not found');
    return row;
  }

  #rowsOf({ module, table }: Table, projectId: Id | undefined): Row[] {
    return [...this.#rows.values()].filter(
      (row) => row.module === module && row.table === table && isSame(projectId ?? row.projectId, row.projectId),
    );
  }
}

function keyOf(projectId: Id, { module, table }: Table, id: string): string {
  return JSON.stringify([String(projectId), module, table, id]);
}

function projectIn(query: Query): Id {
  const projectId = idIn(query, 'project_id');
  if (projectId === undefined) throw new RequestError(422, 'project_id is missing');
  return projectId;
}

function filtersIn(query: Query): JsonObject {
  const filters = parse(query['filters'] ?? '{}');
  if (isObject(filters)) return filters;
  throw new RequestError(400, 'filters must be a JSON object');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
