import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inspect } from 'node:util';
import { parseManifest, type KiketManifest } from 'kiket-express/manifest';

const fixtures = resolve(__dirname, '../../fixtures/manifests');
const secret = 'whsec_canary';
const env = {
  KIKET_WEBHOOK_SECRET: secret,
  GITHUB_WEBHOOK_SECRET: secret,
  EXTENSION_BASE_URL: 'https://extension.example',
  KIKET_SECRET_SLACK_BOT_TOKEN: 'xoxb_canary',
  KIKET_SECRET_MAILJET_API_KEY: 'mj_canary',
};

const parse = (text: string, path = 'extension.yaml'): KiketManifest => parseManifest(text, { path, env });

/** In one line each: event, endpoint, time-out, retries. */
const hooksOf = ({ hooks }: KiketManifest) =>
  hooks.map(({ event, endpoint, timeoutMs, retries, isGuard }) =>
    [event, endpoint, timeoutMs, retries, isGuard && 'guard'].filter(Boolean).join(' '),
  );

const real: Record<
  string,
  { fields: Partial<KiketManifest>; hooks: string[]; commands: string[]; warnings: string[] }
> = {
  'm3-case-slack.yaml': {
    fields: {
      generation: 'M3',
      id: 'dev.kiket.ext.slack',
      version: '1.0.0',
      secret,
      secretName: 'KIKET_WEBHOOK_SECRET',
      callbackUrl: 'https://extension.example',
      timeoutMs: 30_000,
      required: true,
      permissions: ['issues:read', 'users:read', 'notifications:write', 'workflows:read'],
      settings: {
        default_message_format: 'mrkdwn',
        retry_attempts: 3,
        timeout_seconds: 30,
        link_names: true,
        issue_created_message: '{{ case.title }}',
        sla_breach_message: '{{ case.title }}',
        approval_request_message: '{{ case.title }}',
      },
      fallbackSecrets: { SLACK_BOT_TOKEN: 'xoxb_canary' },
    },
    hooks: [
      'case.created 5000 1',
      'case.transitioned 5000 1',
      'case.assigned 5000 1',
      'case.commented 5000 1',
      'workflow.sla_breach 5000 2',
      'workflow.before_transition 8000 1 guard',
    ],
    commands: [
      'slack.sendMessage',
      'slack.sendThreadedMessage',
      'slack.validateChannel',
      'slack.requestApproval',
      'send_channel_message slack.workflowAction.sendChannelMessage',
      'request_approval slack.workflowAction.requestApproval',
    ],
    warnings: [],
  },
  'm3-early-twilio.yaml': {
    fields: {
      generation: 'M3',
      id: 'twilio-notifications',
      secret,
      permissions: ['issues:read', 'users:read', 'notifications:write'],
      settings: {
        RATE_LIMIT_PER_MINUTE: 10,
        REQUIRE_OPT_IN: true,
        DEFAULT_COUNTRY_CODE: 'US',
        ENABLE_DELIVERY_TRACKING: true,
        RETRY_ATTEMPTS: 3,
        TIMEOUT_SECONDS: 30,
      },
      fallbackSecrets: {},
    },
    hooks: ['issue.transitioned 5000 1', 'issue.assigned 5000 1', 'workflow.sla_breach 5000 2'],
    commands: ['twilio.sendSMS', 'twilio.sendVoice', 'twilio.manageOptIn'],
    warnings: [],
  },
  'm3-late-github-duplicate-key.yaml': {
    fields: {
      generation: 'M3',
      id: 'dev.kiket.ext.github',
      secret,
      secretName: 'GITHUB_WEBHOOK_SECRET',
      settings: { default_sync_mode: 'full', auto_link_commits: true, webhook_retry_count: 3 },
    },
    hooks: [
      'issue.transitioned /webhooks/kiket/issue_transitioned 5000 1',
      'issue.created /webhooks/kiket/issue_created 5000 1',
      'issue.commented /webhooks/kiket/issue_commented 5000 1',
    ],
    commands: ['github.syncRepository', 'github.linkPR', 'github.testConnection'],
    warnings: [
      'm3-late-github-duplicate-key.yaml:140:3: extension.custom_data is repeated, and only the last one counts; remove the others',
    ],
  },
  'm3-late-mailjet-inbound.yaml': {
    fields: {
      generation: 'M3',
      id: 'dev.kiket.ext.mailjet-inbound',
      version: '1.2.0',
      secret,
      settings: { default_issue_type: 'Task', create_from_unknown_senders: false },
      fallbackSecrets: { MAILJET_API_KEY: 'mj_canary' },
    },
    hooks: ['external.webhook.inbound_email 30000 2'],
    commands: ['mailjet.connectParseApi'],
    warnings: [],
  },
  'm5-slack.kiket-extension.yaml': {
    fields: {
      generation: 'M5',
      id: 'kiket-ext-slack',
      version: '1.0.0',
      secret: undefined,
      secretName: undefined,
      callbackUrl: undefined,
      timeoutMs: undefined,
      settings: {},
    },
    hooks: [],
    commands: [],
    warnings: [],
  },
};

