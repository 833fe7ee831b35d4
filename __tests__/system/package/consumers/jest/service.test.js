const { once } = require('node:events');
const express = require('express');
const { KiketError, kiket, kiketErrorHandler, kiketHandler } = require('kiket-express');
const { signDelivery } = require('kiket-express/testing');

const secret = 'whsec_jest';

describe('a service under test', () => {
  let server;
  const thrown = jest.fn();

  beforeAll(async () => {
    const app = express();
    app.post(
      '/kiket',
      kiket({ secret }),
      kiketHandler('workflow.sla_status', ({ secrets }) => ({ length: secrets.require('CHANNEL').length })),
      kiketErrorHandler({ onError: thrown }),
    );
    server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterAll(() => server.close());

  async function deliver(payload) {
    const { body, headers } = signDelivery(payload, { secret });
    const response = await fetch(`http://127.0.0.1:${server.address().port}/kiket`, { method: 'POST', headers, body });
    return { status: response.status, json: await response.json() };
  }

  it('should respond to a delivery', async () => {
    const response = await deliver({ event: 'workflow.sla_status', secrets: { CHANNEL: '#sla' } });
    expect(response).toEqual({ status: 200, json: { length: 4 } });
  });

  it('should know its errors across realms', async () => {
    const { status } = await deliver({ event: 'workflow.sla_status' });
    expect(status).toBe(422);
    expect(thrown.mock.calls[0][0]).toBeInstanceOf(KiketError);
    expect(thrown.mock.calls[0][0]).toMatchObject({ code: 'secret.missing', missing: ['CHANNEL'] });
  });
});
