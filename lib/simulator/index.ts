/// <reference types="node" preserve="true" />
export { startSimulator } from './start-simulator';
export type { SimulatorOptions } from './simulator-options';
export { InputError } from './local-kiket';
export type * from './local-kiket';
export type * from './model';
export { runScenario, type RunScenarioOptions } from './scenario/run-scenario';
export type * from './scenario/report';
export type * from './scenario/scenario';
