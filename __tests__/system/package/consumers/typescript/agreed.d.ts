// The public surface as it was agreed, without its documentation; conformance.ts compares the package with it, name by
// name. It changes when the surface is meant to change.

declare module 'agreed/errors' {
  import type { KiketRateLimit } from 'agreed/api';
  export const KIKET_ERRORS: {
    readonly 'signature.missing': 401;
    readonly 'signature.malformed': 401;
    readonly 'signature.mismatch': 401;
    readonly 'signature.stale': 401;
    readonly 'signature.scheme_refused': 401;
    readonly 'signature.secret_unknown': 401;
    readonly 'signature.secret_unavailable': 503;
    readonly 'token.invalid': 401;
    readonly 'token.keys_unavailable': 503;
    readonly 'body.already_parsed': 500;
    readonly 'body.too_large': 413;
    readonly 'body.encoding_unsupported': 415;
    readonly 'body.aborted': 503;
    readonly 'body.length_mismatch': 400;
    readonly 'payload.malformed': 400;
    readonly 'payload.invalid': 422;
    readonly 'delivery.conflict': 400;
    readonly 'delivery.unverified': 401;
    readonly 'delivery.in_progress': 503;
    readonly 'secret.missing': 422;
    readonly 'scope.missing': 403;
    readonly 'event.unhandled': 404;
    readonly 'reply.missing': 500;
    readonly 'reply.invalid': 500;
    readonly 'deadline.exceeded': 503;
    readonly 'store.unavailable': 503;
    readonly 'guard.not_deferrable': 500;
    readonly 'wiring.missing': 500;
    readonly 'api.rate_limited': 429;
    readonly 'api.unavailable': 503;
    readonly 'api.refused': 422;
    readonly 'api.not_configured': 500;
    readonly 'api.target_refused': 500;
    readonly 'handler.retryable': 503;
    readonly 'handler.final': 422;
    readonly 'handler.failed': 500;
  };
  export type KiketErrorCode = keyof typeof KIKET_ERRORS;
  export interface KiketErrorDetail {
    readonly reason: string;
    readonly pointer?: string;
    readonly missing?: readonly string[];
    readonly events?: readonly string[];
  }
  export interface KiketErrorOptions {
    code?: string | undefined;
    details?: readonly KiketErrorDetail[] | undefined;
    cause?: unknown;
  }
  export class KiketError extends Error {
    protected constructor(code: KiketErrorCode | (string & {}), message: string, options?: Readonly<KiketErrorOptions>);
    readonly code: KiketErrorCode | (string & {});
    readonly status: number;
    readonly statusCode: number;
    readonly expose: true;
    readonly headers: Readonly<Record<string, string>>;
    get retryable(): boolean;
    readonly retryAfterSeconds: number | undefined;
    readonly details: readonly KiketErrorDetail[];
    static is(error: unknown): error is KiketError;
  }
  export class RetryableError extends KiketError {
    constructor(message: string, options?: Readonly<KiketErrorOptions & { retryAfterSeconds?: number | undefined }>);
  }
  export class NonRetryableError extends KiketError {
    constructor(message: string, options?: Readonly<KiketErrorOptions>);
  }
  export class SignatureError extends KiketError {
    readonly code: Extract<KiketErrorCode, `signature.${string}` | `token.${string}`>;
  }
  export class PayloadError extends KiketError {
    readonly code: Extract<KiketErrorCode, `payload.${string}` | 'delivery.conflict'>;
  }
  export class ScopeError extends KiketError {
    readonly code: 'scope.missing';
    readonly missing: readonly string[];
  }
  export class MissingSecretError extends KiketError {
    readonly code: 'secret.missing';
    readonly missing: readonly string[];
  }
  export class KiketApiError extends KiketError {
    readonly code: Extract<KiketErrorCode, `api.${string}`>;
    readonly apiStatus: number | undefined;
    readonly requestId: string | undefined;
    readonly rateLimit: KiketRateLimit | undefined;
  }
}

