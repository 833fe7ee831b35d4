/// <reference types="node" preserve="true" />
export type { KiketRateLimit } from '../errors';
export type { KiketApiRequestOptions } from './call';
export type { KiketApi } from './client';
export { createKiketApi, type CreateKiketApiOptions } from './create-kiket-api';
export type { KiketListOptions, KiketTable } from './custom-data';
export type { KiketExtensionSecrets } from './extension-secrets';
export type {
  KiketIntakeForms,
  KiketIntakeFormsOptions,
  KiketIntakeSubmissions,
  KiketIntakeSubmissionsOptions,
} from './intake-forms';
export type { KiketIssues } from './issues';
export type { KiketLogEventOptions, KiketTelemetry } from './journal';
export type { KiketApiOptions } from './options';
export type { KiketSlaEvent, KiketSlaEvents, KiketSlaEventsOptions } from './sla-events';
export { closeKiketApi, type KiketApiMethod } from './transport';
