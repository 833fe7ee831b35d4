import { Signal } from './signal';
import type { ActiveFault, Alert, DeliveryState, Diagnostic, FaultKind, TargetState } from '../../model';
import { api } from '../api';
import { onEvents, onReload, type StreamEvent } from '../stream';
import { report } from './messages';
import { once } from './once';

/** The content of the bar of every view. */
export const target = new Signal<TargetState | undefined>(undefined);
export const alerts = new Signal<readonly Alert[]>([]);
export const faults = new Signal<readonly ActiveFault[]>([]);
export const faultKinds = new Signal<readonly FaultKind[]>([]);
export const notes = new Signal<readonly Diagnostic[]>([]);

/** Deliveries that have not ended. */
const open = new Signal<ReadonlyMap<string, DeliveryState>>(new Map());

const OPEN_STATES = ['queued', 'sending', 'retrying'] as const;

/** The alerts that nobody has acknowledged. */
export function unreadAlerts(): readonly Alert[] {
  return alerts.value.filter(({ isAcknowledged }) => !isAcknowledged);
}

/** How many deliveries wait for their turn, are under way, and wait for the next attempt. */
export function queue(): { readonly state: DeliveryState; readonly count: number }[] {
  const states = [...open.value.values()];
  return OPEN_STATES.map((state) => ({ state, count: states.filter((each) => each === state).length }));
}

/** Notes that are shown at a time. */
const NOTES = 3;

const load = once(async () => {
  try {
    const [seen, raised, switched, ...pages] = await Promise.all([
      api.target(),
      api.alerts(),
      api.faults(),
      ...OPEN_STATES.map((outcome) => api.deliveries({ outcome, limit: 1000 })),
    ]);
    target.value = seen;
    alerts.value = raised.alerts;
    faults.value = switched.active;
    faultKinds.value = switched.kinds;
    open.value = new Map(pages.flatMap(({ deliveries }) => deliveries.map(({ id, state }) => [id, state] as const)));
  } catch (error) {
    report(error);
  }
});

/** Shows alerts that were read or raised. */
export function updateAlert(alert: Alert): void {
  const others = alerts.value.filter(({ id }) => id !== alert.id);
  alerts.value = [...others, alert].sort((one, other) => other.at.localeCompare(one.at));
}

/** Removes a note. */
export function dismissNote(note: Diagnostic): void {
  notes.value = notes.value.filter((each) => each !== note);
}

function apply(events: readonly StreamEvent[]): void {
  const states = new Map(open.value);
  for (const { type, data } of events) {
    if (type === 'target') target.value = data;
    else if (type === 'fault') faults.value = data;
    else if (type === 'alert') updateAlert(data);
    else if (type === 'note') notes.value = [...notes.value, data].slice(-NOTES);
    else if (type === 'delivery' && isOpen(data.state)) states.set(data.id, data.state);
    else if (type === 'delivery') states.delete(data.id);
    else if (type === 'removed') for (const id of data.ids) states.delete(id);
  }
  if (events.some(({ type }) => type === 'delivery' || type === 'removed')) open.value = states;
}

function isOpen(state: DeliveryState): boolean {
  return OPEN_STATES.some((each) => each === state);
}

/** Keeps the bar up to date. */
export function followOverview(): void {
  onEvents(apply);
  onReload(load);
}
