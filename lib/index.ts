// In the order in which a delivery meets them.
export { kiket, type KiketManifestOptions, type KiketOptions } from './middleware/kiket';
export { captureRawBody, kiketRawBody, type KiketRawBodyOptions } from './middleware/raw-body';
export { kiketVerify, type KiketSecret, type KiketSecretSource, type KiketVerifyOptions } from './middleware/verify';
export { kiketParse, type KiketParseOptions } from './middleware/parse';
export {
  KiketMemoryStore,
  kiketIdempotency,
  type KiketIdempotencyOptions,
  type KiketMemoryStoreOptions,
  type KiketStore,
} from './middleware/idempotency';
export {
  kiketRespond,
  type KiketRecord,
  type KiketRespondOptions,
  type KiketTrace,
  type KiketTraceError,
} from './middleware/respond';
export { kiketHandler, type KiketHandler, type KiketReply } from './middleware/handler';
export {
  kiketEvents,
  type KiketEvents,
  type KiketEventsCheck,
  type KiketEventsOptions,
  type KiketOnOptions,
} from './middleware/events';
export { kiketErrorHandler, type KiketErrorHandlerOptions } from './middleware/error-handler';
export { kiketHealth, type KiketHealth, type KiketHealthOptions } from './middleware/health';
export {
  kiketDelivery,
  type KiketAuth,
  type KiketDelivery,
  type KiketJobDelivery,
  type KiketMiddleware,
  type KiketRequestState,
  type KiketResponder,
  type KiketSecrets,
  type KiketSignature,
  type KiketSignatureScheme,
} from './middleware/delivery';
export {
  allow,
  deny,
  pending,
  type KiketAllowOptions,
  type KiketGuardEvent,
  type KiketGuardReply,
  type KiketReplyOptions,
} from './delivery/reply';
export {
  actions,
  addComment,
  assign,
  notify,
  setField,
  transition,
  type KiketAction,
  type KiketActionKind,
  type KiketActionsReply,
} from './delivery/actions';
export { KIKET_EVENTS, type KiketKnownEvent } from './delivery/known-events';
export type { KiketEnvelope } from './delivery/envelope';
export type { KiketExternalWebhook } from './delivery/external-webhook';
export {
  closeKiketApi,
  createKiketApi,
  type CreateKiketApiOptions,
  type KiketApi,
  type KiketApiComment,
  type KiketApiIssue,
  type KiketApiMethod,
  type KiketApiOptions,
  type KiketApiRequestOptions,
  type KiketApiUser,
  type KiketComments,
  type KiketExtensionSecrets,
  type KiketInboundAttachment,
  type KiketInboundEmail,
  type KiketInboundEmailResult,
  type KiketInboundEmails,
  type KiketIntakeForms,
  type KiketIntakeFormsOptions,
  type KiketIntakeSubmissions,
  type KiketIntakeSubmissionsOptions,
  type KiketIssuePage,
  type KiketIssues,
  type KiketListOptions,
  type KiketLogEventOptions,
  type KiketNotification,
  type KiketPagination,
  type KiketRateLimit,
  type KiketSlaEvent,
  type KiketSlaEvents,
  type KiketSlaEventsOptions,
  type KiketTable,
  type KiketTelemetry,
  type KiketWebhookUrl,
} from './api/index';
export { kiketShutdown, type KiketServer, type KiketShutdown, type KiketShutdownOptions } from './shutdown/index';
export { kiketTelemetry, type KiketTelemetryOptions, type KiketTelemetryReporter } from './telemetry/index';
export {
  KIKET_ERRORS,
  KiketApiError,
  KiketError,
  MissingSecretError,
  NonRetryableError,
  PayloadError,
  RetryableError,
  ScopeError,
  SignatureError,
  type KiketErrorCode,
  type KiketErrorDetail,
  type KiketErrorOptions,
} from './errors';
// With a star, as only that lets users merge declarations of their own into KiketEventMap and KiketSettings of 'kiket-express'.
export type * from './delivery/manifest';
export type * from './delivery/payload';
