import type { Document as YamlDocument, Node as YamlNode } from 'yaml';
import { parseJson } from '../json';
import { KiketManifestError, type Position } from './manifest-error';
import { loadYaml, type Yaml } from './yaml';

/** Steps from the top of a manifest to a value. */
export type Path = readonly (string | number)[];

/** A parsed file. */
export interface ManifestDocument {
  readonly file: string;
  readonly value: unknown;
  /** Repeated keys, of which `value` has the last. */
  readonly duplicates: readonly Path[];
  /** Returns the position of a value, or of the innermost value around it that the file has. */
  locate(path: Path): Position | undefined;
}

/** @throws {KiketManifestError} when the text is not one document of YAML; for a file name that ends in `.json`, of JSON. */
export function parseDocument(text: string, file: string): ManifestDocument {
  return file.endsWith('.json') ? parseJsonDocument(text, file) : parseYamlDocument(text, file);
}

function parseJsonDocument(text: string, file: string): ManifestDocument {
  try {
    return { file, value: parseJson(text), duplicates: [], locate: () => undefined };
  } catch (error) {
    // The message itself quotes the file, and with it perhaps a secret.
    const offset = /at position (\d+)/.exec((error as Error).message)?.[1];
    const position = offset === undefined ? undefined : positionAt(text, Number(offset));
    throw new KiketManifestError('is not valid JSON', { file, position });
  }
}

function positionAt(text: string, offset: number): Position {
  const lines = text.slice(0, offset).split('\n');
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}

function parseYamlDocument(text: string, file: string): ManifestDocument {
  const yaml = loadYaml();
  try {
    const lines = new yaml.LineCounter();
    // Messages of yaml quote the file, and with it perhaps a secret: only codes and positions are used.
    const options = {
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'error',
      uniqueKeys: false,
      merge: true,
    } as const;
    const document = yaml.parseDocument(text, options);
    const positionOf = (offset: number): Position => {
      const { line, col } = lines.linePos(offset);
      return { line, column: col };
    };
    const [error] = document.errors;
    if (error !== undefined) {
      throw new KiketManifestError(problemOf(error.code), { file, position: positionOf(error.pos[0]) });
    }
    return {
      file,
      value: document.toJS(),
      duplicates: duplicatesIn(yaml, document.contents, []),
      locate: (path) => positionOf(offsetOf(yaml, document, path)),
    };
  } catch (error) {
    throw error instanceof KiketManifestError ? error : new KiketManifestError(problemOfThrown(error), { file });
  }
}

/** Beside invalid YAML, yaml throws for what it cannot expand; the stack limits nesting. */
function problemOfThrown(error: unknown): string {
  if (error instanceof ReferenceError) return 'has unresolved aliases, or too many of them';
  return error instanceof RangeError ? 'is nested too deeply' : 'is not valid YAML';
}

function problemOf(code: string): string {
  if (code === 'TAB_AS_INDENT') return 'is not valid YAML: tabs must not indent it; write spaces';
  if (code === 'BAD_INDENT') return 'is not valid YAML: the indentation is wrong';
  if (code === 'MULTIPLE_DOCS') return 'must be one document, but has several';
  return `is not valid YAML (${code})`;
}

function duplicatesIn(yaml: Yaml, node: unknown, path: Path): Path[] {
  if (yaml.isSeq(node)) return node.items.flatMap((item, i) => duplicatesIn(yaml, item, [...path, i]));
  if (!yaml.isMap(node)) return [];
  const seen = new Set<string>();
  return node.items.flatMap(({ key, value }) => {
    const name = keyName(yaml, key);
    const inside = duplicatesIn(yaml, value, [...path, name]);
    if (seen.has(name)) return [[...path, name], ...inside];
    seen.add(name);
    return inside;
  });
}

function keyName(yaml: Yaml, key: unknown): string {
  return String(yaml.isScalar(key) ? key.value : key);
}

/** Walks the last one of repeated keys, as `toJS` does. */
function offsetOf(yaml: Yaml, document: YamlDocument.Parsed, path: Path): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0] ?? 0;
  for (const step of path) {
    if (yaml.isAlias(node)) node = node.resolve(document);
    if (yaml.isMap(node)) {
      const pair = node.items.findLast(({ key }) => keyName(yaml, key) === step);
      if (pair === undefined) break;
      offset = (pair.key as YamlNode).range?.[0] ?? offset;
      node = pair.value;
    } else if (yaml.isSeq(node)) {
      node = node.items[step as number];
      offset = (node as YamlNode | undefined)?.range?.[0] ?? offset;
    } else break;
  }
  return offset;
}
