/** A position in a file. */
export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** Evidence of a {@link KiketManifestError}. */
interface Evidence {
  readonly file: string | undefined;
  readonly position?: Position | undefined;
  readonly path?: string | undefined;
  readonly cause?: unknown;
}

/** A manifest is missing, unreadable or invalid. A start-up error. The message contains no secrets. */
export class KiketManifestError extends TypeError {
  static {
    this.prototype.name = 'KiketManifestError';
  }

  /** The file; `undefined` when none was found. */
  readonly file: string | undefined;
  /** From 1. `undefined` where it is not known: always for a value in JSON. */
  readonly line: number | undefined;
  /** From 1. */
  readonly column: number | undefined;
  /** The place in the manifest, e.g. `extension.hooks[2].timeout`. */
  readonly path: string | undefined;

  /** @internal */
  constructor(problem: string, { file, position, path, cause }: Evidence) {
    super(located(problem, file, position), cause === undefined ? undefined : { cause });
    this.file = file;
    this.line = position?.line;
    this.column = position?.column;
    this.path = path;
  }
}

/** Returns a message that begins with the place, as compilers write it: `manifest.yaml:3:1: …`. */
export function located(problem: string, file: string | undefined, position: Position | undefined): string {
  if (file === undefined) return problem;
  return `${file}${position === undefined ? '' : `:${position.line}:${position.column}`}: ${problem}`;
}
