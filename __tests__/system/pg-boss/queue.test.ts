import type PgBoss from 'pg-boss';
import { describeWithPostgres, startPostgres, type PostgresServer } from '../../support/postgres-server';
import { describeQueueContract } from '../queue/contract';
import { openQueue, startBoss } from './queues';

describeWithPostgres('pg-boss', () => {
  let server: PostgresServer;
  let boss: PgBoss;
  beforeAll(async () => {
    server = await startPostgres();
    boss = await startBoss(server);
  });

  describeQueueContract(() => openQueue(server, boss));
});
