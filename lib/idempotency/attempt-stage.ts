import { randomUUID } from 'node:crypto';
import { failDelivery, type Stage } from '../exchange/pipeline';
import { wiringMissingError } from '../exchange/wiring-errors';
import { Attempt, type AttemptSettings } from './attempt';

/** Returns the stage of a middleware that runs each delivery once. */
export function createAttemptStage(who: string, settings: AttemptSettings): Stage {
  // Attempts are numbered, because a UUID for each would take 600 bytes.
  const middlewareId = randomUUID();
  let attempts = 0;

  return (exchange, next) => {
    if (exchange.isPassedOn || exchange.outcomeObserver !== undefined) return next();
    if (exchange.parsed === undefined) return failDelivery(exchange, wiringMissingError(who, 'kiketParse'), next);
    new Attempt(settings, exchange, next, `${middlewareId}:${++attempts}`).start();
  };
}
