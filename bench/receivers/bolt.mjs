import bolt from '@slack/bolt';
import { handle } from '../handler.mjs';
import { SECRET } from '../signing.mjs';

const receiver = new bolt.ExpressReceiver({ signingSecret: SECRET, endpoints: '/kiket', bodyLimit: '1mb' });

// Bolt's receiver alone. An App also looks up listeners and tokens, which would be another comparison.
receiver.init({ processEvent: async ({ body, ack }) => ack(handle(body)) });

export default receiver.app;
