/**
 * The comparisons: receivers, each in `receivers/<id>.mjs`, with the signature scheme that it expects; the id of the
 * baseline; and defaults of the command line.
 */
export const RECEIVING = {
  receivers: [
    { id: 'ours', name: '**kiket-express**', scheme: 'kiket' },
    { id: 'bare', name: 'bare `node:http`, same checks', scheme: 'kiket' },
    { id: 'express5-tuned', name: 'Express 5, one own middleware, plain `res.end`', scheme: 'kiket' },
    { id: 'octokit', name: '@octokit/webhooks', scheme: 'github' },
    { id: 'express4', name: 'hand-written Express 4', scheme: 'kiket' },
    { id: 'line', name: '@line/bot-sdk', scheme: 'line' },
    { id: 'express5-ajv', name: 'hand-written Express 5 + Ajv', scheme: 'kiket' },
    { id: 'express5', name: '**hand-written Express 5**', scheme: 'kiket' },
    { id: 'stripe', name: 'stripe', scheme: 'stripe' },
    { id: 'express5-json-verify', name: '`express.json({ verify })`', scheme: 'kiket' },
    { id: 'standardwebhooks', name: 'standardwebhooks', scheme: 'standardwebhooks' },
    { id: 'svix', name: 'svix', scheme: 'svix' },
    { id: 'bolt', name: "@slack/bolt's ExpressReceiver", scheme: 'slack' },
  ],
  baseline: 'express5',
  sizes: '1,20,450',
  warmup: '1',
};

/** This package, and an earlier commit of it. */
export const BEFORE = {
  receivers: [
    { id: 'ours', name: '**kiket-express**', scheme: 'kiket' },
    { id: 'before', name: '**kiket-express before**', scheme: 'kiket' },
    { id: 'express5', name: '**hand-written Express 5**', scheme: 'kiket' },
  ],
  baseline: 'express5',
  sizes: '1,20,450',
  warmup: '1',
};

export const CALLING_BACK = {
  receivers: [
    { id: 'ours-api', name: '**kiket-express**, `api.rateLimit()`', scheme: 'kiket' },
    { id: 'express5-pool', name: '**hand-written Express 5 with an undici Pool**', scheme: 'kiket' },
    { id: 'express5-axios', name: 'hand-written Express 5, axios anew for each delivery', scheme: 'kiket' },
  ],
  baseline: 'express5-pool',
  sizes: '1,20',
  warmup: '3', // an HTTP client's code takes longer to be compiled, and half as many deliveries a second pass it
};

export const ROUTING = {
  receivers: [
    { id: 'ours-events', name: '**kiketEvents()**, one of 1,000 registrations, with a scope', scheme: 'kiket' },
    { id: 'ours', name: '**kiketHandler()**', scheme: 'kiket' },
  ],
  baseline: 'ours',
  sizes: '1,20',
  warmup: '2',
};

export const TOKENS = {
  receivers: [
    { id: 'ours-token', name: '**kiketRuntimeToken()**', scheme: 'none' },
    { id: 'express5-token', name: "**Express 5 and jose, as the platform's SDK**", scheme: 'none' },
  ],
  baseline: 'express5-token',
  sizes: '1,20',
  warmup: '2',
};

export const ONCE = {
  receivers: [
    { id: 'ours-memory', name: '**kiketIdempotency** with KiketMemoryStore', scheme: 'kiket' },
    { id: 'ours-redis', name: '**kiketIdempotency** with KiketRedisStore', scheme: 'kiket' },
    { id: 'ours-postgres', name: '**kiketIdempotency** with KiketPostgresStore', scheme: 'kiket' },
    { id: 'ours', name: '**without a store**', scheme: 'kiket' },
    { id: 'express5', name: 'hand-written Express 5, without one', scheme: 'kiket' },
  ],
  baseline: 'ours',
  sizes: '1,20',
  warmup: '4', // a store's code, too, takes some thousand deliveries to be compiled
  distinct: true, // the response to a second attempt would come from the store
};

/** A handler that writes one row to PostgreSQL, once for each delivery. */
export const TRANSACTIONS = {
  receivers: [
    { id: 'ours-transaction', name: '**kiketTransaction**', scheme: 'kiket' },
    { id: 'ours-by-hand', name: '**BEGIN, a unique key, COMMIT by hand**', scheme: 'kiket' },
  ],
  baseline: 'ours-by-hand',
  sizes: '1,20',
  warmup: '4',
  distinct: true,
};

export const STORING = {
  receivers: [
    { id: 'ours-memory', name: '**KiketMemoryStore**', scheme: 'kiket' },
    { id: 'ours-forgetful', name: '**store that keeps nothing**', scheme: 'kiket' },
  ],
  baseline: 'ours-forgetful',
  sizes: '1,20',
  warmup: '4',
  distinct: true,
};

/** The cost of recording a response before it is sent. */
export const RECORDING = ['memory', 'redis'].map((store) => ({
  receivers: [
    { id: `ours-${store}`, name: `**records first** (${store})`, scheme: 'kiket' },
    { id: `ours-${store}-behind`, name: `**responds first** (${store})`, scheme: 'kiket' },
  ],
  baseline: `ours-${store}-behind`,
  sizes: '1,20',
  warmup: '4',
  distinct: true,
}));

export const BACKGROUND = {
  receivers: [
    { id: 'ours-enqueue', name: '**kiketEnqueue()**', scheme: 'kiket' },
    { id: 'ours-add', name: "**BullMQ's `add` in a handler**", scheme: 'kiket' },
  ],
  baseline: 'ours-add',
  sizes: '1,20',
  warmup: '2',
  distinct: true, // a delivery that comes again would not be enqueued again
};
