import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { userEnvironment } from './user-environment';

export interface Instruction {
  /** In upper case: `COPY`. */
  readonly name: string;
  readonly value: string;
}

export interface Stage {
  /** The image, with its tag. */
  readonly base: string;
  /** The name that `COPY --from` uses. */
  readonly alias: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** What a container of the last stage would have. */
export interface BuiltImage {
  /** The folder that stands for `/`. */
  readonly root: string;
  /** The folder of `WORKDIR`. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

/** Returns the stages of a Dockerfile, in their order. */
export function stagesOf(dockerfile: string): Stage[] {
  const stages: { base: string; alias: string | undefined; instructions: Instruction[] }[] = [];
  const lines = dockerfile.replaceAll('\\\n', ' ').split('\n');
  for (const line of lines.filter((each) => each.trim() !== '' && !each.startsWith('#'))) {
    const [, name, value] = /^([A-Z]+) +(.+)$/.exec(line)!;
    if (name === 'FROM') {
      const [base, , alias] = value!.split(/ +/);
      stages.push({ base: base!, alias, instructions: [] });
    } else {
      stages.at(-1)!.instructions.push({ name: name!, value: value! });
    }
  }
  return stages;
}

/**
 * Carries out the instructions of a Dockerfile with the programs of this machine. Each stage has a folder that stands for its `/`.
 *
 * @param prepare is called with the folder of each stage, before its first instruction.
 */
export function buildImage(context: string, folder: string, prepare: (root: string) => void): BuiltImage {
  const roots = new Map<string, string>();
  let image!: BuiltImage;
  for (const { alias, instructions } of stagesOf(readFileSync(join(context, 'Dockerfile'), 'utf8'))) {
    const root = mkdtempSync(join(folder, 'stage-'));
    if (alias !== undefined) roots.set(alias, root);
    prepare(root);
    image = carryOut(instructions, root, context, roots);
  }
  return image;
}

function carryOut(
  instructions: readonly Instruction[],
  root: string,
  context: string,
  roots: ReadonlyMap<string, string>,
): BuiltImage {
  let directory = root;
  let command: readonly string[] = [];
  const environment: Record<string, string> = {};
  const inside = (path: string): string => (path.startsWith('/') ? join(root, path) : resolve(directory, path));

  for (const { name, value } of instructions) {
    switch (name) {
      case 'WORKDIR':
        directory = inside(value);
        mkdirSync(directory, { recursive: true });
        break;
      case 'ENV':
        for (const pair of value.split(' ')) environment[pair.split('=')[0]!] = pair.slice(pair.indexOf('=') + 1);
        break;
      case 'COPY':
        copy(value, context, roots, inside);
        break;
      case 'RUN':
        execFileSync('sh', ['-c', value], {
          cwd: directory,
          env: { ...userEnvironment, ...environment },
          stdio: ['ignore', 'ignore', 'inherit'],
        });
        break;
      case 'CMD':
        command = JSON.parse(value) as string[];
        break;
      // They change nothing that a process without a container has.
      case 'USER':
      case 'EXPOSE':
        break;
      default:
        throw new Error(`The instruction ${name} cannot be carried out`);
    }
  }
  return { root, directory, environment, command };
}

function copy(
  value: string,
  context: string,
  roots: ReadonlyMap<string, string>,
  inside: (path: string) => string,
): void {
  const words = value.split(/ +/);
  const stage = words[0]!.startsWith('--from=') ? words.shift()!.slice('--from='.length) : undefined;
  const target = words.pop()!;
  const source = stage === undefined ? context : roots.get(stage)!;
  const ignored = stage === undefined ? ignoredIn(context) : [];
  const files = words.flatMap((pattern) => matching(source, pattern)).filter((file) => !ignored.includes(file));
  if (files.length === 0) throw new Error(`COPY ${value} finds no file`);
  for (const file of files) {
    const to = target.endsWith('/') ? join(target, basename(file)) : target;
    cpSync(join(source, file), inside(to), { recursive: true, verbatimSymlinks: true });
  }
}

function matching(source: string, pattern: string): string[] {
  if (!pattern.includes('*')) return existsSync(join(source, pattern)) ? [pattern] : [];
  const [start, end] = pattern.split('*') as [string, string];
  return readdirSync(source).filter((name) => name.startsWith(start) && name.endsWith(end));
}

function ignoredIn(context: string): string[] {
  const file = join(context, '.dockerignore');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
}
