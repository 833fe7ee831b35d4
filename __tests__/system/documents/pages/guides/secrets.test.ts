import { captureOutput } from '../../../../support/capture-output';
import { addExistingService, codeOf, deliver, describePage, example, forged } from '../../../../support/doc-page';

describePage('docs/guides/secrets.md', {
  'Read a secret of a delivery': async (app) => {
    const delivery = { event: 'a.b', secrets: { CRM_TOKEN: 'canary_of_a_secret' } };
    const authentication = { scopes: ['issues.read'], runtime_token: 'canary_of_a_token' };
    const output = await captureOutput(() =>
      deliver(app, { ...delivery, authentication }).expect(200, { ok: true, region: 'eu', tokenLength: 18 }),
    );
    expect(output).toMatch(/CRM_TOKEN/);
    expect(output).not.toMatch(/canary/);
    expect(codeOf(await deliver(app, delivery).expect(403))).toBe('scope.missing');
    expect(codeOf(await deliver(app, { event: 'a.b', authentication }).expect(422))).toBe('secret.missing');
  },
  'Ask for a missing secret': async (app) => {
    const delivery = { event: 'issue.created', secret_status: { missing: ['CRM_TOKEN'] } };
    await deliver(app, delivery).expect(200, { ok: true, message: 'Please configure CRM_TOKEN.' });
    const supplied = { event: 'issue.created', secrets: { CRM_TOKEN: 'secret' } };
    await deliver(app, supplied).expect(200, { ok: true, characters: 6 });
  },
  'Rotate the delivery secret': async (app) => {
    await deliver(app).expect(200, { event: example.event });
    await deliver(app, example, { secret: process.env.KIKET_PREVIOUS_SECRET! }).expect(200, { event: example.event });
    await deliver(app, example, forged).expect(401);
  },
  'One secret per tenant': async (app, { express }) => {
    const path = '/hooks/acme';
    addExistingService(app, express, path);
    await deliver(app, example, { path }).expect(200);
    await deliver(app, example, { path, secret: 'whsec_previous' }).expect(200);
    await deliver(app, example, { path, ...forged }).expect(401);
    await deliver(app, example, { path: '/hooks/nobody' }).expect(401);
  },
});
