import { kiketWorker } from 'kiket-express/bullmq';
import { Ledger } from './ledger';
import { readSettings, sayStarted } from './parent';

/** The settings of this program. */
export interface WorkerSettings {
  readonly folder: string;
  readonly port: number;
  readonly queueName: string;
  readonly lockSeconds: number;
}

const { folder, port, queueName, lockSeconds } = readSettings<WorkerSettings>();
const ledger = new Ledger(folder);

kiketWorker(queueName, ({ payload }) => ledger.runUntilLetGo(String(payload.issue?.id)), {
  connection: { port },
  lockSeconds,
  concurrency: 10,
});
sayStarted();
