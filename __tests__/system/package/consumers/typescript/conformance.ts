// Every agreed name exists in the package, in its entry and in the root, with the agreed type.
// A failure here is a change of the public surface.

import type * as api from 'kiket-express/api';
import type * as bullmq from 'kiket-express/bullmq';
import type * as delivery from 'kiket-express/delivery';
import type * as errorHandler from 'kiket-express/error-handler';
import type * as errors from 'kiket-express/errors';
import type * as events from 'kiket-express/events';
import type * as handler from 'kiket-express/handler';
import type * as health from 'kiket-express/health';
import type * as idempotency from 'kiket-express/idempotency';
import type * as manifest from 'kiket-express/manifest';
import type * as opentelemetry from 'kiket-express/opentelemetry';
import type * as parse from 'kiket-express/parse';
import type * as rawBody from 'kiket-express/raw-body';
import type * as redis from 'kiket-express/redis';
import type * as respond from 'kiket-express/respond';
import type * as runtimeToken from 'kiket-express/runtime-token';
import type * as sdk from 'kiket-express/sdk';
import type * as shutdown from 'kiket-express/shutdown';
import type * as signature from 'kiket-express/signature';
import type * as telemetry from 'kiket-express/telemetry';
import type * as testing from 'kiket-express/testing';
import type * as verify from 'kiket-express/verify';
import type * as root from 'kiket-express';
import type * as agreedRoot from 'agreed';
import type * as agreedApi from 'agreed/api';
import type * as agreedBullmq from 'agreed/bullmq';
import type * as agreedDelivery from 'agreed/delivery';
import type * as agreedErrorHandler from 'agreed/error-handler';
import type * as agreedErrors from 'agreed/errors';
import type * as agreedEvents from 'agreed/events';
import type * as agreedHandler from 'agreed/handler';
import type * as agreedHealth from 'agreed/health';
import type * as agreedIdempotency from 'agreed/idempotency';
import type * as agreedManifest from 'agreed/manifest';
import type * as agreedOpentelemetry from 'agreed/opentelemetry';
import type * as agreedParse from 'agreed/parse';
import type * as agreedRawBody from 'agreed/raw-body';
import type * as agreedRedis from 'agreed/redis';
import type * as agreedRespond from 'agreed/respond';
import type * as agreedRuntimeToken from 'agreed/runtime-token';
import type * as agreedSdk from 'agreed/sdk';
import type * as agreedShutdown from 'agreed/shutdown';
import type * as agreedSignature from 'agreed/signature';
import type * as agreedTelemetry from 'agreed/telemetry';
import type * as agreedTesting from 'agreed/testing';
import type * as agreedVerify from 'agreed/verify';

/** Each extends the other, so that a message names the property that differs. */
type Compatible<Actual extends Agreed, Agreed extends Again, Again = Actual> = true;
/** The types are equal, including `readonly` and `?`, and neither is `any`. */
type Same<Actual extends Agreed, Agreed extends Again, Again = Actual> =
  (<T>() => T extends Actual ? 1 : 2) extends <T>() => T extends Agreed ? 1 : 2 ? true : false;
type Assert<T extends true> = T;

/** The exports of a module. For an ES module, a CommonJS module is also its own default export. */
type Values<Module> = Omit<Module, 'default'>;

/** Instances of the package's classes have private fields, which no other class has: their constructors are compared. */
type WithoutStores<Module> = Omit<Values<Module>, 'KiketMemoryStore'>;

export type Errors = [
  Assert<Same<errors.KiketErrorCode, agreedErrors.KiketErrorCode>>,
  Assert<Same<errors.KiketErrorDetail, agreedErrors.KiketErrorDetail>>,
  Assert<Same<errors.KiketErrorOptions, agreedErrors.KiketErrorOptions>>,
  Assert<Same<errors.KiketError, agreedErrors.KiketError>>,
  Assert<Same<errors.RetryableError, agreedErrors.RetryableError>>,
  Assert<Same<errors.NonRetryableError, agreedErrors.NonRetryableError>>,
  Assert<Same<errors.SignatureError, agreedErrors.SignatureError>>,
  Assert<Same<errors.PayloadError, agreedErrors.PayloadError>>,
  Assert<Same<errors.ScopeError, agreedErrors.ScopeError>>,
  Assert<Same<errors.MissingSecretError, agreedErrors.MissingSecretError>>,
  Assert<Same<errors.KiketApiError, agreedErrors.KiketApiError>>,
  Assert<Same<keyof Values<typeof errors>, keyof Values<typeof agreedErrors>>>,
  // Not equal: the package's constructor of KiketError also takes `retryAfterSeconds`, for subclasses.
  Assert<Compatible<Values<typeof errors>, Values<typeof agreedErrors>>>,
];

