import express, { type Express } from 'express';
import { kiket, kiketErrorHandler, kiketEvents, kiketHealth, kiketShutdown } from 'kiket-express';
import { createHandlers, type Post } from './handlers';

/** @param post writes a line to the team's chat. */
export function createApp(secret: string, post: Post = () => {}): Express {
  const { beforeTransition, created, createdV2, changed, commented, released } = createHandlers(post);

  const events = kiketEvents()
    .on('workflow.before_transition', beforeTransition)
    .on('issue.created', created)
    .on('issue.created@v2', createdV2)
    .on(['issue.assigned', 'issue.status_changed'], changed)
    .on('comment.*', { scopes: ['comments.read'] }, commented)
    .on('acme.release_published', released)
    // The manifest may subscribe to more events than the extension handles.
    .otherwise('ignore');

  const app = express();
  app.get('/health', kiketHealth(events));
  app.post(
    ['/kiket', '/webhooks/:event', '/v/:version/webhooks/:event'],
    kiket({ secret }),
    events,
    kiketErrorHandler(),
  );
  return app;
}

if (require.main === module) {
  const { KIKET_WEBHOOK_SECRET = '', PORT = 3000 } = process.env;
  const server = createApp(KIKET_WEBHOOK_SECRET, console.log).listen(Number(PORT), () => {
    console.log('Listening on', server.address());
  });
  process.once('SIGTERM', () => void kiketShutdown(server));
}
