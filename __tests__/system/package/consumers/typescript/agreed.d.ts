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
  // TypeScript takes no two conditional types of an open parameter for the same. So what is generic is built with the
  // package's own, and these are compared, for one pattern of each kind, with KnownEvents, PayloadOf, EventOf and Reply.
  import type { KiketEventMap, KiketEventOf, KiketPayloadOf } from 'kiket-express/delivery';
  export type { KiketEventMap, KiketEventOf, KiketPayloadOf } from 'kiket-express/delivery';
  export type KiketMiddleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

  export interface KiketIssue {
    readonly id?: number;
    readonly project_id?: number;
    readonly title?: string;
    readonly [field: string]: unknown;
  }
  export interface KiketPayload {
    readonly event?: string;
    readonly event_version?: string;
    readonly issue?: KiketIssue | null;
    readonly definition?: {
      readonly id?: number;
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
    readonly [field: string]: unknown;
  }
  export interface KiketTransition {
    readonly from?: string;
    readonly to?: string;
    readonly performed_by?: unknown;
    readonly [field: string]: unknown;
  }
  export interface KnownEvents {
    'issue.created': {};
    'issue.updated': {};
    'issue.transitioned': { readonly transition?: KiketTransition };
    'issue.status_changed': {};
    'issue.assigned': {};
    'issue.commented': {};
    'comment.created': {};
    'workflow.before_transition': { readonly transition?: KiketTransition };
    'workflow.after_transition': { readonly transition?: KiketTransition };
    'workflow.sla_status': {};
    'workflow.issue.transitioned': {};
    'workflow.approval.requested': {};
    'workflow.approval.resolved': {};
    'workflow.triggered': {};
    'automation.triggered': {};
    'extension.installation': {};
    'analytics.metric_alert': {};
    // What usage.ts adds.
    'acme.paid': { readonly invoice: { readonly total: number } };
  }
  export type KiketEventKey = Extract<keyof KiketEventMap, string>;
  type NameOf<K extends string> = K extends `${infer N}@${string}` ? N : K;
  export type KiketEventName = NameOf<KiketEventKey>;
  export type KiketGuardEvent = 'workflow.before_transition';
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
    readonly organizationId: number | undefined;
    readonly projectId: number | undefined;
    readonly extensionId: string | undefined;
    readonly tokenId: string | undefined;
    hasScopes(...scopes: string[]): boolean;
    requireScopes(...scopes: string[]): void;
  }
  export interface KiketJobDelivery<P extends string = string> {
    readonly event: KiketEventOf<P>;
    readonly eventVersion: string;
    readonly payload: KiketPayloadOf<P>;
    readonly invocationId: string | undefined;
    readonly projectId: number | undefined;
    readonly organizationId: number | undefined;
    readonly api: KiketApi;
    readonly signal: AbortSignal;
    is<E extends KiketEventName>(event: E): this is KiketJobDelivery<E>;
  }
  export interface KiketDelivery<P extends string = string> extends KiketJobDelivery<P> {
    readonly rawBody: Buffer;
    readonly verified: boolean;
    readonly signature: KiketSignature | undefined;
    readonly secrets: KiketSecrets;
    readonly auth: KiketAuth;
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
  export type { KiketRequestState } from 'agreed/delivery';
  export interface KiketParseOptions {
    payloadSchemas?: Readonly<Record<string, object | boolean>> | undefined;
    fallbackSecrets?: Readonly<Record<string, string | undefined>> | undefined;
    api?: Readonly<KiketApiOptions> | undefined;
  }
  export function kiketParse(options?: Readonly<KiketParseOptions>): KiketMiddleware;
}

