// The types of the arguments and results of kiketEnqueue and kiketWorker.

import type { Queue } from 'bullmq';
import { kiketEvents, kiketHandler, type KiketDelivery } from 'kiket-express';
import {
  kiketEnqueue,
  kiketWorker,
  type KiketAccepted,
  type KiketJobHandler,
  type KiketQueue,
  type KiketWorker,
} from 'kiket-express/bullmq';
import type { KiketId, KiketTransition } from 'kiket-express/delivery';
import { exactly } from '../../types/exactly';

declare const queue: Queue;
declare const narrow: Queue<{ readonly event: string }, void, 'issue.created'>;
const enqueue = kiketEnqueue(queue);
kiketEnqueue(narrow);
kiketEnqueue({ name: 'fake', add: async (name: string, data: object) => Promise.resolve([name, data]) });
export const structural: KiketQueue = queue;
// @ts-expect-error no queue
kiketEnqueue({ name: 'fake' });

// For every event, in every form of registration,
kiketHandler(enqueue);
kiketHandler('issue.created', enqueue);
kiketHandler('vendor.unknown', enqueue);
kiketEvents()
  .on('issue.transitioned', enqueue)
  .on('issue.*', { scopes: ['a'] }, enqueue)
  .on('*', enqueue)
  .on(['issue.created', 'issue.updated'], enqueue)
  .otherwise(enqueue);
kiketHandler('issue.created', async (delivery) => {
  exactly<KiketAccepted>()(await enqueue(delivery));
  return { queued: true };
});
export const accept = (delivery: KiketDelivery): Promise<KiketAccepted> => enqueue(delivery);

// except a guard, whose response cannot wait.
// @ts-expect-error by its name
kiketHandler('workflow.before_transition', enqueue);
// @ts-expect-error in a version
kiketHandler('workflow.before_transition@v2', enqueue);
// @ts-expect-error among events
kiketEvents().on('workflow.before_transition', enqueue);
// @ts-expect-error in a list
kiketEvents().on(['issue.created', 'workflow.before_transition'], enqueue);

// A job has only the members that are not secret.
export const onTransition: KiketJobHandler<'issue.transitioned'> = ({ event, payload }) => {
  exactly<'issue.transitioned'>()(event);
  exactly<KiketTransition | undefined>()(payload.transition);
};
const worker = kiketWorker(
  'jobs',
  async (job) => {
    exactly<string>()(job.event);
    exactly<string>()(job.eventVersion);
    exactly<string | undefined>()(job.invocationId);
    exactly<KiketId | undefined>()(job.projectId);
    exactly<KiketId | undefined>()(job.organizationId);
    exactly<AbortSignal>()(job.signal);
    exactly<KiketId | undefined>()(job.payload.issue?.project_id);
    if (job.is('issue.transitioned')) exactly<KiketTransition | undefined>()(job.payload.transition);
    await job.api.slaEvents().list();
    // @ts-expect-error not in a job
    void job.secrets;
    // @ts-expect-error not in a job
    void job.auth;
    // @ts-expect-error not in a job
    void job.rawBody;
    // @ts-expect-error not in a job
    void job.verified;
  },
  { connection: { host: 'localhost', port: 6379 }, onError: (error, job) => console.error(error, job?.event) },
);
exactly<KiketWorker>()(worker);
exactly<Promise<void>>()(worker.close());
kiketWorker('jobs', () => 'whatever', { connection: {}, api: { apiKey: 'ext_1' }, concurrency: 2, timeoutMs: 1000 });
// @ts-expect-error where is Redis?
kiketWorker('jobs', () => undefined, {});
// @ts-expect-error no such option
kiketWorker('jobs', () => undefined, { connection: {}, attempts: 3 });
