// One build: the contract's schema becomes a plain function, so that Ajv is not loaded at run time; then TypeScript.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPage } from './build-page.mjs';

const require = createRequire(import.meta.url);
const { Ajv } = require('ajv');
const { default: standaloneCode } = require('ajv/dist/standalone');
const ts = require('typescript');

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
removeDeclarations();
// For the editors of users.
for (const file of ['cli/kiket.schema.json', 'demo/scenario.json', 'simulator/scenario/scenario.schema.json']) {
  copyFileSync(path(`lib/${file}`), path(`dist/${file}`));
}
await buildPage();
cpSync(path('lib/simulator/assets'), path('dist/simulator/assets'), { recursive: true });
// For clients of the local Kiket, and for its own check of bodies. Without blanks, which are a third of it.
const openapi = JSON.parse(readFileSync(path('lib/simulator/openapi.json'), 'utf8'));
writeFileSync(path('dist/simulator/openapi.json'), JSON.stringify(openapi));

function compile(...options) {
  const args = [require.resolve('typescript/bin/tsc'), '-p', path('tsconfig.build.json'), ...options];
  execFileSync(process.execPath, args, { stdio: 'inherit' });
}

/** Removes the declarations that no entry of the package leads to: they would be an eighth of it. */
function removeDeclarations() {
  const { exports } = JSON.parse(readFileSync(path('package.json'), 'utf8'));
  const needed = new Set();
  const visit = (file) => {
    if (needed.has(file)) return;
    needed.add(file);
    for (const { fileName } of ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles) {
      const target = join(dirname(file), fileName);
      const found = [`${target}.d.ts`, join(target, 'index.d.ts')].find((each) => existsSync(each));
      if (fileName.startsWith('.') && found !== undefined) visit(found);
    }
  };
  for (const { types } of Object.values(exports)) if (types !== undefined) visit(path(types));
  for (const file of readdirSync(path('dist'), { recursive: true })) {
    const whole = join(path('dist'), file);
    if (file.endsWith('.d.ts') && !needed.has(whole)) rmSync(whole);
  }
}
