import { receivingWith } from '../receiving.mjs';
import { requireBuilt } from '../require-built.mjs';

export default receivingWith(requireBuilt('kiket-express'));