describe('a real manifest', () => {
  const read = (file: string) => parse(readFileSync(join(fixtures, file), 'utf8'), file);

  it.each(Object.entries(real))('should be read: %s', (file, { fields, hooks, commands, warnings }) => {
    const manifest = read(file);
    for (const [name, value] of Object.entries(fields)) {
      expect([name, manifest[name as keyof KiketManifest]]).toEqual([name, value]);
    }
    expect(hooksOf(manifest)).toEqual(hooks);
    expect(manifest.commands.map(({ id, event }) => (id === event ? id : `${id} ${event}`))).toEqual(commands);
    expect(manifest.warnings.map(({ message }) => message)).toEqual(warnings);
  });

  it('should be refused when its secret is the name of a variable, which the SDKs would take as the secret', () => {
    expect(() => read('m1-flat-mailjet-inbound.yaml')).toThrow(
      'm1-flat-mailjet-inbound.yaml:3:1: delivery_secret must be a reference such as env:KIKET_WEBHOOK_SECRET, but looks like the name of a variable; write env: before it',
    );
  });

  it('should have a row here, each of them', () => {
    expect(readdirSync(fixtures).sort()).toEqual(['m1-flat-mailjet-inbound.yaml', ...Object.keys(real)].sort());
  });

  it('should show no secrets when it is printed, serialised or spread', () => {
    const manifest = read('m3-case-slack.yaml');
    expect(manifest.secret).toBe(secret);
    for (const text of [inspect(manifest, { depth: 9 }), JSON.stringify(manifest), inspect({ ...manifest })]) {
      expect(text).toContain('dev.kiket.ext.slack');
      expect(text).not.toContain('canary');
    }
  });

  it('should not be changed', () => {
    const manifest = read('m3-case-slack.yaml') as { hooks: unknown; settings: Record<string, unknown> };
    expect(() => (manifest.hooks = [])).toThrow(TypeError);
    expect(() => (manifest.settings['link_names'] = false)).toThrow(TypeError);
  });
});

