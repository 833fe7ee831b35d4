import type { KiketId } from '../../guards';
import type { DeliveryOptions, FaultInput } from '../local-kiket';

/** The steps that {@link runScenario} carries out, with their expected results: the content of a JSON file. Durations are strings such as `500ms`. */
export interface Scenario {
  /** For editors: where the JSON Schema is. */
  readonly $schema?: string | undefined;
  /** A title, for people. */
  readonly name: string;
  /** The subscribed events by name, as in `kiket.json`. Default those of the local Kiket. */
  readonly hooks?: Readonly<Record<string, ScenarioHook | undefined>> | undefined;
  /** Secrets of each payload, by key, beside those of the local Kiket. */
  readonly secrets?: Readonly<Record<string, string | undefined>> | undefined;
  /** The delays before retries: `contract`, `docs`, `legacy`, `24h`, `fast`, `none`, or delays such as `30s,1m`. */
  readonly schedule?: string | undefined;
  /** By how much delays are shortened: a number, or `max`, which leaves none. */
  readonly speed?: number | string | undefined;
  /** False for a Kiket that keeps to its schedule, whatever `Retry-After` says. */
  readonly honoursRetryAfter?: boolean | undefined;
  /** In their order. */
  readonly steps: readonly ScenarioStep[];
}

/** How an event is delivered. */
export interface ScenarioHook {
  /** False when a failure lets the workflow go on. Default true. */
  readonly required?: boolean | undefined;
  /** A path that replaces that of the receiver. */
  readonly endpoint?: string | undefined;
  /** How long to wait for a response, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** How often a delivery is sent again at most. */
  readonly retries?: number | undefined;
}

/**
 * One step. It does one thing, which is the member that names it: `issue`, `transition`, `decide`, `resume`, `fault`, `send`,
 * `replay`, `secret`, `rotate`, `slaEvent` or `wait`. It ends when the deliveries that it has caused have ended.
 */
export interface ScenarioStep {
  /** For people, and for `replay`. Default what it does. */
  readonly name?: string | undefined;

  /** Adds an issue to the local project, with these fields. */
  readonly issue?: Readonly<Record<string, unknown>> | undefined;
  /** Moves an issue, after the guard was asked. */
  readonly transition?:
    | {
        /** The id of the issue. */
        readonly issue: KiketId;
        /** The state to which it moves. */
        readonly to: string;
      }
    | undefined;
  /** Decides on a transition that waits for an approval. */
  readonly decide?:
    | {
        /** The id of the issue. */
        readonly issue: KiketId;
        /** `approve` or `reject`. */
        readonly decision: string;
      }
    | undefined;
  /** Lets the halted workflow of an issue go on. */
  readonly resume?: KiketId | undefined;
  /** Switches a fault on, or with `off` a fault off; `off` in place of an object switches all off. */
  readonly fault?: ScenarioFault | string | undefined;
  /** Delivers an event, of which an example is rendered. */
  readonly send?: string | undefined;
  /** Sends the delivery of an earlier step again, which is named. */
  readonly replay?: string | undefined;
  /** Sets or removes a secret of payloads. */
  readonly secret?:
    | {
        /** The name in `secrets` of the payload. */
        readonly key: string;
        /** `null` removes it. */
        readonly value: string | null;
      }
    | undefined;
  /** `true` makes a new delivery secret. The receiver does not know it. */
  readonly rotate?: boolean | undefined;
  /** Adds an SLA event with these fields, which is delivered as `workflow.sla_status`. */
  readonly slaEvent?: Readonly<Record<string, unknown>> | undefined;
  /** A duration; or `settled`, until the deliveries of all steps in the background have ended. */
  readonly wait?: string | undefined;

  /** For `send`: the payload, in place of an example. */
  readonly payload?: Readonly<Record<string, unknown>> | undefined;
  /** For `send`: a file with the payload; its path begins at the folder of the scenario. */
  readonly file?: string | undefined;
  /** For `send` and `replay`: values at paths of the payload, such as `{ "issue.title": "x" }`. A replay with them is `fresh`. */
  readonly set?: Readonly<Record<string, unknown>> | undefined;
  /** For `send`: paths that are removed from the payload. */
  readonly unset?: readonly string[] | undefined;
  /** For `send`: how it is sent. */
  readonly options?: ScenarioDeliveryOptions | undefined;
  /** For `send`: the name of a tampering. */
  readonly tamper?: string | undefined;
  /** For `send`: `once` sends the same request twice, `concurrent` five times at once. */
  readonly duplicate?: string | undefined;
  /** For `replay`: `exact` sends the same bytes, `resign` the same body with a new signature, `fresh` also a new token. Default `resign`. */
  readonly mode?: string | undefined;
  /** For `send` and `replay`: true when the next step does not wait for its end. Default false. */
  readonly background?: boolean | undefined;

  /** How long its deliveries may take, and how long to wait until all is as expected. Default as long as the retries take. */
  readonly within?: string | undefined;
  /** The expected result. */
  readonly expect?: ScenarioExpectation | undefined;
}

/** A fault to be switched on or off. */
export interface ScenarioFault extends Omit<FaultInput, 'side'> {
  /** `delivery` or `api`. */
  readonly side: string;
  /** True to switch it off. */
  readonly off?: boolean | undefined;
}

/** In an imported JSON file, each name is any string to TypeScript. */
type Wide<T> = T extends string ? string : T;

/** How a delivery is sent: {@link DeliveryOptions}, of which a JSON file has any strings. Default as the local Kiket sends it. */
export type ScenarioDeliveryOptions = { readonly [K in keyof DeliveryOptions]: Wide<DeliveryOptions[K]> };

/** The expected result of a step. Only members that are given are compared. */
export interface ScenarioExpectation {
  /** How far the delivery has come, such as `completed`, `halted` or `denied`. */
  readonly state?: string | undefined;
  /**
   * Its attempts, all of them, each by any of these words: `success`, `retryable` or `final`; the status, such as `503` or `2xx`; the
   * code of the error; the decision of a guard; `timeout` or another reason for which there is no response.
   */
  readonly attempts?: readonly string[] | undefined;
  /** How often the extension has called: `{ "POST /api/v1/ext/issues/8/comments": 1 }`. */
  readonly calls?: Readonly<Record<string, number | undefined>> | undefined;
  /** How many calls of the extension have changed something. */
  readonly effects?: number | undefined;
  /** The message of the response; after `~`, a part of it. */
  readonly message?: string | undefined;
  /** True when an alert is raised. */
  readonly alert?: boolean | undefined;
  /** The state of the workflow of the issue: `running`, `waiting`, `pending` or `halted`. */
  readonly workflow?: string | undefined;
  /** The outcome of a transition: `moved`, `denied` or `pending`. */
  readonly outcome?: string | undefined;
}