export type Delivery = [
  Assert<Same<delivery.KiketMiddleware, agreedDelivery.KiketMiddleware>>,
  Assert<Same<delivery.KiketIssue, agreedDelivery.KiketIssue>>,
  Assert<Same<delivery.KiketPayload, agreedDelivery.KiketPayload>>,
  Assert<Same<delivery.KiketTransition, agreedDelivery.KiketTransition>>,
  Assert<Same<delivery.KiketEventMap, agreedDelivery.KnownEvents>>,
  Assert<Same<delivery.KiketEventKey, agreedDelivery.KiketEventKey>>,
  Assert<Same<delivery.KiketEventName, agreedDelivery.KiketEventName>>,
  Assert<Same<delivery.KiketGuardEvent, agreedDelivery.KiketGuardEvent>>,
  Assert<Same<delivery.KiketEventPattern, agreedDelivery.KiketEventPattern>>,
  Assert<Same<delivery.KiketSignatureScheme, agreedDelivery.KiketSignatureScheme>>,
  Assert<Same<delivery.KiketSignature, agreedDelivery.KiketSignature>>,
  Assert<Same<delivery.KiketSecrets, agreedDelivery.KiketSecrets>>,
  Assert<Same<delivery.KiketAuth, agreedDelivery.KiketAuth>>,
  Assert<Same<delivery.KiketRequestState, agreedDelivery.KiketRequestState>>,
  Assert<Same<delivery.KiketId, agreedDelivery.KiketId>>,
  Assert<Same<delivery.KiketEventData, agreedDelivery.KiketEventData>>,
  Assert<Same<delivery.KiketComment, agreedDelivery.KiketComment>>,
  Assert<Same<delivery.KiketEnvelope, agreedDelivery.KiketEnvelope>>,
  Assert<Same<delivery.KiketExternalWebhook, agreedDelivery.KiketExternalWebhook>>,
  Assert<Same<delivery.KiketAction, agreedDelivery.KiketAction>>,
  Assert<Same<delivery.KiketActionKind, agreedDelivery.KiketActionKind>>,
  Assert<Same<delivery.KiketActionsReply, agreedDelivery.KiketActionsReply>>,
  Assert<Same<delivery.KiketReplyOptions, agreedDelivery.KiketReplyOptions>>,
  Assert<Same<delivery.KiketAllowOptions, agreedDelivery.KiketAllowOptions>>,
  Assert<Same<delivery.KiketGuardReply, agreedDelivery.KiketGuardReply>>,
  Assert<Same<delivery.KiketResponder, agreedDelivery.KiketResponder>>,
  Assert<Same<Values<typeof delivery>, Values<typeof agreedDelivery>>>,
];

export type RawBody = [
  Assert<Same<rawBody.KiketRawBodyOptions, agreedRawBody.KiketRawBodyOptions>>,
  Assert<Same<rawBody.KiketRequestState, agreedRawBody.KiketRequestState>>,
  Assert<Same<Values<typeof rawBody>, Values<typeof agreedRawBody>>>,
];

export type Signature = [
  Assert<Same<signature.KiketSecret, agreedSignature.KiketSecret>>,
  Assert<Same<signature.KiketSignature, agreedSignature.KiketSignature>>,
  Assert<Same<signature.KiketSignatureScheme, agreedSignature.KiketSignatureScheme>>,
  Assert<Same<signature.VerifySignatureHeaders, agreedSignature.VerifySignatureHeaders>>,
  Assert<Same<signature.VerifySignatureOptions, agreedSignature.VerifySignatureOptions>>,
  Assert<Same<typeof signature.verifySignature, typeof agreedSignature.verifySignature>>,
  Assert<Same<signature.SignatureError, agreedSignature.SignatureError>>,
];

export type Verify = [
  Assert<Same<verify.KiketSecret, agreedVerify.KiketSecret>>,
  Assert<Same<verify.KiketSecretSource, agreedVerify.KiketSecretSource>>,
  Assert<Same<verify.KiketVerifyOptions, agreedVerify.KiketVerifyOptions>>,
  Assert<Same<verify.KiketRequestState, agreedVerify.KiketRequestState>>,
  Assert<Same<Values<typeof verify>, Values<typeof agreedVerify>>>,
];

