import { isObject } from '../guards';
import { requirePeer } from '../options';

/** What is used of a job; structural, as all of BullMQ here, so that its versions 5 and 6 fit. */
export interface BullJob {
  readonly id?: string | undefined;
  readonly data: unknown;
}

export interface BullWorker {
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'failed', listener: (job: BullJob | undefined, error: unknown) => void): unknown;
  on(event: 'lockRenewalFailed', listener: (jobIds: readonly string[]) => void): unknown;
  /** Takes no more jobs, and waits for those that run. */
  pause(): Promise<void>;
  close(force: boolean): Promise<void>;
  /** Cuts its connections, also one that the user has made. */
  disconnect(): Promise<void>;
}

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
 * @throws {TypeError} at start-up, when it is not installed, or too old.
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
