import { isObject } from '../guards';
import { requirePeer } from '../options';

/** The members of a job that are used. All of BullMQ is typed structurally here, so that versions 5 and 6 fit. */
export interface BullJob {
  readonly id?: string | undefined;
  readonly data: unknown;
}

/** The members of BullMQ's Worker that are used. */
export interface BullWorker {
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'failed', listener: (job: BullJob | undefined, error: unknown) => void): unknown;
  on(event: 'lockRenewalFailed', listener: (jobIds: readonly string[]) => void): unknown;
  /** Takes no more jobs, and waits for running ones. */
  pause(): Promise<void>;
  close(force: boolean): Promise<void>;
  /** Closes its connections, also one that the user created. */
  disconnect(): Promise<void>;
}

/** The exports of BullMQ that are used. */
export interface BullMq {
  readonly Worker: new (
    queueName: string,
    processor: (job: BullJob) => Promise<undefined>,
    options: object,
  ) => BullWorker;
  readonly UnrecoverableError: new (message: string) => Error;
}

/**
 * Loads the optional peer.
 *
 * @throws {TypeError} when it is not installed, or too old.
 */
export function loadBullMq(who: string): BullMq {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  requirePeer(who, { name: 'bullmq', since: '5.66.7', install: 'bullmq@6' }, () => require('bullmq/package.json'));
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return require('bullmq') as BullMq;
  } catch (error) {
    if (!isObject(error) || error['code'] !== 'MODULE_NOT_FOUND') throw error;
    throw new TypeError(`${who} needs the package bullmq, which is not installed; npm install bullmq`, {
      cause: error,
    });
  }
}
