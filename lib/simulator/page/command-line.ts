import diff from 'microdiff';
import type { DeliveryOptions } from '../local-kiket';

type Payload = Readonly<Record<string, unknown>>;

/** How a payload was edited, as `--set` and `--unset` say it. */
export interface Edits {
  readonly set: Readonly<Record<string, unknown>>;
  readonly unset: readonly string[];
}

/** Returns the edits that make one payload of another; `undefined` when paths cannot name them. */
export function editsBetween(template: Payload, payload: Payload): Edits | undefined {
  const set: Record<string, unknown> = {};
  const unset: string[] = [];
  for (const change of diff(template, payload)) {
    // A dot separates steps. Elements of an array move when one before them is removed.
    const isNamed = change.path.every((step) => step !== '' && !String(step).includes('.'));
    if (!isNamed || (change.type === 'REMOVE' && typeof change.path.at(-1) === 'number')) return undefined;
    const path = change.path.join('.');
    if (change.type === 'REMOVE') unset.push(path);
    else set[path] = change.value;
  }
  return { set, unset };
}

/** A delivery, as far as the command line can say it. */
export interface SentThing {
  readonly to: string;
  readonly event: string;
  readonly edits: Edits | undefined;
  readonly options: DeliveryOptions;
  readonly tamper: string;
}

/** Returns the command that sends the same; a payload that edits cannot name is a file. */
export function commandFor({ to, event, edits, options, tamper }: SentThing): string {
  const parts = ['kiket-express', 'send', edits === undefined ? 'payload.json' : quoted(event), '--to', quoted(to)];
  for (const [path, value] of Object.entries(edits?.set ?? {})) {
    parts.push('--set', quoted(`${path}=${JSON.stringify(value)}`));
  }
  for (const path of edits?.unset ?? []) parts.push('--unset', quoted(path));
  const { scheme, prefix, envelope, eventVersion, projectId, organizationId, invocationId, scopes } = options;
  const offset = options.timestampOffsetSeconds;
  const pairs: readonly (readonly [string, string | number | undefined])[] = [
    ['--scheme', scheme],
    ['--prefix', prefix],
    ['--envelope', envelope],
    ['--event-version', eventVersion],
    ['--project', projectId],
    ['--organization', organizationId],
    ['--invocation', invocationId],
    ['--scopes', scopes?.join(',')],
    ['--timestamp', offset === undefined ? undefined : `${offset < 0 ? '' : '+'}${offset}`],
    ['--headers', options.minimalHeaders === true ? 'minimal' : undefined],
    ...(options.missing ?? []).map((key) => ['--missing', key] as const),
    ['--tamper', tamper],
  ];
  for (const [name, value] of pairs) {
    if (value === undefined || value === '') continue;
    // A value that begins with a dash would be taken for an option.
    if (String(value).startsWith('-')) parts.push(`${name}=${value}`);
    else parts.push(name, quoted(String(value)));
  }
  return parts.join(' ');
}

/** Returns an argument for a POSIX shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./*-]+$/.test(text) && !text.includes('*') ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
