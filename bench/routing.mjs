// The cost of routing among 1,000 registrations, and of a required scope: node routing.mjs
import { compare } from './compare.mjs';
import { readOptions } from './options.mjs';
import { payloadOf } from './payload.mjs';
import { ROUTING } from './receivers.mjs';

await compare(readOptions(ROUTING), payloadOf);