declare module 'agreed/delivery' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  import type { KiketApi } from 'agreed/api';
  import type { KiketSettings } from 'agreed/manifest';
  // TypeScript takes no two conditional types of an open parameter for the same. So what is generic is built with the
  // package's own, and these are compared, for one pattern of each kind, with KnownEvents, PayloadOf, EventOf and Reply.
  import type { KiketEventMap, KiketEventOf, KiketPayloadOf } from 'kiket-express/delivery';
  export type { KiketEventMap, KiketEventOf, KiketPayloadOf } from 'kiket-express/delivery';
  export type KiketMiddleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

  export type KiketId = number | string;
  export interface KiketIssue {
    readonly id?: KiketId;
    readonly project_id?: KiketId;
    readonly title?: string;
    readonly [field: string]: unknown;
  }
  export interface KiketPayload {
    readonly event?: string;
    readonly type?: string;
    readonly event_version?: string;
    readonly issue?: KiketIssue | null;
    readonly case?: KiketIssue | null;
    readonly definition?: {
      readonly id?: KiketId;
      readonly status?: string;
      readonly issue_type?: string;
      readonly [field: string]: unknown;
    } | null;
    readonly metrics?: {
      readonly duration_minutes?: number;
      readonly overdue_minutes?: number;
      readonly [field: string]: unknown;
    } | null;
    readonly context?: { readonly [field: string]: unknown } | null;
    readonly data?: KiketEventData | null;
    readonly [field: string]: unknown;
  }
  export interface KiketEventData {
    readonly issue?: KiketIssue | null;
    readonly case?: KiketIssue | null;
    readonly actor?: { readonly id?: KiketId; readonly email?: string; readonly [field: string]: unknown } | null;
    readonly [field: string]: unknown;
  }
  export interface KiketTransition {
    readonly from?: string;
    readonly to?: string;
    readonly performed_by?: unknown;
    readonly [field: string]: unknown;
  }
  export interface KiketComment {
    readonly id?: KiketId;
    readonly body?: string;
    readonly author?: unknown;
    readonly [field: string]: unknown;
  }
  export interface KiketTransitionFields {
    readonly transition?: KiketTransition;
    readonly data?:
      | (KiketEventData & {
          readonly from?: string;
          readonly to?: string;
          readonly transition?: KiketTransition | null;
        })
      | null;
  }
  export interface KiketAssignmentFields {
    readonly assignee?: { readonly name?: string; readonly email?: string; readonly [field: string]: unknown } | null;
  }
  export interface KiketCommentFields {
    readonly comment?: KiketComment | null;
    readonly data?: (KiketEventData & { readonly comment?: KiketComment | null }) | null;
  }
  export interface KiketSlaFields {
    readonly sla?: {
      readonly policy_name?: string;
      readonly target_time?: string;
      readonly actual_time?: string;
      readonly exceeded_by?: string;
      readonly [field: string]: unknown;
    } | null;
  }
  export interface KnownEvents {
    'issue.created': {};
    'issue.updated': {};
    'issue.transitioned': KiketTransitionFields;
    'issue.status_changed': { readonly previous_status?: string };
    'issue.assigned': KiketAssignmentFields;
    'issue.commented': KiketCommentFields;
    issue_created: {};
    'case.created': {};
    'case.updated': {};
    'case.transitioned': KiketTransitionFields;
    'case.assigned': KiketAssignmentFields;
    'case.commented': KiketCommentFields;
    'comment.created': KiketCommentFields;
    'comment.added': KiketCommentFields;
    'workflow.before_transition': KiketTransitionFields;
    before_transition: KiketTransitionFields;
    'workflow.after_transition': KiketTransitionFields;
    after_transition: KiketTransitionFields;
    'workflow.sla_status': {};
    'workflow.sla_breach': KiketSlaFields;
    'workflow.updated': {};
    'workflow.synced': {};
    'workflow.triggered': {};
    'workflow.issue.transitioned': KiketTransitionFields;
    'workflow.issue.assignment.updated': KiketAssignmentFields;
    'workflow.approval.requested': {};
    'workflow.approval.resolved': {};
    'sla.warning': KiketSlaFields;
    'sla.breach': KiketSlaFields;
    'sla.breached': KiketSlaFields;
    'approval.requested': {};
    'approval.granted': {};
    'approval.denied': {};
    'approval.timeout': {};
    'automation.triggered': {};
    'automation.dispatch': {};
    'extension.installation': {};
    'extension.testConnection': {};
    'marketplace.installation.created': {};
    'analytics.metric_alert': {};
    'external.webhook.inbound_email': {};
    'external.webhook.status_callback': {};
    'calendar.sync': {
      readonly user_id?: KiketId;
      readonly calendar_ids?: readonly string[];
      readonly sync_window_days?: number;
    };
    'calendar.list': { readonly user_id?: KiketId };
    'calendar.events': { readonly calendar_id?: string; readonly time_min?: string; readonly time_max?: string };
    'oauth.callback': {};
    'oauth.refresh': {};
    'oauth.revoke': {};
    // What usage.ts adds.
    'acme.paid': { readonly invoice: { readonly total: number } };
  }
  export type KiketEventKey = Extract<keyof KiketEventMap, string>;
  type NameOf<K extends string> = K extends `${infer N}@${string}` ? N : K;
  export type KiketEventName = NameOf<KiketEventKey>;
  export type KiketGuardEvent = 'workflow.before_transition' | 'before_transition';
  export type KiketEventPattern = KiketEventKey | '*' | (string & {});
  export type PayloadOf<P extends string> = string extends P
    ? KiketPayload
    : P extends keyof KiketEventMap
      ? KiketPayload & KiketEventMap[P]
      : NameOf<P> extends keyof KiketEventMap
        ? KiketPayload & KiketEventMap[NameOf<P>]
        : KiketPayload;
  export type EventOf<P extends string> = P extends '*' | `${string}.*` ? string : NameOf<P>;

  export type KiketSignatureScheme = 'body' | 'timestamped';
  export interface KiketSignature {
    readonly scheme: KiketSignatureScheme;
    readonly secretIndex: number;
    readonly timestampSeconds: number | undefined;
  }
  export interface KiketSecrets {
    get(key: string): string | undefined;
    require(key: string): string;
    keys(): string[];
    readonly missing: readonly string[];
  }
  export interface KiketAuth {
    readonly source: 'body' | 'token';
    readonly tokenType: string | undefined;
    readonly runtimeToken: string | undefined;
    readonly expiresAt: Date | undefined;
    readonly scopes: readonly string[];
    readonly organizationId: KiketId | undefined;
    readonly projectId: KiketId | undefined;
    readonly extensionId: string | undefined;
    readonly tokenId: string | undefined;
    hasScopes(...scopes: string[]): boolean;
    requireScopes(...scopes: string[]): void;
  }
  export type KiketEnvelope = 'contract' | 'data' | 'payload' | 'external_webhook';
  export interface KiketExternalWebhook {
    readonly action: string | undefined;
    readonly body: string | undefined;
    readonly headers: Readonly<Record<string, string>>;
    readonly contentType: string | undefined;
    readonly method: string | undefined;
    readonly queryParams: Readonly<Record<string, unknown>>;
    readonly originalUrl: string | undefined;
    readonly receivedAt: string | undefined;
  }
  export type KiketActionKind = 'add_comment' | 'set_field' | 'transition' | 'assign' | 'notify';
  export interface KiketAction {
    readonly kind: KiketActionKind;
    readonly [field: string]: unknown;
  }
  export interface KiketActionsReply {
    readonly actions: readonly KiketAction[];
    readonly [field: string]: unknown;
  }
  export function actions(...directives: readonly KiketAction[]): KiketActionsReply;
  export function addComment(body: string): KiketAction;
  export function setField(fields: Readonly<Record<string, unknown>>): KiketAction;
  export function transition(fields: Readonly<Record<string, unknown>>): KiketAction;
  export function assign(fields: Readonly<Record<string, unknown>>): KiketAction;
  export function notify(fields: Readonly<Record<string, unknown>>): KiketAction;
  export type KiketKnownEvent = Exclude<KiketEventName, 'acme.paid'>;
  // The package exports it from another module. Its own export would be a readonly property of this one.
  const events: readonly KiketKnownEvent[];
  export { events as KIKET_EVENTS };
  export interface KiketJobDelivery<P extends string = string> {
    readonly event: KiketEventOf<P>;
    readonly eventVersion: string;
    readonly envelope: KiketEnvelope;
    readonly payload: KiketPayloadOf<P>;
    readonly externalWebhook: KiketExternalWebhook | undefined;
    readonly deliveryId: string | undefined;
    readonly invocationId: string | undefined;
    readonly projectId: KiketId | undefined;
    readonly projectKey: string | undefined;
    readonly organizationId: KiketId | undefined;
    readonly api: KiketApi;
    readonly signal: AbortSignal;
    is<E extends KiketEventName>(event: E): this is KiketJobDelivery<E>;
  }
  export interface KiketDelivery<P extends string = string> extends KiketJobDelivery<P> {
    readonly rawBody: Buffer;
    readonly verified: boolean;
    readonly signature: KiketSignature | undefined;
    readonly eventSigned: boolean;
    readonly isGuard: boolean;
    readonly secrets: KiketSecrets;
    readonly auth: KiketAuth;
    readonly settings: KiketSettings;
    readonly transaction: unknown;
  }
  export type KiketRequestState = Partial<Omit<KiketDelivery, 'is'>>;
  export function kiketDelivery<P extends KiketEventName>(req: IncomingMessage, event: P): KiketDelivery<P>;
  export function kiketDelivery(req: IncomingMessage): KiketDelivery;

  export interface KiketReplyOptions {
    data?: object | undefined;
  }
  export interface KiketAllowOptions extends KiketReplyOptions {
    message?: string | undefined;
    outputFields?: Readonly<Record<string, string>> | undefined;
  }
  export interface KiketGuardReply {
    readonly status: 'allow' | 'deny' | 'pending';
    readonly message?: string | undefined;
    readonly metadata?: object | undefined;
  }
  export function allow(options?: Readonly<KiketAllowOptions>): KiketGuardReply;
  export function deny(message: string, options?: Readonly<KiketReplyOptions>): KiketGuardReply;
  export function pending(message: string, options?: Readonly<KiketReplyOptions>): KiketGuardReply;
  export interface KiketResponder {
    ok(body?: object): void;
    allow(options?: Readonly<KiketAllowOptions>): void;
    deny(message: string, options?: Readonly<KiketReplyOptions>): void;
    pending(message: string, options?: Readonly<KiketReplyOptions>): void;
    retry(message: string, options?: { readonly retryAfterSeconds?: number | undefined }): void;
    reject(message: string): void;
  }
}