declare module 'agreed/respond' {
  import type { KiketMiddleware } from 'agreed/delivery';
  export type { KiketRequestState } from 'agreed/delivery';
  export interface KiketRecord {
    readonly event: string | undefined;
    readonly eventVersion: string | undefined;
    readonly invocationId: string | undefined;
    readonly projectId: number | undefined;
    readonly organizationId: number | undefined;
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
  export type { KiketRequestState } from 'agreed/delivery';
  export interface KiketOnOptions {
    scopes?: readonly string[] | undefined;
  }
  export interface KiketEvents extends KiketMiddleware {
    on<P extends KiketEventPattern>(event: P | readonly P[], handler: KiketHandler<P>): this;
    on<P extends KiketEventPattern>(
      event: P | readonly P[],
      options: Readonly<KiketOnOptions>,
      handler: KiketHandler<P>,
    ): this;
    otherwise(fallback: 'ignore' | 'reject' | KiketHandler): this;
    readonly registered: readonly { readonly event: string; readonly version: string | undefined }[];
  }
  export function kiketEvents(): KiketEvents;
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
  import type { KiketSignatureScheme } from 'agreed/delivery';
  export interface SignDeliveryOptions {
    secret: string | Buffer;
    scheme?: KiketSignatureScheme | undefined;
    timestampSeconds?: number | undefined;
    event?: string | undefined;
    eventVersion?: string | undefined;
    invocationId?: string | undefined;
    projectId?: number | undefined;
    organizationId?: number | undefined;
  }
  export function signDelivery(
    payload: object | string | Buffer,
    options: Readonly<SignDeliveryOptions>,
  ): { readonly body: string | Buffer; readonly headers: Record<string, string> };
}

declare module 'agreed/api' {
  // Generic, as in agreed/delivery: the package's own, compared for one table with TableOf.
  import type { KiketTable } from 'kiket-express/api';
  export type { KiketTable } from 'kiket-express/api';
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
    readonly id: number;
    readonly issueId: number;
    readonly projectId: number;
    readonly state: 'imminent' | 'breached' | 'recovered';
    readonly triggeredAt: string;
    readonly resolvedAt: string | null;
    readonly definition: unknown;
    readonly metrics: unknown;
  }
  export interface KiketSlaEvents {
    list(
      options?: Readonly<{
        issueId?: number | undefined;
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
  export interface KiketIssues {
    list(filters?: object): Promise<unknown>;
    get(key: string | number): Promise<unknown>;
    create(issue: object): Promise<unknown>;
    update(key: string | number, changes: object): Promise<unknown>;
    comment(key: string | number, text: string): Promise<unknown>;
    transition(key: string | number, transition: string): Promise<unknown>;
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
      options?: { projectId?: number | undefined },
    ): KiketTable<T>;
    slaEvents(projectId?: number): KiketSlaEvents;
    intakeForms(projectId?: number): KiketIntakeForms;
    issues(projectId?: number): KiketIssues;
    extensionSecrets(): KiketExtensionSecrets;
    logEvent(
      event: string,
      data?: object,
      options?: Readonly<{ version?: string | undefined; timestamp?: Date | undefined }>,
    ): Promise<void>;
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
      options?: Readonly<{ query?: object | undefined; body?: unknown; signal?: AbortSignal | undefined }>,
    ): Promise<unknown>;
  }
  export function createKiketApi(
    options: Readonly<
      KiketApiOptions & {
        workspaceToken?: string | undefined;
        projectId?: number | undefined;
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

declare module 'agreed' {
  import type { KiketMiddleware } from 'agreed/delivery';
  import type { KiketParseOptions } from 'agreed/parse';
  import type { KiketRawBodyOptions } from 'agreed/raw-body';
  import type { KiketRespondOptions } from 'agreed/respond';
  import type { KiketSecretSource, KiketVerifyOptions } from 'agreed/verify';
  export interface KiketOptions
    extends KiketRawBodyOptions, KiketVerifyOptions, KiketParseOptions, KiketRespondOptions {
    secret: KiketSecretSource;
  }
  export function kiket(options: Readonly<KiketOptions>): KiketMiddleware;
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
