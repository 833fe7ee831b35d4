import { trace } from '@opentelemetry/api';
import { KiketError } from 'kiket-express';
import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger };

/** A log in JSON, each line with the ids of the span in which it is written. */
export function createLog(destination?: DestinationStream): Logger {
  const mixin = (): object => {
    const span = trace.getActiveSpan()?.spanContext();
    return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
  };
  return destination === undefined ? pino({ mixin }) : pino({ mixin }, destination);
}

/**
 * What of an error is safe to log: its class, its code, and where it comes from. Its message may quote the payload, its
 * properties may hold a request with its headers, and pino would write both of an `err`.
 */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return {
    type: error.constructor.name,
    code: KiketError.is(error) ? error.code : undefined,
    at: frames.slice(0, 3).map((line) => line.trim()),
  };
}
