import type { FakeKiket } from '../fake-kiket/fake-kiket';
import type { KiketId } from '../guards';
import type { KiketSignatureScheme } from '../signature/hmac';
import type {
  ActiveFault,
  Alert,
  CallSummary,
  DeliveryDetail,
  DeliverySummary,
  FaultKind,
  LocalIssue,
  SimulatorEvent,
  TargetState,
  TransitionResult,
} from './model';

/** A delivery to be made. One of `event`, `payload` and `bodyBase64` is given. */
export interface DeliveryInput {
  /** An event, of which an example is rendered; beside `payload` or `bodyBase64`, the name in the header. */
  readonly event?: string | undefined;
  /** A payload. Secrets, token and the address of the API are added. */
  readonly payload?: Readonly<Record<string, unknown>> | undefined;
  /** The exact bytes of the body. Nothing is added. */
  readonly bodyBase64?: string | undefined;
  /** Values at paths of the payload, such as `{ 'issue.title': 'x' }`. */
  readonly set?: Readonly<Record<string, unknown>> | undefined;
  /** Paths that are removed from the payload. */
  readonly unset?: readonly string[] | undefined;
  /** Default those of the settings. */
  readonly options?: DeliveryOptions | undefined;
  /** The name of a tampering, applied to each attempt. */
  readonly tamper?: string | undefined;
}

/** How a delivery is sent. */
export interface DeliveryOptions {
  /** Where a rendered payload has its fields. Default that of the settings. */
  readonly envelope?: 'contract' | 'data' | undefined;
  /** Value of `X-Kiket-Event-Version`, and the version in a rendered payload. Default that of the settings. */
  readonly eventVersion?: string | undefined;
  /** The project of a rendered payload, and of `X-Kiket-Project`. Default that of the settings. */
  readonly projectId?: KiketId | undefined;
  /** Value of `X-Kiket-Organization`. Default that of the settings. */
  readonly organizationId?: KiketId | undefined;
  /** Value of `X-Kiket-Invocation`. Default a new one. */
  readonly invocationId?: string | undefined;
  /** The bytes that the signature covers. Default that of the settings. */
  readonly scheme?: KiketSignatureScheme | undefined;
  /** Text before the digits of the signature: an empty string, or `sha256=`. Default an empty string. */
  readonly prefix?: string | undefined;
  /** `true` sends only the type of the body and the signature, as the platform's command line does. Default `false`. */
  readonly minimalHeaders?: boolean | undefined;
  /** Seconds that are added to the time of the signature. Default `0`. */
  readonly timestampOffsetSeconds?: number | undefined;
  /** Keys of secrets that Kiket could not fetch. Default none. */
  readonly missing?: readonly string[] | undefined;
  /** Scopes of the runtime token. Default those of the settings. */
  readonly scopes?: readonly string[] | undefined;
  /** A path that replaces that of the receiver's URL. Default that of the hook. */
  readonly endpoint?: string | undefined;
  /** `false` when a failure lets the workflow go on. Default that of the hook. */
  readonly required?: boolean | undefined;
}

/** Which deliveries are listed. */
export interface DeliveryQuery {
  /** A name, or a pattern such as `issue.*`. */
  readonly event?: string | undefined;
  /** A state. */
  readonly outcome?: string | undefined;
  /** Words that must occur: text in event, id or project, `status:5xx`, `event:issue.*`, `state:halted`. */
  readonly q?: string | undefined;
  /** Only deliveries with a lower number than this. */
  readonly after?: number | undefined;
  /** From 1 to 1000. Default 100. */
  readonly limit?: number | undefined;
}

/** Deliveries, the newest first. */
export interface DeliveryPage {
  /** The deliveries of this page, as many as the limit allows. */
  readonly deliveries: readonly DeliverySummary[];
  /** How many match, on all pages. */
  readonly total: number;
  /** `after` of the next page; `undefined` on the last one. */
  readonly next?: number | undefined;
}

/** The end of a wait: `completed`, `failed` in any way, or `settled`, which is either, or an approval that is waited for. */
export type Until = 'completed' | 'failed' | 'settled';

/** How a delivery is sent again: the same bytes; the same body with a new signature; or with a fresh token, as a retry. */
export type ReplayMode = 'exact' | 'resign' | 'fresh';

