import { allow, deny, kiket as receive, kiketErrorHandler, kiketHandler, pending, RetryableError } from 'kiket-express';
import type { KiketMiddleware } from 'kiket-express';
import { startSimulator, type RunningSimulator, type SimulatorOptions } from 'kiket-express/simulator';
import { secret } from '../../support/deliver';
import { describeMajors, describeNewest, type Express } from '../../support/express';
import { closedOrigin, startServer } from '../../support/loopback-server';

const started: RunningSimulator[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((each) => each.close()));
});

async function start(url: string, options: Partial<SimulatorOptions> = {}): Promise<RunningSimulator> {
  const simulator = await startSimulator({ url, secret, speed: 'max', ...options });
  started.push(simulator);
  return simulator;
}

function receiver(express: Express, ...handlers: KiketMiddleware[]): Promise<{ url: string }> {
  const app = express();
  app.set('env', 'test');
  app.post('/kiket', ...handlers, kiketErrorHandler());
  return startServer(app);
}

/** Sends a delivery, and resolves with its end. */
async function ended(simulator: RunningSimulator, input: Parameters<RunningSimulator['deliveries']['send']>[0]) {
  const { id } = simulator.deliveries.send(input);
  await simulator.deliveries.wait(id, 'settled', 20_000);
  return simulator.deliveries.find(id)!;
}

describeMajors('a receiver of this package', (express) => {
  it('should get deliveries with their secrets, and call back with the token of the attempt', async () => {
    const baseUrl = { current: '' };
    const app = express();
    app.post('/kiket', (req, res, next) => receive({ secret, api: { baseUrl: baseUrl.current } })(req, res, next));
    const handler = kiketHandler(async ({ secrets, api }) => {
      const { remaining } = await api.rateLimit();
      return { ok: secrets.get('CRM_TOKEN') === 'value_of_the_crm', remaining };
    });
    app.post('/kiket', handler, kiketErrorHandler());
    const { url } = await startServer(app);
    const simulator = await start(`${url}/kiket`, { secrets: { CRM_TOKEN: 'value_of_the_crm' } });
    baseUrl.current = simulator.apiUrl;
    const { id, state, attempts } = await ended(simulator, { event: 'issue.created' });
    expect([state, attempts[0]!.response!.body]).toEqual(['completed', '{"ok":true,"remaining":599}']);
    expect(simulator.calls.list(id)).toMatchObject([{ method: 'GET', target: '/api/v1/ext/rate_limit', status: 200 }]);
  });

  it.each(['timestamped', 'body'] as const)(
    'should accept the scheme %s, and refuse a tampered delivery',
    async (scheme) => {
      const { url } = await receiver(
        express,
        receive({ secret }),
        kiketHandler(() => undefined),
      );
      const simulator = await start(`${url}/kiket`, { scheme });
      expect((await ended(simulator, { event: 'issue.created' })).state).toBe('completed');
      const { state, attempts } = await ended(simulator, { event: 'issue.created', tamper: 'body-byte' });
      expect(state).toBe('halted');
      expect(attempts[0]).toMatchObject({ status: 401, code: 'signature.mismatch' });
      expect(attempts[0]!.diagnostics[0]).toMatchObject({
        code: 'signature.mismatch',
        text: 'The receiver responded with signature.mismatch. See https://github.com/OWNER/kiket-express/blob/main/docs/reference/errors.md#signaturemismatch',
      });
    },
  );

  it('should be asked again after a retryable error, until it succeeds', async () => {
    let attempts = 0;
    const { url } = await receiver(
      express,
      receive({ secret }),
      kiketHandler(() => {
        if (++attempts < 3) throw new RetryableError('Not yet', { retryAfterSeconds: 1 });
        return { ok: true };
      }),
    );
    const delivery = await ended(await start(`${url}/kiket`), { event: 'issue.created' });
    expect(delivery.attempts.map(({ status, kind }) => `${kind} ${status}`)).toEqual([
      'retryable 503',
      'retryable 503',
      'success 200',
    ]);
  });

  it.each([
    ['allow', () => allow(), 'moved', undefined],
    ['deny', () => deny('Not before the review'), 'denied', 'Not before the review'],
    ['pending', () => pending('Waits for finance'), 'pending', 'Waits for finance'],
    [
      'an error',
      () => {
        throw new Error('Secret details');
      },
      'denied',
      'The transition is cancelled, as by deny.',
    ],
  ])('should decide on transitions: %s', async (_name, decide, outcome, message) => {
    const { url } = await receiver(express, receive({ secret }), kiketHandler(decide));
    const simulator = await start(`${url}/kiket`, { hooks: [{ event: 'workflow.before_transition' }] });
    simulator.issues.add({ id: 7, status: 'open' });
    expect(await simulator.issues.transition(7, 'done')).toMatchObject({ outcome, message });
  });
});

