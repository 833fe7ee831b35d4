import { Signal } from './signal';

/** A confirmation or an error. */
export interface Message {
  readonly text: string;
  readonly isError: boolean;
}

/** The message that is shown. */
export const message = new Signal<Message | undefined>(undefined);

/** The text that is read to users of screen readers, and not shown. */
export const announcement = new Signal('');

/** How long a confirmation is shown. Errors stay until they are closed. */
const SHOWN_MS = 5000;

let timer: ReturnType<typeof setTimeout> | undefined;

/** Confirms an action. */
export function confirm(text: string): void {
  show({ text, isError: false });
  timer = setTimeout(() => (message.value = undefined), SHOWN_MS);
}

/** Shows an error. */
export function report(error: unknown): void {
  show({ text: error instanceof Error ? error.message : String(error), isError: true });
}

/** Closes the message. */
export function closeMessage(): void {
  clearTimeout(timer);
  message.value = undefined;
}

/** Carries an action out, and shows its error. Returns `undefined` after one. */
export async function attempt<T>(action: Promise<T>, done?: string | ((result: T) => string)): Promise<T | undefined> {
  try {
    const result = await action;
    if (done !== undefined) confirm(typeof done === 'string' ? done : done(result));
    return result;
  } catch (error) {
    report(error);
    return undefined;
  }
}

/** Copies a text to the clipboard. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    confirm(`${what} is copied`);
  } catch {
    report(`The browser does not allow the page to copy. ${what} is: ${text}`);
  }
}

function show(next: Message): void {
  clearTimeout(timer);
  message.value = next;
}
