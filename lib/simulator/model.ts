import type { KiketId } from '../guards';
import type { HeaderLine } from '../sending/http-message';

/**
 * The state of the local Kiket, as the page, scripts and tests see it. It is JSON, and contains no secret: tokens, secrets and
 * signatures are written `{{token}}`, `{{secret:NAME}}` and `{{signature}}`.
 */

/** How far a delivery has come. */
export type DeliveryState =
  /** It waits for its turn. */
  | 'queued'
  /** An attempt is under way. */
  | 'sending'
  /** It waits for the next attempt. */
  | 'retrying'
  /** It was accepted; a guard has allowed the transition. */
  | 'completed'
  /** A guard has denied the transition. */
  | 'denied'
  /** A guard waits for an approval. */
  | 'pending'
  /** It was refused for good, and the workflow has stopped. */
  | 'halted'
  /** All attempts have failed, or it was refused for good and the workflow goes on. */
  | 'failed'
  /** Somebody has given it up. */
  | 'cancelled';

/** Why a delivery exists. */
export interface DeliveryOrigin {
  /**
   * `sent` by a person or a script, `replayed` from another delivery, caused by a `transition` of an issue or by a `call` of the
   * extension, or `recorded` from another sender.
   */
  readonly kind: 'sent' | 'replayed' | 'transition' | 'call' | 'recorded';
  /** The delivery that it was replayed from, or whose attempt has made the call. */
  readonly deliveryId?: string | undefined;
  /** How many calls lead to it: 0 for a delivery that no call has caused. */
  readonly depth: number;
}

/** An attempt in a list. */
export interface AttemptSummary {
  /** Counted from 1. */
  readonly number: number;
  /** `retryable` attempts are repeated; after a `final` one the delivery is given up. */
  readonly kind: 'success' | 'retryable' | 'final';
  /** HTTP status; `undefined` without a response. */
  readonly status?: number | undefined;
  /** Why there is no response: `timeout`, or a code such as `ECONNREFUSED`. */
  readonly failure?: string | undefined;
  /** Whole milliseconds. */
  readonly durationMs: number;
}

/** The next attempt of a delivery. */
export interface NextAttempt {
  /** Counted from 1. */
  readonly number: number;
  /** ISO 8601. */
  readonly at: string;
  /** The delay here, in milliseconds. */
  readonly delayMs: number;
  /** The delay on the platform, in milliseconds. */
  readonly platformDelayMs: number;
}

/** A delivery in a list. */
export interface DeliverySummary {
  /** The id here. It is the invocation, except for a delivery that is replayed. */
  readonly id: string;
  /** `X-Kiket-Invocation`: a delivery that is replayed has that of the first one. */
  readonly invocationId: string;
  /** Counted from 1: newer deliveries have higher numbers. */
  readonly number: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The event's name; `undefined` where neither payload nor input names one. */
  readonly event?: string | undefined;
  /** Such as `v1`. */
  readonly eventVersion?: string | undefined;
  /** The project that header and payload name. */
  readonly projectId?: KiketId | undefined;
  /** The issue of the local project that it belongs to. */
  readonly issueId?: KiketId | undefined;
  /** True when the response decides whether a transition goes on. */
  readonly isGuard: boolean;
  /** False when a failure lets the workflow go on. */
  readonly isRequired: boolean;
  /** The reason for which it exists. */
  readonly origin: DeliveryOrigin;
  /** How far it has come. */
  readonly state: DeliveryState;
  /** The meaning of the state for the workflow and the users, in one sentence. */
  readonly sentence: string;
  /** In the order in which they were made. */
  readonly attempts: readonly AttemptSummary[];
  /** How many retries there are at most. */
  readonly retries: number;
  /** `undefined` when none is planned. */
  readonly nextAttempt?: NextAttempt | undefined;
  /** The alert that it has raised. */
  readonly alertId?: string | undefined;
}

/** A request as it was sent, or a response as it was received, without secrets. */
export interface ShownMessage {
  /** In order. */
  readonly headers: readonly HeaderLine[];
  /** The body as text; base64 where `isBase64` is true. */
  readonly body: string;
  /** True for a body that is not UTF-8. */
  readonly isBase64: boolean;
  /** The length of the whole body. */
  readonly bytes: number;
}

