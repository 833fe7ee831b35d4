import type { ContractCase, ContractPart } from './contract-case';
import { MEDIUM_MS, MONTH_MS, SHORT_MS } from './periods';
import { until } from './until';

const STRINGS: readonly { readonly what: string; readonly record: string }[] = [
  { what: 'is JSON', record: '{"status":200,"body":"{\\"ok\\":true}"}' },
  { what: 'is empty', record: '' },
  { what: 'has spaces around it', record: '  response \n' },
  { what: 'has letters of every kind', record: 'Grüße, 世界, 🎉, e\u0301, \u2028, \uffff, \r\n, %s, ?, $1, \'"\\' },
  { what: 'has a NUL', record: 'a\u0000b' },
  { what: 'has 128 KB', record: '\\"'.repeat(64 * 1024) },
  { what: 'has 64 KB in UTF-8, in half as many characters', record: 'ä'.repeat(32 * 1024) },
  { what: 'reads like a number', record: '42' },
  { what: 'reads like null', record: 'null' },
  { what: 'reads like a claim', record: 'claim:a' },
  { what: 'reads like a record', record: 'record:response' },
  { what: 'reads like an error', record: '-ERR unknown command' },
];

const OWNERS = ['record:', 'claim:', 'b', '世界 🎉', '{"a":1}', 'a\u0000b', ' a', "a'; --"];

const ANOTHER_RESPONSE = 'The sender of the delivery would get another response, or an error.';

const FORGOTTEN = 'The handler would run again for a delivery that it has handled.';

export const RECORDS: ContractPart = {
  about: 'a record',
  cases: [
    ...STRINGS.map(({ what, record }): ContractCase => ({
      should: `be returned unchanged when it ${what}`,
      because: ANOTHER_RESPONSE,
      async run({ store, elsewhere, keys }) {
        const all = keys(2);
        await store.mustClaim(all, 'a');
        await store.mustComplete(all, 'a', record);
        for (const key of all) await elsewhere.mustBeRecorded([key], 'b', record);
      },
    })),
    ...OWNERS.map((owner): ContractCase => ({
      should: `be written and found by the owner ${JSON.stringify(owner)}`,
      because: 'Owners are any strings: keep them apart from records, and from the parts of a statement.',
      async run({ store, elsewhere, keys }) {
        const all = keys(2);
        await store.mustClaim(all, owner);
        await elsewhere.mustBeHeld(all, 'another');
        await store.mustComplete(all, owner, 'response');
        await store.mustBeRecorded(all, owner, 'response');
      },
    })),
    {
      should: 'expire, however often it is read, and give way to the next one',
      because: 'The store would grow without end, and a delivery without an id could never be sent again.',
      async run({ store, elsewhere, keys, record }) {
        const all = await record(keys(2), 'response', SHORT_MS * 5);
        await elsewhere.claimOnceFree(all, 'b');
        await elsewhere.mustComplete(all, 'b', 'next response');
        await store.mustBeRecorded(all, 'c', 'next response');
      },
    },
    {
      should: 'be kept for its own period, not for that of the claim',
      because: FORGOTTEN,
      async run({ store, elsewhere, keys, pass }) {
        const all = keys(2);
        const lockMs = SHORT_MS * 5;
        // On a busy machine the claim may expire before it is completed.
        await until(async () => {
          await store.mustClaim(all, 'a', lockMs);
          return store.complete(all, 'a', 'response');
        }, MEDIUM_MS);
        await pass(lockMs);
        await elsewhere.mustBeRecorded(all, 'b', 'response');
      },
    },
    {
      should: 'be kept for as long as 30 days',
      because: 'They have more milliseconds than a 32-bit integer holds, or a timer of Node takes.',
      async run({ elsewhere, keys, record, pass }) {
        const all = await record(keys(2), 'response', MONTH_MS);
        await pass(SHORT_MS);
        await elsewhere.mustBeRecorded(all, 'b', 'response');
      },
    },
    {
      should: 'be replaced, shortened or removed neither by its owner nor by another',
      because: 'All attempts of a delivery get the response that the first one got.',
      async run({ store, elsewhere, keys, record, pass }) {
        const all = await record(keys(2), 'response');
        for (const owner of ['recorder', 'b']) {
          await store.mustNotComplete(all, owner, 'another response', SHORT_MS);
          await store.mustNotRenew(all, owner, SHORT_MS);
          await store.release(all, owner);
        }
        await pass(SHORT_MS);
        await elsewhere.mustBeRecorded(all, 'b', 'response');
      },
    },
    {
      should: 'be written to some of the keys while the others are released',
      because: 'An attempt without a response binds its own key to the delivery, and releases that of the delivery.',
      async run({ store, elsewhere, keys }) {
        const [attempt, delivery] = keys(2);
        await store.mustClaim([attempt, delivery], 'a');
        await Promise.all([store.mustComplete([attempt], 'a', 'binding'), store.release([delivery], 'a')]);
        await elsewhere.mustBeRecorded([attempt], 'b', 'binding');
        await elsewhere.mustClaim([delivery], 'b');
      },
    },
  ],
};