/** The settings, as they are shown. */
export interface SettingsView {
  /** The URL of the receiver. */
  readonly target: string;
  /** The URL of the API that the extension calls. */
  readonly apiUrl: string;
  /** The id of the extension at the API. */
  readonly extensionId?: string | undefined;
  /** The manifest; `undefined` when there is none. */
  readonly manifest?: string | undefined;
  /** Problems of the manifest, such as keys that are not understood. */
  readonly notes: readonly string[];
  /** The bytes that signatures cover. */
  readonly scheme: KiketSignatureScheme;
  /** Where rendered payloads have their fields. */
  readonly envelope: 'contract' | 'data';
  /** The version of rendered events. */
  readonly eventVersion: string;
  /** The project of rendered events; `undefined` for that of the examples. */
  readonly projectId?: KiketId | undefined;
  /** `X-Kiket-Organization`. */
  readonly organizationId?: KiketId | undefined;
  /** Scopes of the runtime tokens. */
  readonly scopes: readonly string[];
  /** `contract`, `docs`, `legacy`, `24h`, or a list such as `30s,1m`. */
  readonly schedule: string;
  /** The delays of the schedule, in milliseconds. */
  readonly delays: readonly number[];
  /** By how much delays are shortened; `max` leaves none. */
  readonly speed: number | 'max';
  /** How many attempts are under way at most. */
  readonly concurrency: number;
  /** How long a response may take, unless a hook says otherwise. */
  readonly timeoutMs: number;
  /** True when a later `Retry-After` delays the next attempt. */
  readonly honoursRetryAfter: boolean;
  /** True when calls of the extension raise events. */
  readonly raisesEvents: boolean;
  /** The subscribed events; empty when every event is delivered. */
  readonly hooks: readonly HookView[];
  /** The secrets of payloads, without their values. */
  readonly secrets: readonly SecretView[];
  /** The delivery secret, without its value. */
  readonly deliverySecret: {
    /** False when deliveries are not signed. */
    readonly isSet: boolean;
    /** Where it comes from, such as the name of an environment variable. */
    readonly source: string;
    /** The end of the 24 hours in which the secret before a rotation is valid, in ISO 8601. */
    readonly previousUntil?: string | undefined;
  };
}

/** A subscribed event. */
export interface HookView {
  /** A name, or a pattern such as `issue.*`. */
  readonly event: string;
  /** False when a failure lets the workflow go on. */
  readonly isRequired: boolean;
  /** True when the response decides whether a transition goes on. */
  readonly isGuard: boolean;
  /** A path that replaces that of the receiver's URL. */
  readonly endpoint?: string | undefined;
  /** How long a response may take, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** How often a delivery is sent again at most. */
  readonly retries?: number | undefined;
}

/** An event that the extension subscribes to. */
export interface SimulatorHook {
  /** A name, or a pattern such as `issue.*`. */
  event: string;
  /** False when a failure lets the workflow go on. Default true. */
  required?: boolean | undefined;
  /** A path that replaces that of the receiver's URL. Default none. */
  endpoint?: string | undefined;
  /** How long to wait for a response, in milliseconds. Default that of the simulator. */
  timeoutMs?: number | undefined;
  /** How often a delivery is sent again at most. Default all delays of the schedule. */
  retries?: number | undefined;
}

/** A secret of the payload, without its value. */
export interface SecretView {
  /** The name in `secrets` of the payload. */
  readonly key: string;
  /** False for a secret that the receiver finds in `secret_status.missing`. */
  readonly isSet: boolean;
  /** `environment`, the name of a file, or `page`. */
  readonly source?: string | undefined;
}

/** Settings that change while it runs. */
export interface SettingsChange {
  /** The events that are delivered, in place of those before; none delivers every event. */
  readonly hooks?: readonly SimulatorHook[] | undefined;
  /** A name or delays; see {@link SettingsView}. */
  readonly schedule?: string | undefined;
  /** A number from 0.001 to 1000000, or `max`. */
  readonly speed?: number | 'max' | undefined;
  /** The scheme of new deliveries. */
  readonly scheme?: KiketSignatureScheme | undefined;
  /** The envelope of newly rendered payloads. */
  readonly envelope?: 'contract' | 'data' | undefined;
  /** From the next attempt on. */
  readonly honoursRetryAfter?: boolean | undefined;
  /** From the next call on. */
  readonly raisesEvents?: boolean | undefined;
}

