import { LONG_MS } from './periods';
import type { ContractPart } from './contract-case';

/** For a store whose database cannot be reached. */
export const FAILURES: ContractPart = {
  about: 'a call that fails',
  cases: [
    {
      should: 'reject',
      because: 'The delivery gets 503, and is sent again. With any other result the handler runs twice, or never.',
      async run({ store, keys }) {
        await store.mustReject('claim', keys(2), 'a', LONG_MS);
        await store.mustReject('renew', keys(2), 'a', LONG_MS);
        await store.mustReject('complete', keys(2), 'a', 'response', LONG_MS);
        await store.mustReject('release', keys(2), 'a');
      },
    },
  ],
};
