import express, { type Express } from 'express';
import { allow, deny, kiket, kiketErrorHandler, kiketHandler, kiketShutdown, pending } from 'kiket-express';

export function createApp(secret: string): Express {
  const app = express();

  app.post(
    '/kiket',
    kiket({ secret }),
    // Must return a decision. Without one the response is 500, because Kiket treats an empty response as approval.
    kiketHandler('workflow.before_transition', ({ payload: { transition, issue } }) => {
      if (transition?.to !== 'done') return allow();
      if (!issue?.assignee) return deny('Assign the issue before it is done.');
      if (issue.approved !== true) return pending('Waiting for an approval.', { data: { issue: issue.id } });
      return allow({ message: 'Assigned and approved.' });
    }),
    kiketErrorHandler(),
  );

  return app;
}

if (require.main === module) {
  const { KIKET_WEBHOOK_SECRET = '', PORT = 3000 } = process.env;
  const server = createApp(KIKET_WEBHOOK_SECRET).listen(Number(PORT), () => {
    console.log('Listening on', server.address());
  });
  process.once('SIGTERM', () => void kiketShutdown(server));
}