declare module 'agreed/raw-body' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  import type { KiketMiddleware } from 'agreed/delivery';
  export type { KiketRequestState } from 'agreed/delivery';
  export interface KiketRawBodyOptions {
    limit?: number | string | undefined;
  }
  export function kiketRawBody(options?: Readonly<KiketRawBodyOptions>): KiketMiddleware;
  export function captureRawBody(req: IncomingMessage, res: ServerResponse, buffer: Buffer, encoding: string): void;
}

declare module 'agreed/verify' {
  import type { KeyObject } from 'node:crypto';
  import type { Request } from 'express';
  import type { KiketMiddleware, KiketSignatureScheme } from 'agreed/delivery';
  import type { KiketError } from 'agreed/errors';
  export type { KiketRequestState } from 'agreed/delivery';
  export type KiketSecret = string | Buffer | KeyObject;
  type Found = KiketSecret | readonly KiketSecret[] | undefined;
  export type KiketSecretSource =
    KiketSecret | readonly KiketSecret[] | ((req: Request<any>) => Found | PromiseLike<Found>);
  export interface KiketVerifyOptions {
    limit?: number | string | undefined;
    signatureSchemes?: readonly KiketSignatureScheme[] | undefined;
    toleranceSeconds?: number | undefined;
    signatureRequired?: boolean | undefined;
    reportOnly?: boolean | undefined;
    lookupTimeoutMs?: number | undefined;
    onRefused?: ((error: KiketError, req: Request<any>) => void | PromiseLike<void>) | undefined;
    now?: (() => number) | undefined;
  }
  export function kiketVerify(secret: KiketSecretSource, options?: Readonly<KiketVerifyOptions>): KiketMiddleware;
}

declare module 'agreed/signature' {
  import type { KeyObject } from 'node:crypto';
  export { SignatureError } from 'agreed/errors';
  export type { KiketSignature, KiketSignatureScheme } from 'agreed/delivery';
  import type { KiketSignature, KiketSignatureScheme } from 'agreed/delivery';
  export type KiketSecret = string | Buffer | KeyObject;
  export type VerifySignatureHeaders =
    | Readonly<Record<string, string | readonly string[] | undefined>>
    | { get(name: string): string | null | undefined }
    | readonly (readonly [name: string, value: string])[];
  export interface VerifySignatureOptions {
    headers: VerifySignatureHeaders;
    body: string | Uint8Array;
    secret: KiketSecret | readonly KiketSecret[];
    signatureSchemes?: readonly KiketSignatureScheme[] | undefined;
    toleranceSeconds?: number | undefined;
    now?: (() => number) | undefined;
  }
  export function verifySignature(options: Readonly<VerifySignatureOptions>): KiketSignature;
}

declare module 'agreed/parse' {
  import type { KiketApiOptions } from 'agreed/api';
  import type { KiketMiddleware } from 'agreed/delivery';
  import type { KiketManifest } from 'agreed/manifest';
  export type { KiketRequestState } from 'agreed/delivery';
  export interface KiketParseOptions {
    payloadSchemas?: Readonly<Record<string, object | boolean>> | undefined;
    manifest?: KiketManifest | undefined;
    fallbackSecrets?: Readonly<Record<string, string | undefined>> | undefined;
    api?: Readonly<KiketApiOptions> | undefined;
    guardEvents?: readonly string[] | undefined;
    signedEventRequired?: boolean | undefined;
  }
  export function kiketParse(options?: Readonly<KiketParseOptions>): KiketMiddleware;
}

declare module 'agreed/respond' {
  import type { KiketId, KiketMiddleware } from 'agreed/delivery';
  export type { KiketRequestState } from 'agreed/delivery';
  export interface KiketRecord {
    readonly event: string | undefined;
    readonly eventVersion: string | undefined;
    readonly invocationId: string | undefined;
    readonly projectId: KiketId | undefined;
    readonly organizationId: KiketId | undefined;
    readonly replayed: boolean;
    readonly outcome: 'success' | 'retryable' | 'final';
    readonly code: string | undefined;
    readonly status: number;
    readonly durationMs: number;
  }
  export interface KiketTraceError {
    readonly code: string | undefined;
    readonly status: number;
    readonly retryable: boolean;
  }
  export interface KiketTrace {
    readonly event: string | undefined;
    readonly eventVersion: string | undefined;
    readonly invocationId: string | undefined;
    readonly record: KiketRecord | undefined;
    readonly error: KiketTraceError | undefined;
  }
  export interface KiketRespondOptions {
    deadlineMs?: number | undefined;
    onCompleted?: ((record: KiketRecord) => void | PromiseLike<void>) | undefined;
  }
  export function kiketRespond(options?: Readonly<KiketRespondOptions>): KiketMiddleware;
}

declare module 'agreed/handler' {
  import type { Request, Response } from 'express';
  import type {
    KiketDelivery,
    KiketEventPattern,
    KiketGuardEvent,
    KiketGuardReply,
    KiketMiddleware,
  } from 'agreed/delivery';
  import type { KiketReply } from 'kiket-express/handler';
  export type { KiketReply } from 'kiket-express/handler';
  export type { KiketRequestState } from 'agreed/delivery';
  export type Reply<P extends string = string> = P extends KiketGuardEvent | `${KiketGuardEvent}@${string}`
    ? KiketGuardReply
    : object | void | undefined;
  export type KiketHandler<P extends string = string> = (
    delivery: KiketDelivery<P>,
    req: Request,
    res: Response,
  ) => KiketReply<P> | PromiseLike<KiketReply<P>>;
  export function kiketHandler<P extends KiketEventPattern>(event: P, fn: KiketHandler<P>): KiketMiddleware;
  export function kiketHandler(fn: KiketHandler): KiketMiddleware;
}

declare module 'agreed/events' {
  import type { KiketEventPattern, KiketMiddleware } from 'agreed/delivery';
  import type { KiketHandler } from 'agreed/handler';
  import type { KiketManifest, KiketManifestHook } from 'agreed/manifest';
  export type { KiketRequestState } from 'agreed/delivery';
  export interface KiketOnOptions {
    scopes?: readonly string[] | undefined;
  }
  export interface KiketEventsOptions {
    manifest?: KiketManifest | undefined;
  }
  export interface KiketEventsCheck {
    readonly unhandledHooks: readonly KiketManifestHook[];
    readonly unlistedHandlers: readonly string[];
  }
  export interface KiketEvents extends KiketMiddleware {
    on<P extends KiketEventPattern>(event: P | readonly P[], handler: KiketHandler<P>): this;
    on<P extends KiketEventPattern>(
      event: P | readonly P[],
      options: Readonly<KiketOnOptions>,
      handler: KiketHandler<P>,
    ): this;
    otherwise(fallback: 'ignore' | 'reject' | KiketHandler): this;
    check(manifest: KiketManifest): KiketEventsCheck;
    readonly registered: readonly { readonly event: string; readonly version: string | undefined }[];
  }
  export function kiketEvents(options?: Readonly<KiketEventsOptions>): KiketEvents;
}

