import { startKeyedSecrets } from '../../support/keyed-secrets';
import { apiOf, EXTENSION_ID, failureOf, start } from './calling';

const SECRETS = `/api/v1/extensions/${EXTENSION_ID}/secrets`;

describe.each([404, 405] as const)('secrets of a server that refuses a POST to their path with %d', (status) => {
  it('should be listed, read and deleted', async () => {
    const server = await startKeyedSecrets(status);
    server.stored.set('A', 'a').set('B', 'b');
    const secrets = apiOf(server).extensionSecrets();
    expect(await secrets.keys()).toEqual(['A', 'B']);
    expect(await secrets.get('A')).toBe('a');
    expect(await secrets.get('C')).toBeUndefined();
    await secrets.delete('A');
    expect(await secrets.keys()).toEqual(['B']);
  });

  it('should be created, then changed', async () => {
    const server = await startKeyedSecrets(status);
    const secrets = apiOf(server).extensionSecrets();
    expect(await secrets.set('A', 'first')).toBeUndefined();
    expect(await secrets.set('A', 'second')).toBeUndefined();
    expect([...server.stored]).toEqual([['A', 'second']]);
    expect(server.requests).toEqual([
      ['POST', `${SECRETS}/A`, { value: 'first' }],
      ['POST', SECRETS, { secret: { key: 'A', value: 'first' } }],
      ['POST', `${SECRETS}/A`, { value: 'second' }],
      ['POST', SECRETS, { secret: { key: 'A', value: 'second' } }],
      ['PATCH', `${SECRETS}/A`, { secret: { value: 'second' } }],
    ]);
  });

  it.each([
    ['a new secret', 'NEW', 'value: is blank'],
    ['an existing one', 'A', 'value: is too short'],
  ])('should fail set with the reason when the value is refused: %s', async (_name, key, reason) => {
    const server = await startKeyedSecrets(status);
    server.stored.set('A', 'a');
    const error = await failureOf(() => apiOf(server).extensionSecrets().set(key, ''));
    expect(error).toMatchObject({ code: 'api.refused', apiStatus: 422, details: [{ reason }] });
    expect([...server.stored]).toEqual([['A', 'a']]);
  });
});

describe('api.extensionSecrets().set', () => {
  it.each([401, 403, 422, 500])('should not be sent in another shape after %d', async (status) => {
    const fake = await start();
    fake.fail({ kind: 'status', status });
    expect((await failureOf(() => apiOf(fake).extensionSecrets().set('A', 'a'))).apiStatus).toBe(status);
    expect(fake.requests).toHaveLength(1);
  });

  it.each([401, 404, 500])('should not change the secret after %d for its creation', async (status) => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 404, on: `POST ${SECRETS}/A` });
    fake.fail({ kind: 'status', status, on: `POST ${SECRETS}` });
    expect((await failureOf(() => apiOf(fake).extensionSecrets().set('A', 'a'))).apiStatus).toBe(status);
    expect(fake.requests).toHaveLength(2);
  });

  it('should fail with the failure of the change', async () => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 404, on: `POST ${SECRETS}/A` });
    fake.fail({ kind: 'status', status: 422, on: `POST ${SECRETS}` });
    fake.fail({ kind: 'status', status: 503, on: `PATCH ${SECRETS}/A` });
    expect((await failureOf(() => apiOf(fake).extensionSecrets().set('A', 'a'))).apiStatus).toBe(503);
  });
});

describe('api.extensionSecrets().keys', () => {
  it.each([[{ keys: ['A'] }], [{ keys: [{ key: 'A' }] }], [['A']], [[{ key: 'A', created_at: 'now' }]]])(
    'should read %j',
    async (body) => {
      const fake = await start();
      fake.fail({ kind: 'status', status: 200, body });
      expect(await apiOf(fake).extensionSecrets().keys()).toEqual(['A']);
    },
  );
});
