import type { CheckedCase, CheckReport } from '../../conformance/report';
import type { HeaderLine } from '../../sending/http-message';
import type { ReplayMode } from '../local-kiket';
import type { ActiveFault, Alert, CallSummary, DeliverySummary, FaultKind, LocalIssue } from '../model';

/** Bodies of requests to the control API, and of its responses, beside those of the model. openapi.json is made from them. */

/** How a delivery is sent again. */
export interface ReplayInput {
  readonly mode: ReplayMode;
  /** Values at paths of the payload, such as `{ 'issue.title': 'x' }`. */
  readonly set?: Readonly<Record<string, unknown>> | undefined;
}

/** A delivery that has been queued. */
export interface AcceptedDelivery {
  readonly id: string;
  /** The path of the delivery, as in the header `Location`. */
  readonly location: string;
  readonly delivery: DeliverySummary;
}

/** The name of a saved delivery. */
export interface SaveInput {
  /** Up to 64 letters, digits, `.`, `_` and `-`, of which the first is a letter or a digit. */
  readonly name: string;
}

/** A delivery that has been saved. */
export interface SavedDelivery {
  /** The path of the file. */
  readonly file: string;
}

/** The value that is to be shown. */
export interface RevealInput {
  /** `signature`, `token` or `secret:NAME`. */
  readonly value: string;
}

/** A value that is not shown otherwise. */
export interface RevealedValue {
  readonly value: string;
}

/** A request as text, without secrets. */
export interface PrintedRequest {
  readonly text: string;
}

/** The fields of an issue, or of an SLA event. */
export type Fields = Readonly<Record<string, unknown>>;

/** The issues of the local project. */
export interface IssueList {
  readonly issues: readonly LocalIssue[];
}

/** The status to which an issue is to go. */
export interface TransitionInput {
  readonly to: string;
}

/** The decision on a transition that waits for an approval. */
export interface DecisionInput {
  readonly decision: 'approve' | 'reject';
}

/** Faults that are switched on, and those that there are. */
export interface FaultList {
  readonly active: readonly ActiveFault[];
  readonly kinds: readonly FaultKind[];
}

/** The alerts, the newest first. */
export interface AlertList {
  readonly alerts: readonly Alert[];
}

/** The value of a secret of the payload. */
export interface SecretInput {
  readonly value: string;
}

/** The new delivery secret. It is shown this once. */
export interface RotatedSecret {
  readonly secret: string;
}

/** The requests of the extension to the API, and what they have left. */
export interface CallList {
  readonly calls: readonly CallSummary[];
  readonly rateLimit: { readonly limit: number; readonly remaining: number; readonly resetSeconds: number };
  /** The data of the extension: records, SLA events, intake forms, comments, logs. */
  readonly state: Readonly<Record<string, unknown>>;
}

/** Events: those of the manifest first. */
export interface EventList {
  readonly events: readonly {
    readonly event: string;
    /** True for an event of the manifest. */
    readonly isSubscribed: boolean;
    /** True when the response decides whether a transition goes on. */
    readonly isGuard: boolean;
  }[];
}

/** An example of an event, without secrets, token and the address of the API. */
export interface Template {
  readonly payload: Readonly<Record<string, unknown>>;
}

/** The tamperings that a delivery can name. */
export interface TamperingList {
  readonly tamperings: readonly {
    readonly name: string;
    /** The sender or the fault that it imitates, in one phrase. */
    readonly imitates: string;
  }[];
}

/** A payload that is to be compared with the contract's schema. */
export interface ValidationInput {
  readonly payload: unknown;
}

/** The places of a payload that violate the contract's schema. */
export interface Validation {
  readonly problems: readonly {
    /** A JSON pointer, such as `/issue/id`. */
    readonly pointer: string;
    readonly message: string;
  }[];
}

/** Options of a run of the conformance cases. */
export interface CheckInput {
  /** An event that the receiver handles. Default the first of the manifest that is not a guard. */
  readonly event?: string | undefined;
  /** A guard event that the receiver handles. Default the first of the manifest. */
  readonly guard?: string | undefined;
  /** Cases or groups to run, such as `B3` or `A`. Default all. */
  readonly only?: readonly string[] | undefined;
  /** Cases or groups to leave out. */
  readonly skip?: readonly string[] | undefined;
}

/** A run that has been started. */
export interface StartedCheck {
  readonly run: string;
}

/** How far a run has come. */
export interface CheckProgress {
  readonly run: string;
  readonly isDone: boolean;
  /** The cases that have ended. */
  readonly cases: readonly CheckedCase[];
  /** How many there are in all. */
  readonly total: number;
  /** The result of a run that has ended. */
  readonly report?: CheckReport | undefined;
  /** Why the run has ended without a result. */
  readonly problem?: string | undefined;
}

/** A request whose signature is to be explained: a capture in any format that is known, or its parts. */
export interface VerifyInput {
  /** One request: HTTP, curl, HAR, JSON lines of `kiket-express record`, or what ngrok shows. */
  readonly capture?: string | undefined;
  /** Default `POST`. */
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers?: readonly HeaderLine[] | undefined;
  /** The exact body. */
  readonly body?: string | undefined;
}

/** Why a request was not carried out. */
export interface ErrorBody {
  readonly error: {
    /** For programs, e.g. `not_found`. */
    readonly code: string;
    /** In one sentence. */
    readonly message: string;
  };
  /** Of a wait that has timed out: the delivery as it is. */
  readonly delivery?: DeliverySummary | undefined;
}

/** The message `check` of the stream. */
export interface CheckStep {
  readonly run: string;
  /** How many cases have ended. */
  readonly done: number;
  readonly total: number;
  readonly isDone: boolean;
}
