import { trace } from '@opentelemetry/api';
import { ConsoleMetricExporter } from '@opentelemetry/sdk-metrics';
import { ConsoleSpanExporter } from '@opentelemetry/sdk-trace-node';
import express, { type Express } from 'express';
import { kiket, kiketErrorHandler, kiketEvents, kiketHealth } from 'kiket-express';
import { kiketOpenTelemetry } from 'kiket-express/opentelemetry';
import { createLog, describeError, type Logger } from './log';
import { startOpenTelemetry } from './opentelemetry';

export function createApp(secret: string, log: Logger): Express {
  const app = express();

  const events = kiketEvents()
    .on('issue.created', ({ payload }) =>
      // A span of your own becomes a child of the delivery's.
      trace.getTracer('extension').startActiveSpan('assign', (span) => {
        log.info({ issue: payload.issue?.id }, 'Assigned');
        span.end();
        return { ok: true };
      }),
    )
    .on('issue.updated', ({ payload: { issue } }) => {
      if (typeof issue?.points !== 'number') throw new Error(`${issue?.title} has no points`);
      return { ok: true };
    });

  app.get('/health', kiketHealth(events));
  app.post(
    '/kiket',
    kiketOpenTelemetry(),
    kiket({
      secret,
      onCompleted(record) {
        log[record.outcome === 'success' ? 'info' : 'warn'](record, 'Delivery');
      },
    }),
    events,
    kiketErrorHandler({
      onError(error) {
        log.error(describeError(error), 'Failed');
      },
    }),
  );

  return app;
}

if (require.main === module) {
  const { KIKET_WEBHOOK_SECRET = '', PORT = 3000 } = process.env;
  const app = createApp(KIKET_WEBHOOK_SECRET, createLog());
  const telemetry = startOpenTelemetry(new ConsoleSpanExporter(), new ConsoleMetricExporter());
  const server = app.listen(Number(PORT), () => {
    console.log('Listening on', server.address());
  });
  process.once('SIGTERM', () => {
    server.close(() => void telemetry.stop());
  });
}
