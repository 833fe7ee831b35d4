import type { ContractCase, ContractPart } from './contract-case';
import { LONG_MS, MEDIUM_MS, requireTime, SHORT_MS, YEAR_MS } from './periods';
import { withClockAhead } from './process-clock';

/** Of three keys. */
const PLACES = ['first', 'second', 'last'] as const;

const ONE_KEY_IS_ENOUGH = 'Two attempts of a delivery may have one key in common, and the handler would run for both.';

const LEFT_BEHIND = 'Nobody would release the other keys: their deliveries get 503 until the claim expires.';

export const CLAIMS: ContractPart = {
  about: 'a claim',
  cases: [
    {
      should: 'claim all its keys',
      because: ONE_KEY_IS_ENOUGH,
      async run({ store, elsewhere, keys }) {
        const [first, second] = keys(2);
        await store.mustClaim([first, second], 'a');
        for (const taken of [[first], [second], [second, first]]) await elsewhere.mustBeHeld(taken, 'b');
      },
    },
    {
      should: 'accept a single key',
      because: 'Deliveries without an invocation id have one key, and so have runtime tokens.',
      async run({ store, elsewhere, keys }) {
        const single = keys(1);
        await store.mustClaim(single, 'a');
        await elsewhere.mustBeHeld(single, 'b');
      },
    },
    {
      should: 'be found, renewed and completed with its keys in any order',
      because: 'The order of the keys has no meaning, and differs between attempts.',
      async run({ store, elsewhere, keys }) {
        const all = keys(10);
        const backwards = all.toReversed();
        await store.mustClaim(backwards, 'a');
        await elsewhere.mustBeHeld(all, 'b');
        await store.mustRenew(all, 'a');
        await store.mustComplete([...all.slice(5), ...all.slice(0, 5)], 'a', 'response');
        for (const key of all) await elsewhere.mustBeRecorded([key], 'b', 'response');
      },
    },
    {
      should: 'not affect other keys',
      because: 'Different deliveries are handled at the same time.',
      async run({ store, elsewhere, keys }) {
        await store.mustClaim(keys(2), 'a');
        await elsewhere.mustClaim(keys(2), 'b');
      },
    },
    ...PLACES.map((place, i): ContractCase => ({
      should: `claim none of three keys when the ${place} is held`,
      because: LEFT_BEHIND,
      async run({ store, elsewhere, keys }) {
        const all = keys(3);
        await store.mustClaim([all[i]!], 'a');
        await elsewhere.mustBeHeld(all, 'b');
        await store.mustClaim(all.toSpliced(i, 1), 'c');
      },
    })),
    ...PLACES.map((place, i): ContractCase => ({
      should: `claim none of three keys when the ${place} has a record`,
      because: LEFT_BEHIND,
      async run({ store, elsewhere, keys, record }) {
        const all = keys(3);
        await record([all[i]!], 'response');
        await elsewhere.mustBeRecorded(all, 'b', 'response');
        await store.mustClaim(all.toSpliced(i, 1), 'c');
      },
    })),
    {
      should: 'leave the keys that its owner holds as they are when another one is held',
      because: 'A claim that fails changes nothing. The owner would lose a delivery that it is handling.',
      async run({ store, elsewhere, keys }) {
        const [own, foreign] = keys(2);
        await store.mustClaim([own], 'a', MEDIUM_MS);
        await elsewhere.mustClaim([foreign], 'b');
        for (const all of [
          [own, foreign],
          [foreign, own],
        ]) {
          await store.mustBeHeld(all, 'a');
        }
        requireTime(await elsewhere.mustBeHeld([own], 'c'), 0, MEDIUM_MS);
        await store.mustRenew([own], 'a');
      },
    },
    ...[
      { place: 'first', recorded: 0, held: 1 },
      { place: 'last', recorded: 1, held: 0 },
    ].map(({ place, recorded, held }): ContractCase => ({
      should: `find a record before a claim when the ${place} key has the record`,
      because: 'The delivery has been handled: its sender gets the response instead of a 503.',
      async run({ store, elsewhere, keys, record }) {
        const all = keys(2);
        await record([all[recorded]!], 'response');
        await store.mustClaim([all[held]!], 'a');
        await elsewhere.mustBeRecorded(all, 'b', 'response');
      },
    })),
    ...[
      { place: 'first', periods: [LONG_MS, MEDIUM_MS] },
      { place: 'last', periods: [MEDIUM_MS, LONG_MS] },
    ].map(({ place, periods }): ContractCase => ({
      should: `get the time until the last of the claims in the way expires: the ${place} one`,
      because: 'It becomes Retry-After: the next attempt would come too early, or needlessly late.',
      async run({ store, elsewhere, keys }) {
        const all = keys(2);
        for (const [i, key] of all.entries()) await store.mustClaim([key], `a${i}`, periods[i]);
        requireTime(await elsewhere.mustBeHeld(all, 'b'), MEDIUM_MS, LONG_MS);
      },
    })),
    {
      should: 'succeed again for its owner, for as long as the repeated call says',
      because: 'Clients repeat a command after a broken connection, and may have lost the reply of the first.',
      async run({ store, elsewhere, keys }) {
        const all = keys(2);
        await store.mustClaim(all, 'a', MEDIUM_MS);
        await store.mustClaim(all, 'a');
        requireTime(await elsewhere.mustBeHeld(all, 'b'), MEDIUM_MS, LONG_MS);
      },
    },
    {
      should: 'succeed for an owner that holds some of the keys',
      because: 'An attempt whose claim was lost in part claims all keys once more.',
      async run({ store, elsewhere, keys }) {
        const [first, second] = keys(2);
        await store.mustClaim([second], 'a');
        await store.mustClaim([first, second], 'a');
        for (const key of [first, second]) await elsewhere.mustBeHeld([key], 'b');
      },
    },
    {
      should: 'tell owners apart by each of 64 characters, in case, accents and spaces',
      because:
        'Owners are compared byte by byte. In a database that depends on the collation and the type of the column.',
      async run({ store, elsewhere, keys }) {
        const owner = 'a'.repeat(63);
        const all = keys(2);
        await store.mustClaim(all, `${owner}a`);
        for (const other of [`${owner}b`, `${owner}A`, `${owner}\u00e1`, `${owner} `, `${owner}a `, ` ${owner}a`]) {
          await elsewhere.mustBeHeld(all, other);
          await elsewhere.mustNotRenew(all, other);
        }
        await store.mustRenew(all, `${owner}a`);
      },
    },
    {
      should: 'tell keys apart by each of 200 characters, and in case',
      because: 'One delivery would get the response of another. Check the length of the column, and its collation.',
      async run({ store, elsewhere, keys }) {
        const key = keys(1)[0].padEnd(199, 'x');
        await store.mustClaim([`${key}a`], 'a');
        for (const other of [`${key}b`, `${key}A`]) await elsewhere.mustClaim([other], 'b');
        await elsewhere.mustBeHeld([`${key}a`], 'b');
      },
    },
    {
      should: 'accept a key with every printable ASCII character',
      because: 'Keys contain braces, colons and spaces, and are data: never a part of a statement or a pattern.',
      async run({ store, elsewhere, keys }) {
        const printable = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i));
        const all = keys(2).map((key) => `${key}:${printable}:`);
        await store.mustClaim(all, 'a');
        await elsewhere.mustBeHeld([all[1]!], 'b');
        await store.mustComplete(all, 'a', 'response');
        await elsewhere.mustBeRecorded([all[0]!], 'b', 'response');
      },
    },
    {
      should: 'expire, however often others ask for it',
      because: 'The process that holds it may have died: no other attempt would ever run the handler.',
      async run({ store, elsewhere, keys }) {
        const all = keys(2);
        await store.mustClaim(all, 'a', SHORT_MS * 5);
        await elsewhere.claimOnceFree(all, 'b');
      },
    },
    {
      should: 'accept fractions of milliseconds',
      because: 'A third of a period is not always a whole number. Round up: a claim of 0 ms would be none.',
      async run({ store, elsewhere, keys }) {
        const periods = [0.001, 0.5, 1.5, 19.999_999].map(async (ms) => {
          const all = keys(2);
          await store.mustClaim(all, 'a', ms);
          await elsewhere.claimOnceFree(all, 'b');
          await store.mustRenew(all, 'b', ms);
          await elsewhere.claimOnceFree(all, 'c');
          await store.mustComplete(all, 'c', 'response', ms);
          await elsewhere.claimOnceFree(all, 'd');
        });
        await Promise.all(periods);
      },
    },
    {
      should: 'be held for as long as a year',
      because: 'A year has more milliseconds than a 32-bit integer holds, or a timer of Node takes.',
      async run({ store, elsewhere, keys }) {
        const all = keys(2);
        await store.mustClaim(all, 'a', YEAR_MS);
        requireTime(await elsewhere.mustBeHeld(all, 'b'), YEAR_MS - LONG_MS, YEAR_MS);
        await store.mustRenew(all, 'a', YEAR_MS);
        requireTime(await elsewhere.mustBeHeld(all, 'b'), YEAR_MS - LONG_MS, YEAR_MS);
        await store.release(all, 'a');
      },
    },
    {
      should: 'expire by one clock for all replicas',
      because: 'The clocks of machines differ: one that is ahead would take over what another is handling.',
      async run({ store, elsewhere, hasReplicas, keys, record }) {
        // The only process may be the clock, as of a database inside it.
        if (!hasReplicas) return;
        const [held, recorded, brief] = [keys(2), await record(keys(2), 'response'), keys(2)];
        await store.mustClaim(held, 'a');
        await withClockAhead(async () => {
          await elsewhere.mustBeHeld(held, 'b');
          await elsewhere.mustBeRecorded(recorded, 'b', 'response');
          await store.mustClaim(brief, 'a', SHORT_MS);
        });
        await elsewhere.claimOnceFree(brief, 'b');
      },
    },
  ],
};
