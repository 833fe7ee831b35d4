import type { Probe } from './probe';
import type { CheckSession } from './session';
import type { CheckSeverity } from './severity';

/** The groups, in the order in which they run. */
export const GROUPS = {
  A: 'A genuine delivery is taken',
  B: 'A forgery is refused, once and for all',
  C: 'What is signed but unusable',
  D: 'Time and size',
  E: 'The same delivery again',
  F: 'Guards',
  G: 'Secrets',
  H: 'Calling back',
} as const;

/** The letter of a group. */
export type CheckGroup = keyof typeof GROUPS;

/** One requirement, and how it is checked. */
export interface ConformanceCase {
  /** The letter of its group, and a number: `B6`. */
  readonly id: string;
  /** Of its gravest failure. */
  readonly severity: CheckSeverity;
  /** The section of Kiket's delivery contract, or the name of another rule. */
  readonly section: string;
  /** In one sentence. */
  readonly requirement: string;
  /** Which deliveries are sent, or which responses are looked at. */
  readonly sends: string;
  /** The change that a failing receiver needs. */
  readonly advice: string;
  /** Returns why the case does not apply; `undefined` when it does. */
  readonly inapplicable?: (session: CheckSession) => string | undefined;
  /** Looks at the responses of the whole run, and therefore runs last. Default false. */
  readonly isLast?: boolean;
  /** Sends, and reports failures to `probe`. */
  readonly run: (probe: Probe) => Promise<void> | void;
}

/** Returns the group of a case. */
export function groupOf({ id }: { readonly id: string }): CheckGroup {
  return id[0] as CheckGroup;
}
