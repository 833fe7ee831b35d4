import { writtenForms } from '../redaction';

/** Shorter values occur by chance. */
const SHORTEST = 8;

/** Values that no response and no file may contain. */
export class Canaries {
  /** Every form of a value, and the name of the value. */
  readonly #forms = new Map<string, string>();

  /** @param name for people, e.g. `the runtime token`. */
  add(name: string, value: string): void {
    if (value.length < SHORTEST) return;
    for (const form of writtenForms(value)) this.#forms.set(form, name);
  }

  /** Returns the name of the first value that is in a text, in plain or encoded; `undefined` when none is. */
  findIn(text: string): string | undefined {
    for (const [form, name] of this.#forms) if (text.includes(form)) return name;
    return undefined;
  }
}
