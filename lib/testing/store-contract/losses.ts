import type { CaseRun, ContractCase, ContractPart } from './contract-case';
import { MEDIUM_MS, requireTime, SHORT_MS } from './periods';

const LATE = 'A process that was frozen or cut off goes on as if it still held the claim. ';

/** Keys whose claim `lost` has lost, and `next` holds. */
async function overtake({ store, elsewhere, keys }: CaseRun): Promise<readonly string[]> {
  const all = keys(2);
  await store.mustClaim(all, 'lost', SHORT_MS);
  await elsewhere.claimOnceFree(all, 'next');
  return all;
}

export const LOSSES: ContractPart = {
  about: 'a claim that was lost',
  cases: [
    {
      should: 'not be renewed',
      because: `${LATE}It would shorten or prolong the claim of another attempt.`,
      async run(of) {
        const all = await overtake(of);
        await of.store.mustNotRenew(all, 'lost', SHORT_MS);
        await of.pass(SHORT_MS);
        await of.store.mustBeHeld(all, 'c');
        await of.elsewhere.mustRenew(all, 'next');
      },
    },
    {
      should: 'not be completed',
      because: `${LATE}Two attempts would get different responses.`,
      async run(of) {
        const all = await overtake(of);
        await of.store.mustNotComplete(all, 'lost', 'late response');
        await of.store.mustBeHeld(all, 'c');
        await of.elsewhere.mustComplete(all, 'next', 'response');
        await of.store.mustNotComplete(all, 'lost', 'late response');
        await of.store.mustBeRecorded(all, 'c', 'response');
      },
    },
    {
      should: 'not release the claim of the next owner',
      because: `${LATE}A third attempt would run the handler while the second one still does.`,
      async run(of) {
        const all = await overtake(of);
        await of.store.release(all, 'lost');
        await of.store.mustBeHeld(all, 'c');
        await of.elsewhere.mustComplete(all, 'next', 'response');
        await of.store.release(all, 'lost');
        await of.store.mustBeRecorded(all, 'c', 'response');
      },
    },
    {
      should: 'stay lost when the next owner has released it',
      because: `${LATE}The next attempt may have ended in another way.`,
      async run(of) {
        const all = await overtake(of);
        await of.elsewhere.release(all, 'next');
        await of.store.mustNotRenew(all, 'lost');
        await of.store.mustNotComplete(all, 'lost', 'late response');
        await of.elsewhere.mustClaim(all, 'c');
      },
    },
    ...['first', 'second'].map((place, lost): ContractCase => ({
      should: `count as lost when only the ${place} key was lost, and not change the other`,
      because: 'A call counts for all its keys or for none: half a record would block the delivery, or answer another.',
      async run({ store, elsewhere, keys }) {
        const all = keys(2);
        const kept = all[1 - lost]!;
        await store.mustClaim([all[lost]!], 'next');
        await store.mustClaim([kept], 'a', MEDIUM_MS);
        await store.mustNotRenew(all, 'a');
        await store.mustNotComplete(all, 'a', 'response');
        requireTime(await elsewhere.mustBeHeld([kept], 'b'), 0, MEDIUM_MS);
        await store.mustComplete([kept], 'a', 'response');
      },
    })),
    {
      should: 'count as lost when it has expired, even if nobody has taken it',
      because: 'Meanwhile another attempt may have taken it, and released it again.',
      async run({ store, elsewhere, keys, pass }) {
        const all = keys(2);
        await store.mustClaim(all, 'a', SHORT_MS);
        await pass(SHORT_MS);
        await store.mustNotRenew(all, 'a');
        await store.mustNotComplete(all, 'a', 'response');
        await elsewhere.mustClaim(all, 'b');
      },
    },
    {
      should: 'count as lost when there never was one',
      because: 'The store may have lost it in a restart: another attempt may be running.',
      async run({ store, elsewhere, keys }) {
        const all = keys(2);
        await store.mustNotRenew(all, 'a');
        await store.mustNotComplete(all, 'a', 'response');
        await elsewhere.mustClaim(all, 'b');
      },
    },
  ],
};
