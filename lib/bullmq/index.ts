/// <reference types="node" preserve="true" />
export { kiketEnqueue, type KiketAccepted, type KiketQueue } from './enqueue';
export { kiketWorker, type KiketJobHandler, type KiketWorker, type KiketWorkerOptions } from './worker';
