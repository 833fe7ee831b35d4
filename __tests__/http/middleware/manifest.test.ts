import { inspect } from 'node:util';
import {
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  kiketParse,
  kiketVerify,
  type KiketDelivery,
  type KiketManifestOptions,
  type KiketMiddleware,
} from 'kiket-express';
import { parseManifest, type KiketManifest } from 'kiket-express/manifest';
import { deliver, secret } from '../../support/deliver';
import { startFake } from '../../support/fake-kiket';
import { describeNewest, type Express } from '../../support/express';
import { warningsOf } from '../../support/warnings';

const env = {
  KIKET_WEBHOOK_SECRET: secret,
  KIKET_SECRET_CRM_TOKEN: 'canary_of_crm',
  KIKET_SECRET_MAIL: 'canary_of_mail',
};

function manifestOf(lines: readonly string[], of: Record<string, string> = env): KiketManifest {
  const text = ['extension:', ...lines.map((line) => `  ${line}`)].join('\n');
  return parseManifest(text, { path: 'extension.yaml', env: of });
}

const lines = [
  'id: dev.acme.crm',
  'callback: { secret: env:KIKET_WEBHOOK_SECRET, timeout: 30000 }',
  'hooks:',
  '  - { event: workflow.before_transition, timeout: 8000 }',
  '  - { event: issue.created, timeout: 5000 }',
  'contributes: { commands: [{ command: crm.sync, handler: { type: extension_event, event: crm.sync } }] }',
  'configuration:',
  '  RETRIES: { type: integer, default: "3" }',
  '  CRM_TOKEN: { secret: true }',
  '  MAIL: { secret: true }',
];
const manifest = manifestOf(lines);

