import { createServer } from 'node:http';
import { createKiketApi } from 'kiket-express';
import { kiketShutdown } from 'kiket-express/shutdown';
import { startFake } from '../../support/fake-kiket';
import { until } from '../../support/until';

describe('the connections to the API', () => {
  it('should be closed with the server, and opened anew by a later call', async () => {
    const fake = await startFake({ apiKeys: { ext_key: ['*'] } });
    const api = createKiketApi({ apiKey: 'ext_key', baseUrl: fake.url, allowedOrigins: [fake.url] });
    await api.rateLimit();
    expect(fake.connections).toEqual({ accepted: 1, open: 1 });
    await kiketShutdown(createServer());
    await until(() => fake.connections.open === 0);
    await api.rateLimit();
    expect(fake.connections.accepted).toBe(2);
  });

  it('should not delay the end of kiketShutdown by a call that hangs', async () => {
    const fake = await startFake({ apiKeys: { ext_key: ['*'] } });
    fake.fail({ kind: 'hang' });
    const leave = new AbortController();
    const api = createKiketApi({
      apiKey: 'ext_key',
      baseUrl: fake.url,
      allowedOrigins: [fake.url],
      signal: leave.signal,
    });
    const call = api.rateLimit().catch((error: unknown) => error);
    await until(() => fake.requests.length === 1);
    expect(await kiketShutdown(createServer(), { timeoutMs: 10 })).toEqual({ finished: true, released: 0 });
    leave.abort();
    expect(await call).toBeInstanceOf(Error);
  });
});
