import type { VNode } from 'preact';
import type { DeliverySummary, NextAttempt } from '../../model';
import { countdown, duration } from '../quantities';
import { useNow } from '../state/use-now';
import { STATE_TONES } from '../tone';

type Shown = Pick<DeliverySummary, 'state' | 'retries' | 'nextAttempt' | 'alertId'>;

/** How far a delivery has come, in a word. */
export function Outcome({ delivery }: { delivery: Shown }): VNode {
  const { state, nextAttempt, retries, alertId } = delivery;
  return (
    <span class={`outcome tone-${STATE_TONES[state]}`}>
      {state}
      {state === 'retrying' && nextAttempt !== undefined && (
        <>
          {` ${nextAttempt.number - 1}/${retries} `}
          <TimeLeft next={nextAttempt} />
        </>
      )}
      {alertId !== undefined && (
        <>
          {' '}
          <span class="outcome-alert">alert</span>
        </>
      )}
    </span>
  );
}

/** `in 0:12`. */
function TimeLeft({ next }: { next: NextAttempt }): VNode {
  const leftMs = Date.parse(next.at) - useNow();
  return <span class="time-left">{leftMs <= 0 ? 'now' : `in ${countdown(leftMs)}`}</span>;
}

/** The time until the next attempt, here and on the platform: `in 0.5 s, on the platform in 30 s`. */
export function BothTimes({ next }: { next: NextAttempt }): VNode {
  return (
    <>
      <TimeLeft next={next} />
      {next.delayMs === next.platformDelayMs
        ? ', as on the platform'
        : ` (after ${duration(next.delayMs)}), on the platform after ${duration(next.platformDelayMs)}`}
    </>
  );
}
