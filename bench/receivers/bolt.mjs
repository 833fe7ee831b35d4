import bolt from '@slack/bolt';
import { handle } from '../handler.mjs';
import { SECRET } from '../signing.mjs';

const receiver = new bolt.ExpressReceiver({ signingSecret: SECRET, endpoints: '/kiket', bodyLimit: '1mb' });

// Bolt's receiver alone: what an App does with an event, looking up listeners and tokens, would be another comparison.
receiver.init({ processEvent: async ({ body, ack }) => ack(handle(body)) });

export default receiver.app;
