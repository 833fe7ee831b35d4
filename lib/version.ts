// Both lib and dist are beside package.json.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const manifest = require('../package.json') as { readonly version: string };

/** The version of this package. */
export const VERSION = manifest.version;
