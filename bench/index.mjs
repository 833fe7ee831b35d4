// The cost of a delivery: node index.mjs
import { compare } from './compare.mjs';
import { readOptions } from './options.mjs';
import { payloadOf } from './payload.mjs';
import { RECEIVING } from './receivers.mjs';

await compare(readOptions(RECEIVING), payloadOf);
