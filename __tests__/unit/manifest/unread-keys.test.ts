import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseManifest } from '../../../lib/manifest/parse-manifest';

const repository = resolve(__dirname, '../../..');
const fixtures = join(repository, '__tests__/fixtures/manifests');
const examples = join(repository, 'examples/ports');

/** The messages without the file, the line and the column. */
function unreadIn(lines: readonly string[]): string[] {
  const { unreadKeys } = parseManifest(lines.join('\n'), { path: 'manifest.yaml', env: {} });
  return unreadKeys.map(({ message }) => message.replace(/^manifest\.yaml:\d+:\d+: /, ''));
}

const M3 = ['model_version: "1.0"', 'extension:', '  id: a'];

describe('the unread keys of a manifest', () => {
  it.each([
    ...readdirSync(fixtures).map((name) => [name, join(fixtures, name)] as const),
    ...readdirSync(examples).map((name) => [name, join(examples, name, '.kiket/manifest.yaml')] as const),
  ])('should be none in a real manifest: %s', (_name, path) => {
    const text = readFileSync(path, 'utf8');
    // The name of a variable is not accepted as a secret.
    const valid = text.replace('delivery_secret: KIKET_WEBHOOK_SECRET', 'delivery_secret: env:KIKET_WEBHOOK_SECRET');
    expect(parseManifest(valid, { path, env: {} }).unreadKeys).toEqual([]);
  });

  it.each<[what: string, lines: readonly string[], messages: readonly string[]]>([
    ['a misspelt key of M3', [...M3, '  hoooks: []'], ['extension.hoooks is not read; did you mean hooks?']],
    ['a misspelt key of M1', ['id: a', 'permisions: []'], ['permisions is not read; did you mean permissions?']],
    [
      'a misspelt key of a hook',
      [...M3, '  hooks:', '    - event: a', '      retrys: 2', '      required: false'],
      ['extension.hooks[0].retrys is not read; did you mean retries?', 'extension.hooks[0].required is not read'],
    ],
    [
      'a misspelt key of the callback',
      [...M3, '  callback:', '    timout: 500'],
      ['extension.callback.timout is not read; did you mean timeout?'],
    ],
    [
      'a misspelt key of a setting, which could disclose it',
      [...M3, '  configuration:', '    TOKEN:', '      secrt: true'],
      ['extension.configuration.TOKEN.secrt is not read; did you mean secret?'],
    ],
    [
      'a misspelt key of a setting in an array',
      ['id: a', 'settings:', '  - key: b', '    defalt: 1'],
      ['settings[0].defalt is not read; did you mean default?'],
    ],
    [
      'a misspelt key of a setting of M2',
      ['manifestVersion: "1.0"', 'id: a', 'configuration:', '  properties:', '    b.c:', '      defaut: 1'],
      ['configuration.properties.b.c.defaut is not read; did you mean default?'],
    ],
    ['events outside of M4', [...M3, '  events: [issue.created]'], ['extension.events is not read']],
    [
      'a step of the set-up',
      [...M3, '  setup:', '    - tset:', '        action: a.b'],
      ['extension.setup[0].tset is not read; did you mean test?'],
    ],
    [
      'a command that is not an event',
      [...M3, '  contributes:', '    commands:', '      - command: a', '        handler:', '          type: url'],
      [
        'extension.contributes.commands[0].handler is not read, because only the type extension_event leads to a delivery',
      ],
    ],
    ['a key that is repeated', [...M3, '  colour: 1', '  colour: 2'], ['extension.colour is not read']],
  ])('should be reported: %s', (_what, lines, messages) => {
    expect(unreadIn(lines)).toEqual(messages);
  });

  it.each<[what: string, lines: readonly string[]]>([
    ['the place of anchors', ['x-common: &c', '  timeout: 500', ...M3, '  hooks:', '    - event: a', '      <<: *c']],
    [
      'names of settings, headers and fields',
      [...M3, '  callback:', '    headers: { X-A: b }', '  output_fields: { a: {} }'],
    ],
    ['hooks that are names', [...M3, '  hooks: [issue.created]']],
    ['the webhooks of third parties in M0', ['id: a', 'endpoints: []', 'webhooks:', '  status: { path: /s }']],
    ['null in place of an object', [...M3, '  callback:', '  contributes:']],
  ])('should not have %s', (_what, lines) => {
    expect(unreadIn(lines)).toEqual([]);
  });

  it('should have the place in the file', () => {
    const text = [...M3, '  hoooks: []'].join('\n');
    const { unreadKeys, warnings } = parseManifest(text, { path: 'manifest.yaml', env: {} });
    expect(unreadKeys).toEqual([
      { path: 'extension.hoooks', message: 'manifest.yaml:4:3: extension.hoooks is not read; did you mean hooks?' },
    ]);
    expect(warnings).toEqual([]);
  });
});
