import express from 'express';
import { handle } from './handler.mjs';
import { requireBuilt } from './require-built.mjs';
import { SECRET } from './signing.mjs';

const { kiket, kiketErrorHandler, kiketHandler, kiketIdempotency } = requireBuilt('kiket-express');

/** An application whose handler runs once for each delivery, with `store`. */
export function receivingOnce(store) {
  const app = express();
  app.post(
    '/kiket',
    kiket({ secret: SECRET }),
    kiketIdempotency(store),
    kiketHandler('workflow.sla_status', ({ payload }) => handle(payload)),
    kiketErrorHandler(),
  );
  return app;
}
