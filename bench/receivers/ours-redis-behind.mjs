import { behind } from '../behind.mjs';
import { receivingOnce } from '../receiving-once.mjs';
import { createRedisStore } from '../redis-store.mjs';

export default receivingOnce(behind(createRedisStore()));