describeNewest('a receiver', (express) => {
  const listener = (status: number, body = ''): ReturnType<typeof startServer> =>
    startServer(express().use((_req, res) => void res.status(status).send(body)));

  it('should be sent to at the endpoint of the hook', async () => {
    const paths: string[] = [];
    const { url } = await startServer(
      express().use((req, res) => {
        paths.push(req.url);
        res.end();
      }),
    );
    const simulator = await start(`${url}/kiket`, {
      hooks: [{ event: 'issue.created', endpoint: '/hooks/created?v=1' }],
    });
    await ended(simulator, { event: 'issue.created' });
    await ended(simulator, { event: 'issue.updated' });
    await ended(simulator, { event: 'issue.updated', options: { endpoint: '/other' } });
    expect(paths).toEqual(['/hooks/created?v=1', '/kiket', '/other']);
  });

  it.each(['//evil.example/x', 'http://evil.example/', 'kiket', '/\\evil.example'])(
    'should not be left for another server: endpoint %s',
    async (endpoint) => {
      const simulator = await start('http://127.0.0.1:9/kiket');
      expect(() => simulator.deliveries.send({ event: 'issue.created', options: { endpoint } })).toThrow(
        /endpoint must be/,
      );
    },
  );

  it('should be explained when it redirects, responds late, without a reason, or does not listen', async () => {
    const { url: redirecting } = await startServer(
      express().use((_req, res) => void res.redirect(307, 'https://elsewhere.example/')),
    );
    const { url: silent } = await startServer(() => {});
    const { url: mute } = await listener(400);
    const { url: busy } = await listener(503, 'busy');
    const { url: lying } = await startServer(express().use((_req, res) => void res.json({ ok: false })));
    const codesAt = async (url: string): Promise<(string | undefined)[]> => {
      const simulator = await start(`${url}/kiket`, { schedule: 'none', timeoutMs: 500 });
      const { attempts } = await ended(simulator, { event: 'issue.created' });
      return [attempts[0]!.failure, ...attempts[0]!.diagnostics.map(({ code }) => code)];
    };
    expect(await codesAt(redirecting)).toEqual([undefined, 'response.redirect']);
    expect(await codesAt(silent)).toEqual(['timeout', 'delivery.timeout']);
    expect(await codesAt(mute)).toEqual([undefined, 'response.empty']);
    expect(await codesAt(busy)).toEqual([undefined, 'response.retry_after']);
    expect(await codesAt(lying)).toEqual([undefined, 'response.says_failure']);
    expect(await codesAt(await closedOrigin())).toEqual(['ECONNREFUSED']);
  });

  it('should get at most 5 attempts at once', async () => {
    let open = 0;
    let most = 0;
    const { url } = await startServer(
      express().use((_req, res) => {
        most = Math.max(most, ++open);
        setTimeout(() => {
          open--;
          res.end();
        }, 5);
      }),
    );
    const simulator = await start(`${url}/kiket`);
    await Promise.all(Array.from({ length: 40 }, () => ended(simulator, { event: 'issue.created' })));
    expect(most).toBe(5);
  });
});