export type Parse = [
  Assert<Same<parse.KiketParseOptions, agreedParse.KiketParseOptions>>,
  Assert<Same<parse.KiketRequestState, agreedParse.KiketRequestState>>,
  Assert<Same<Values<typeof parse>, Values<typeof agreedParse>>>,
];

export type Respond = [
  Assert<Same<respond.KiketRecord, agreedRespond.KiketRecord>>,
  Assert<Same<respond.KiketTrace, agreedRespond.KiketTrace>>,
  Assert<Same<respond.KiketRespondOptions, agreedRespond.KiketRespondOptions>>,
  Assert<Same<respond.KiketRequestState, agreedRespond.KiketRequestState>>,
  Assert<Same<Values<typeof respond>, Values<typeof agreedRespond>>>,
];

export type Handler = [
  Assert<Same<handler.KiketRequestState, agreedHandler.KiketRequestState>>,
  Assert<Same<Values<typeof handler>, Values<typeof agreedHandler>>>,
];

export type Manifest = [
  Assert<Same<manifest.KiketManifest, agreedManifest.KiketManifest>>,
  Assert<Same<manifest.KiketManifestCommand, agreedManifest.KiketManifestCommand>>,
  Assert<Same<manifest.KiketManifestGeneration, agreedManifest.KiketManifestGeneration>>,
  Assert<Same<manifest.KiketManifestHook, agreedManifest.KiketManifestHook>>,
  Assert<Same<manifest.KiketManifestWarning, agreedManifest.KiketManifestWarning>>,
  Assert<Same<manifest.KiketManifestUnreadKey, agreedManifest.KiketManifestUnreadKey>>,
  Assert<Same<manifest.KiketManifestError, agreedManifest.KiketManifestError>>,
  Assert<Same<manifest.KiketSettings, agreedManifest.KiketSettings>>,
  Assert<Same<manifest.ParseManifestOptions, agreedManifest.ParseManifestOptions>>,
  Assert<Same<keyof Values<typeof manifest>, keyof Values<typeof agreedManifest>>>,
  Assert<Compatible<Values<typeof manifest>, Values<typeof agreedManifest>>>,
];

export type Events = [
  Assert<Same<events.KiketEventsOptions, agreedEvents.KiketEventsOptions>>,
  Assert<Same<events.KiketEventsCheck, agreedEvents.KiketEventsCheck>>,
  Assert<Same<events.KiketOnOptions, agreedEvents.KiketOnOptions>>,
  Assert<Compatible<events.KiketEvents, agreedEvents.KiketEvents>>,
  Assert<Same<keyof events.KiketEvents, keyof agreedEvents.KiketEvents>>,
  Assert<Same<events.KiketEvents['registered'], agreedEvents.KiketEvents['registered']>>,
  Assert<Compatible<Values<typeof events>, Values<typeof agreedEvents>>>,
];

export type Health = [
  Assert<Same<health.KiketHealth, agreedHealth.KiketHealth>>,
  Assert<Same<health.KiketHealthOptions, agreedHealth.KiketHealthOptions>>,
  Assert<Same<Values<typeof health>, Values<typeof agreedHealth>>>,
];

export type RuntimeToken = [
  Assert<Same<runtimeToken.KiketRuntimeTokenOptions, agreedRuntimeToken.KiketRuntimeTokenOptions>>,
  Assert<Same<Values<typeof runtimeToken>, Values<typeof agreedRuntimeToken>>>,
];

export type Telemetry = [
  Assert<Compatible<telemetry.KiketTelemetryOptions, agreedTelemetry.KiketTelemetryOptions>>,
  Assert<Same<keyof telemetry.KiketTelemetryOptions, keyof agreedTelemetry.KiketTelemetryOptions>>,
  Assert<Same<telemetry.KiketTelemetryReporter, agreedTelemetry.KiketTelemetryReporter>>,
  Assert<Compatible<Values<typeof telemetry>, Values<typeof agreedTelemetry>>>,
];

export type OpenTelemetry = Assert<Same<Values<typeof opentelemetry>, Values<typeof agreedOpentelemetry>>>;

export type ErrorHandler = [
  Assert<Same<errorHandler.KiketErrorHandlerOptions, agreedErrorHandler.KiketErrorHandlerOptions>>,
  Assert<Same<errorHandler.KiketRequestState, agreedErrorHandler.KiketRequestState>>,
  Assert<Same<Values<typeof errorHandler>, Values<typeof agreedErrorHandler>>>,
];

