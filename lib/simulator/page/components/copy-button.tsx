import type { VNode } from 'preact';
import { copy } from '../state/messages';

/** Copies a text. */
export function CopyButton({ text, what }: { text: string; what: string }): VNode {
  return (
    <button type="button" class="small" aria-label={`Copy ${what.toLowerCase()}`} onClick={() => void copy(text, what)}>
      Copy
    </button>
  );
}
