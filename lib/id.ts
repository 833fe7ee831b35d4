const DIGITS = /^[1-9]\d{0,15}$/;

/** Whether a value is what the platform numbers its organizations, projects and issues with. */
export function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** A header that is no positive integer is none. */
export function headerId(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string' || !DIGITS.test(header)) return undefined;
  const id = Number(header);
  return isId(id) ? id : undefined;
}