export type Idempotency = [
  Assert<Same<idempotency.KiketStore, agreedIdempotency.KiketStore>>,
  Assert<Same<idempotency.KiketIdempotencyOptions, agreedIdempotency.KiketIdempotencyOptions>>,
  Assert<Same<idempotency.KiketRequestState, agreedIdempotency.KiketRequestState>>,
  Assert<Same<keyof idempotency.KiketMemoryStore, keyof agreedIdempotency.KiketMemoryStore>>,
  Assert<Same<keyof Values<typeof idempotency>, keyof Values<typeof agreedIdempotency>>>,
  Assert<
    Same<
      ConstructorParameters<typeof idempotency.KiketMemoryStore>,
      ConstructorParameters<typeof agreedIdempotency.KiketMemoryStore>
    >
  >,
  Assert<Compatible<WithoutStores<typeof idempotency>, WithoutStores<typeof agreedIdempotency>>>,
];

export type Redis = [
  Assert<Same<redis.KiketRedisStoreOptions, agreedRedis.KiketRedisStoreOptions>>,
  Assert<Same<keyof redis.KiketRedisStore, keyof agreedRedis.KiketRedisStore>>,
  Assert<Same<keyof Values<typeof redis>, keyof Values<typeof agreedRedis>>>,
  Assert<
    Same<ConstructorParameters<typeof redis.KiketRedisStore>, ConstructorParameters<typeof agreedRedis.KiketRedisStore>>
  >,
];

export type Bullmq = [
  // Not equal: the package has no `any`, and also reads the queue's defaults.
  Assert<Compatible<bullmq.KiketQueue, agreedBullmq.KiketQueue>>,
  Assert<Same<bullmq.KiketAccepted, agreedBullmq.KiketAccepted>>,
  Assert<Same<bullmq.KiketJobHandler<'issue.created'>, agreedBullmq.KiketJobHandler<'issue.created'>>>,
  Assert<Same<bullmq.KiketWorkerOptions, agreedBullmq.KiketWorkerOptions>>,
  Assert<Same<keyof Values<typeof bullmq>, keyof Values<typeof agreedBullmq>>>,
  Assert<Compatible<Values<typeof bullmq>, Values<typeof agreedBullmq>>>,
];

export type Shutdown = [
  Assert<Same<shutdown.KiketShutdownOptions, agreedShutdown.KiketShutdownOptions>>,
  Assert<Same<shutdown.KiketShutdown, agreedShutdown.KiketShutdown>>,
  Assert<Same<Values<typeof shutdown>, Values<typeof agreedShutdown>>>,
];

export type Sdk = [
  Assert<Same<sdk.WebhookPayload, agreedSdk.WebhookPayload>>,
  Assert<Same<sdk.HandlerContext, agreedSdk.HandlerContext>>,
  Assert<Same<sdk.WebhookHandler, agreedSdk.WebhookHandler>>,
  Assert<Same<sdk.AuthenticationContext, agreedSdk.AuthenticationContext>>,
  Assert<Same<sdk.KiketClient, agreedSdk.KiketClient>>,
  Assert<Same<sdk.ExtensionEndpoints, agreedSdk.ExtensionEndpoints>>,
  Assert<Same<sdk.SdkOptions, agreedSdk.SdkOptions>>,
  Assert<Same<sdk.SdkKiketHandler<string>, agreedSdk.SdkKiketHandler<string>>>,
  Assert<Compatible<sdk.SdkRouter, agreedSdk.SdkRouter>>,
  Assert<Same<keyof sdk.SdkRouter, keyof agreedSdk.SdkRouter>>,
  Assert<Same<keyof Values<typeof sdk>, keyof Values<typeof agreedSdk>>>,
  Assert<Compatible<Values<typeof sdk>, Values<typeof agreedSdk>>>,
];

type TestingName =
  | 'checkReceiver'
  | 'deliver'
  | 'describeStoreContract'
  | 'examplePayload'
  | 'explainSignature'
  | 'signDelivery'
  | 'startFakeKiket';

