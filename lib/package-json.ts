import { KIKET_ERRORS } from './errors';

// Both lib and dist are beside package.json.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const manifest = require('../package.json') as { readonly version: string; readonly homepage: string };

/** The version of this package. */
export const VERSION = manifest.version;

/** Returns the address at which a code of this package is explained, or `undefined` for another code. */
export function explanationUrl(code: string): string | undefined {
  if (!Object.hasOwn(KIKET_ERRORS, code)) return undefined;
  const [repository] = manifest.homepage.split('#');
  // The anchor is that of GitHub for a heading.
  return `${repository}/blob/main/docs/reference/errors.md#${code.replace('.', '')}`;
}
