/** The receivers, each in `receivers/<id>.mjs`, with the signature scheme that each expects. */
export const RECEIVERS = [
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
];

/** What the others are compared with. */
export const BASELINE = RECEIVERS.find(({ id }) => id === 'express5');