declare module 'agreed/health' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  import type { KiketEvents } from 'agreed/events';
  import type { KiketStore } from 'agreed/idempotency';
  export interface KiketHealthOptions {
    store?: KiketStore | undefined;
  }
  export interface KiketHealth {
    readonly status: 'ok' | 'unavailable';
    readonly store?: 'ok' | 'unavailable';
    readonly version: string;
    readonly events: KiketEvents['registered'];
    readonly deliveries: Readonly<Record<'success' | 'retryable' | 'final', number>>;
  }
  type Route = (req: IncomingMessage, res: ServerResponse) => void;
  export function kiketHealth(...events: readonly Pick<KiketEvents, 'registered'>[]): Route;
  export function kiketHealth(
    ...args: readonly [...events: readonly Pick<KiketEvents, 'registered'>[], options: Readonly<KiketHealthOptions>]
  ): Route;
}

declare module 'agreed/runtime-token' {
  import type { KiketMiddleware } from 'agreed/delivery';
  import type { KiketStore } from 'agreed/idempotency';
  export type { KiketRequestState } from 'agreed/delivery';
  export interface KiketRuntimeTokenOptions {
    issuer: string;
    jwksUrl: string | URL;
    audience?: string | readonly string[] | undefined;
    store?: KiketStore | undefined;
    trustUnsignedBody?: boolean | undefined;
    limit?: number | string | undefined;
    now?: (() => number) | undefined;
  }
  export function kiketRuntimeToken(options: Readonly<KiketRuntimeTokenOptions>): KiketMiddleware;
}

declare module 'agreed/opentelemetry' {
  import type { KiketMiddleware } from 'agreed/delivery';
  export type { KiketRequestState } from 'agreed/delivery';
  export function kiketOpenTelemetry(): KiketMiddleware;
}

declare module 'agreed/telemetry' {
  import type { KiketApiError } from 'agreed/errors';
  import type { KiketTelemetry } from 'kiket-express/api';
  export interface KiketTelemetryOptions {
    apiKey: string;
    baseUrl?: string | undefined;
    dispatcher?: object | undefined;
    batchSize?: number | undefined;
    intervalMs?: number | undefined;
    maxQueued?: number | undefined;
    timeoutMs?: number | undefined;
    onDropped?: ((record: KiketTelemetry, error: KiketApiError | undefined) => void | PromiseLike<void>) | undefined;
  }
  export interface KiketTelemetryReporter {
    readonly sent: number;
    readonly dropped: number;
    readonly queued: number;
    flush(): Promise<void>;
    close(): Promise<void>;
  }
  export function kiketTelemetry(options: Readonly<KiketTelemetryOptions>): KiketTelemetryReporter;
}

declare module 'agreed/error-handler' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  export type { KiketRequestState } from 'agreed/delivery';
  export interface KiketErrorHandlerOptions {
    onError?: ((error: unknown, req: IncomingMessage) => unknown) | undefined;
  }
  export function kiketErrorHandler(
    options?: Readonly<KiketErrorHandlerOptions>,
  ): (error: unknown, req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;
}

declare module 'agreed/testing' {
  import type { KeyObject } from 'node:crypto';
  import type { KiketStore } from 'agreed/idempotency';
  import type { KiketId, KiketKnownEvent, KiketPayload, KiketSignatureScheme } from 'agreed/delivery';
  import type { KiketErrorCode } from 'agreed/errors';
  export interface SignedDelivery {
    readonly body: string | Buffer;
    readonly headers: Readonly<Record<string, string>>;
  }
  export interface DeliverTestOptions {
    retries?: 'none' | 'contract' | 'docs' | 'fast' | 'legacy' | '24h' | readonly number[] | undefined;
    speed?: number | undefined;
    timeoutMs?: number | undefined;
    event?: string | undefined;
    required?: boolean | undefined;
  }
  export interface DeliveryAttemptResult {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly durationMs: number;
    readonly failure: string | undefined;
    readonly outcome: 'success' | 'retryable' | 'final';
    readonly decision: 'allow' | 'deny' | 'pending' | undefined;
    readonly code: string | undefined;
    readonly consequence: string;
  }
  export interface DeliveryResult extends DeliveryAttemptResult {
    readonly attempts: readonly DeliveryAttemptResult[];
  }
  export function deliver(
    url: string | URL,
    delivery: SignedDelivery | (() => SignedDelivery),
    options?: Readonly<DeliverTestOptions>,
  ): Promise<DeliveryResult>;
  export interface ExplainedDelivery {
    readonly headers:
      | Readonly<Record<string, string | readonly string[] | undefined>>
      | readonly (readonly [name: string, value: string])[];
    readonly body: string | Uint8Array;
    readonly method?: string | undefined;
    readonly url?: string | undefined;
  }
  export interface ExplainSignatureOptions {
    signatureSchemes?: readonly KiketSignatureScheme[] | undefined;
    toleranceSeconds?: number | undefined;
    now?: (() => number) | undefined;
    secretName?: string | undefined;
    all?: boolean | undefined;
    showExpected?: boolean | undefined;
  }
  export interface SignatureCause {
    readonly id: string;
    readonly condition: string;
    readonly cause: string;
    readonly mend: string;
  }
  export interface BodyDifference {
    readonly bytes: number;
    readonly firstAt: number;
  }
  export interface SignatureExplanation {
    readonly verdict: 'valid' | 'refused' | 'explained' | 'unexplained';
    readonly code: KiketErrorCode | undefined;
    readonly scheme: KiketSignatureScheme | undefined;
    readonly secretIndex: number | undefined;
    readonly ageSeconds: number | undefined;
    readonly isProved: boolean;
    readonly causes: readonly SignatureCause[];
    readonly alternatives: readonly (readonly SignatureCause[])[];
    readonly hints: readonly SignatureCause[];
    readonly difference: BodyDifference | undefined;
    readonly combinations: number;
    readonly isLimited: boolean;
    readonly body: { readonly bytes: number; readonly sha256: string; readonly endsInNewline: boolean };
    readonly expected: string | undefined;
  }
  type Secret = string | Buffer | KeyObject;
  export function explainSignature(
    request: Readonly<ExplainedDelivery>,
    secrets: Secret | readonly Secret[],
    options?: Readonly<ExplainSignatureOptions>,
  ): SignatureExplanation;
  export interface StoreContractOptions {
    describe?: ((name: string, define: () => void) => unknown) | undefined;
    it?: ((name: string, run: () => Promise<void>, limitMs: number) => unknown) | undefined;
    unreachable?: (() => KiketStore | PromiseLike<KiketStore>) | undefined;
  }
  type Replicas = readonly [KiketStore, KiketStore];
  export function describeStoreContract(
    name: string,
    create: () => KiketStore | Replicas | PromiseLike<KiketStore | Replicas>,
    options?: Readonly<StoreContractOptions>,
  ): void;
  export interface SignDeliveryOptions {
    secret: string | Buffer;
    scheme?: KiketSignatureScheme | undefined;
    timestampSeconds?: number | undefined;
    event?: string | undefined;
    eventVersion?: string | undefined;
    invocationId?: string | undefined;
    projectId?: KiketId | undefined;
    organizationId?: KiketId | undefined;
  }
  export interface ExamplePayloadOptions {
    envelope?: 'contract' | 'data' | undefined;
  }
  export function examplePayload(
    event: KiketKnownEvent | (string & {}),
    options?: Readonly<ExamplePayloadOptions>,
  ): KiketPayload;
  export function signDelivery(
    payload: Buffer,
    options: Readonly<SignDeliveryOptions>,
  ): { readonly body: Buffer; readonly headers: Record<string, string> };
  export function signDelivery(
    payload: object | string,
    options: Readonly<SignDeliveryOptions>,
  ): { readonly body: string; readonly headers: Record<string, string> };
  export function signDelivery(
    payload: object | string | Buffer,
    options: Readonly<SignDeliveryOptions>,
  ): { readonly body: string | Buffer; readonly headers: Record<string, string> };
}