describe('a manifest of each generation', () => {
  const M0 = {
    id: 'slack',
    version: '0.1.0',
    capabilities: { notifications: true },
    endpoints: [{ id: 'notify', path: '/notify', method: 'POST' }],
    webhooks: { status_callback: { path: '/status', method: 'POST' } },
    configuration: {
      secrets: [{ key: 'SLACK_BOT_TOKEN', required: true }],
      settings: [{ key: 'retries', type: 'integer', default: '3' }, { key: 'channel' }],
    },
  };
  const M0b = [
    'id: github',
    'version: 1.0.0',
    'api: { base_url: https://github.example }',
    'webhooks: [{ event: issue.created, endpoint: /hook }]',
    'permissions: [{ scope: "issues:read", actions: [list] }]',
    'settings: [{ name: mode, type: string, default: full }]',
    'secrets: [{ name: SLACK_BOT_TOKEN, secret: true }]',
  ].join('\n');
  const M1 = [
    'id: a',
    'version: "1.2"',
    'delivery_secret: env:KIKET_WEBHOOK_SECRET',
    'settings: [{ key: limit, default: 10 }, { key: slack_bot_token, secret: true, default: canary }]',
  ].join('\n');
  const M2 = [
    'manifestVersion: "1.1"',
    'id: a',
    'version: 1.0.0',
    'delivery: { type: http, callback: { url: https://a.example, secret: ENV:KIKET_WEBHOOK_SECRET } }',
    'configuration: { properties: { "example.limit": { type: integer, default: 5 }, SLACK_BOT_TOKEN: { secret: true } } }',
    'settings: { MODE: { type: string, default: full } }',
    'permissions: [read:issues]',
  ].join('\n');
  const M3b = [
    'model_version: "1.0"',
    'extension: { id: a.b, name: A }',
    'delivery: { callback: { secret: env.KIKET_WEBHOOK_SECRET, timeout: 5000, required: false } }',
    'hooks: [before_transition, issue.created]',
    'permissions: [read:issues]',
  ].join('\n');
  const M4 = [
    'name: acme',
    'version: 2.0.0',
    'vendor: Acme',
    'scopes: { read: [issues], write: [comments] }',
    'events: [issue.created]',
    'actions: [{ key: acme.sync, label: Synchronise }]',
  ].join('\n');

  it.each<[string, string, string, object, string[]]>([
    [
      'M0',
      'manifest.json',
      JSON.stringify(M0),
      { generation: 'M0', id: 'slack', settings: { retries: 3 }, fallbackSecrets: { SLACK_BOT_TOKEN: 'xoxb_canary' } },
      [],
    ],
    [
      'M0 with webhooks',
      'manifest.yaml',
      M0b,
      {
        generation: 'M0',
        permissions: ['issues:read'],
        settings: { mode: 'full' },
        fallbackSecrets: { SLACK_BOT_TOKEN: 'xoxb_canary' },
      },
      ['issue.created /hook'],
    ],
    [
      'M1',
      'extension.yaml',
      M1,
      {
        generation: 'M1',
        version: '1.2',
        secret,
        settings: { limit: 10 },
        fallbackSecrets: { slack_bot_token: 'xoxb_canary' },
      },
      [],
    ],
    [
      'M2',
      'manifest.yml',
      M2,
      {
        generation: 'M2',
        secret,
        callbackUrl: 'https://a.example',
        settings: { 'example.limit': 5, MODE: 'full' },
        fallbackSecrets: { SLACK_BOT_TOKEN: 'xoxb_canary' },
        permissions: ['read:issues'],
      },
      [],
    ],
    [
      'M3 with keys at the top',
      '.kiket/manifest.yaml',
      M3b,
      { generation: 'M3', version: '1.0.0', secret, timeoutMs: 5000, required: false, permissions: ['read:issues'] },
      ['before_transition guard', 'issue.created'],
    ],
    [
      'M4',
      'extension.yaml',
      M4,
      {
        generation: 'M4',
        id: 'acme',
        permissions: ['read:issues', 'write:comments'],
        commands: [{ id: 'acme.sync', event: 'acme.sync' }],
      },
      ['issue.created'],
    ],
  ])('should be read: %s', (_name, path, text, fields, hooks) => {
    const manifest = parse(text, path);
    for (const [name, value] of Object.entries(fields)) {
      expect([name, manifest[name as keyof KiketManifest]]).toEqual([name, value]);
    }
    expect(hooksOf(manifest)).toEqual(hooks);
  });

  it('should be read with anchors and merged keys', () => {
    const text =
      'extension:\n  id: a\n  hooks:\n    - &base { event: a.b, timeout: 500 }\n    - { <<: *base, event: a.c }';
    expect(hooksOf(parse(text))).toEqual(['a.b 500', 'a.c 500']);
  });
});