export type Testing = [
  Assert<Same<testing.SignDeliveryOptions, agreedTesting.SignDeliveryOptions>>,
  Assert<Same<testing.SignedDelivery, agreedTesting.SignedDelivery>>,
  Assert<Same<testing.DeliverTestOptions, agreedTesting.DeliverTestOptions>>,
  Assert<Same<testing.DeliveryAttemptResult, agreedTesting.DeliveryAttemptResult>>,
  Assert<Same<testing.DeliveryResult, agreedTesting.DeliveryResult>>,
  Assert<Same<typeof testing.deliver, typeof agreedTesting.deliver>>,
  Assert<Same<testing.StoreContractOptions, agreedTesting.StoreContractOptions>>,
  Assert<Same<typeof testing.describeStoreContract, typeof agreedTesting.describeStoreContract>>,
  Assert<Same<testing.ExplainedDelivery, agreedTesting.ExplainedDelivery>>,
  Assert<Same<testing.ExplainSignatureOptions, agreedTesting.ExplainSignatureOptions>>,
  // The ids of causes are a union to which releases may add.
  Assert<Same<Omit<testing.SignatureCause, 'id'>, Omit<agreedTesting.SignatureCause, 'id'>>>,
  Assert<Same<testing.BodyDifference, agreedTesting.BodyDifference>>,
  Assert<Same<WithoutCauses<testing.SignatureExplanation>, WithoutCauses<agreedTesting.SignatureExplanation>>>,
  Assert<Same<testing.SignatureExplanation['causes'], readonly testing.SignatureCause[]>>,
  Assert<Same<testing.SignatureExplanation['hints'], readonly testing.SignatureCause[]>>,
  Assert<Same<testing.SignatureExplanation['alternatives'], readonly (readonly testing.SignatureCause[])[]>>,
  Assert<Same<Parameters<typeof testing.explainSignature>, Parameters<typeof agreedTesting.explainSignature>>>,
  Assert<Same<ReturnType<typeof testing.explainSignature>, testing.SignatureExplanation>>,
  Assert<typeof testing.explainSignature extends typeof agreedTesting.explainSignature ? true : false>,
  Assert<Same<keyof Values<typeof testing>, TestingName>>,
  Assert<Compatible<Pick<typeof testing, 'examplePayload' | 'signDelivery'>, WithoutExplain<typeof agreedTesting>>>,
];

type WithoutCauses<T> = Omit<T, 'causes' | 'alternatives' | 'hints'>;
type WithoutExplain<Module> = Omit<Values<Module>, 'deliver' | 'describeStoreContract' | 'explainSignature'>;

interface Contact {
  readonly email: string;
}

export type Api = [
  Assert<Same<api.KiketApiOptions, agreedApi.KiketApiOptions>>,
  Assert<Same<api.KiketRateLimit, agreedApi.KiketRateLimit>>,
  Assert<Same<api.KiketListOptions, agreedApi.KiketListOptions>>,
  Assert<Same<api.KiketTable<Contact>, agreedApi.TableOf<Contact>>>,
  Assert<Same<api.KiketSlaEvent, agreedApi.KiketSlaEvent>>,
  Assert<Same<api.KiketSlaEvents, agreedApi.KiketSlaEvents>>,
  Assert<Same<api.KiketIntakeForms, agreedApi.KiketIntakeForms>>,
  Assert<Same<api.KiketIntakeSubmissions, agreedApi.KiketIntakeSubmissions>>,
  Assert<Same<api.KiketIssues, agreedApi.KiketIssues>>,
  Assert<Same<api.KiketApiIssue, agreedApi.KiketApiIssue>>,
  Assert<Same<api.KiketIssuePage, agreedApi.KiketIssuePage>>,
  Assert<Same<api.KiketComments, agreedApi.KiketComments>>,
  Assert<Same<api.KiketWebhookUrl, agreedApi.KiketWebhookUrl>>,
  Assert<Same<api.KiketInboundEmails, agreedApi.KiketInboundEmails>>,
  Assert<Same<api.KiketInboundEmail, agreedApi.KiketInboundEmail>>,
  Assert<Same<api.KiketNotification, agreedApi.KiketNotification>>,
  Assert<Same<api.KiketExtensionSecrets, agreedApi.KiketExtensionSecrets>>,
  Assert<Compatible<api.KiketApi, agreedApi.KiketApi>>,
  Assert<Same<keyof Values<typeof api>, keyof Values<typeof agreedApi>>>,
  Assert<Compatible<Values<typeof api>, Values<typeof agreedApi>>>,
];

