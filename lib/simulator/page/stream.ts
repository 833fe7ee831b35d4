import { Signal } from './state/signal';
import type { CheckStep } from '../control/messages';
import type { SimulatorEvent } from '../model';
import { api, isLocked } from './api';

/** A message of the stream, or the progress of a run of the conformance cases. */
export type StreamEvent = SimulatorEvent | { readonly type: 'check'; readonly data: CheckStep };

const TYPES = ['delivery', 'attempt', 'removed', 'alert', 'call', 'issue', 'fault', 'target', 'note', 'check'] as const;

/** How long to wait before a stream that was refused is opened again. */
const RETRY_MS = 2000;

/** True while messages arrive. */
export const isLive = new Signal(false);

type Listener = (events: readonly StreamEvent[]) => void;

const listeners = new Set<Listener>();
const loaders = new Set<() => void>();

let source: EventSource | undefined;
let lastId: number | undefined;
let batch: StreamEvent[] = [];

/** Calls the listener with the messages of each frame; returns a function that ends it. */
export function onEvents(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Calls the function whenever state must be loaded: once the stream is open, and after messages were missed. */
export function onReload(load: () => void): () => void {
  loaders.add(load);
  if (isLive.value) load();
  return () => loaders.delete(load);
}

/** Opens the stream. A hidden tab has none: browsers allow few connections to one server. */
export function connect(): void {
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) close();
    else if (source === undefined) open();
  });
  if (!document.hidden) open();
}

function open(): void {
  const opened = new EventSource('/api/stream');
  source = opened;
  opened.addEventListener('open', () => {
    isLive.value = true;
    lastId = undefined;
    reload();
  });
  opened.addEventListener('error', () => {
    isLive.value = false;
    // The browser connects again by itself, except after a refusal, whose status it does not tell.
    if (opened.readyState === EventSource.CLOSED) void reopen();
  });
  for (const type of TYPES) {
    opened.addEventListener(type, (message: MessageEvent<string>) => {
      receive({ type, data: JSON.parse(message.data) as never }, message.lastEventId);
    });
  }
}

async function reopen(): Promise<void> {
  close();
  await api.target().catch(() => undefined);
  if (isLocked.value) return;
  setTimeout(() => {
    if (source === undefined && !document.hidden) open();
  }, RETRY_MS);
}

function close(): void {
  source?.close();
  source = undefined;
  isLive.value = false;
}

function receive(event: StreamEvent, eventId: string): void {
  // A message without an id of its own, such as the progress of a run, repeats the last one.
  const id = eventId === '' ? undefined : Number(eventId);
  const hasGap = id !== undefined && lastId !== undefined && id !== lastId && id !== lastId + 1;
  lastId = id ?? lastId;
  if (hasGap) reload();
  batch.push(event);
  if (batch.length === 1) requestAnimationFrame(flush);
}

function flush(): void {
  const events = batch;
  batch = [];
  for (const listener of listeners) listener(events);
}

function reload(): void {
  for (const load of loaders) load();
}
