import type { Attributes } from '@opentelemetry/api';

/** Attributes without those that are `undefined`, which exporters of metrics would write as a text. */
export function defined(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
