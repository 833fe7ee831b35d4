import { dirname, resolve } from 'node:path';
import type { Express } from 'express';
import ts from 'typescript';
import type { majors } from './express';

export interface DocTest {
  readonly name: string;
  readonly run: () => Promise<void>;
}

export interface BlockSurroundings {
  /** The modules that the block imports, by name. */
  readonly modules?: Readonly<Record<string, unknown>>;
  /** Receives the exports of the block. */
  readonly exports?: object;
}

/**
 * Runs a block of a document unchanged, with `app` and `secret` as the document defines them, and returns its tests.
 * It loads this package as users do, by name.
 */
export function runBlock(
  code: string,
  app: Express,
  secret: string,
  express: (typeof majors)['Express 5'],
  { modules = {}, exports = {} }: BlockSurroundings = {},
): DocTest[] {
  const tests: DocTest[] = [];
  const known: Readonly<Record<string, unknown>> = { express: { default: express, __esModule: true }, ...modules };
  const scope = {
    exports,
    // Jest maps this package to the sources.
    require: (name: string): unknown => known[name] ?? load(name),
    app,
    secret,
    it: (name: string, run: () => Promise<void>) => tests.push({ name, run }),
  };
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
  });
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const run = new Function(...Object.keys(scope), outputText) as (...values: unknown[]) => void;
  run(...Object.values(scope));
  return tests;
}

function load(name: string): unknown {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require(name);
}

const PRELUDE = `
declare global {
  const app: import('express').Express;
  const secret: string;
}
export {};
`;

/**
 * Returns the messages of the compiler for blocks, with the settings of this repository.
 *
 * @param modules by path. A relative import finds the others.
 */
export function typeErrorsOf(modules: Readonly<Record<string, string>>): string[] {
  const configFile = resolve(__dirname, '../../tsconfig.json');
  const { options } = ts.getParsedCommandLineOfConfigFile(
    configFile,
    { noEmit: true, skipLibCheck: true },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  )!;
  // Virtual files of the repository, so that names resolve as in it.
  const pathOf = (file: string): string => ts.sys.resolvePath(`${configFile}/../documents/${file}`);
  const sources = new Map([[pathOf('prelude.ts'), PRELUDE]]);
  for (const [file, code] of Object.entries(modules)) sources.set(pathOf(file), `${code}\nexport {};`);

  const host = ts.createCompilerHost(options);
  const folders = [...sources.keys()].map((file) => dirname(file));
  host.readFile = (file) => sources.get(file) ?? ts.sys.readFile(file);
  host.fileExists = (file) => sources.has(file) || ts.sys.fileExists(file);
  host.directoryExists = (folder) =>
    folders.some((each) => `${each}/`.startsWith(`${folder}/`)) || ts.sys.directoryExists(folder);
  const program = ts.createProgram([...sources.keys()], options, host);
  return [...sources.keys()].flatMap((file) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(file))
      .map(({ messageText }) => `${file}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`),
  );
}
