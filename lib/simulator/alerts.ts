import { randomUUID } from 'node:crypto';
import { InputError } from './local-kiket';
import type { Alert } from './model';

/** How many alerts are kept. */
export const MOST_ALERTS = 1000;

/** The alerts of the platform. */
export class Alerts {
  readonly #alerts = new Map<string, Alert>();
  readonly #onChange: (alert: Alert) => void;

  constructor(onChange: (alert: Alert) => void) {
    this.#onChange = onChange;
  }

  /** The newest first. */
  list(): Alert[] {
    return [...this.#alerts.values()].reverse();
  }

  raise(alert: Omit<Alert, 'id' | 'isAcknowledged'>): Alert {
    return this.#change({ ...alert, id: randomUUID(), isAcknowledged: false });
  }

  acknowledge(id: string): Alert {
    const alert = this.#alerts.get(id);
    if (alert === undefined) throw new InputError(404, `there is no alert ${id}`);
    return this.#change({ ...alert, isAcknowledged: true });
  }

  /** Keeps an alert, also one of an earlier run. */
  keep(alert: Alert): void {
    this.#alerts.set(alert.id, alert);
    const [oldest] = this.#alerts.keys();
    if (this.#alerts.size > MOST_ALERTS) this.#alerts.delete(oldest!);
  }

  #change(alert: Alert): Alert {
    this.keep(alert);
    this.#onChange(alert);
    return alert;
  }
}