/** Something to know about an attempt. */
export interface Diagnostic {
  /** `error` when it failed, `warning` when it did not do what its author wants, else `hint`. */
  readonly level: 'error' | 'warning' | 'hint';
  /** For programs, e.g. `signature.mismatch`, `guard.no_decision`. */
  readonly code: string;
  /** In one or two sentences. */
  readonly text: string;
}

/** A request of the extension to the API. */
export interface CallSummary {
  /** Counted from 1. */
  readonly number: number;
  /** ISO 8601. */
  readonly at: string;
  /** In upper case. */
  readonly method: string;
  /** With the query. */
  readonly target: string;
  /** HTTP status; `undefined` while there is no response. */
  readonly status?: number | undefined;
  /** The body as JSON text, without secrets; empty where there is none. */
  readonly body: string;
  /** The delivery and the attempt whose runtime token it has; `undefined` for a call with another credential. */
  readonly deliveryId?: string | undefined;
  /** The attempt of that delivery, counted from 1. */
  readonly attempt?: number | undefined;
}

/** An attempt with all that is known of it. */
export interface AttemptDetail extends AttemptSummary {
  /** ISO 8601. */
  readonly startedAt: string;
  /** Why it was made: `duplicate` for a further copy of the same request. */
  readonly reason: 'first' | 'retry' | 'manual' | 'duplicate';
  /** When it would be made on the platform, in milliseconds after the first attempt. */
  readonly platformTimeMs: number;
  /** The request. */
  readonly request: ShownMessage & {
    /** In upper case. */
    readonly method: string;
    /** The URL of the receiver, with the path of the hook. */
    readonly url: string;
  };
  /** `undefined` without a response. */
  readonly response?:
    | (ShownMessage & {
        /** HTTP status. */
        readonly status: number;
      })
    | undefined;
  /** Why there is no response, for people. */
  readonly problem?: string | undefined;
  /** How it was signed. */
  readonly signature: {
    /** The bytes that the signature covers. */
    readonly scheme: 'timestamped' | 'body';
    /** False for a delivery without a signature. */
    readonly isSigned: boolean;
    /** The signed text, with the body in words: `1764531278.<body>`. */
    readonly signedText: string;
    /** The tampering that was applied. */
    readonly tamper?: string | undefined;
  };
  /** The code of the error in the response. */
  readonly code?: string | undefined;
  /** The consequence at Kiket, in one sentence. */
  readonly consequence: string;
  /** The rule behind it: a section of the contract. */
  readonly rule: string;
  /** True when the contract does not say it. */
  readonly isAssumed: boolean;
  /** The worst first. */
  readonly diagnostics: readonly Diagnostic[];
  /** Calls of the extension with the token of this attempt. */
  readonly calls: readonly CallSummary[];
}

/** A delivery with its attempts. */
export interface DeliveryDetail extends Omit<DeliverySummary, 'attempts'> {
  /** In the order in which they were made. */
  readonly attempts: readonly AttemptDetail[];
  /** The payload without secrets, token and address of the API, which each attempt adds; `undefined` for given bytes. */
  readonly payload?: Readonly<Record<string, unknown>> | undefined;
}

/** An alert: a required delivery of which all attempts have failed. */
export interface Alert {
  /** A UUID. */
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  /** `extension.delivery.failed`. */
  readonly type: string;
  /** The delivery that has failed. */
  readonly deliveryId: string;
  /** For people, in one sentence. */
  readonly text: string;
  /** True when somebody has seen it. */
  readonly isAcknowledged: boolean;
}

/** An issue of the local project. */
export interface LocalIssue {
  /** The id, as in payloads. */
  readonly id: KiketId;
  /** Such as `ISS-456`. */
  readonly key: string;
  /** The title that users see. */
  readonly title: string;
  /** The state of the workflow. */
  readonly status: string;
  /** The project of the issue. */
  readonly projectId: KiketId;
  /** The state of its workflow. */
  readonly workflow: WorkflowState;
}

