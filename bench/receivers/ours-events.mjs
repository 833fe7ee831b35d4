import express from 'express';
import { handle } from '../handler.mjs';
import { requireBuilt } from '../require-built.mjs';
import { SECRET } from '../signing.mjs';

const { kiket, kiketErrorHandler, kiketEvents } = requireBuilt('kiket-express');

const events = kiketEvents();
for (let i = 0; i < 999; i += 1) events.on(i % 2 ? `acme.event_${i}@v2` : `acme.area_${i}.*`, () => ({ ok: false }));
events.on('workflow.sla_status', { scopes: ['project:27'] }, ({ payload }) => handle(payload));

const app = express();

app.post('/kiket', kiket({ secret: SECRET }), events, kiketErrorHandler());

export default app;
