// The page of the local Kiket: one script, one style sheet, one document, which ask for nothing else.
import { build } from 'esbuild';
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

/** The packages whose code is in the bundle. Their licences ask for a copy beside it. */
const BUNDLED = ['preact', 'microdiff'];

function licenseOf(name) {
  const folder = path(`node_modules/${name}/`);
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  return `${name}\n\n${readFileSync(folder + file, 'utf8')}`;
}

/** Writes the page to a folder, which is emptied first. */
export async function buildPage(outdir = path('lib/simulator/assets')) {
  rmSync(outdir, { recursive: true, force: true });
  await build({
    entryPoints: { page: path('lib/simulator/page/main.tsx') },
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome115', 'firefox115', 'safari16.4'],
    mainFields: ['module', 'main'],
    // Calls of h() are shorter than those of the runtime that TypeScript checks against, and do the same.
    jsx: 'transform',
    jsxFactory: 'h',
    jsxFragment: 'Fragment',
    inject: [path('lib/simulator/page/jsx.ts')],
    tsconfigRaw: {},
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
  });
  copyFileSync(path('lib/simulator/page/index.html'), `${outdir}/index.html`);
  writeFileSync(`${outdir}/licenses.txt`, BUNDLED.map(licenseOf).join('\n'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPage(process.argv[2]);
