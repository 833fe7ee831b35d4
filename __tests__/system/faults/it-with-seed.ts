import { setTimeout as wait } from 'node:timers/promises';
import { Random } from './random';

/** For a busy machine. On an idle one these tests take seconds. */
const LIMIT_MS = 120_000;

/**
 * A test that makes random choices. When it fails, it prints its seed.
 * `KIKET_SEED=<seed> npx jest __tests__/system/faults` repeats the choices.
 */
export function itWithSeed(name: string, run: (random: Random) => Promise<void>): void {
  it(
    name,
    async () => {
      const { KIKET_SEED } = process.env;
      const seed = KIKET_SEED === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(KIKET_SEED);
      const ended = new AbortController();
      try {
        await Promise.race([run(new Random(seed)), tooLong(ended.signal)]);
      } catch (error) {
        throw withSeed(error, seed);
      } finally {
        ended.abort();
      }
    },
    // The test gives up before Jest does, because only the test prints the seed.
    LIMIT_MS + 10_000,
  );
}

async function tooLong(signal: AbortSignal): Promise<never> {
  await wait(LIMIT_MS, undefined, { signal });
  throw new Error(`It has not ended within ${LIMIT_MS / 1000} s`);
}

function withSeed(error: unknown, seed: number): Error {
  const note = `KIKET_SEED=${seed} makes the same choices again.\n\n`;
  const noted = error instanceof Error ? error : new Error(String(error));
  noted.message = note + noted.message;
  noted.stack = note + (noted.stack ?? '');
  return noted;
}