declare module 'agreed/api' {
  // Generic, as in agreed/delivery: the package's own, compared for one table with TableOf.
  import type { KiketTable } from 'kiket-express/api';
  export type { KiketTable } from 'kiket-express/api';
  import type { KiketId } from 'agreed/delivery';
  export interface KiketApiOptions {
    apiKey?: string | undefined;
    baseUrl?: string | undefined;
    allowedOrigins?: readonly string[] | undefined;
    extensionId?: string | undefined;
    dispatcher?: object | undefined;
  }
  export interface KiketRateLimit {
    readonly limit: number;
    readonly remaining: number;
    readonly windowSeconds: number;
    readonly resetInSeconds: number;
  }
  export interface KiketListOptions {
    limit?: number | undefined;
    filters?: object | undefined;
  }
  export interface TableOf<T> {
    list(options?: Readonly<KiketListOptions>): Promise<T[]>;
    iterate(options?: Readonly<KiketListOptions>): AsyncIterable<T>;
    get(id: string | number): Promise<T>;
    create(record: object): Promise<T>;
    update(id: string | number, changes: object): Promise<T>;
    delete(id: string | number): Promise<void>;
  }
  export interface KiketSlaEvent {
    readonly id: KiketId;
    readonly issueId: KiketId;
    readonly projectId: KiketId;
    readonly state: 'imminent' | 'breached' | 'recovered';
    readonly triggeredAt: string;
    readonly resolvedAt: string | null;
    readonly definition: unknown;
    readonly metrics: unknown;
  }
  export interface KiketSlaEvents {
    list(
      options?: Readonly<{
        issueId?: KiketId | undefined;
        state?: KiketSlaEvent['state'] | undefined;
        limit?: number | undefined;
      }>,
    ): Promise<KiketSlaEvent[]>;
  }
  export interface KiketIntakeSubmissions {
    list(
      options?: Readonly<{
        status?: string | undefined;
        since?: Date | string | undefined;
        limit?: number | undefined;
      }>,
    ): Promise<unknown>;
    get(id: string | number): Promise<unknown>;
    create(submission: { readonly data: object; readonly metadata?: object | undefined }): Promise<unknown>;
    approve(id: string | number, options?: { readonly notes?: string | undefined }): Promise<unknown>;
    reject(id: string | number, options?: { readonly notes?: string | undefined }): Promise<unknown>;
  }
  export interface KiketIntakeForms {
    list(
      options?: Readonly<{ active?: boolean | undefined; public?: boolean | undefined; limit?: number | undefined }>,
    ): Promise<unknown>;
    get(key: string): Promise<unknown>;
    stats(key: string, options?: { readonly period?: string | undefined }): Promise<unknown>;
    submissions(key: string): KiketIntakeSubmissions;
  }
  export interface KiketApiUser {
    readonly id?: KiketId;
    readonly name?: string | null;
    readonly email?: string | null;
    readonly [field: string]: unknown;
  }
  export interface KiketApiIssue {
    readonly id?: KiketId;
    readonly key?: string;
    readonly title?: string;
    readonly description?: string | null;
    readonly status?: string;
    readonly assignee?: KiketApiUser | null;
    readonly priority?: string | null;
    readonly labels?: readonly string[];
    readonly created_at?: string;
    readonly updated_at?: string;
    readonly [field: string]: unknown;
  }
  export interface KiketPagination {
    readonly page?: number;
    readonly per_page?: number;
    readonly total_pages?: number;
    readonly total_count?: number;
    readonly [field: string]: unknown;
  }
  export interface KiketIssuePage {
    readonly issues: KiketApiIssue[];
    readonly pagination: KiketPagination;
  }
  export interface KiketApiComment {
    readonly id?: KiketId;
    readonly body?: string;
    readonly author?: KiketApiUser | null;
    readonly created_at?: string;
    readonly updated_at?: string;
    readonly [field: string]: unknown;
  }
  export interface KiketComments {
    list(): Promise<KiketApiComment[]>;
    create(text: string): Promise<KiketApiComment>;
    update(id: string | number, text: string): Promise<KiketApiComment>;
    delete(id: string | number): Promise<void>;
  }
  export interface KiketIssues {
    list(filters?: object): Promise<KiketIssuePage>;
    get(key: string | number): Promise<KiketApiIssue>;
    create(issue: object): Promise<KiketApiIssue>;
    update(key: string | number, changes: object): Promise<KiketApiIssue>;
    comments(key: string | number): KiketComments;
    comment(key: string | number, text: string): Promise<KiketApiComment>;
    transition(key: string | number, transition: string): Promise<KiketApiIssue>;
  }
  export interface KiketWebhookUrl {
    readonly url: string | null;
    readonly token: string | null;
    readonly baseUrl: string | null;
  }
  export interface KiketInboundAttachment {
    readonly filename?: string | null | undefined;
    readonly contentType?: string | null | undefined;
    readonly size?: number | null | undefined;
    readonly contentId?: string | null | undefined;
  }
  export interface KiketInboundEmail {
    readonly fromEmail: string;
    readonly fromName?: string | null | undefined;
    readonly toEmail: string;
    readonly ccEmails?: readonly string[] | undefined;
    readonly subject?: string | null | undefined;
    readonly textBody?: string | null | undefined;
    readonly htmlBody?: string | null | undefined;
    readonly messageId?: string | null | undefined;
    readonly inReplyTo?: string | null | undefined;
    readonly references?: readonly string[] | undefined;
    readonly headers?: object | undefined;
    readonly attachments?: readonly KiketInboundAttachment[] | undefined;
    readonly rawPayload?: unknown;
  }
  export interface KiketInboundEmailResult {
    readonly id?: KiketId;
    readonly status?: string;
    readonly [field: string]: unknown;
  }
  export interface KiketInboundEmails {
    create(email: Readonly<KiketInboundEmail>): Promise<KiketInboundEmailResult>;
  }
  export interface KiketNotification {
    readonly title: string;
    readonly body: string;
    readonly level?: string | undefined;
  }
  export interface KiketExtensionSecrets {
    keys(): Promise<string[]>;
    get(key: string): Promise<string | undefined>;
    set(key: string, value: string): Promise<void>;
    delete(key: string): Promise<void>;
  }
  export interface KiketApi {
    rateLimit(): Promise<KiketRateLimit>;
    readonly lastRateLimit: KiketRateLimit | undefined;
    customData<T extends object = Record<string, unknown>>(
      module: string,
      table: string,
      options?: { projectId?: KiketId | undefined },
    ): KiketTable<T>;
    slaEvents(projectId?: KiketId): KiketSlaEvents;
    intakeForms(projectId?: KiketId): KiketIntakeForms;
    issues(projectId?: KiketId): KiketIssues;
    members(projectId?: KiketId): Promise<KiketApiUser[]>;
    webhookUrl(action: string): Promise<KiketWebhookUrl>;
    inboundEmails(): KiketInboundEmails;
    extension(): Promise<Readonly<Record<string, unknown>>>;
    extensionSecrets(): KiketExtensionSecrets;
    logEvent(
      event: string,
      data?: object,
      options?: Readonly<{ version?: string | undefined; timestamp?: Date | undefined }>,
    ): Promise<void>;
    log(message: string, metadata?: object): Promise<void>;
    metric(name: string, value: number, unit?: string): Promise<void>;
    notify(notification: Readonly<KiketNotification>): Promise<void>;
    sendTelemetry(
      record: Readonly<{
        readonly event: string;
        readonly version?: string | undefined;
        readonly status: 'ok' | 'error';
        readonly durationMs: number;
        readonly timestamp?: Date | undefined;
        readonly metadata?: object | undefined;
      }>,
    ): Promise<void>;
    request(
      method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
      path: string,
      options?: Readonly<{
        query?: object | undefined;
        body?: unknown;
        headers?: Readonly<Record<string, string>> | undefined;
        signal?: AbortSignal | undefined;
      }>,
    ): Promise<unknown>;
  }
  export function createKiketApi(
    options: Readonly<
      KiketApiOptions & {
        workspaceToken?: string | undefined;
        projectId?: KiketId | undefined;
        signal?: AbortSignal | undefined;
      }
    >,
  ): KiketApi;
  export function closeKiketApi(): Promise<void>;
}

