import type { Command } from 'commander';
import { setAt, unsetAt } from '../sending/edit';
import { usageError } from './exit';
import { collect } from './secrets';

/** Options that change a payload. */
export interface EditOptions {
  readonly set?: readonly string[] | undefined;
  readonly unset?: readonly string[] | undefined;
}

/** Adds the options that change a payload. */
export function addEditOptions(command: Command): Command {
  return command
    .option('--set <path=value>', 'change a value of the payload, e.g. issue.title=\'"x"\'', collect)
    .option('--unset <path>', 'remove a value of the payload', collect);
}

/** Returns the changes that the options ask for; `undefined` for none. */
export function editOf({
  set = [],
  unset = [],
}: EditOptions): ((payload: Record<string, unknown>) => Record<string, unknown>) | undefined {
  if (set.length + unset.length === 0) return undefined;
  return (payload) => unset.reduce(unsetAt, set.reduce(assigned, payload));
}

function assigned(payload: Record<string, unknown>, assignment: string): Record<string, unknown> {
  const [, path, value] = /^([^=]+)=(.*)$/s.exec(assignment) ?? [];
  if (path === undefined) throw usageError(`--set must be a path and a value, but is ${JSON.stringify(assignment)}`);
  return setAt(payload, path, value!);
}

/** Turns the errors of what users have written into wrong usage. */
export function inUsage<T>(who: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) throw usageError(`${who}: ${error.message}`);
    throw error;
  }
}
