import { receivingOnce } from '../receiving-once.mjs';
import { createRedisStore } from '../redis-store.mjs';

export default receivingOnce(createRedisStore());
