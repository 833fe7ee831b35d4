export { allow, deny, pending } from '../delivery/reply';
export type { KiketAllowOptions, KiketGuardReply, KiketReplyOptions } from '../delivery/reply';
export { ScopeError } from '../errors';
export type { KiketMiddleware, KiketRequestState } from '../exchange/express';
export type {
  CustomDataClient,
  CustomDataListOptions,
  CustomDataListResponse,
  CustomDataRecord,
  CustomDataRecordResponse,
} from './custom-data';
export type { ExtensionEndpoints, ExtensionSecretManager, RateLimitInfo } from './endpoints';
export { fromSdk, type SdkKiketHandler } from './from-sdk';
export type {
  AuthenticationContext,
  HandlerContext,
  HandlerResult,
  ScopeChecker,
  SdkDelivery,
  SecretHelper,
  WebhookHandler,
  WebhookPayload,
} from './handler-context';
export type {
  IntakeForm,
  IntakeFormListOptions,
  IntakeFormListResponse,
  IntakeFormStats,
  IntakeFormsClient,
  IntakeSubmission,
  IntakeSubmissionCreateOptions,
  IntakeSubmissionListOptions,
  IntakeSubmissionListResponse,
} from './intake-forms';
export type { Headers, KiketClient, RequestOptions } from './sdk-client';
export type { SdkManifest, SdkOptions, Settings } from './sdk-options';
export { sdkRouter, type SdkRouter } from './sdk-router';
export type { SlaEventRecord, SlaEventsClient, SlaEventsListOptions, SlaEventsListResponse } from './sla-events';
