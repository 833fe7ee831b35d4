import { trace } from '@opentelemetry/api';
import { KiketError } from 'kiket-express';
import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger };

/** Returns a JSON log. Each line has the ids of the active span. */
export function createLog(destination?: DestinationStream): Logger {
  const mixin = (): object => {
    const span = trace.getActiveSpan()?.spanContext();
    return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
  };
  return destination === undefined ? pino({ mixin }) : pino({ mixin }, destination);
}

/**
 * Returns the parts of an error that are safe to log: its class, its code and its place in the source. Its message may
 * quote the payload, and its properties may hold a request with its headers; pino would write both of an `err`.
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
