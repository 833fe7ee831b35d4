/** The members of a job of pg-boss that are used. */
export interface KiketBossJob {
  /** UUID of the job. */
  readonly id: string;
  /** The object that was sent. */
  readonly data: unknown;
}

/** How pg-boss runs a statement with another connection than its own. */
export interface BossDatabase {
  executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

/** The members of a PgBoss that are used: of the versions 10, 11 and 12. */
export interface KiketBoss {
  /** Adds a job. Resolves to its id, or to `null` when one with this id exists, or the queue does not. */
  send(name: string, data: object, options: object): Promise<string | null>;
  /** Returns a queue, or `null`. */
  getQueue(name: string): Promise<unknown>;
  /** Returns a job, or `null`. */
  getJobById(name: string, id: string, options?: object): Promise<unknown>;
  /** Takes up to `batchSize` jobs that are due. */
  fetch(name: string, options?: object): Promise<readonly KiketBossJob[]>;
  /** Ends a job that was taken. */
  complete(name: string, id: string): Promise<unknown>;
  /** Ends an attempt at a job with an error. The job is due again after its back-off, unless it was its last attempt. */
  fail(name: string, id: string, error: object): Promise<unknown>;
  /** Ends a job that has not ended. */
  cancel(name: string, id: string): Promise<unknown>;
}
