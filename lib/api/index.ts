/// <reference types="node" preserve="true" />
export type { KiketRateLimit } from '../errors';
export type { KiketApiRequestOptions } from './call';
export type { KiketApi } from './client';
export type { KiketApiComment, KiketComments } from './comments';
export { createKiketApi, type CreateKiketApiOptions } from './create-kiket-api';
export type { KiketListOptions, KiketTable } from './custom-data';
export type { KiketLogEventOptions } from './event-log';
export type { KiketExtensionSecrets } from './extension-secrets';
export type {
  KiketInboundAttachment,
  KiketInboundEmail,
  KiketInboundEmailResult,
  KiketInboundEmails,
} from './inbound-emails';
export type {
  KiketIntakeForms,
  KiketIntakeFormsOptions,
  KiketIntakeSubmissions,
  KiketIntakeSubmissionsOptions,
} from './intake-forms';
export type { KiketApiIssue, KiketIssuePage, KiketIssues, KiketPagination } from './issues';
export type { KiketApiUser } from './members';
export type { KiketNotification } from './reports';
export type { KiketApiOptions } from './api-options';
export type { KiketSlaEvent, KiketSlaEvents, KiketSlaEventsOptions } from './sla-events';
export type { KiketTelemetry } from './telemetry';
export { closeKiketApi, type KiketApiMethod } from './transport';
export type { KiketWebhookUrl } from './webhook-url';