type ActualOf<P extends string> = [
  delivery.KiketPayloadOf<P>,
  delivery.KiketEventOf<P>,
  delivery.KiketJobDelivery<P>,
  delivery.KiketDelivery<P>,
  handler.KiketReply<P>,
  handler.KiketHandler<P>,
];
type AgreedOf<P extends string> = [
  agreedDelivery.PayloadOf<P>,
  agreedDelivery.EventOf<P>,
  agreedDelivery.KiketJobDelivery<P>,
  agreedDelivery.KiketDelivery<P>,
  agreedHandler.Reply<P>,
  agreedHandler.KiketHandler<P>,
];

export type Generics = [
  Assert<Same<ActualOf<'issue.created'>, AgreedOf<'issue.created'>>>,
  Assert<Same<ActualOf<'issue.transitioned@v2'>, AgreedOf<'issue.transitioned@v2'>>>,
  Assert<Same<ActualOf<'workflow.before_transition'>, AgreedOf<'workflow.before_transition'>>>,
  Assert<Same<ActualOf<'workflow.before_transition@v2'>, AgreedOf<'workflow.before_transition@v2'>>>,
  Assert<Same<ActualOf<'issue.*'>, AgreedOf<'issue.*'>>>,
  Assert<Same<ActualOf<'*'>, AgreedOf<'*'>>>,
  Assert<Same<ActualOf<'acme.paid'>, AgreedOf<'acme.paid'>>>,
  Assert<Same<ActualOf<'vendor.unknown'>, AgreedOf<'vendor.unknown'>>>,
  Assert<Same<ActualOf<string>, AgreedOf<string>>>,
];

/** A function for any delivery can handle one event, or several. */
type AnyHandler = (delivery: delivery.KiketDelivery) => object;
export type Variance = [
  Assert<AnyHandler extends handler.KiketHandler<'issue.created'> ? true : false>,
  Assert<AnyHandler extends handler.KiketHandler<'issue.transitioned@v2' | 'case.*'> ? true : false>,
];

export type Root = [
  Assert<Same<keyof Values<typeof root>, keyof Values<typeof agreedRoot>>>,
  Assert<Compatible<WithoutStores<typeof root>, WithoutStores<typeof agreedRoot>>>,
  Assert<Same<root.KiketOptions, agreedRoot.KiketOptions>>,
  Assert<Same<root.KiketManifestOptions, agreedRoot.KiketManifestOptions>>,
];
export type {
  KiketAllowOptions,
  KiketApi,
  KiketApiError,
  KiketApiOptions,
  KiketAuth,
  KiketDelivery,
  KiketError,
  KiketErrorCode,
  KiketErrorDetail,
  KiketErrorHandlerOptions,
  KiketErrorOptions,
  KiketEventKey,
  KiketEventMap,
  KiketEventName,
  KiketEventOf,
  KiketEventPattern,
  KiketEvents,
  KiketEventsCheck,
  KiketEventsOptions,
  KiketGuardEvent,
  KiketGuardReply,
  KiketHandler,
  KiketHealth,
  KiketIdempotencyOptions,
  KiketIssue,
  KiketJobDelivery,
  KiketListOptions,
  KiketManifest,
  KiketManifestCommand,
  KiketManifestGeneration,
  KiketManifestHook,
  KiketManifestOptions,
  KiketManifestUnreadKey,
  KiketManifestWarning,
  KiketMiddleware,
  KiketOnOptions,
  KiketParseOptions,
  KiketPayload,
  KiketPayloadOf,
  KiketRateLimit,
  KiketRawBodyOptions,
  KiketRecord,
  KiketReply,
  KiketReplyOptions,
  KiketRequestState,
  KiketRespondOptions,
  KiketResponder,
  KiketSecret,
  KiketSecretSource,
  KiketSecrets,
  KiketSignature,
  KiketSignatureScheme,
  KiketServer,
  KiketSettings,
  KiketShutdown,
  KiketShutdownOptions,
  KiketSlaEvent,
  KiketStore,
  KiketTable,
  KiketTelemetryOptions,
  KiketTelemetryReporter,
  KiketTrace,
  KiketTraceError,
  KiketTransition,
  KiketVerifyOptions,
  MissingSecretError,
  NonRetryableError,
  PayloadError,
  RetryableError,
  ScopeError,
  SignatureError,
} from 'kiket-express';

export type Augmentation = [
  Assert<Same<Express.Request['kiket'], agreedDelivery.KiketRequestState | undefined>>,
  Assert<Same<Express.Response['kiket'], agreedDelivery.KiketResponder>>,
];
