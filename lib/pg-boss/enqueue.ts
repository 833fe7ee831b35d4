import type { KiketDelivery } from '../delivery/delivery';
import type { DeliveryIdentity } from '../idempotency/delivery-key';
import type { KiketAccepted } from '../queue/accepted';
import { ATTEMPTS, createEnqueue } from '../queue/enqueue';
import type { HandlerTransaction } from '../response/handler-outcome';
import { requireBoss } from './boss-argument';
import type { BossDatabase, KiketBoss } from './pg-boss';

export type { KiketAccepted } from '../queue/accepted';

/**
 * Creates a handler, for `kiketHandler` and `events.on`, that adds a delivery to a queue of pg-boss for kiketWorker, and responds 202.
 * Event, payload and ids are written to the database; secrets, runtime token, raw body and headers are not.
 *
 * After kiketTransaction, the job is part of the delivery's transaction: it exists if and only if that is committed. A retry of the platform
 * finds the job of its delivery, and adds none. The handler fails with 500 `guard.not_deferrable` for a guard event, with
 * `delivery.unverified` for an unverified delivery, and with 503 `store.unavailable` when the database fails, or has no such queue.
 *
 * @throws {TypeError} at start-up, when `boss` is not a PgBoss, or `queueName` is not a name.
 * @example const enqueue = kiketEnqueue(boss, 'kiket'); kiketHandler('issue.created', (delivery) => enqueue(delivery));
 */
export function kiketEnqueue(
  boss: KiketBoss,
  queueName: string,
): <P extends string>(delivery: KiketDelivery<P>) => Promise<KiketAccepted> {
  requireBoss('kiketEnqueue', boss, queueName);
  return createEnqueue(async (data, identity, { outcomeObserver }) => {
    const connection = connectionOf(outcomeObserver?.transaction);
    const id = jobIdOf(identity);
    // A job that has ended may be in the archive, where send() does not look.
    if ((await boss.getJobById(queueName, id, { includeArchive: true, ...connection })) !== null) return;
    // A store before this handler has recognised copies of the same bytes.
    const singleton = outcomeObserver === undefined && identity.delivery !== undefined ? singletonOf(identity) : {};
    const sent = await boss.send(queueName, data, { id, ...RETRIES, ...singleton, ...connection });
    if (sent === null) await requireQueue(boss, queueName);
  });
}

/** Six attempts, the second 1 to 2 s after the first, the third 2 to 4 s after the second, and so on; from version 11 at most 5 min. */
const RETRIES = { retryLimit: ATTEMPTS - 1, retryDelay: 1, retryBackoff: true, retryDelayMax: 300 };

/** Half a day in seconds, for which pg-boss keeps the jobs that are done by default. */
const SINGLETON_SECONDS = 43_200;

/** Adds no job for the same signed bytes with another invocation id, which is not signed. */
function singletonOf({ attempt }: DeliveryIdentity): object {
  return { singletonKey: attempt, singletonSeconds: SINGLETON_SECONDS };
}

/** Returns the same UUID for all attempts of a delivery. Its digits are those of a hash, which is version 8. */
function jobIdOf({ attempt, delivery }: DeliveryIdentity): string {
  const digits = delivery ?? attempt;
  const parts = [digits.slice(0, 8), digits.slice(8, 12), `8${digits.slice(13, 16)}`, `8${digits.slice(17, 20)}`];
  return [...parts, digits.slice(20, 32)].join('-');
}

/** pg-boss resolves to `null` for a job that exists, and for a queue that does not. @throws {Error} for the latter. */
async function requireQueue(boss: KiketBoss, queueName: string): Promise<void> {
  if ((await boss.getQueue(queueName)) !== null) return;
  throw new Error(
    `pg-boss has no queue "${queueName}"; await boss.createQueue("${queueName}") before deliveries come in`,
  );
}

/** Returns the option with which pg-boss runs its statements in the transaction of the delivery. */
function connectionOf(transaction: HandlerTransaction | undefined): { readonly db?: BossDatabase } {
  if (transaction === undefined) return {};
  return {
    db: { executeSql: async (text, values = []) => ({ rows: [...(await transaction.query(text, values))] }) },
  };
}
