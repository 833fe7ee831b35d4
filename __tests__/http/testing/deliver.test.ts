import { deny, kiket, kiketErrorHandler, kiketHandler } from 'kiket-express';
import { deliver, signDelivery } from 'kiket-express/testing';
import { secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeNewest } from '../../support/express';
import { closedOrigin, startServer } from '../../support/loopback-server';

/** A receiver that responds with the given statuses in turn; with the last one from then on. */
async function startReceiver(statuses: readonly number[], body: object = {}) {
  const signatures: unknown[] = [];
  const { url } = await startServer((req, res) => {
    const status = statuses[Math.min(signatures.length, statuses.length - 1)]!;
    signatures.push(req.headers['x-kiket-signature']);
    req.resume().on('end', () => res.writeHead(status, { 'X-Reply': 'a', 'x-reply': 'b' }).end(JSON.stringify(body)));
  });
  return { url: `${url}/kiket`, signatures };
}

const signed = (event = 'issue.created') => signDelivery({ event }, { secret });

describeNewest('deliver', (express) => {
  async function startKiket(): Promise<string> {
    const handler = kiketHandler(({ event }) => (event.includes('before') ? deny('Later') : { ok: true }));
    const app = endpoint(express, [kiket({ secret }), handler, kiketErrorHandler()]);
    return `${(await startServer(app)).url}/kiket`;
  }

  it('should resolve to the response, and to what Kiket makes of it', async () => {
    const result = await deliver(await startKiket(), signed());
    const { attempts, ...last } = result;
    expect(last).toMatchObject({
      status: 200,
      body: '{"ok":true}',
      failure: undefined,
      outcome: 'success',
      decision: undefined,
      code: undefined,
      consequence: 'the delivery is complete',
    });
    expect(last.headers['content-type']).toContain('application/json');
    expect(last.durationMs).toBeGreaterThan(0);
    expect(attempts).toEqual([last]);
  });

  it('should have the code of an error', async () => {
    const result = await deliver(new URL(await startKiket()), signDelivery({ event: 'a.b' }, { secret: 'other' }));
    expect(result).toMatchObject({ status: 401, outcome: 'final', code: 'signature.mismatch' });
  });

  it.each([
    ['the header', () => signDelivery({}, { secret, event: 'workflow.before_transition' }), {}],
    ['a header in lower case', () => ({ headers: { 'x-kiket-event': 'before_transition' }, body: '{}' }), {}],
    ['the payload', () => signed('workflow.before_transition'), {}],
    [
      'the payload of the newer envelope',
      () => signDelivery({ id: '1', type: 'before_transition', data: {} }, { secret }),
      {},
    ],
    ['the option', () => signDelivery({}, { secret }), { event: 'workflow.before_transition' }],
  ])('should know a guard by %s', async (_name, create, options) => {
    const { url } = await startReceiver([200], { status: 'deny', message: 'Later' });
    expect(await deliver(url, create(), options)).toMatchObject({
      decision: 'deny',
      consequence: 'the transition is cancelled, and the user sees: Later',
    });
  });

  it('should deliver to a guard of this package', async () => {
    expect(await deliver(await startKiket(), signed('workflow.before_transition'))).toMatchObject({ decision: 'deny' });
  });

  it('should send once unless retries are asked for', async () => {
    const { url, signatures } = await startReceiver([500]);
    expect(await deliver(url, signed())).toMatchObject({ status: 500, outcome: 'retryable' });
    expect(signatures).toHaveLength(1);
  });

  it.each([
    [[503, 429, 200], { retries: [1, 2, 3] }, [503, 429, 200]],
    [[500], { retries: [1, 1] }, [500, 500, 500]],
    [[500, 404], { retries: [1, 1] }, [500, 404]],
    [[500], { retries: 'contract', speed: 1e6 }, [500, 500, 500, 500, 500, 500]],
    [[500], { retries: 'docs', speed: 1e8 }, [500, 500, 500, 500, 500, 500, 500]],
    [[500], { retries: 'fast', speed: 1000 }, [500, 500, 500, 500, 500, 500]],
    [[500], { retries: 'none' }, [500]],
    [[500], { retries: [1], event: 'workflow.before_transition' }, [500]],
  ] as const)('should send again after %j with %j', async (statuses, options, expected) => {
    const { url } = await startReceiver(statuses);
    const { attempts, status } = await deliver(url, signed(), options);
    expect(attempts.map((attempt) => attempt.status)).toEqual(expected);
    expect(status).toBe(expected.at(-1));
  });

  it('should sign each attempt anew when the delivery is a function, and call it once for each', async () => {
    const { url, signatures } = await startReceiver([500]);
    let timestampSeconds = 1_700_000_000;
    const create = jest.fn(() => signDelivery({}, { secret, timestampSeconds: timestampSeconds++ }));
    await deliver(url, create, { retries: [1, 1] });
    expect([create.mock.calls.length, new Set(signatures).size]).toEqual([3, 3]);
    signatures.splice(0);
    await deliver(url, create(), { retries: [1, 1] });
    expect([signatures.length, new Set(signatures).size]).toEqual([3, 1]);
  });

  it('should say that the workflow goes on where the hook is not required', async () => {
    const { url } = await startReceiver([422]);
    expect((await deliver(url, signed(), { required: false })).consequence).toContain('the workflow goes on');
    expect((await deliver(url, signed())).consequence).toContain('halts the workflow');
  });

  it('should have the first of repeated headers, in lower case', async () => {
    const { url } = await startServer((req, res) => {
      req.resume();
      res.writeHead(200, ['X-Reply', 'a', 'x-reply', 'b']).end();
    });
    expect((await deliver(url, signed())).headers['x-reply']).toBe('a');
  });

  it('should resolve when nothing listens, or nothing comes', async () => {
    const nothing = { status: 0, headers: {}, body: '', outcome: 'retryable', code: undefined };
    expect(await deliver(await closedOrigin(), signed())).toMatchObject({
      ...nothing,
      failure: 'nothing listens there',
    });
    const { url } = await startServer((req) => void req.resume());
    const failure = 'no response within 40 ms';
    expect(await deliver(url, signed(), { timeoutMs: 40 })).toMatchObject({ ...nothing, failure });
  });

  it('should send the exact bytes of a Buffer', async () => {
    const chunks: Buffer[] = [];
    const { url } = await startServer((req, res) => {
      req.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => res.end());
    });
    const bytes = Buffer.from([0x7b, 0xe9, 0x7d, 0x0a]);
    await deliver(url, signDelivery(bytes, { secret }));
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });
});
