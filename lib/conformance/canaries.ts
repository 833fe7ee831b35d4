/** Shorter values occur by chance. */
const SHORTEST = 8;

/** Values that no response and no file may contain. */
export class Canaries {
  /** Every form of a value, and the name of the value. */
  readonly #forms = new Map<string, string>();

  /** @param name for people, e.g. `the runtime token`. */
  add(name: string, value: string): void {
    if (value.length < SHORTEST) return;
    for (const form of formsOf(value)) this.#forms.set(form, name);
  }

  /** Returns the name of the first value that is in a text, in plain or encoded; `undefined` when none is. */
  findIn(text: string): string | undefined {
    for (const [form, name] of this.#forms) if (text.includes(form)) return name;
    return undefined;
  }
}

/** Base64 has three forms, by the position in the text around the value: their common part is looked for. */
function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const encoded = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // The first and the last characters also depend on the neighbours.
    return text.slice(offset === 0 ? 0 : offset + 1, (offset + bytes.length) % 3 === 0 ? undefined : -1);
  });
  const urls = encoded.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
  return [...new Set([value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), ...encoded, ...urls])];
}
