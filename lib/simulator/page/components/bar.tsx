import type { VNode } from 'preact';
import { isLocked } from '../api';
import { dismissNote, faults, notes, queue, target, unreadAlerts } from '../state/overview';
import { isLive } from '../stream';
import { LEVEL_TONES } from '../tone';
import { Foreign } from './foreign';

/** The state of the whole, on every view. */
export function Bar(): VNode {
  return (
    <header class="bar">
      <a class="brand" href="/">
        Local Kiket
      </a>
      {!isLocked.value && (
        <ul class="bar-state" aria-label="State">
          <Target />
          {!isLive.value && (
            <li>
              <span class="chip tone-warning">reconnecting…</span>
            </li>
          )}
          <Queue />
          {faults.value.length > 0 && (
            <li>
              <a class="chip tone-warning" href="/faults">
                faults: {faults.value.map(({ kind }) => kind).join(', ')}
              </a>
            </li>
          )}
          {unreadAlerts().length > 0 && (
            <li>
              <a class="chip tone-bad" href="/alerts">
                {unreadAlerts().length} unread {unreadAlerts().length === 1 ? 'alert' : 'alerts'}
              </a>
            </li>
          )}
        </ul>
      )}
      {notes.value.map((note) => (
        <p class={`notice row tone-${LEVEL_TONES[note.level]}`}>
          <span>
            <Foreign text={note.text} />
          </span>
          <button type="button" class="small" aria-label="Close the note" onClick={() => dismissNote(note)}>
            Close
          </button>
        </p>
      ))}
    </header>
  );
}

function Target(): VNode | null {
  if (target.value === undefined) return null;
  const { url, isUp } = target.value;
  const [word, kind] = isUp === undefined ? ['not seen yet', 'unknown'] : isUp ? ['up', 'up'] : ['down', 'down'];
  return (
    <li class={`target target-${kind}`}>
      <span class="target-url">
        <Foreign text={url} />
      </span>{' '}
      <span class="target-word">{word}</span>
    </li>
  );
}

function Queue(): VNode {
  const waiting = queue().filter(({ count }) => count > 0);
  return (
    <li class="muted">
      {waiting.length === 0 ? 'queue empty' : waiting.map(({ state, count }) => `${count} ${state}`).join(' · ')}
    </li>
  );
}
