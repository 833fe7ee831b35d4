import { useEffect, useRef } from 'preact/hooks';
import { onEvents, type StreamEvent } from '../stream';

/** Calls the listener with the messages of each frame while the component is shown. */
export function useEvents(listener: (events: readonly StreamEvent[]) => void): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => onEvents((events) => latest.current(events)), []);
}
