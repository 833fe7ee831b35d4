// The cost of kiketTransaction, compared with a transaction and a unique key by hand: node transactions.mjs
import { compare } from './compare.mjs';
import { numberedPayload } from './distinct.mjs';
import { readOptions } from './options.mjs';
import { startPostgres } from './postgres.mjs';
import { TRANSACTIONS } from './receivers.mjs';

const options = readOptions(TRANSACTIONS);
const postgres = await startPostgres();
try {
  await compare(options, numberedPayload);
} finally {
  await postgres.close();
}
