import { kiket, kiketErrorHandler, kiketHandler } from 'kiket-express';
import { deliver, example, secret } from '../../support/deliver';
import { describeMajors } from '../../support/express';

describeMajors('a delivery', (express) => {
  it('should be verified, parsed and handled, and get the response of its handler', async () => {
    const app = express();
    app.post(
      '/kiket',
      kiket({ secret }),
      kiketHandler('workflow.sla_status', ({ payload }) => ({ overdue: payload.metrics?.overdue_minutes })),
      kiketErrorHandler(),
    );
    await deliver(app, example).expect(200, { overdue: 8 });
  });
});
