import { createRequire } from 'node:module';
import { join } from 'node:path';
import { receivingWith } from '../receiving.mjs';

const requireBefore = createRequire(join(process.env.KIKET_EXPRESS_BEFORE, 'package.json'));

export default receivingWith(requireBefore('kiket-express'));
