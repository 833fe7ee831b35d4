import { secret } from '../../support/deliver';
import type { majors } from '../../support/express';
import type { ClientName } from '../../support/redis-clients';
import { ForkedProcess } from './forked-process';

/** The settings of a replica. */
export interface ReplicaSettings {
  readonly folder: string;
  readonly redisUrl: string;
  readonly secret: string;
  readonly client: ClientName;
  readonly lockSeconds?: number;
  /** Default 'Express 5'. */
  readonly major?: keyof typeof majors;
}

/** A server process that receives deliveries. */
export interface Replica {
  readonly origin: string;
  readonly process: ForkedProcess<number>;
}

/** A replica that is listening. */
export async function startReplica(settings: Omit<ReplicaSettings, 'secret'>): Promise<Replica> {
  const process = new ForkedProcess<number>('replica.ts', { ...settings, secret });
  return { origin: `http://127.0.0.1:${await process.whenStarted()}`, process };
}
