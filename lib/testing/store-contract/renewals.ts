import type { ContractPart } from './contract-case';
import { LONG_MS, MEDIUM_MS, requireTime, SHORT_MS } from './periods';

export const RENEWALS: ContractPart = {
  about: 'a claim that was renewed',
  cases: [
    {
      should: 'be held for the new period, with all its keys',
      because: 'A handler may run for longer than the first period: another attempt would run it a second time.',
      async run({ store, elsewhere, keys }) {
        const all = keys(2);
        await store.mustClaim(all, 'a', MEDIUM_MS);
        await store.mustRenew(all, 'a');
        for (const key of all) requireTime(await elsewhere.mustBeHeld([key], 'b'), MEDIUM_MS, LONG_MS);
      },
    },
    {
      should: 'expire after it',
      because: 'The period is counted from the renewal. Added to what was left, it would not end in time.',
      async run({ store, elsewhere, keys }) {
        const all = keys(2);
        await store.mustClaim(all, 'a');
        await store.mustRenew(all, 'a', SHORT_MS);
        await elsewhere.claimOnceFree(all, 'b');
      },
    },
  ],
};
