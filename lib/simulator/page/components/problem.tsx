import type { VNode } from 'preact';
import { Foreign } from './foreign';

/** Why a view cannot show what it should. */
export function Problem({ text, onRetry }: { text: string; onRetry?: () => void }): VNode {
  return (
    <div class="notice tone-bad" role="alert">
      <p>
        <Foreign text={text} />
      </p>
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