describe('a variable', () => {
  const at = (value: string) => `extension:\n  id: a\n  callback: { secret: "${value}" }`;

  it.each([
    ['env:KIKET_WEBHOOK_SECRET'],
    ['env.KIKET_WEBHOOK_SECRET'],
    ['ENV:KIKET_WEBHOOK_SECRET'],
    ['Env.KIKET_WEBHOOK_SECRET'],
    ['${KIKET_WEBHOOK_SECRET}'],
  ])('should be the delivery secret: %s', (reference) => {
    const { secret: found, secretName, warnings } = parse(at(reference));
    expect({ found, secretName, warnings }).toEqual({
      found: secret,
      secretName: 'KIKET_WEBHOOK_SECRET',
      warnings: [],
    });
  });

  it.each([[{}], [{ KIKET_WEBHOOK_SECRET: '' }]])(
    'should leave the secret undefined when it is unset or empty: %j',
    (of) => {
      const { secret: found, secretName } = parseManifest(at('env:KIKET_WEBHOOK_SECRET'), { path: 'a.yaml', env: of });
      expect({ found, secretName }).toEqual({ found: undefined, secretName: 'KIKET_WEBHOOK_SECRET' });
    },
  );

  it.each([
    ['${EXTENSION_BASE_URL}/kiket', 'https://extension.example/kiket'],
    ['https://${HOST:-a.example}', 'https://a.example'],
    ['https://${HOST:-}', 'https://'],
    ['${HOST}/kiket', undefined],
  ])('should be replaced in the callback URL: %s', (url, expected) => {
    expect(parse(`extension: { id: a, callback: { url: "${url}" } }`).callbackUrl).toBe(expected);
  });

  it.each([
    ['integer', '${LIMIT:-10}', 10],
    ['boolean', '${FLAG:-false}', false],
    ['string', 'env:EXTENSION_BASE_URL', 'https://extension.example'],
    ['string', 'to ${NOBODY:-all}', 'to all'],
    ['template', '${title}', '${title}'],
    ['html', '${title}', '${title}'],
  ])(
    'should be replaced in the default of a setting, unless it is of another language: %s %s',
    (type, text, expected) => {
      const declared = `extension: { id: a, configuration: { K: { type: ${type}, default: "${text}" } } }`;
      expect(parse(declared).settings).toEqual({ K: expected });
    },
  );

  it('should be looked up among own properties only', () => {
    expect(parse(at('env:constructor')).secret).toBeUndefined();
  });
});

describe('the default of a setting', () => {
  it.each([
    ['integer', '"-10"', -10],
    ['integer', '10', 10],
    ['number', '"1.5"', 1.5],
    ['boolean', '"true"', true],
    ['boolean', 'false', false],
    ['string', '49', '49'],
    ['string', '""', ''],
    ['object', '{ a: 1 }', { a: 1 }],
    ['project', '7', 7],
  ])('should be converted: %s %s', (type, written, expected) => {
    expect(
      parse(`extension: { id: a, configuration: { K: { type: ${type}, default: ${written} } } }`).settings,
    ).toEqual({
      K: expected,
    });
  });

  it('should be left out where it is absent, null or that of a secret', () => {
    const text =
      'extension: { id: a, configuration: { A: { type: integer }, B: { default: null }, C: { secret: true, default: x }, D: } }';
    const { settings, fallbackSecrets } = parse(text);
    expect({ settings, fallbackSecrets }).toEqual({ settings: {}, fallbackSecrets: {} });
  });
});

describe('a secret setting', () => {
  it.each([
    ['SLACK_BOT_TOKEN', 'KIKET_SECRET_SLACK_BOT_TOKEN'],
    ['api.token', 'KIKET_SECRET_API_TOKEN'],
    ['example.apiKey', 'KIKET_SECRET_EXAMPLE_APIKEY'],
    ['a-b c', 'KIKET_SECRET_A_B_C'],
  ])('should be read from the environment: %s from %s', (key, variable) => {
    const text = `extension: { id: a, configuration: { "${key}": { secret: true } } }`;
    const { fallbackSecrets } = parseManifest(text, { path: 'a.yaml', env: { [variable]: 'canary' } });
    expect(fallbackSecrets).toEqual({ [key]: 'canary' });
  });
});

describe('a secret in the file', () => {
  it.each([
    ['id: a\ndelivery_secret: canary-42', 'extension.yaml:2:1: delivery_secret'],
    ['extension:\n  id: a\n  callback:\n    secret: CANARY', 'extension.yaml:4:5: extension.callback.secret'],
  ])('should be used, with a warning that does not show it: %j', (text, place) => {
    const manifest = parse(text);
    expect(manifest.secret).toMatch(/canary/i);
    expect(manifest.secretName).toBeUndefined();
    expect(manifest.warnings).toEqual([
      {
        code: 'KIKET_MANIFEST_SECRET',
        message: `${place} holds the secret itself: whoever can read this file can sign deliveries. Move it to a variable, and write env:NAME`,
      },
    ]);
  });
});
