import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseSchedule, SCHEDULE_NAMES } from '../sending/schedule';
import {
  checked,
  integer,
  list,
  oneOf,
  optional,
  readOptions,
  string,
  type OptionTable,
  type OptionValues,
} from '../options';
import { isId, type KiketId } from '../guards';
import { hooksByEvent } from '../simulator/hooks';
import { usageError } from './exit';

/** The settings of a project, in `kiket.json`. */
export const PROJECT_FILE = 'kiket.json';

const CHECK_TABLE = {
  skip: list(string(), { default: [] }),
  baseline: optional(string()),
} satisfies OptionTable<{ skip?: readonly string[] | undefined; baseline?: string | undefined }>;

type CheckSettings = OptionValues<typeof CHECK_TABLE>;

/** Its fields. All are optional. */
export const PROJECT_TABLE = {
  /** For editors. */
  $schema: optional(string()),
  url: optional(string()),
  secretEnv: optional(string()),
  scheme: optional(oneOf('timestamped', 'body')),
  eventVersion: optional(string()),
  events: optional(hooksByEvent),
  project: optional(checked<KiketId>('an id', isId)),
  organization: optional(checked<KiketId>('an id', isId)),
  scopes: optional(list(string(), { default: [] })),
  secretsFile: optional(string()),
  schedule: optional(checked<string>(`${SCHEDULE_NAMES}, or delays such as 30s,1m`, isSchedule)),
  timeoutMs: optional(integer({ min: 1, max: 600_000 })),
  deliveries: optional(string()),
  check: optional({ default: undefined, read: readCheck }),
};

/** The checked content of `kiket.json`. */
export type ProjectFile = OptionValues<typeof PROJECT_TABLE>;

/** Reads `kiket.json` of a directory. @throws {CliError} when it is not JSON, or a field is unknown or invalid. */
export function readProjectFile(directory: string): ProjectFile {
  const file = join(directory, PROJECT_FILE);
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return {} as ProjectFile;
  // Reading a pipe that nobody writes to could not be interrupted.
  if (!stats.isFile()) throw usageError(`${PROJECT_FILE} must be a file, but is a directory or a device`);
  try {
    return readOptions(PROJECT_FILE, JSON.parse(readFileSync(file, 'utf8')) as object, PROJECT_TABLE);
  } catch (error) {
    const { message } = error as Error;
    throw usageError(message.startsWith(PROJECT_FILE) ? message : `${PROJECT_FILE} cannot be read: ${message}`);
  }
}

function readCheck(value: unknown, who: string, name: string): CheckSettings {
  return readOptions(`${who}: ${name}`, value as object, CHECK_TABLE);
}

function isSchedule(value: unknown): boolean {
  return typeof value === 'string' && parseSchedule(value) !== undefined;
}
