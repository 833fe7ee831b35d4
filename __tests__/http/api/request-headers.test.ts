import { describeNewest } from '../../support/express';
import { example } from '../../support/deliver';
import { apiKey, apiOf, callFrom, credentialsAt, failureOf, RATE_LIMIT, start } from './calling';

describe('the headers of api.request', () => {
  it('should be sent with the call, by their names in lower case', async () => {
    const fake = await start();
    await apiOf(fake).request('GET', RATE_LIMIT, { headers: { 'Idempotency-Key': 'k1', 'X-Trace': 'a b' } });
    expect(credentialsAt(fake)).toEqual([
      [RATE_LIMIT, { 'idempotency-key': 'k1', 'x-trace': 'a b', 'x-kiket-api-key': apiKey }],
    ]);
  });

  it.each(['X-Kiket-API-Key', 'x-kiket-api-key', 'Accept', 'USER-AGENT'])(
    'should not replace one that every call has: %s',
    async (name) => {
      const fake = await start();
      await apiOf(fake).request('GET', RATE_LIMIT, { headers: { [name]: 'other' } });
      expect(fake.requests[0]).toMatchObject({
        status: 200,
        headers: { 'x-kiket-api-key': apiKey, accept: 'application/json', 'user-agent': 'kiket-express' },
      });
    },
  );

  it.each(['Host', 'Connection', 'Content-Length', 'Transfer-Encoding', 'Expect', 'Upgrade', 'Keep-Alive'])(
    'should leave out one of the connection: %s',
    async (name) => {
      const fake = await start();
      await apiOf(fake).request('GET', RATE_LIMIT, { headers: { [name]: 'evil.example' } });
      expect(fake.requests).toMatchObject([{ status: 200 }]);
      expect(Object.values(fake.requests[0]!.headers)).not.toContain('evil.example');
    },
  );

  it.each([
    ['a name with a space', { 'X Trace': 'a' }],
    ['a value with a line break', { 'X-Trace': 'a\r\nX-Kiket-API-Key: b' }],
    ['a value that is undefined', { 'X-Trace': undefined as never }],
  ])('should reject with a TypeError, before anything is sent, for %s', async (_name, headers) => {
    const fake = await start();
    const call = () => apiOf(fake).request('GET', RATE_LIMIT, { headers });
    expect(await failureOf(call)).toMatchObject({ name: 'TypeError' });
    expect(fake.connections.accepted).toBe(0);
  });
});

describeNewest('the headers of delivery.api.request', (express) => {
  it('should not replace the runtime token', async () => {
    const fake = await start();
    const callback = fake.callback();
    const from = { api: { baseUrl: fake.url }, payload: { ...example, ...callback } };
    const headers = { 'x-kiket-runtime-token': 'other' };
    const { status } = await callFrom(express, from, (api) => api.request('GET', RATE_LIMIT, { headers }));
    expect(status).toBe(200);
    expect(fake.requests[0]!.headers['x-kiket-runtime-token']).toBe(callback.authentication.runtime_token);
  });
});
