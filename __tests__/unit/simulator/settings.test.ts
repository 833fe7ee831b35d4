import { parseManifest } from 'kiket-express/manifest';
import { readSimulatorOptions, settingsOf, type SimulatorOptions } from '../../../lib/simulator/simulator-options';
import { isSubscribed, routingOf } from '../../../lib/simulator/settings';

const url = 'http://127.0.0.1:9/kiket';

function settings(options: Partial<SimulatorOptions> = {}) {
  return settingsOf(readSimulatorOptions({ url, ...options }));
}

const manifest = parseManifest(
  `model_version: "1.0"
extension:
  id: dev.example
  callback: { url: http://localhost:3000/kiket, timeout: 30000, required: false }
hooks:
  - { event: issue.created, timeout: 5000, retries: 1 }
  - { event: workflow.before_transition, timeout: 8000 }
permissions: ["read:issues"]
`,
  { path: 'manifest.yaml', env: {} },
);

describe('the options of startSimulator', () => {
  it.each([
    [{ url: 'ftp://x' }, 'startSimulator: url must be an HTTP URL'],
    [{ url: undefined }, 'startSimulator: url must be an HTTP URL'],
    [{ secret: '' }, /startSimulator: .*secret/],
    [{ hooks: [{ event: '' }] }, /hooks\[0\].*event must be a non-empty string/],
    [{ hooks: [{ evnt: 'x' }] }, /evnt/],
    [{ schedule: 'soon' }, 'startSimulator: schedule must be a schedule such as "contract" or "30s,1m", or delays'],
    [{ schedule: [-1] }, 'startSimulator: schedule must be'],
    [{ speed: 0 }, 'startSimulator: speed must be a number from 0.001 to 1000000, or "max"'],
    [{ concurrency: 0 }, 'startSimulator: concurrency must be an integer from 1 to 100'],
    [{ timeoutMs: 0 }, 'startSimulator: timeoutMs must be an integer from 1'],
    [{ secrets: { A: 1 } }, /secrets must be an object of strings/],
    [{ stateDirectory: '' }, 'startSimulator: stateDirectory must be a non-empty string'],
    [{ sped: 1 }, 'startSimulator: unknown option "sped". Did you mean "speed"?'],
  ])('should refuse %j', (options, message) => {
    expect(() => settings(options as never)).toThrow(message);
  });

  it('should have the defaults of the platform', () => {
    expect(settings()).toMatchObject({
      target: url,
      hooks: [],
      isRequired: true,
      scheme: 'timestamped',
      envelope: 'contract',
      eventVersion: 'v1',
      scopes: ['*'],
      schedule: 'contract',
      speed: 1,
      concurrency: 5,
      timeoutMs: 10_000,
      honoursRetryAfter: true,
      raisesEvents: true,
    });
  });

  it('should come from the manifest where they are not given', () => {
    const given = settings({ manifest });
    expect(given).toMatchObject({
      extensionId: 'dev.example',
      timeoutMs: 30_000,
      isRequired: false,
      scopes: ['read:issues'],
      hooks: [
        { event: 'issue.created', isRequired: false, isGuard: false, timeoutMs: 5000, retries: 1 },
        { event: 'workflow.before_transition', isGuard: true, timeoutMs: 8000 },
      ],
    });
    expect(settings({ manifest, timeoutMs: 1, scopes: [], hooks: [] })).toMatchObject({
      timeoutMs: 1,
      scopes: [],
      hooks: [],
    });
  });
});

describe('how an event is delivered', () => {
  const hooks = [
    { event: 'issue.*', required: false, retries: 2 },
    { event: 'issue.created', endpoint: '/created', timeoutMs: 7 },
  ];

  it.each([
    ['issue.created', { isGuard: false, isRequired: true, endpoint: '/created', timeoutMs: 7, delays: 5 }],
    ['issue.updated', { isGuard: false, isRequired: false, endpoint: undefined, timeoutMs: 10_000, delays: 2 }],
    ['other', { isGuard: false, isRequired: true, endpoint: undefined, timeoutMs: 10_000, delays: 5 }],
    [undefined, { isGuard: false, isRequired: true, endpoint: undefined, timeoutMs: 10_000, delays: 5 }],
    ['workflow.before_transition', { isGuard: true, isRequired: true, delays: 0 }],
  ])('should be, for %s, %j', (event, { delays, ...expected }) => {
    const routing = routingOf(event, settings({ hooks }));
    expect(routing).toMatchObject(expected);
    expect(routing.delays).toHaveLength(delays);
  });

  it.each([
    ['issue.created', hooks, true],
    ['issue.deleted', hooks, true],
    ['workflow.triggered', hooks, false],
    ['workflow.triggered', [], true],
    ['workflow.before_transition', [{ event: '*' }], false],
    ['workflow.before_transition', [{ event: 'workflow.before_transition' }], true],
  ])('should be subscribed: %s by %j: %s', (event, given, is) => {
    expect(isSubscribed(event, settings({ hooks: given }))).toBe(is);
  });
});
