import { setImmediate as turn } from 'node:timers/promises';

/**
 * Lets what has been started go on for some turns of the event loop, so that an uncaught error comes while
 * the test still runs: Jest fails the test then.
 */
export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}
