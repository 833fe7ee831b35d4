/** Whether a value is an object, and neither null nor an array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Whether a value is what the platform numbers its organizations, projects and issues with. */
export function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

const DIGITS = /^[1-9]\d{0,15}$/;

/** A header that is no positive integer is none. */
export function headerId(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string' || !DIGITS.test(header)) return undefined;
  const id = Number(header);
  return isId(id) ? id : undefined;
}
