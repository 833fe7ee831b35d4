import type { KiketApi } from '../api/client';
import type { KiketId } from '../guards';

/** A record, as the API sends it. */
export type CustomDataRecord = Record<string, unknown>;

/** Filters of a list of records. */
export interface CustomDataListOptions {
  /** Records in the response. Default that of the API. */
  readonly limit?: number | undefined;
  /** Values that the records must have, by field. Default none. */
  readonly filters?: Readonly<Record<string, unknown>> | undefined;
}

/** Some records. */
export interface CustomDataListResponse {
  /** The records. */
  data: CustomDataRecord[];
}

/** One record. */
export interface CustomDataRecordResponse {
  /** The record. */
  data: CustomDataRecord;
}

/** `context.endpoints.customData(projectId)`: the records of all modules. */
export interface CustomDataClient {
  /** Lists the first page of a table. */
  list(module: string, table: string, options?: CustomDataListOptions): Promise<CustomDataListResponse>;
  /** Fetches one record. */
  get(module: string, table: string, recordId: KiketId): Promise<CustomDataRecordResponse>;
  /** Creates a record. */
  create(module: string, table: string, record: Readonly<CustomDataRecord>): Promise<CustomDataRecordResponse>;
  /** Changes the given fields of a record. */
  update(
    module: string,
    table: string,
    recordId: KiketId,
    record: Readonly<CustomDataRecord>,
  ): Promise<CustomDataRecordResponse>;
  /** Deletes a record. */
  delete(module: string, table: string, recordId: KiketId): Promise<void>;
}

export function createCustomData(api: KiketApi, projectId: KiketId): CustomDataClient {
  const tableOf = (module: string, table: string) => api.customData<CustomDataRecord>(module, table, { projectId });
  return {
    list: async (module, table, options) => ({ data: await tableOf(module, table).list(options) }),
    get: async (module, table, id) => ({ data: await tableOf(module, table).get(id) }),
    create: async (module, table, record) => ({ data: await tableOf(module, table).create(record) }),
    update: async (module, table, id, record) => ({ data: await tableOf(module, table).update(id, record) }),
    delete: async (module, table, id) => tableOf(module, table).delete(id),
  };
}
