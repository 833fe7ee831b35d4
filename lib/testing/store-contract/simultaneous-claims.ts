import { setTimeout as wait } from 'node:timers/promises';
import type { CheckedStore } from './checked-store';
import type { CaseRun, ContractPart } from './contract-case';
import { fail, show } from './messages';
import { MEDIUM_MS } from './periods';
import { until } from './until';

const TWICE = 'The handler would run twice. Decide and write in one step of the database, not in a read and a write.';

/** Of one delivery. */
const ATTEMPTS = 100;

const DELIVERIES = 40;
const ATTEMPTS_PER_DELIVERY = 5;

/** A delivery, as a service handles it. */
interface Handled {
  readonly key: string;
  readonly response: string;
  running: number;
  hasFailed: boolean;
  successes: number;
}

export const SIMULTANEOUS_CLAIMS: ContractPart = {
  about: 'simultaneous claims',
  cases: [
    {
      should: `succeed for one of ${ATTEMPTS} attempts`,
      because: TWICE,
      async run(of) {
        const keys = of.keys(2);
        requireOne(await claimAll(of, () => keys));
      },
    },
    {
      should: 'succeed for one of the attempts that share one key, and claim no key for the others',
      because: TWICE,
      async run(of) {
        const [shared] = of.keys(1);
        const own = of.keys(ATTEMPTS);
        const states = await claimAll(of, (i) => [own[i]!, shared]);
        requireOne(states);
        for (const [i, key] of own.entries()) {
          if (states[i] === 'claimed') await of.at(i).mustBeHeld([key], 'later');
          else await of.at(i).mustClaim([key], 'later');
        }
      },
    },
    {
      should: 'succeed for one of the attempts that name the same keys in different orders',
      because: 'Databases end one of two transactions that wait for each other. Lock keys in one order: sort a copy.',
      async run(of) {
        const keys = of.keys(4);
        requireOne(await claimAll(of, (i) => [...keys.slice(i % 4), ...keys.slice(0, i % 4)]));
      },
    },
    {
      should: 'run each delivery once, with attempts in any order, some of which fail',
      because: 'This is what a store is for.',
      run: runEachOnce,
    },
  ],
};

/** Returns the states of simultaneous claims, of owners and keys of their own. */
function claimAll(of: CaseRun, keysOf: (i: number) => readonly string[]): Promise<string[]> {
  const claims = Array.from({ length: ATTEMPTS }, (_, i) => of.at(i).claim(keysOf(i), `owner ${i}`));
  return Promise.all(claims).then((results) => results.map(({ state }) => state));
}

function requireOne(states: readonly string[]): void {
  const claimed = states.filter((state) => state === 'claimed').length;
  if (claimed !== 1) fail(`One of ${states.length} claims must resolve to 'claimed', but ${claimed} have.`);
}

/** Each attempt is repeated, as Kiket does, until it gets the response of the delivery. */
async function runEachOnce(of: CaseRun): Promise<void> {
  const deliveries = Array.from({ length: DELIVERIES }, (_, i): Handled => ({
    key: of.keys(1)[0],
    response: `response ${i}`,
    running: 0,
    hasFailed: false,
    successes: 0,
  }));
  let hasFailed = false;
  const attempts = Array.from({ length: DELIVERIES * ATTEMPTS_PER_DELIVERY }, async (_, i) => {
    const delivery = deliveries[i % DELIVERIES]!;
    const keys = [delivery.key, ...of.keys(1)];
    try {
      const isDone = await until(
        async () => hasFailed || (await attempt(of.at(i), keys, `owner ${i}`, delivery)),
        MEDIUM_MS,
      );
      if (!isDone) fail('A delivery must get a response, but has got none.');
    } catch (error) {
      hasFailed = true;
      throw error;
    }
  });
  await Promise.all(attempts);
  const often = deliveries.find(({ successes }) => successes !== 1);
  if (often !== undefined) fail(`A delivery must be handled once, but has been handled ${often.successes} times.`);
}

/** Runs a handler that fails at first. Returns true when the attempt has got its response. */
async function attempt(
  store: CheckedStore,
  keys: readonly string[],
  owner: string,
  delivery: Handled,
): Promise<boolean> {
  const claim = await store.claim(keys, owner);
  if (claim.state === 'recorded' && claim.record !== delivery.response) {
    fail(`A delivery must get ${show(delivery.response)}, but gets ${show(claim.record)} of another one.`);
  }
  if (claim.state !== 'claimed') return claim.state === 'recorded';
  delivery.running += 1;
  if (delivery.running > 1) fail('The handlers of two attempts of one delivery run at the same time.');
  await wait(1);
  delivery.running -= 1;
  if (!delivery.hasFailed) {
    delivery.hasFailed = true;
    await store.release(keys, owner);
    return false;
  }
  delivery.successes += 1;
  await store.mustComplete(keys, owner, delivery.response);
  return true;
}