declare module 'agreed/idempotency' {
  import type { KiketMiddleware } from 'agreed/delivery';
  export type { KiketRequestState } from 'agreed/delivery';
  export interface KiketStore {
    claim(
      keys: readonly string[],
      owner: string,
      lockMs: number,
    ): Promise<{ state: 'claimed' } | { state: 'held'; retryAfterMs: number } | { state: 'recorded'; record: string }>;
    renew(keys: readonly string[], owner: string, lockMs: number): Promise<boolean>;
    complete(keys: readonly string[], owner: string, record: string, ttlMs: number): Promise<boolean>;
    release(keys: readonly string[], owner: string): Promise<void>;
  }
  export class KiketMemoryStore implements KiketStore {
    constructor(options?: Readonly<{ maxEntries?: number | undefined }>);
    claim: KiketStore['claim'];
    renew: KiketStore['renew'];
    complete: KiketStore['complete'];
    release: KiketStore['release'];
  }
  export interface KiketIdempotencyOptions {
    ttlSeconds?: number | undefined;
    guardTtlSeconds?: number | undefined;
    lockSeconds?: number | undefined;
    passOnStoreError?: boolean | undefined;
  }
  export function kiketIdempotency(store: KiketStore, options?: Readonly<KiketIdempotencyOptions>): KiketMiddleware;
}

declare module 'agreed/redis' {
  import type { KiketStore } from 'agreed/idempotency';
  export interface KiketRedisStoreOptions {
    sendCommand: (command: readonly [name: string, ...args: string[]], key: string) => PromiseLike<unknown>;
    prefix?: string | undefined;
  }
  export class KiketRedisStore implements KiketStore {
    constructor(options: Readonly<KiketRedisStoreOptions>);
    claim: KiketStore['claim'];
    renew: KiketStore['renew'];
    complete: KiketStore['complete'];
    release: KiketStore['release'];
  }
}

declare module 'agreed/postgres' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  import type { KiketDelivery } from 'agreed/delivery';
  import type { KiketStore } from 'agreed/idempotency';
  export type KiketPostgresQuery = (text: string, parameters: string[]) => PromiseLike<unknown>;
  export interface KiketPostgresStoreOptions {
    query: KiketPostgresQuery;
    table?: string | undefined;
  }
  export class KiketPostgresStore implements KiketStore {
    constructor(options: Readonly<KiketPostgresStoreOptions>);
    migrate(): Promise<void>;
    claim: KiketStore['claim'];
    renew: KiketStore['renew'];
    complete: KiketStore['complete'];
    release: KiketStore['release'];
  }
  export function kiketPostgresSchema(table?: string): string;
  export type KiketIsolationLevel = 'read committed' | 'repeatable read' | 'serializable';
  export interface KiketTransactionOptions {
    table?: string | undefined;
    ttlSeconds?: number | undefined;
    guardTtlSeconds?: number | undefined;
    timeoutMs?: number | undefined;
    isolationLevel?: KiketIsolationLevel | undefined;
  }
  export interface KiketTransactions<T> {
    begin(work: (transaction: T) => Promise<void>): PromiseLike<unknown>;
    query(transaction: T, text: string, parameters: string[]): PromiseLike<unknown>;
  }
  export interface KiketTransactionMiddleware<T> {
    (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void;
    handler(
      fn: (delivery: KiketDelivery<any> & { readonly transaction: T }, req: any, res: any) => any,
    ): (delivery: KiketDelivery<any>, req: any, res: any) => unknown;
    migrate(): Promise<void>;
  }
  export function kiketTransaction<T>(
    database: KiketTransactions<T>,
    options?: Readonly<KiketTransactionOptions>,
  ): KiketTransactionMiddleware<T>;
}

