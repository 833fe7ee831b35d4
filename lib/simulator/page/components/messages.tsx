import type { VNode } from 'preact';
import { announcement, closeMessage, message } from '../state/messages';
import type { Tone } from '../tone';
import { Foreign } from './foreign';

/** Confirmations, errors, and what screen readers are told. The regions exist before they have content. */
export function Messages(): VNode {
  const shown = message.value;
  return (
    <div class="messages">
      <div role="status" class="visually-hidden">
        {announcement.value || null}
      </div>
      <div role="status">{shown !== undefined && !shown.isError && <Shown text={shown.text} tone="good" />}</div>
      <div role="alert">{shown?.isError === true && <Shown text={shown.text} tone="bad" />}</div>
    </div>
  );
}

function Shown({ text, tone }: { text: string; tone: Tone }): VNode {
  return (
    <div class={`message tone-${tone}`}>
      <p>
        <Foreign text={text} />
      </p>
      <button type="button" class="small" aria-label="Close the message" onClick={closeMessage}>
        Close
      </button>
    </div>
  );
}
