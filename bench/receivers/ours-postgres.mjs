import { createPostgresStore } from '../postgres-store.mjs';
import { receivingOnce } from '../receiving-once.mjs';

export default receivingOnce(createPostgresStore().store);
