import type { ContractPart } from './contract-case';

export const RELEASES: ContractPart = {
  about: 'a claim that was released',
  cases: [
    {
      should: 'be free for the next owner',
      because: 'After a retryable error, Kiket sends the delivery again, and its handler must run.',
      async run({ store, elsewhere, keys }) {
        const all = keys(2);
        await store.mustClaim(all, 'a');
        await store.release(all, 'a');
        await elsewhere.mustClaim(all, 'b');
      },
    },
    {
      should: 'free only the keys that its owner holds',
      because: 'The handler of another attempt may be running, and would be run a second time.',
      async run({ store, elsewhere, keys }) {
        const [own, foreign, free] = keys(3);
        await store.mustClaim([own], 'a');
        await elsewhere.mustClaim([foreign], 'b');
        await store.release([foreign, free, own], 'a');
        await elsewhere.mustBeHeld([foreign], 'c');
        await elsewhere.mustClaim([own, free], 'c');
      },
    },
    {
      should: 'be released any number of times, also before the claim',
      because: 'A call whose reply was lost is repeated. kiketHealth releases a key that nobody has claimed.',
      async run({ store, elsewhere, keys }) {
        const all = keys(2);
        await store.release(all, 'a');
        await store.mustClaim(all, 'a');
        await store.release(all, 'a');
        await store.release(all, 'a');
        await elsewhere.mustClaim(all, 'b');
      },
    },
  ],
};