describeNewest('a manifest', (express: Express) => {
  function serving(...middlewares: KiketMiddleware[]) {
    const app = express();
    app.set('env', 'test');
    app.post('/kiket', ...middlewares, kiketErrorHandler());
    return app;
  }

  /** What a handler sees, as JSON. */
  const seen = kiketHandler(({ settings, secrets }) => ({
    settings,
    secrets: ['CRM_TOKEN', 'MAIL'].map((key) => secrets.get(key) ?? null),
  }));
  const both = { settings: { RETRIES: 3 }, secrets: ['canary_of_crm', 'canary_of_mail'] };

  it('should give the client of the API its id, unless the option names another', async () => {
    const fake = await startFake({ apiKeys: { ext_a: ['*'] } });
    const log = kiketHandler(({ api }) => api.logEvent('asked'));
    const api = { apiKey: 'ext_a', baseUrl: fake.url };
    await deliver(serving(kiket({ manifest, api }), log)).expect(200);
    await deliver(serving(kiket({ manifest, api: { ...api, extensionId: 'other' } }), log)).expect(200);
    expect(fake.requests.map(({ path }) => path)).toEqual([
      '/api/v1/extensions/dev.acme.crm/events',
      '/api/v1/extensions/other/events',
    ]);
  });

  it('should give kiket() the secret, the settings and the fallback secrets', async () => {
    const app = serving(kiket({ manifest }), seen);
    await deliver(app).expect(200, both);
    await deliver(app, undefined, { secret: 'whsec_of_another' }).expect(401);
  });

  it.each<[string, Omit<KiketManifestOptions, 'manifest'>, object]>([
    ['one fallback secret', { fallbackSecrets: { MAIL: 'given' } }, { ...both, secrets: ['canary_of_crm', 'given'] }],
    ['a fallback secret that is undefined', { fallbackSecrets: { MAIL: undefined } }, both],
  ])('should be replaced by options: %s', async (_name, options, expected) => {
    await deliver(serving(kiket({ manifest, ...options }), seen)).expect(200, expected);
  });

  it('should be replaced by the option secret', async () => {
    const app = serving(kiket({ manifest, secret: 'whsec_given' }), seen);
    await deliver(app, undefined, { secret: 'whsec_given' }).expect(200);
    await deliver(app).expect(401);
  });

  it('should be passed over by a secret of the delivery', async () => {
    const app = serving(kiket({ manifest }), seen);
    await deliver(app, { event: 'a.b', secrets: { MAIL: 'sent' } }).expect(200, {
      ...both,
      secrets: ['canary_of_crm', 'sent'],
    });
  });

  it('should give kiketParse the settings and the fallback secrets', async () => {
    await deliver(serving(kiketVerify(manifest.secret!), kiketParse({ manifest }), seen)).expect(200, both);
  });

  it('should not be needed: settings are then empty', async () => {
    await deliver(serving(kiket({ secret }), seen)).expect(200, { settings: {}, secrets: [null, null] });
  });

  it('should not be printed with a delivery', async () => {
    let printed = '';
    const print = (delivery: KiketDelivery) =>
      void (printed = inspect(delivery, { depth: 9 }) + JSON.stringify(delivery));
    await deliver(serving(kiket({ manifest }), kiketHandler(print))).expect(200);
    expect(printed).toContain('workflow.sla_status');
    expect(printed).not.toContain('canary');
  });

  it.each<[string, Omit<KiketManifestOptions, 'manifest'>, number]>([
    ['nine tenths of the time-out of its hook', {}, 4500],
    ['that of the option', { deadlineMs: 8500 }, 8500],
  ])('should set the deadline: %s', async (_name, options, deadlineMs) => {
    const setTimer = jest.spyOn(globalThis, 'setTimeout');
    try {
      await deliver(serving(kiket({ manifest, ...options }), seen), { event: 'issue.created' }).expect(200);
      const delays = setTimer.mock.calls.map(([, delay]) => delay!);
      expect(delays.filter((delay) => delay > deadlineMs - 1000 && delay <= deadlineMs)).toHaveLength(1);
    } finally {
      setTimer.mockRestore();
    }
  });

  it.each<[string, KiketManifest, string]>([
    [
      'its variable is unset',
      manifestOf(lines, {}),
      'names the environment variable KIKET_WEBHOOK_SECRET, which is unset or empty',
    ],
    [
      'it names none',
      manifestOf(['id: a']),
      'names none (generation M3); name one there, or pass secret beside manifest',
    ],
    [
      'its generation has none',
      parseManifest('apiVersion: kiket.dev/v1\nmetadata: { key: a }', { path: 'extension.yaml', env }),
      'names none: extensions of this generation (M5) receive no deliveries',
    ],
  ])('should be rejected at start-up without a secret: %s', (_name, given, problem) => {
    expect(() => kiket({ manifest: given })).toThrow(
      new TypeError(`kiket: secret must be given, or named in the manifest, but extension.yaml ${problem}`),
    );
    expect(() => kiket({ manifest: given, secret })).not.toThrow();
  });
});

describe('a copy of a manifest, which lacks its secrets', () => {
  it.each<[string, (given: never) => unknown]>([
    ['kiket', (given) => kiket({ manifest: given })],
    ['kiketParse', (given) => kiketParse({ manifest: given })],
    ['kiketEvents', (given) => kiketEvents({ manifest: given })],
  ])('should be rejected at start-up by %s', (who, start) => {
    for (const copy of [{ ...manifest }, JSON.parse(JSON.stringify(manifest)) as object, structuredClone(manifest)]) {
      expect(() => start(copy as never)).toThrow(
        new TypeError(`${who}: manifest must be the manifest that loadManifest() returns, but is an object`),
      );
    }
  });
});

