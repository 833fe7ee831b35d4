import type { IncomingMessage } from 'node:http';
import type { ExplainSettings } from '../../explain/explain';
import { headerId, type KiketId } from '../../guards';
import { InputError, type DeliveryInput, type FaultInput, type LocalKiket, type SettingsChange } from '../local-kiket';
import { isSettled } from '../delivery-record';
import type { DeliverySummary } from '../model';
import type { CheckRuns } from './check-runs';
import type {
  CheckInput,
  DecisionInput,
  Fields,
  ReplayInput,
  RevealInput,
  SaveInput,
  SecretInput,
  TransitionInput,
  ValidationInput,
  VerifyInput,
} from './messages';

/** The parts of the server that routes use. */
export interface ControlContext {
  readonly kiket: LocalKiket;
  readonly checks: CheckRuns;
  /** The secrets with which signatures are verified, as they are at the moment. */
  readonly verifySecrets: () => Pick<ExplainSettings, 'secrets' | 'others'>;
  readonly deliveriesDirectory: string;
}

/** Bodies of requests, by the names of their types: a schema of openapi.json has the same name. */
export interface Bodies {
  CheckInput: CheckInput;
  DecisionInput: DecisionInput;
  DeliveryInput: DeliveryInput;
  FaultInput: FaultInput;
  Fields: Fields;
  ReplayInput: ReplayInput;
  RevealInput: RevealInput;
  SaveInput: SaveInput;
  SecretInput: SecretInput;
  SettingsChange: SettingsChange;
  TransitionInput: TransitionInput;
  ValidationInput: ValidationInput;
  VerifyInput: VerifyInput;
}

/** A parameter of a query. */
export interface QueryParameter {
  readonly description: string;
  /** JSON Schema: a string, or an integer with bounds. */
  readonly schema:
    | { readonly type: 'string'; readonly enum?: readonly string[]; readonly default?: string }
    | { readonly type: 'integer'; readonly minimum: number; readonly maximum: number; readonly default?: number };
}

/** A request to a route. */
export interface RouteCall<Body> {
  /** Values of the path. */
  readonly params: Readonly<Record<string, string>>;
  /** Values of the query, with defaults. */
  readonly query: Readonly<Record<string, string | number | undefined>>;
  readonly body: Body;
  readonly req: IncomingMessage;
  /** Sets the header `Location`. */
  readonly locate: (path: string) => void;
}

/** A route of the control API, and its description in openapi.json. */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** As Express has it: `/api/deliveries/:id`. */
  readonly path: string;
  /** A sentence without its full stop. */
  readonly summary: string;
  readonly query?: Readonly<Record<string, QueryParameter>>;
  /** The type of the body of the request. */
  readonly body?: keyof Bodies;
  /** The HTTP status of success. */
  readonly status: number;
  /** The type of the body of the response; none for a status of 204. */
  readonly result?: string;
  /** Statuses of failure that only some routes have. */
  readonly failures?: readonly number[];
  readonly run: (call: RouteCall<never>, context: ControlContext) => unknown;
}

/** Gives the body of a route its type. */
export function route<B extends keyof Bodies>(
  given: Omit<Route, 'body' | 'run'> & {
    readonly body: B;
    readonly run: (call: RouteCall<Bodies[B]>, context: ControlContext) => unknown;
  },
): Route;
export function route(
  given: Omit<Route, 'body' | 'run'> & {
    readonly run: (call: RouteCall<undefined>, context: ControlContext) => unknown;
  },
): Route;
export function route(given: unknown): Route {
  return given as Route;
}

/** A wait has not reached its end: its time is over, or the delivery has ended otherwise. */
export class WaitFailed extends InputError {
  /** As it is now. */
  readonly delivery: DeliverySummary;

  constructor(delivery: DeliverySummary) {
    super(isSettled(delivery) ? 409 : 408, `the delivery is ${delivery.state}`);
    this.delivery = delivery;
  }
}

/** Returns the value of an id in a path. @throws {InputError} when it is not an id. */
export function idOf(text: string): KiketId {
  const id = headerId(text);
  if (id === undefined) throw new InputError(404, `${JSON.stringify(text)} is not an id`);
  return id;
}

/** Returns something that was looked up. @throws {InputError} when it does not exist. */
export function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new InputError(404, `there is no ${name}`);
  return value;
}
