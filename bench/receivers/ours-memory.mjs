import { receivingOnce } from '../receiving-once.mjs';
import { requireBuilt } from '../require-built.mjs';

const { KiketMemoryStore } = requireBuilt('kiket-express');

export default receivingOnce(new KiketMemoryStore());
