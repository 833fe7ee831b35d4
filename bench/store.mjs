// The cost of KiketMemoryStore itself: node store.mjs
import { compare } from './compare.mjs';
import { numberedPayload } from './distinct.mjs';
import { readOptions } from './options.mjs';
import { STORING } from './receivers.mjs';

await compare(readOptions(STORING), numberedPayload);
