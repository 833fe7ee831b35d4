import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseManifest } from '../../../lib/manifest/parse-manifest';
import { isSubscribed, routingOf, type Settings } from '../../../lib/simulator/settings';
import { readSimulatorOptions, settingsOf } from '../../../lib/simulator/simulator-options';

const folder = resolve(__dirname, '../../fixtures/manifests');
const url = 'http://127.0.0.1:3000/kiket';

function settingsFrom(text: string): Settings {
  const manifest = parseManifest(text, { path: 'manifest.yaml', env: {} });
  return settingsOf(readSimulatorOptions({ url, manifest }));
}

/** The settings of a real manifest. */
function real(name: string): Settings {
  // The name of a variable is not accepted as a secret.
  const text = readFileSync(join(folder, name), 'utf8').replace(/(delivery_secret: )(KIKET)/, '$1env:$2');
  return settingsFrom(text);
}

/** Each hook, in one line. */
function hooksOf({ hooks }: Settings): string[] {
  return hooks.map(({ event, isGuard, isRequired, endpoint = '-', timeoutMs = '-', retries = '-' }) =>
    [event, isGuard ? 'guard' : isRequired ? 'required' : 'optional', endpoint, timeoutMs, retries].join(' '),
  );
}

describe('the settings of a real manifest', () => {
  it.each<[name: string, hooks: readonly string[], settings: Partial<Settings>]>([
    [
      'm1-flat-mailjet-inbound.yaml',
      [],
      { extensionId: 'dev.kiket.ext.mailjet-inbound', scopes: ['*'], timeoutMs: 10_000, isRequired: true, notes: [] },
    ],
    [
      'm3-early-twilio.yaml',
      [
        'issue.transitioned required - 5000 1',
        'issue.assigned required - 5000 1',
        'workflow.sla_breach required - 5000 2',
        'twilio.sendSMS required - - -',
        'twilio.sendVoice required - - -',
        'twilio.manageOptIn required - - -',
      ],
      { scopes: ['issues:read', 'users:read', 'notifications:write'], timeoutMs: 30_000, isRequired: true, notes: [] },
    ],
    [
      'm3-late-github-duplicate-key.yaml',
      [
        'issue.transitioned required /webhooks/kiket/issue_transitioned 5000 1',
        'issue.created required /webhooks/kiket/issue_created 5000 1',
        'issue.commented required /webhooks/kiket/issue_commented 5000 1',
        'github.syncRepository required - - -',
        'github.linkPR required - - -',
        'github.testConnection required - - -',
      ],
      { timeoutMs: 30_000, notes: [expect.stringContaining('extension.custom_data is repeated') as string] },
    ],
    [
      'm3-late-mailjet-inbound.yaml',
      ['external.webhook.inbound_email required - 30000 2', 'mailjet.connectParseApi required - - -'],
      { eventVersion: 'v1', scopes: ['issues:write', 'comments:write', 'users:read'], notes: [] },
    ],
    [
      'm5-slack.kiket-extension.yaml',
      [],
      { notes: ['manifest.yaml: Kiket sends no deliveries to extensions of kiket.dev/v1'] },
    ],
  ])('should have its hooks, commands, time-outs, retries and permissions: %s', (name, hooks, expected) => {
    const settings = real(name);
    expect(hooksOf(settings)).toEqual(hooks);
    expect(settings).toMatchObject(expected);
  });

  it('should have the guard with its own time-out, and no retries', () => {
    const settings = real('m3-case-slack.yaml');
    expect(hooksOf(settings)).toContain('workflow.before_transition guard - 8000 1');
    expect(routingOf('workflow.before_transition', settings)).toMatchObject({
      isGuard: true,
      timeoutMs: 8000,
      delays: [],
    });
    expect(routingOf('workflow.sla_breach', settings)).toMatchObject({ timeoutMs: 5000, delays: [30_000, 60_000] });
    expect(settings.notes).toEqual([]);
  });
});

describe('the settings of a manifest', () => {
  it.each<[generation: string, lines: readonly string[], hooks: readonly string[], settings?: Partial<Settings>]>([
    [
      'M0',
      ['id: a', 'capabilities: {}', 'webhooks:', '  - event: issue.created', '    endpoint: /created'],
      ['issue.created required /created - -'],
    ],
    ['M1', ['id: a', 'hooks: [issue.created]', 'callback: { required: false }'], ['issue.created optional - - -']],
    [
      'M2',
      [
        'manifestVersion: "1.0"',
        'id: a',
        'hooks: [issue.created]',
        'delivery: { type: http, callback: { timeout: 700, headers: { X-A: b } } }',
      ],
      ['issue.created required - - -'],
      { timeoutMs: 700, headers: { 'X-A': 'b' } },
    ],
    [
      'M3 with hooks beside the extension',
      ['model_version: "1.0"', 'hooks: [issue.*]', 'extension: { id: a, delivery: http }'],
      ['issue.* required - - -'],
    ],
    [
      'M4',
      [
        'name: a',
        'vendor: b',
        'scopes: { read: [issues], write: [comments] }',
        'events: [issue.*]',
        'actions: [{ key: acme.run }]',
      ],
      ['issue.* required - - -', 'acme.run required - - -'],
      { scopes: ['read:issues', 'write:comments'] },
    ],
  ])('should have its hooks: %s', (_generation, lines, hooks, expected = {}) => {
    const settings = settingsFrom(lines.join('\n'));
    expect(hooksOf(settings)).toEqual(hooks);
    expect(settings).toMatchObject({ notes: [], ...expected });
  });

  it('should subscribe to events by their pattern, the name itself first', () => {
    const settings = settingsFrom(
      'id: a\nhooks: [{ event: "issue.*", timeout: 500 }, { event: issue.created, timeout: 900 }]',
    );
    expect(isSubscribed('issue.updated', settings)).toBe(true);
    expect(isSubscribed('workflow.sla_status', settings)).toBe(false);
    expect(routingOf('issue.created', settings).timeoutMs).toBe(900);
    expect(routingOf('issue.updated', settings).timeoutMs).toBe(500);
  });

  it('should say that an endpoint on another host is not used', () => {
    const settings = settingsFrom('id: a\nhooks: [{ event: issue.created, endpoint: "https://evil.example/" }]');
    expect(settings.notes).toEqual([
      'manifest.yaml: the endpoint of issue.created is not a path such as /kiket, and is not used',
    ]);
  });

  it('should be replaced by the options', () => {
    const manifest = parseManifest('id: a\nhooks: [issue.created]\npermissions: [issues:read]', {
      path: 'manifest.yaml',
      env: {},
    });
    const options = { url, manifest, hooks: [{ event: 'a.b', required: false }], scopes: ['*'], timeoutMs: 5 };
    const settings = settingsOf(readSimulatorOptions(options));
    expect(hooksOf(settings)).toEqual(['a.b optional - - -']);
    expect(settings).toMatchObject({ scopes: ['*'], timeoutMs: 5 });
  });
});
