import type { VNode } from 'preact';
import type { AttemptSummary, DeliverySummary } from '../../model';
import { count } from '../quantities';

/** Dots of a row. */
const MOST = 10;

/** The attempts of a delivery: each kind has a colour and a form, and those that may follow are hollow. */
export function AttemptDots({
  delivery,
}: {
  delivery: Pick<DeliverySummary, 'attempts' | 'retries' | 'state'>;
}): VNode {
  const { attempts, retries, state } = delivery;
  const isOpen = state === 'retrying' || state === 'sending' || state === 'queued';
  const left = isOpen ? Math.max(0, retries + 1 - attempts.length) : 0;
  const kinds = [...attempts.map(({ kind }) => kind), ...new Array<string>(left).fill('left')].slice(0, MOST);
  const hidden = attempts.length + left - kinds.length;
  return (
    <span class="dots" role="img" aria-label={labelOf(attempts)}>
      {kinds.map((kind) => (
        <i class={`dot dot-${kind}`} />
      ))}
      {hidden > 0 && <span class="muted">+{hidden}</span>}
    </span>
  );
}

/** Returns the result of an attempt in a word: its status, or why there is none. */
export function resultOf({ status, failure }: Pick<AttemptSummary, 'status' | 'failure'>): string {
  return status === undefined ? (failure ?? 'no response') : String(status);
}

function labelOf(attempts: readonly AttemptSummary[]): string {
  if (attempts.length === 0) return 'no attempt yet';
  return `${count(attempts.length, 'attempt')}: ${attempts.slice(-MOST).map(resultOf).join(', ')}`;
}
