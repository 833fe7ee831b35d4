import type { DeliveryState, Diagnostic } from '../model';

/** The meaning of a colour. Words say the same. */
export type Tone = 'good' | 'warning' | 'bad' | 'pending' | 'info' | 'neutral';

/** The colours of states. */
export const STATE_TONES: Readonly<Record<DeliveryState, Tone>> = {
  queued: 'neutral',
  sending: 'info',
  retrying: 'warning',
  completed: 'good',
  denied: 'bad',
  pending: 'pending',
  halted: 'bad',
  failed: 'bad',
  cancelled: 'neutral',
};

/** The colours of diagnostics. */
export const LEVEL_TONES: Readonly<Record<Diagnostic['level'], Tone>> = {
  error: 'bad',
  warning: 'warning',
  hint: 'info',
};
