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
 * Returns the messages of the compiler for the blocks, each a module, with the settings of this repository.
 *
 * @param files blocks that others import, by the name of the file.
 */
export function typeErrorsOf(
  blocks: readonly string[],
  configFile: string,
  files: Readonly<Record<string, string>> = {},
): string[] {
  const { options } = ts.getParsedCommandLineOfConfigFile(
    configFile,
    { noEmit: true, skipLibCheck: true },
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: () => undefined,
    },
  )!;
  const sources = new Map(blocks.map((code, i) => [fileOf(configFile, `block-${i}`), `${code}\nexport {};`]));
  sources.set(fileOf(configFile, 'prelude'), PRELUDE);
  for (const [name, code] of Object.entries(files)) sources.set(ts.sys.resolvePath(`${configFile}/../${name}`), code);

  const host = ts.createCompilerHost(options);
  host.readFile = (file) => sources.get(file) ?? ts.sys.readFile(file);
  host.fileExists = (file) => sources.has(file) || ts.sys.fileExists(file);
  const program = ts.createProgram([...sources.keys()], options, host);
  return [...sources.keys()].flatMap((file) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(file))
      .map(({ messageText }) => `${file}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`),
  );
}

/** Virtual files beside the configuration, so that names resolve as in the repository. */
function fileOf(configFile: string, name: string): string {
  return ts.sys.resolvePath(`${configFile}/../doc-${name}.ts`);
}