/** A fault to switch on. */
export interface FaultInput {
  /** Where it hits: deliveries, or calls of the extension. */
  readonly side: 'delivery' | 'api';
  /** A name of {@link FaultKind}. */
  readonly kind: string;
  /** How often it hits, from 1. Default until it is switched off. */
  readonly times?: number | undefined;
  /** Further fields of an API fault: `status`, `retryAfter`, `ms`, `on`, `body`. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}

/** An input that cannot be carried out: nothing was sent. */
export class InputError extends Error {
  /** The HTTP status for it: 400, 404, 409, or 503 when the queue is full. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The local Kiket: what the page, scripts and scenarios drive. Methods throw an {@link InputError} for what they cannot do. */
export interface LocalKiket {
  /** The URL of the API that the extension calls. */
  readonly apiUrl: string;
  /** Sends, repeats and lists deliveries. */
  readonly deliveries: {
    /** Returns one page of the deliveries that match. */
    list(query: DeliveryQuery): DeliveryPage;
    /** Returns a delivery with its attempts; `undefined` for an unknown id. */
    find(id: string): DeliveryDetail | undefined;
    /** The newest that matches. */
    latest(event: string | undefined): DeliveryDetail | undefined;
    /** Makes a delivery, and puts it in the queue. */
    send(input: DeliveryInput): DeliverySummary;
    /** Sends a delivery again, as a new one. `set` has values at paths of the payload, for `fresh` only. */
    replay(id: string, mode: ReplayMode, set?: Readonly<Record<string, unknown>>): DeliverySummary;
    /** Makes an attempt at once: the next one, or a further one of a delivery that has ended. */
    attemptNow(id: string): DeliverySummary;
    /** Makes all attempts that are left without their delays. */
    skipDelays(id: string): DeliverySummary;
    /** Gives a delivery up: no further attempt begins. */
    cancel(id: string): DeliverySummary;
    /** Resolves when it is so; to the state at that time when it takes longer. */
    wait(id: string, until: Until, timeoutMs: number): Promise<DeliverySummary>;
    /** Removes those that have ended. */
    clear(): void;
    /** The value behind `signature`, `token` or `secret:NAME` in a request. Not for values of the environment. */
    reveal(id: string, attempt: number, name: string): string;
    /** The exact bytes of an attempt's request; `undefined` when memory does not hold them any more. */
    exactRequest(
      id: string,
      attempt: number,
    ):
      | {
          /** Names and values, in the order in which they were sent. */
          readonly headers: readonly (readonly [string, string])[];
          /** The bytes of the body. */
          readonly body: Buffer;
        }
      | undefined;
  };
  /** The issues of the local project, and their workflows. */
  readonly issues: {
    /** Returns all issues. */
    list(): readonly LocalIssue[];
    /** Adds an issue. It causes no delivery. */
    add(fields: Readonly<Record<string, unknown>>): LocalIssue;
    /** Moves an issue to the state `to`, after the guard was asked. Resolves when the guard has decided. */
    transition(id: KiketId, to: string): Promise<TransitionResult>;
    /** Decides on a transition that waits for an approval. */
    decide(id: KiketId, decision: 'approve' | 'reject'): TransitionResult;
    /** Lets a halted workflow go on. */
    resume(id: KiketId): LocalIssue;
  };
  /** Switches faults on and off. */
  readonly faults: {
    /** The faults that can be switched on. */
    readonly kinds: readonly FaultKind[];
    /** Returns the faults that are switched on. */
    list(): readonly ActiveFault[];
    /** Switches a fault on, beside those that are on. */
    switchOn(fault: FaultInput): ActiveFault;
    /** Switches one fault off. */
    switchOff(id: string): void;
    /** Switches all faults off. */
    clear(): void;
  };
  /** The alerts of the platform. */
  readonly alerts: {
    /** Returns all alerts. */
    list(): readonly Alert[];
    /** Marks an alert as seen. */
    acknowledge(id: string): Alert;
  };
  /** The calls of the extension. */
  readonly calls: {
    /** Returns the calls with the tokens of one delivery; `undefined` for all calls. */
    list(deliveryId: string | undefined): readonly CallSummary[];
    /** The comments, logs and reports that the extension has written. */
    state(): Readonly<Record<string, unknown>>;
    /** Adds an SLA event, which is delivered as `workflow.sla_status`. */
    addSlaEvent(fields: Readonly<Record<string, unknown>>): object;
    /** Returns the state of the API's rate limit. */
    rateLimit(): {
      /** Calls in each window. */
      readonly limit: number;
      /** Calls that are left in this window. */
      readonly remaining: number;
      /** Seconds until the next window. */
      readonly resetSeconds: number;
    };
    /** Starts a new window of the rate limit with the next call. */
    resetRateLimit(): void;
  };
  /** Reads and changes the settings. */
  readonly settings: {
    /** Returns the settings, without the values of secrets. */
    read(): SettingsView;
    /** Changes the settings that are given. */
    change(change: SettingsChange): SettingsView;
    /** Sets a secret of new payloads. */
    setSecret(key: string, value: string): void;
    /** Removes a secret from new payloads. */
    deleteSecret(key: string): void;
    /** Returns the new delivery secret, once. The old one stays valid for 24 hours. */
    rotate(): string;
  };
  /** The receiver. */
  readonly target: TargetState;
  /** Calls the listener with everything that happens after the event with this id; returns a function that ends it. */
  subscribe(listener: (event: SimulatorEvent, id: number) => void, lastEventId?: number): () => void;
}

/** A running local Kiket. */
export interface RunningSimulator extends LocalKiket {
  /** The API that the extension calls. */
  readonly api: FakeKiket;
  /** Ends deliveries and API. What was not finished goes on at the next start with the same `stateDirectory`. */
  close(): Promise<void>;
}
