import { createServer } from 'node:net';
import { startSimulator, type RunningSimulator, type SimulatorOptions } from '../../../lib/simulator';
import { parseManifest } from '../../../lib/manifest/parse-manifest';
import { acceptsConnections, watchReceiver } from '../../../lib/simulator/probe';
import { closedOrigin, startServer } from '../../support/loopback-server';
import { until } from '../../support/until';

const started: RunningSimulator[] = [];

async function start(options: SimulatorOptions): Promise<RunningSimulator> {
  const kiket = await startSimulator(options);
  started.push(kiket);
  return kiket;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((kiket) => kiket.close()));
});

describe('the state of the receiver', () => {
  it('should be unknown at first, and known after an attempt', async () => {
    const { url } = await startServer((_request, response) => response.writeHead(503).end());
    const kiket = await start({ url, schedule: 'none' });
    expect(kiket.target).toEqual({ url });
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await kiket.deliveries.wait(id, 'settled', 10_000);
    // A response is one, whatever it says.
    expect(kiket.target).toEqual({ url, isUp: true });
  });

  it('should be down after an attempt that was not connected', async () => {
    const url = await closedOrigin();
    const kiket = await start({ url, schedule: 'none' });
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await kiket.deliveries.wait(id, 'settled', 10_000);
    expect(kiket.target).toEqual({ url, isUp: false });
  });
});

describe('watchReceiver', () => {
  it('should tell whether the receiver accepts connections, without a request', async () => {
    const { url, counts } = await startServer((_request, response) => response.end());
    const states: boolean[] = [];
    const stop = watchReceiver({ target: { url }, setTarget: (isUp) => states.push(isUp) });
    await until(() => states.length === 2);
    stop();
    expect(states).toEqual([true, true]);
    expect(counts.requests).toBe(0);
    expect(counts.connections).toBe(2);
  });

  it('should tell nothing after its end', async () => {
    const states: boolean[] = [];
    const stop = watchReceiver({ target: { url: await closedOrigin() }, setTarget: (isUp) => states.push(isUp) });
    stop();
    await acceptsConnections(await closedOrigin());
    expect(states).toEqual([]);
  });

  it('should find a receiver on IPv6 by its address, and by the name of the machine', async () => {
    const server = createServer();
    const isListening = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen({ port: 0, host: '::1' }, () => resolve(true));
    });
    // The machine may have no IPv6.
    if (!isListening) return;
    const { port } = server.address() as { port: number };
    expect(await acceptsConnections(`http://[::1]:${port}/`)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
    expect(await acceptsConnections(`http://[::1]:${port}/`)).toBe(false);
  });
});

describe('the delivery secret of a manifest', () => {
  it('should sign the deliveries, unless an option names another', async () => {
    const { url } = await startServer((_request, response) => response.end());
    const env = { KIKET_WEBHOOK_SECRET: 'the secret of the manifest' };
    const manifest = parseManifest('id: a\ndelivery_secret: env:KIKET_WEBHOOK_SECRET', { path: 'm.yaml', env });
    const view = async (options: Partial<SimulatorOptions>) =>
      (await start({ url, manifest, ...options })).settings.read().deliverySecret;
    expect(await view({})).toEqual({ isSet: true, source: 'manifest' });
    expect(await view({ secret: 'another secret' })).toEqual({ isSet: true, source: 'options' });
    expect(await view({ manifest: undefined })).toMatchObject({ isSet: false });
  });
});