declare module 'agreed/pg-boss' {
  import type { KiketApiOptions } from 'agreed/api';
  import type { KiketDelivery, KiketJobDelivery } from 'agreed/delivery';
  export interface KiketBossJob {
    readonly id: string;
    readonly data: unknown;
  }
  export interface KiketBoss {
    send(name: string, data: object, options: object): Promise<string | null>;
    getQueue(name: string): Promise<unknown>;
    getJobById(name: string, id: string, options?: object): Promise<unknown>;
    fetch(name: string, options?: object): Promise<readonly KiketBossJob[]>;
    complete(name: string, id: string): Promise<unknown>;
    fail(name: string, id: string, error: object): Promise<unknown>;
    cancel(name: string, id: string): Promise<unknown>;
  }
  export function kiketEnqueue(
    boss: KiketBoss,
    queueName: string,
  ): (delivery: KiketDelivery<any>) => Promise<{ readonly accepted: true }>;
  export interface KiketWorkerOptions {
    api?: Readonly<KiketApiOptions> | undefined;
    concurrency?: number | undefined;
    timeoutMs?: number | undefined;
    pollingIntervalSeconds?: number | undefined;
    onError?: ((error: unknown, job: KiketJobDelivery | undefined) => void | PromiseLike<void>) | undefined;
  }
  export function kiketWorker(
    boss: KiketBoss,
    queueName: string,
    fn: (job: KiketJobDelivery) => unknown,
    options?: Readonly<KiketWorkerOptions>,
  ): { close(): Promise<void> };
}

declare module 'agreed/bullmq' {
  import type { KiketApiOptions } from 'agreed/api';
  import type { KiketDelivery, KiketJobDelivery } from 'agreed/delivery';
  export interface KiketQueue {
    readonly name: string;
    add(name: string, data: any, options?: any): Promise<unknown>;
  }
  export interface KiketAccepted {
    readonly accepted: true;
  }
  export function kiketEnqueue(queue: KiketQueue): (delivery: KiketDelivery<any>) => Promise<KiketAccepted>;
  export type KiketJobHandler<P extends string = string> = (job: KiketJobDelivery<P>) => unknown;
  export interface KiketWorkerOptions {
    connection: object;
    api?: Readonly<KiketApiOptions> | undefined;
    concurrency?: number | undefined;
    timeoutMs?: number | undefined;
    lockSeconds?: number | undefined;
    prefix?: string | undefined;
    onError?: ((error: unknown, job: KiketJobDelivery | undefined) => void | PromiseLike<void>) | undefined;
  }
  export function kiketWorker(
    queueName: string,
    fn: KiketJobHandler,
    options: Readonly<KiketWorkerOptions>,
  ): { close(): Promise<void> };
}

declare module 'agreed/shutdown' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  export interface KiketServer {
    close(callback: () => void): unknown;
    closeIdleConnections?(): void;
    closeAllConnections?(): void;
    prependListener(event: 'request', listener: (req: IncomingMessage, res: ServerResponse) => void): unknown;
    off(event: 'request', listener: (req: IncomingMessage, res: ServerResponse) => void): unknown;
  }
  export interface KiketShutdownOptions {
    timeoutMs?: number | undefined;
  }
  export interface KiketShutdown {
    readonly finished: boolean;
    readonly released: number;
  }
  export function kiketShutdown(server: KiketServer, options?: Readonly<KiketShutdownOptions>): Promise<KiketShutdown>;
}

declare module 'agreed/manifest' {
  export interface KiketSettings {
    readonly [key: string]: unknown;
  }
  export type KiketManifestGeneration = 'M0' | 'M1' | 'M2' | 'M3' | 'M4' | 'M5';
  export interface KiketManifestHook {
    readonly event: string;
    readonly endpoint: string | undefined;
    readonly timeoutMs: number | undefined;
    readonly retries: number | undefined;
    readonly isGuard: boolean;
  }
  export interface KiketManifestCommand {
    readonly id: string;
    readonly event: string;
  }
  export interface KiketManifestWarning {
    readonly code: 'KIKET_MANIFEST_SECRET' | 'KIKET_MANIFEST_DUPLICATE_KEY';
    readonly message: string;
  }
  export interface KiketManifestUnreadKey {
    readonly path: string;
    readonly message: string;
  }
  export interface KiketManifest {
    readonly generation: KiketManifestGeneration;
    readonly path: string;
    readonly id: string;
    readonly version: string;
    readonly secret: string | undefined;
    readonly secretName: string | undefined;
    readonly callbackUrl: string | undefined;
    readonly unsetInCallbackUrl: string | undefined;
    readonly callbackHeaders: Readonly<Record<string, string>>;
    readonly eventVersion: string | undefined;
    readonly secretKeys: readonly string[];
    readonly timeoutMs: number | undefined;
    readonly required: boolean;
    readonly hooks: readonly KiketManifestHook[];
    readonly commands: readonly KiketManifestCommand[];
    readonly permissions: readonly string[];
    readonly settings: KiketSettings;
    readonly fallbackSecrets: Readonly<Record<string, string>>;
    readonly warnings: readonly KiketManifestWarning[];
    readonly unreadKeys: readonly KiketManifestUnreadKey[];
  }
  export class KiketManifestError extends TypeError {
    readonly file: string | undefined;
    readonly line: number | undefined;
    readonly column: number | undefined;
    readonly path: string | undefined;
  }
  export interface ParseManifestOptions {
    path: string;
    env: Readonly<Record<string, string | undefined>>;
  }
  export function loadManifest(path?: string): KiketManifest;
  export function parseManifest(text: string, options: Readonly<ParseManifestOptions>): KiketManifest;
}

