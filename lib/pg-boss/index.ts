/// <reference types="node" preserve="true" />
export { kiketEnqueue, type KiketAccepted } from './enqueue';
export type { KiketBoss, KiketBossJob } from './pg-boss';
export { kiketWorker, type KiketJobHandler, type KiketWorker, type KiketWorkerOptions } from './worker';
