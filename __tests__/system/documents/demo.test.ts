import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const repository = resolve(__dirname, '../../..');

/** The package built from the current sources, with its demo. */
class Demo {
  readonly #package = mkdtempSync(join(tmpdir(), 'kiket-demo-'));

  constructor() {
    const lib = join(repository, 'lib');
    for (const file of readdirSync(lib, { recursive: true, encoding: 'utf8' })) {
      if (file.endsWith('.ts')) this.#write(join('dist', file.slice(0, -3) + '.js'), transpile(join(lib, file)));
    }
    for (const [from, to] of [
      ['lib/demo/scenario.json', 'dist/demo/scenario.json'],
      ['package.json', 'package.json'],
    ]) {
      cpSync(join(repository, from!), join(this.#package, to!));
    }
    symlinkSync(join(repository, 'node_modules'), join(this.#package, 'node_modules'), 'junction');
  }

  /** Appends to a built file. */
  break(file: string, code: string): void {
    this.#write(file, `${readFileSync(join(this.#package, file), 'utf8')}\n${code}`);
  }

  run(): Promise<{ code: unknown; output: string }> {
    return new Promise((done) => {
      execFile(
        process.execPath,
        ['dist/cli/index.js', 'simulate', '--demo'],
        { cwd: this.#package },
        (error, stdout, stderr) => {
          done({ code: error?.code ?? 0, output: stdout + stderr });
        },
      );
    });
  }

  dispose(): void {
    rmSync(this.#package, { recursive: true, force: true });
  }

  #write(file: string, text: string): void {
    mkdirSync(dirname(join(this.#package, file)), { recursive: true });
    writeFileSync(join(this.#package, file), text);
  }
}

function transpile(file: string): string {
  const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
  });
  return outputText;
}

describe('the demo', () => {
  const RUN_MS = 300_000;
  let demo: Demo;
  beforeEach(() => (demo = new Demo()));
  afterEach(() => demo.dispose());

  it(
    'should show every delivery in an aligned table and exit with 0',
    async () => {
      const { code, output } = await demo.run();
      expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('✓') as unknown });
      expect(output).not.toContain('✗');
      expect(output).toContain('\n20 of 20 rows are as they must be.\n');
      const [heading, , ...lines] = output.split('\n');
      const statusColumn = heading!.indexOf('Status');
      const statuses = lines.slice(0, lines.indexOf('')).map((line) => line.slice(statusColumn).split(/  +/)[0]);
      expect(statuses).toEqual([
        '200',
        '200 deny',
        '401 signature.mismatch',
        '401 signature.stale',
        '401 signature.missing',
        '503 handler.retryable',
        '503 handler.retryable',
        '200',
        '422 handler.final',
        ...Array<string>(6).fill('503 deadline.exceeded'),
        '413 body.too_large',
        '200',
        '429 api.rate_limited',
        '200',
        '422 api.refused',
      ]);
    },
    RUN_MS,
  );

  it.each([
    [
      'what must be refused is accepted',
      'dist/signature/hmac.js',
      'exports.findKey = () => 0;',
      '✗ tampered body: attempts[0] is success 200\n  must be: final 401 signature.mismatch',
    ],
    [
      'a status differs, and with it the number of attempts',
      'dist/errors.js',
      "Object.assign(exports.KIKET_ERRORS, { 'handler.retryable': 422 });",
      '✗ works at third attempt: attempts[2] is none\n  must be: success 200',
    ],
  ])(
    'should exit with 1 when %s',
    async (_case, file, code, complaint) => {
      demo.break(file, code);
      expect(await demo.run()).toMatchObject({ code: 1, output: expect.stringContaining(complaint) as unknown });
    },
    RUN_MS,
  );
});
