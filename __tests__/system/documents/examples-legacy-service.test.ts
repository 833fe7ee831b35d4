import request, { type Agent, type Test } from 'supertest';
import { createApp as createLegacyService, steps, type Step } from '../../../examples/legacy-service';
import { deliver, example, secret } from '../../support/deliver';

// As its package.json says. In this repository Express 4 is installed as `express4`, beside Express 5.
jest.mock('express', () => jest.requireActual<object>('express4'));

describe('examples/legacy-service', () => {
  const hook = (step: Step, payload: object = example, options = {}): Test =>
    deliver(createLegacyService(step, secret), payload, { path: '/hooks/kiket', ...options });
  const adopted = steps.filter((step) => step !== 'untouched');

  it.each(steps)('should receive a delivery as before: %s', async (step) => {
    await hook(step).expect(200, { ok: true, ticket: 'TICKET-4231' });
  });

  const forged = { secret: 'another secret' };

  it.each([
    ['untouched', 200, []],
    ['report-only', 200, ['signature.mismatch']],
    ['verify', 401, []],
    ['parse-and-respond', 401, []],
  ] as const)(
    'should respond to a forged delivery in the step %s with %i, and report %j',
    async (step, status, reported) => {
      const reports: string[] = [];
      const app = createLegacyService(step, secret, (code) => reports.push(code));
      await deliver(app, example, { path: '/hooks/kiket', ...forged }).expect(status);
      expect(reports).toEqual(reported);
    },
  );

  it.each([
    ['untouched', 404],
    ['report-only', 404],
    ['verify', 404],
    ['parse-and-respond', 500],
  ] as const)('should respond to the 404 of another system in the step %s with %i', async (step, status) => {
    await hook(step, { event: 'workflow.sla_status' }).expect(status);
  });

  it.each([
    ['verify', 413],
    ['parse-and-respond', 200],
  ] as const)(
    'should respond to a body over the limit of express.json() in the step %s with %i',
    async (step, status) => {
      await hook(step, { ...example, context: { padding: 'x'.repeat(200_000) } }).expect(status);
    },
  );

  const others: [string, (agent: Agent) => Test][] = [
    ['a route without a session', (agent) => agent.get('/account')],
    ['a login', (agent) => agent.post('/login').send({ user: 'ada' })],
    ['a route with a session', (agent) => agent.get('/account')],
    ['a JSON body', (agent) => agent.post('/orders').send({ item: 'chair' })],
    ['an empty body', (agent) => agent.post('/orders')],
    ['malformed JSON', (agent) => agent.post('/orders').type('json').send('{"item":')],
    ['a body over the limit', (agent) => agent.post('/orders').send({ item: 'x'.repeat(200_000) })],
    ['a form', (agent) => agent.post('/orders').type('form').send('item=chair')],
    ["Kiket's header on a route of one's own", (agent) => agent.post('/orders').set('X-Kiket-Signature', 'x').send({})],
    ['no such route', (agent) => agent.get('/nowhere')],
  ];

  /** The responses of the other routes, requested in order in one session. */
  async function responsesOf(step: Step): Promise<object[]> {
    const agent = request.agent(createLegacyService(step, secret));
    const responses: object[] = [];
    for (const [name, send] of others) {
      const { status, headers, text } = await send(agent);
      const setsCookie = 'set-cookie' in headers;
      responses.push({ name, status, headers: { ...headers, date: '', 'set-cookie': setsCookie }, text });
    }
    return responses;
  }

  it('should have other routes with different responses', async () => {
    const responses = await responsesOf('untouched');
    expect(responses).toMatchObject([401, 200, 200, 201, 201, 400, 413, 201, 201, 404].map((status) => ({ status })));
  });

  it.each(adopted)('should send the same bytes for its other routes as before: %s', async (step) => {
    expect(await responsesOf(step)).toEqual(await responsesOf('untouched'));
  });
});