/** The state of the workflow of an issue. */
export type WorkflowState =
  | {
      /** Nothing holds it up. */
      readonly kind: 'running';
    }
  | {
      /** A required delivery is not complete yet. */
      readonly kind: 'waiting';
      /** The delivery that it waits for. */
      readonly deliveryId: string;
    }
  | {
      /** A guard waits for an approval. */
      readonly kind: 'pending';
      /** The delivery of the guard. */
      readonly deliveryId: string;
      /** The state to which an approval moves the issue. */
      readonly to: string;
      /** The message of the guard, which the user sees. */
      readonly message?: string | undefined;
    }
  | {
      /** A required delivery has failed. */
      readonly kind: 'halted';
      /** The delivery that has failed. */
      readonly deliveryId: string;
      /** Why it has failed, in one sentence. */
      readonly reason: string;
    };

/** The result of a transition. */
export interface TransitionResult {
  /** `moved`, `denied` by the guard, or `pending` until somebody approves. */
  readonly outcome: 'moved' | 'denied' | 'pending';
  /** The message that the user sees. */
  readonly message?: string | undefined;
  /** The delivery of the guard; `undefined` when no guard was asked. */
  readonly deliveryId?: string | undefined;
  /** The issue afterwards. */
  readonly issue: LocalIssue;
}

/** A fault that is switched on. */
export interface ActiveFault {
  /** To switch it off. */
  readonly id: string;
  /** Where it hits: deliveries, or calls of the extension. */
  readonly side: 'delivery' | 'api';
  /** The name of a delivery fault or of an API fault. */
  readonly kind: string;
  /** How many more it hits; `undefined` until it is switched off. */
  readonly timesLeft?: number | undefined;
  /** Further fields of an API fault: `status`, `retryAfter`, `ms`, `on`. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}

/** A fault that can be switched on. */
export interface FaultKind {
  /** Where it hits: deliveries, or calls of the extension. */
  readonly side: 'delivery' | 'api';
  /** Its name. */
  readonly kind: string;
  /** The fault or attack that it imitates, in one phrase. */
  readonly imitates: string;
}

/** The receiver, as it was seen last. */
export interface TargetState {
  /** The URL to which deliveries are sent. */
  readonly url: string;
  /** `undefined` until it has been seen. */
  readonly isUp?: boolean | undefined;
}

/** A message of the stream. */
export type SimulatorEvent =
  | {
      /** A delivery was made, or has changed. */
      readonly type: 'delivery';
      /** The delivery, without the details of its attempts. */
      readonly data: DeliverySummary;
    }
  | {
      /** An attempt has ended. */
      readonly type: 'attempt';
      /** The attempt and its delivery. */
      readonly data: {
        /** The delivery of the attempt. */
        readonly deliveryId: string;
        /** The attempt, with request and response. */
        readonly attempt: AttemptDetail;
      };
    }
  | {
      /** Deliveries were removed. */
      readonly type: 'removed';
      /** The removed deliveries. */
      readonly data: {
        /** The ids of the deliveries. */
        readonly ids: readonly string[];
      };
    }
  | {
      /** An alert was raised, or acknowledged. */
      readonly type: 'alert';
      /** The alert. */
      readonly data: Alert;
    }
  | {
      /** A call of the extension has got its response, or has ended without one. */
      readonly type: 'call';
      /** The call, with its status. */
      readonly data: CallSummary;
    }
  | {
      /** An issue was added, or has changed. */
      readonly type: 'issue';
      /** The issue. */
      readonly data: LocalIssue;
    }
  | {
      /** A fault was switched on or off, or has hit. */
      readonly type: 'fault';
      /** All faults that are switched on now. */
      readonly data: readonly ActiveFault[];
    }
  | {
      /** The receiver has come up, or has gone down. */
      readonly type: 'target';
      /** The receiver. */
      readonly data: TargetState;
    }
  | {
      /** A problem of the local Kiket itself, such as a state that cannot be saved. */
      readonly type: 'note';
      /** The problem. */
      readonly data: Diagnostic;
    };
