import type { NextFunction, Request, Response } from 'express';
import { kiket, kiketErrorHandler, kiketHandler, kiketParse, kiketVerify } from 'kiket-express';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeMajors } from '../../support/express';

/** A report-only verification that would refuse every delivery. */
const look = (): ReturnType<typeof kiketVerify> => kiketVerify('another secret', { reportOnly: true });

describeMajors('a strict verification behind one that only reports', (express) => {
  it('should have a deadline', async () => {
    const neverResponds = kiketHandler(() => new Promise<object>(() => undefined));
    const app = endpoint(express, [look(), kiket({ secret, deadlineMs: 50 }), neverResponds, kiketErrorHandler()]);
    const response = await deliver(app).expect(503);
    expect(response.body).toMatchObject({ error: { code: 'deadline.exceeded' } });
  });

  it('should give the secrets and scopes that the first had withheld, even when a log has read them', async () => {
    const app = endpoint(express, [
      look(),
      kiketParse(),
      (req: Request, _res: Response, next: NextFunction) => (JSON.stringify(req.kiket), next()),
      kiket({ secret }),
      kiketHandler(({ secrets, auth }) => ({ keys: secrets.keys(), granted: auth.hasScopes('project:27') })),
      kiketErrorHandler(),
    ]);
    await deliver(app).expect(200, { keys: Object.keys(example.secrets), granted: true });
  });

  it('should 500 wiring.missing for a payload that was read before it was verified', async () => {
    const stages = [look(), kiketParse(), kiketVerify(secret), kiketHandler(() => ({})), kiketErrorHandler()];
    const response = await deliver(endpoint(express, stages), { event: 'issue.created', issue: 7 }).expect(500);
    expect(response.body).toMatchObject({ error: { code: 'wiring.missing' } });
    expect(response.text).toContain('kiketParse');
  });
});
