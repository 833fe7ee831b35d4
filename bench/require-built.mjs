import { createRequire } from 'node:module';

/** Takes `kiket-express` from the repository's own build, through its `exports`, as an installed copy would be. */
export const requireBuilt = createRequire(new URL('../package.json', import.meta.url));
