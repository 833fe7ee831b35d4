import type { VNode } from 'preact';
import type { AttemptDetail, DeliveryDetail } from '../../../model';
import { resultOf } from '../../components/attempt-dots';
import { Foreign } from '../../components/foreign';
import { BothTimes } from '../../components/outcome';
import { duration, preciseTime } from '../../quantities';

interface Props {
  readonly delivery: DeliveryDetail;
  readonly selected: number | undefined;
  readonly onSelect: (attempt: AttemptDetail) => void;
}

const REASONS: Readonly<Record<AttemptDetail['reason'], string>> = {
  first: 'first',
  retry: 'retry',
  manual: 'by hand',
  duplicate: 'duplicate',
};

/** The attempts in time, here and on the platform, and the next one. */
export function Timeline({ delivery, selected, onSelect }: Props): VNode {
  const { attempts, nextAttempt, state, retries } = delivery;
  const startMs = Date.parse(attempts[0]?.startedAt ?? delivery.createdAt);
  return (
    <section class="timeline" aria-label="Attempts">
      <h2>Attempts</h2>
      <ol>
        {attempts.map((attempt) => (
          <li>
            <button
              type="button"
              class="timeline-attempt"
              aria-pressed={attempt.number === selected}
              onClick={() => onSelect(attempt)}
            >
              <i class={`dot dot-${attempt.kind}`} aria-hidden="true" />
              <span class="strong">
                {attempt.number} · <Foreign text={resultOf(attempt)} />
              </span>
              <span class="muted">
                {REASONS[attempt.reason]} · {duration(attempt.durationMs)}
              </span>
              <Times attempt={attempt} afterMs={Date.parse(attempt.startedAt) - startMs} />
            </button>
          </li>
        ))}
        {nextAttempt !== undefined && (
          <li class="timeline-next">
            <i class="dot dot-left" aria-hidden="true" />
            <span>
              Attempt {nextAttempt.number} of {retries + 1} <BothTimes next={nextAttempt} />
            </span>
          </li>
        )}
        {state === 'sending' && (
          <li class="timeline-next">
            <i class="dot dot-left" aria-hidden="true" />
            <span>Attempt {attempts.length + 1} is under way</span>
          </li>
        )}
      </ol>
    </section>
  );
}

function Times({ attempt, afterMs }: { attempt: AttemptDetail; afterMs: number }): VNode {
  const { startedAt, platformTimeMs, reason } = attempt;
  return (
    <span class="muted timeline-times">
      <time dateTime={startedAt}>{preciseTime(startedAt)}</time>
      {reason !== 'first' && ` · after ${duration(afterMs)}, on the platform ${duration(platformTimeMs)}`}
    </span>
  );
}