describe('kiketEvents().check', () => {
  const fn = () => undefined;
  const decide = () => ({ status: 'allow' as const });
  const eventsOf = (events: ReturnType<typeof kiketEvents>) => {
    const { unhandledHooks, unlistedHandlers } = events.check(manifest);
    return { unhandled: unhandledHooks.map(({ event }) => event), unlisted: unlistedHandlers };
  };
  const guard = 'workflow.before_transition';

  it('should know that a hook may be a pattern', () => {
    const hooks = ['id: a', "hooks: ['issue.*', 'case.*']"];
    const events = kiketEvents().on(['issue.created', 'sla.breach'], fn);
    expect(events.check(manifestOf(hooks))).toMatchObject({
      unhandledHooks: [{ event: 'case.*' }],
      unlistedHandlers: ['sla.breach'],
    });
  });

  it.each([
    ['nothing registered', kiketEvents(), [guard, 'issue.created'], []],
    ['all registered', kiketEvents().on(guard, decide).on('issue.created', fn).on('crm.sync', fn), [], []],
    ['a version registered', kiketEvents().on(guard, decide).on('issue.created@v2', fn), [], []],
    [
      'a prefix registered, which guards never match',
      kiketEvents().on(['issue.*', 'workflow.*'], fn),
      [guard],
      ['workflow.*'],
    ],
    ['all events registered', kiketEvents().on('*', fn), [guard], []],
    [
      'names that are misspelt',
      kiketEvents().on(['acme.unlisted', 'crm.synch@v1'], fn),
      [guard, 'issue.created'],
      ['acme.unlisted', 'crm.synch@v1'],
    ],
    ['the rest ignored', kiketEvents().otherwise('ignore'), [guard], []],
    ['the rest rejected', kiketEvents().otherwise('reject'), [guard, 'issue.created'], []],
    ['the rest handled', kiketEvents().otherwise(decide), [], []],
  ])('should compare hooks and registrations: %s', (_name, events, unhandled, unlisted) => {
    expect(eventsOf(events)).toEqual({ unhandled, unlisted });
  });

  it.each([
    [undefined, 'undefined'],
    ['extension.yaml', 'a string'],
    [{}, 'an object'],
  ])('should refuse %p', (given, shown) => {
    expect(() => kiketEvents().check(given as never)).toThrow(
      new TypeError(`kiketEvents: manifest must be the manifest that loadManifest() returns, but is ${shown}`),
    );
  });
});

describeNewest('kiketEvents({ manifest })', (express: Express) => {
  const fn = () => undefined;

  async function warningsAt(given: KiketManifest, deliveries: number, event: string): Promise<string[]> {
    const events = kiketEvents({ manifest: given });
    const app = express();
    app.set('env', 'test');
    app.post('/kiket', kiket({ manifest }), events, kiketErrorHandler());
    events.on(event, fn);
    const warnings = await warningsOf(async () => {
      for (let i = 0; i < deliveries; i++) await deliver(app, { event }).expect(200);
    });
    return warnings.map((warning) => `${(warning as NodeJS.ErrnoException).code}: ${warning.message}`);
  }

  it('should warn once, at the first delivery, of hooks without a handler and of handlers without a hook', async () => {
    expect(await warningsAt(manifest, 2, 'acme.unlisted')).toEqual([
      'KIKET_EVENTS_UNHANDLED: kiketEvents: these hooks of extension.yaml have no handler: workflow.before_transition, issue.created. Each of their deliveries is rejected with 404, which halts the workflow. Register a handler, or call otherwise()',
      'KIKET_EVENTS_UNLISTED: kiketEvents: no hook and no command of extension.yaml reaches these handlers: acme.unlisted',
    ]);
  });

  it('should not warn before the first delivery', async () => {
    expect(await warningsAt(manifest, 0, 'acme.unlisted')).toEqual([]);
  });

  it('should not warn when all agree', async () => {
    expect(await warningsAt(manifestOf(['id: a', 'hooks: [issue.created]']), 1, 'issue.created')).toEqual([]);
  });

  it('should not say that workflows halt where deliveries are not required', async () => {
    const optional = manifestOf(['id: a', 'callback: { required: false }', 'hooks: [issue.created, issue.updated]']);
    expect(await warningsAt(optional, 1, 'issue.created')).toEqual([
      'KIKET_EVENTS_UNHANDLED: kiketEvents: these hooks of extension.yaml have no handler: issue.updated. Each of their deliveries is rejected with 404. Register a handler, or call otherwise()',
    ]);
  });

  it.each([
    [{ manifest: 'extension.yaml' }, 'manifest must be the manifest that loadManifest() returns, but is a string'],
    [{ manifests: manifest }, 'unknown option "manifests". Did you mean "manifest"? Known options: manifest'],
  ])('should be rejected at start-up for %p', (options, message) => {
    expect(() => kiketEvents(options as never)).toThrow(new TypeError(`kiketEvents: ${message}`));
  });
});
