/** A header as one text. Adapters of other platforms give arrays, also of one value, where Node gives a text. */
export function headerText(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' ? value : undefined;
}
