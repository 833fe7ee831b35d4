// One build: the contract's schema becomes a plain function, so that Ajv is not loaded at run time; then TypeScript.
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { Ajv } = require('ajv');
const { default: standaloneCode } = require('ajv/dist/standalone');

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

const schema = JSON.parse(readFileSync(path('lib/delivery/schema.json'), 'utf8'));
const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, code: { source: true, esm: true } });
const code = standaloneCode(ajv, ajv.compile(schema));
writeFileSync(
  path('lib/delivery/validate-contract.ts'),
  [
    '// Made by scripts/build.mjs from schema.json.',
    '// @ts-nocheck',
    "import type { Validator } from './schema';",
    code.replace('"use strict";', '').replace(/export const validate = (\w+);export default \1;/, ''),
    `export const validateContract: Validator = ${/export default (\w+);/.exec(code)[1]};`,
    '',
  ].join('\n'),
);

rmSync(path('dist'), { recursive: true, force: true });
// Comments are for editors, which read the declarations. In the code they would be a tenth of the package.
compile('--emitDeclarationOnly');
compile('--declaration', 'false', '--removeComments', '--noCheck');
// For the editors of users.
copyFileSync(path('lib/cli/kiket.schema.json'), path('dist/cli/kiket.schema.json'));

function compile(...options) {
  const args = [require.resolve('typescript/bin/tsc'), '-p', path('tsconfig.build.json'), ...options];
  execFileSync(process.execPath, args, { stdio: 'inherit' });
}
