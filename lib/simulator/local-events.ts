import { blueprintOf, type Blueprint } from './blueprint';
import type { Clock } from './clock';
import type { DeliveryRecord } from './delivery-record';
import { InputError } from './local-kiket';
import type { DeliveryOrigin, Diagnostic } from './model';
import { isSubscribed, type Settings } from './settings';

/** The parts that {@link LocalEvents} need. */
export interface EventsParts {
  readonly clock: Clock;
  readonly settings: () => Settings;
  /** @throws {InputError} when too many deliveries are unfinished. */
  readonly deliver: (blueprint: Blueprint, origin: DeliveryOrigin) => DeliveryRecord;
  readonly onNote: (note: Diagnostic) => void;
}

/** Calls that raise events, whose deliveries call again: deeper ones are cut. */
const DEEPEST = 5;

/** Delivers the events that something in the local project causes. */
export class LocalEvents {
  readonly #parts: EventsParts;

  constructor(parts: EventsParts) {
    this.#parts = parts;
  }

  /**
   * Delivers an event. Returns `undefined` when the extension does not subscribe to it, and when it does not raise events.
   *
   * @throws {InputError} when it cannot be delivered.
   */
  raise(event: string, fields: object, origin: DeliveryOrigin): DeliveryRecord | undefined {
    const settings = this.#parts.settings();
    if (!isSubscribed(event, settings) || (origin.depth > 0 && !settings.raisesEvents)) return undefined;
    if (origin.depth > DEEPEST) {
      const text = `${event} was not delivered: ${DEEPEST} calls have led to it, each in the handling of an event that the one before it had caused.`;
      this.#parts.onNote({ level: 'warning', code: 'loop.cut', text });
      throw new InputError(409, 'calls that cause one another were cut');
    }
    return this.#parts.deliver(this.#blueprintOf(event, fields), origin);
  }

  /** As {@link raise}, for an event on which nothing depends: a note says when it cannot be delivered. */
  notify(event: string, fields: object, origin: DeliveryOrigin): void {
    try {
      this.raise(event, fields, origin);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (error.status !== 503) return;
      const text = `${event} was not delivered: ${error.message}.`;
      this.#parts.onNote({ level: 'error', code: 'queue.full', text });
    }
  }

  #blueprintOf(event: string, fields: object): Blueprint {
    const settings = this.#parts.settings();
    const payload =
      settings.envelope === 'contract'
        ? { event, event_version: settings.eventVersion, ...fields }
        : { type: event, createdAt: new Date(this.#parts.clock.now()).toISOString(), data: fields };
    return blueprintOf(
      {
        event,
        payload: JSON.parse(JSON.stringify(payload)) as Record<string, unknown>,
        // Where no hook is known, the extension may not subscribe to it: a refusal must not halt the workflow.
        ...(settings.hooks.length === 0 && { options: { required: false } }),
      },
      settings,
    );
  }
}
