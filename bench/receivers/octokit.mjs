import { createNodeMiddleware, Webhooks } from '@octokit/webhooks';
import express from 'express';
import { handle } from '../handler.mjs';
import { SECRET } from '../signing.mjs';

const webhooks = new Webhooks({ secret: SECRET });
webhooks.on('issues', ({ payload }) => void handle(payload)); // the middleware itself responds with the string "ok"

const app = express();
app.use(createNodeMiddleware(webhooks, { path: '/kiket' }));

export default app;
