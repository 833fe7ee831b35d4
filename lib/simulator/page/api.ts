import { Signal } from './state/signal';
import type { SignatureExplanation } from '../../explain/explain';
import type {
  AcceptedDelivery,
  AlertList,
  CallList,
  CheckInput,
  CheckProgress,
  ErrorBody,
  EventList,
  FaultList,
  IssueList,
  PrintedRequest,
  RevealedValue,
  RotatedSecret,
  SavedDelivery,
  StartedCheck,
  TamperingList,
  Template,
  Validation,
} from '../control/messages';
import type {
  DeliveryInput,
  DeliveryPage,
  DeliveryQuery,
  FaultInput,
  ReplayMode,
  SettingsChange,
  SettingsView,
} from '../local-kiket';
import type {
  ActiveFault,
  Alert,
  DeliveryDetail,
  DeliverySummary,
  LocalIssue,
  TargetState,
  TransitionResult,
} from '../model';

/** A refusal of the control API, or its silence. */
class ApiError extends Error {
  /** HTTP status; 0 without a response. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** True when the cookie is missing: everything is refused until the page is opened by the address with the token. */
export const isLocked = new Signal(false);

/** An event that can be sent. */
export type EventChoice = EventList['events'][number];

/** A place of a payload that the contract's schema does not allow. */
export type SchemaProblem = Validation['problems'][number];

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, cache: 'no-store' };
  if (method !== 'GET') {
    init.headers = { 'Content-Type': 'application/json' };
    if (body !== undefined) init.body = JSON.stringify(body);
  }
  const response = await fetch(`/api/${path}`, init).catch(() => {
    throw new ApiError(0, 'The local Kiket does not respond. Is it still running?');
  });
  if (response.ok) {
    isLocked.value = false;
    return (response.status === 204 ? undefined : await response.json()) as T;
  }
  if (response.status === 401) isLocked.value = true;
  throw new ApiError(response.status, await messageOf(response));
}

async function messageOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    return (JSON.parse(text) as ErrorBody).error.message;
  } catch {
    // Not from the control API, e.g. a proxy in front of it.
  }
  return `The local Kiket has responded ${response.status} ${response.statusText}`.trim();
}

function withQuery(path: string, query: object): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query) as [string, string | number | undefined][]) {
    if (value !== undefined && value !== '') parameters.set(name, String(value));
  }
  return parameters.size === 0 ? path : `${path}?${parameters.toString()}`;
}

const part = encodeURIComponent;
const of = (id: string): string => `deliveries/${part(id)}`;
const attemptOf = (id: string, attempt: number): string => `${of(id)}/attempts/${attempt}`;

/** The control API. Every call rejects with an {@link ApiError}. */
export const api = {
  deliveries: (query: DeliveryQuery) => call<DeliveryPage>('GET', withQuery('deliveries', query)),
  delivery: (id: string) => call<DeliveryDetail>('GET', of(id)),
  clear: () => call<void>('DELETE', 'deliveries'),
  send: (input: DeliveryInput) => call<AcceptedDelivery>('POST', 'deliveries', input),
  replay: (id: string, mode: ReplayMode) => call<AcceptedDelivery>('POST', `${of(id)}/replay`, { mode }),
  attemptNow: (id: string) => call<DeliverySummary>('POST', `${of(id)}/attempt`, {}),
  skipDelays: (id: string) => call<DeliverySummary>('POST', `${of(id)}/skip`, {}),
  cancel: (id: string) => call<DeliverySummary>('POST', `${of(id)}/cancel`, {}),
  save: (id: string, name: string) => call<SavedDelivery>('POST', `${of(id)}/save`, { name }),
  reveal: (id: string, attempt: number, value: string) =>
    call<RevealedValue>('POST', `${attemptOf(id, attempt)}/reveal`, { value }),
  verifyAttempt: (id: string, attempt: number) =>
    call<SignatureExplanation>('POST', `${attemptOf(id, attempt)}/verify`, {}),
  print: (id: string, attempt: number, form: 'curl' | 'http' | 'test') =>
    call<PrintedRequest>('GET', `${attemptOf(id, attempt)}/print?form=${form}`),
  issues: () => call<IssueList>('GET', 'issues'),
  addIssue: (fields: object) => call<LocalIssue>('POST', 'issues', fields),
  transition: (id: string | number, to: string) =>
    call<TransitionResult>('POST', `issues/${part(id)}/transitions`, { to }),
  decide: (id: string | number, decision: 'approve' | 'reject') =>
    call<TransitionResult>('POST', `issues/${part(id)}/decision`, { decision }),
  resume: (id: string | number) => call<LocalIssue>('POST', `issues/${part(id)}/resume`, {}),
  faults: () => call<FaultList>('GET', 'faults'),
  switchOn: (fault: FaultInput) => call<ActiveFault>('PUT', 'faults', fault),
  switchOff: (id: string) => call<void>('DELETE', `faults/${part(id)}`),
  clearFaults: () => call<void>('DELETE', 'faults'),
  alerts: () => call<AlertList>('GET', 'alerts'),
  acknowledge: (id: string) => call<Alert>('POST', `alerts/${part(id)}/acknowledge`, {}),
  settings: () => call<SettingsView>('GET', 'settings'),
  changeSettings: (change: SettingsChange) => call<SettingsView>('PATCH', 'settings', change),
  setSecret: (key: string, value: string) => call<void>('PUT', `secrets/${part(key)}`, { value }),
  deleteSecret: (key: string) => call<void>('DELETE', `secrets/${part(key)}`),
  rotate: () => call<RotatedSecret>('POST', 'secret/rotate', {}),
  calls: () => call<CallList>('GET', 'calls'),
  resetRateLimit: () => call<void>('POST', 'calls/reset-rate-limit', {}),
  addSlaEvent: (fields: object) => call<object>('POST', 'sla-events', fields),
  events: () => call<EventList>('GET', 'events'),
  template: (event: string, envelope: string) =>
    call<Template>('GET', withQuery(`templates/${part(event)}`, { envelope })),
  tamperings: () => call<TamperingList>('GET', 'tamperings'),
  validate: (payload: unknown) => call<Validation>('POST', 'validate', { payload }),
  startCheck: (options: CheckInput) => call<StartedCheck>('POST', 'check', options),
  check: (run: string) => call<CheckProgress>('GET', `check/${part(run)}`),
  verify: (capture: string) => call<SignatureExplanation>('POST', 'verify', { capture }),
  target: () => call<TargetState>('GET', 'target'),
};