declare module 'agreed/sdk' {
  import type { IncomingMessage } from 'node:http';
  import type { KiketDelivery, KiketMiddleware } from 'agreed/delivery';
  import type { KiketGuardReply } from 'agreed/delivery';
  export { allow, deny, pending } from 'agreed/delivery';
  export { ScopeError } from 'agreed/errors';
  type Id = number | string;
  export type Headers = Record<string, string>;
  export type Settings = Record<string, unknown>;
  export type WebhookPayload = Record<string, unknown>;
  export type HandlerResult = unknown;
  export type WebhookHandler<TPayload = WebhookPayload, TResult = HandlerResult> = (
    payload: TPayload,
    context: HandlerContext,
  ) => TResult | Promise<TResult>;
  export interface AuthenticationContext {
    runtimeToken: string;
    tokenType: string;
    expiresAt: string | null;
    scopes: string[];
    orgId?: Id;
    extId?: string;
    projId?: Id;
  }
  export interface RequestOptions {
    readonly headers?: Readonly<Headers> | undefined;
    readonly timeout?: number | undefined;
    readonly params?: Readonly<Record<string, string>> | undefined;
  }
  export interface KiketClient {
    get<T = unknown>(path: string, options?: RequestOptions): Promise<T>;
    post<T = unknown>(path: string, data?: unknown, options?: RequestOptions): Promise<T>;
    put<T = unknown>(path: string, data?: unknown, options?: RequestOptions): Promise<T>;
    patch<T = unknown>(path: string, data?: unknown, options?: RequestOptions): Promise<T>;
    delete<T = unknown>(path: string, options?: RequestOptions): Promise<T>;
    close(): Promise<void>;
  }
  type RecordOf = Record<string, unknown>;
  export interface CustomDataClient {
    list(
      module: string,
      table: string,
      options?: {
        readonly limit?: number | undefined;
        readonly filters?: Readonly<Record<string, unknown>> | undefined;
      },
    ): Promise<{ data: RecordOf[] }>;
    get(module: string, table: string, recordId: Id): Promise<{ data: RecordOf }>;
    create(module: string, table: string, record: Readonly<RecordOf>): Promise<{ data: RecordOf }>;
    update(module: string, table: string, recordId: Id, record: Readonly<RecordOf>): Promise<{ data: RecordOf }>;
    delete(module: string, table: string, recordId: Id): Promise<void>;
  }
  export interface SlaEventRecord {
    id: Id;
    issue_id: Id;
    project_id: Id;
    state: string;
    triggered_at: string;
    resolved_at?: string | null;
    definition?: Record<string, unknown>;
    metrics?: Record<string, unknown>;
  }
  export interface SlaEventsClient {
    list(options?: {
      readonly issueId?: Id | undefined;
      readonly caseId?: Id | undefined;
      readonly state?: 'imminent' | 'breached' | 'recovered' | undefined;
      readonly limit?: number | undefined;
    }): Promise<{ data: SlaEventRecord[] }>;
  }
  export interface IntakeForm {
    id: Id;
    key: string;
    name: string;
    active: boolean;
    public: boolean;
    [field: string]: unknown;
  }
  export interface IntakeSubmission {
    id: Id;
    status: string;
    data: Record<string, unknown>;
    [field: string]: unknown;
  }
  export interface IntakeFormsClient {
    list(options?: {
      readonly active?: boolean | undefined;
      readonly publicOnly?: boolean | undefined;
      readonly limit?: number | undefined;
    }): Promise<{ data: IntakeForm[] }>;
    get(formKey: string): Promise<IntakeForm>;
    publicUrl(form: IntakeForm): string | null;
    listSubmissions(
      formKey: string,
      options?: {
        readonly status?: string | undefined;
        readonly limit?: number | undefined;
        readonly since?: Date | string | undefined;
      },
    ): Promise<{ data: IntakeSubmission[] }>;
    getSubmission(formKey: string, submissionId: Id): Promise<IntakeSubmission>;
    createSubmission(
      formKey: string,
      data: Readonly<Record<string, unknown>>,
      options?: { readonly metadata?: Readonly<Record<string, unknown>> | undefined },
    ): Promise<IntakeSubmission>;
    approveSubmission(formKey: string, submissionId: Id, notes?: string): Promise<IntakeSubmission>;
    rejectSubmission(formKey: string, submissionId: Id, notes?: string): Promise<IntakeSubmission>;
    stats(formKey: string, period?: string): Promise<Record<string, unknown>>;
  }
  export interface ExtensionSecretManager {
    get(key: string): Promise<string | null>;
    set(key: string, value: string): Promise<void>;
    delete(key: string): Promise<void>;
    list(): Promise<string[]>;
    rotate(key: string, newValue: string): Promise<void>;
  }
  export interface ExtensionEndpoints {
    readonly secrets: ExtensionSecretManager;
    logEvent(event: string, data: Readonly<Record<string, unknown>>): Promise<void>;
    getMetadata(): Promise<unknown>;
    customData(projectId: Id): CustomDataClient;
    slaEvents(projectId: Id): SlaEventsClient;
    intakeForms(projectId: Id): IntakeFormsClient;
    rateLimit(): Promise<{ limit: number; remaining: number; windowSeconds: number; resetIn: number }>;
    notify(title: string, body: string, level?: string): Promise<void>;
  }
  export interface HandlerContext {
    readonly event: string;
    readonly eventVersion: string;
    readonly headers: Readonly<Headers>;
    readonly client: KiketClient;
    readonly endpoints: ExtensionEndpoints;
    readonly settings: Readonly<Settings>;
    readonly extensionId?: string | undefined;
    readonly extensionVersion?: string | undefined;
    readonly secrets: ExtensionSecretManager;
    readonly secret: (key: string) => string | undefined;
    readonly payloadSecrets: Readonly<Record<string, string>>;
    readonly auth: AuthenticationContext;
    readonly requireScopes: (...requiredScopes: string[]) => void;
  }
  export interface SdkOptions {
    settings?: Readonly<Settings> | undefined;
    extensionId?: string | undefined;
    extensionVersion?: string | undefined;
    manifest?:
      | {
          readonly id?: string | undefined;
          readonly version?: string | undefined;
          readonly settings?: Readonly<Settings> | undefined;
          readonly fallbackSecrets?: Readonly<Record<string, string>> | undefined;
        }
      | undefined;
  }
  export type SdkKiketHandler<TResult = HandlerResult> = (
    delivery: Pick<KiketDelivery, 'event' | 'eventVersion' | 'payload' | 'secrets' | 'auth' | 'api'>,
    req: IncomingMessage,
  ) => Promise<[TResult] extends [KiketGuardReply] ? KiketGuardReply : object>;
  export function fromSdk<TPayload = WebhookPayload, TResult = HandlerResult>(
    handler: WebhookHandler<TPayload, TResult>,
    options?: Readonly<SdkOptions>,
  ): SdkKiketHandler<TResult>;
  export interface SdkRouter extends KiketMiddleware {
    webhook(
      event: string,
      version: string,
      scopes?: readonly string[],
    ): <TPayload = WebhookPayload, TResult = HandlerResult>(
      handler: WebhookHandler<TPayload, TResult>,
    ) => WebhookHandler<TPayload, TResult>;
    register<TPayload = WebhookPayload, TResult = HandlerResult>(
      event: string,
      handler: WebhookHandler<TPayload, TResult>,
      version: string,
      scopes?: readonly string[],
    ): this;
    load(module: object): this;
    readonly registered: readonly { readonly event: string; readonly version: string | undefined }[];
  }
  export function sdkRouter(options?: Readonly<SdkOptions>): SdkRouter;
}

declare module 'agreed' {
  import type { KiketManifest } from 'agreed/manifest';
  import type { KiketMiddleware } from 'agreed/delivery';
  import type { KiketParseOptions } from 'agreed/parse';
  import type { KiketRawBodyOptions } from 'agreed/raw-body';
  import type { KiketRespondOptions } from 'agreed/respond';
  import type { KiketSecretSource, KiketVerifyOptions } from 'agreed/verify';
  export interface KiketOptions
    extends KiketRawBodyOptions, KiketVerifyOptions, KiketParseOptions, KiketRespondOptions {
    secret: KiketSecretSource;
  }
  export interface KiketManifestOptions extends Omit<KiketOptions, 'secret' | 'manifest'> {
    manifest: KiketManifest;
    secret?: KiketSecretSource | undefined;
  }
  export function kiket(options: Readonly<KiketOptions>): KiketMiddleware;
  export function kiket(options: Readonly<KiketManifestOptions>): KiketMiddleware;
  export * from 'agreed/errors';
  export * from 'agreed/delivery';
  export * from 'agreed/raw-body';
  export * from 'agreed/verify';
  export * from 'agreed/parse';
  export * from 'agreed/respond';
  export * from 'agreed/handler';
  export * from 'agreed/events';
  export * from 'agreed/health';
  export * from 'agreed/telemetry';
  export * from 'agreed/error-handler';
  export * from 'agreed/api';
  export * from 'agreed/idempotency';
  export * from 'agreed/shutdown';
}
