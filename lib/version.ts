// Beside the sources and beside what they are built to.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const manifest = require('../package.json') as { readonly version: string };

/** Of this package. */
export const VERSION = manifest.version;
