import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cli, temporaryFolder, type CliOptions } from '../../support/cli';
import { startServer } from '../../support/loopback-server';

const SECRET = 'canary_delivery_secret';

type Files = Readonly<Record<string, string | object>>;

function folderWith(files: Files): string {
  const cwd = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(cwd, name, '..'), { recursive: true });
    writeFileSync(join(cwd, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return cwd;
}

/** The settings by name, each as value and source; without those of the built-in defaults. */
async function settings(files: Files, args: readonly string[] = [], env: CliOptions['env'] = {}) {
  const cwd = folderWith(files);
  const { code, stdout, stderr } = await cli(['settings', '--json', ...args], { cwd, env });
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).not.toContain('canary');
  const { settings: all } = JSON.parse(stdout.replaceAll(`${cwd}/`, '')) as {
    settings: Readonly<Record<string, { readonly value?: unknown; readonly source: string }>>;
  };
  const chosen = Object.entries(all).filter(([, { source }]) => !['default', 'none found'].includes(source));
  return Object.fromEntries(chosen.map(([name, { value, source }]) => [name, [value, source]]));
}

const MANIFEST = `
model_version: "1.0"
extension:
  id: dev.example.extension
  api_version: v3
  callback:
    url: \${EXTENSION_BASE_URL}/kiket
    secret: env.EXTENSION_SECRET
    timeout: 2500.4
    required: false
    headers:
      X-Tenant: acme
  permissions: [issues:read, issues:write]
  hooks: [issue.created, workflow.before_transition]
  configuration:
    API_TOKEN: { type: string, secret: true }
    OTHER_TOKEN: { type: string, secret: true }
`;

const UNSET = ['missing', 'KIKET_WEBHOOK_SECRET is unset'];

describe('settings', () => {
  it('should be the built-in ones in an empty folder', async () => {
    expect(await settings({})).toEqual({ 'delivery secret': UNSET });
    const { stdout } = await cli(['settings']);
    expect(stdout).toMatch(/^manifest {18}– {2}\(none found\)\nurl {23}– {2}\(default\)\n/);
    expect(stdout).toContain('time-out                  10000 ms  (default)\n');
    expect(stdout).toContain('scheme                    timestamped  (default)\n');
  });

  it('should be those of the manifest', async () => {
    const env = {
      EXTENSION_BASE_URL: 'http://localhost:3000',
      EXTENSION_SECRET: SECRET,
      KIKET_SECRET_API_TOKEN: 'canary_token',
    };
    const from = 'extension.yaml';
    expect(await settings({ 'extension.yaml': MANIFEST }, [], env)).toEqual({
      manifest: [from, 'found'],
      url: ['http://localhost:3000/kiket', from],
      'delivery secret': ['set', 'EXTENSION_SECRET'],
      'event version': ['v3', from],
      scopes: [['issues:read', 'issues:write'], from],
      'time-out': ['2500 ms', from],
      events: [['issue.created (not required)', 'workflow.before_transition (not required)'], from],
      headers: [['X-Tenant'], from],
      'secrets that are set': [['API_TOKEN'], 'KIKET_SECRET_*'],
      'secrets that are missing': [['OTHER_TOKEN'], from],
    });
  });

  const FILE = {
    url: 'http://localhost:4000',
    secretEnv: 'MY_SECRET',
    scheme: 'body',
    eventVersion: 'v4',
    events: { 'sla.breached': {}, 'sla.warning': { required: false } },
    project: 27,
    organization: 'org_3',
    scopes: ['project:27'],
    secretsFile: '.env.kiket',
    schedule: 'fast',
    timeoutMs: 3000,
    deliveries: 'saved',
    check: { skip: ['D4'], baseline: 'kiket-check.json' },
  };

  const OF_FILE = {
    url: ['http://localhost:4000', 'kiket.json'],
    'delivery secret': ['set', 'MY_SECRET'],
    scheme: ['body', 'kiket.json'],
    'event version': ['v4', 'kiket.json'],
    project: [27, 'kiket.json'],
    organization: ['org_3', 'kiket.json'],
    scopes: [['project:27'], 'kiket.json'],
    schedule: ['fast', 'kiket.json'],
    'time-out': ['3000 ms', 'kiket.json'],
    events: [['sla.breached', 'sla.warning (not required)'], 'kiket.json'],
    'secrets that are set': [['API_TOKEN'], '.env.kiket'],
    deliveries: ['saved', 'kiket.json'],
    'cases that check skips': [['D4'], 'kiket.json'],
    'baseline of check': ['kiket-check.json', 'kiket.json'],
  };

  const ENV_FILE = '# comment\nAPI_TOKEN="canary_of_file"\n';

  it('should be those of kiket.json', async () => {
    const env = { MY_SECRET: SECRET, KIKET_WEBHOOK_SECRET: 'canary_other' };
    expect(await settings({ 'kiket.json': FILE, '.env.kiket': ENV_FILE }, [], env)).toEqual(OF_FILE);
  });

  it('should be those of kiket.json, where the manifest has others', async () => {
    const files = { 'kiket.json': FILE, '.env.kiket': ENV_FILE, 'extension.yaml': MANIFEST };
    const env = { MY_SECRET: SECRET, EXTENSION_SECRET: 'canary_other', EXTENSION_BASE_URL: 'http://localhost:3000' };
    expect(await settings(files, [], env)).toEqual({
      ...OF_FILE,
      manifest: ['extension.yaml', 'found'],
      headers: [['X-Tenant'], 'extension.yaml'],
      'secrets that are missing': [['OTHER_TOKEN'], 'extension.yaml'],
    });
  });

  it('should be those of options, where all others differ', async () => {
    const files = { 'kiket.json': FILE, '.env.kiket': ENV_FILE, 'secret.txt': SECRET };
    const args = [
      '--to',
      'localhost:5000',
      '--scheme',
      'timestamped',
      '--timeout',
      '1s',
      '--secret-file',
      'secret.txt',
    ];
    expect(await settings(files, args, { MY_SECRET: 'canary_other' })).toEqual({
      ...OF_FILE,
      url: ['localhost:5000', '--to'],
      scheme: ['timestamped', '--scheme'],
      'time-out': ['1000 ms', '--timeout'],
      'delivery secret': ['set', 'options'],
    });
  });

  it('should have the secrets of the manifest by its own keys', async () => {
    const env = { KIKET_SECRET_API_TOKEN: 'canary_a', KIKET_SECRET_OTHER: 'canary_b' };
    const files = { 'manifest.json': { id: 'a', secrets: [{ key: 'api-token' }, { key: 'other.token' }] } };
    const chosen = await settings(files, [], env);
    expect(chosen['secrets that are set']).toEqual([['api-token', 'OTHER'], 'KIKET_SECRET_*']);
    expect(chosen['secrets that are missing']).toEqual([['other.token'], 'manifest.json']);
  });

  it('should name both places of secrets', async () => {
    const env = { KIKET_SECRET_API_TOKEN: 'canary_a', KIKET_SECRET_OTHER: 'canary_b', KIKET_SECRET_EMPTY: '' };
    const files = { 'kiket.json': { secretsFile: '.env.kiket' }, '.env.kiket': ENV_FILE };
    expect((await settings(files, [], env))['secrets that are set']).toEqual([
      ['API_TOKEN', 'OTHER'],
      'KIKET_SECRET_*, .env.kiket',
    ]);
  });

  it.each([
    ['the default variable', {}, { KIKET_WEBHOOK_SECRET: SECRET }, ['set', 'KIKET_WEBHOOK_SECRET']],
    ['an empty variable', {}, { KIKET_WEBHOOK_SECRET: '' }, UNSET],
    [
      'a variable of kiket.json that is unset',
      { 'kiket.json': { secretEnv: 'MINE' } },
      { KIKET_WEBHOOK_SECRET: SECRET },
      ['missing', 'MINE is unset'],
    ],
    [
      'a variable of the manifest',
      { 'manifest.json': { id: 'a', callback: { secret: 'env:MINE' } } },
      { KIKET_WEBHOOK_SECRET: 'canary_other', MINE: SECRET },
      ['set', 'MINE'],
    ],
    [
      'a variable of the manifest that is unset',
      { 'manifest.json': { id: 'a', callback: { secret: 'env:MINE' } } },
      { KIKET_WEBHOOK_SECRET: SECRET },
      ['missing', 'MINE is unset'],
    ],
  ] as const)('should have the delivery secret of %s', async (_name, files, env, expected) => {
    expect((await settings(files, [], env))['delivery secret']).toEqual(expected);
  });

  it('should warn of a secret in the manifest, and use it unless the variable is set', async () => {
    const cwd = folderWith({ 'manifest.json': { id: 'a', callback: { secret: SECRET } } });
    const { stdout, stderr } = await cli(['settings'], { cwd });
    expect(stdout).toMatch(/^delivery secret {11}set {2}\(.*manifest\.json\)$/m);
    expect(stderr).toMatch(/^warning: .*holds the secret itself/);
    expect(stdout + stderr).not.toContain(SECRET);
    const { stdout: ofVariable } = await cli(['settings'], { cwd, env: { KIKET_WEBHOOK_SECRET: 'canary_other' } });
    expect(ofVariable).toMatch(/^delivery secret {11}set {2}\(KIKET_WEBHOOK_SECRET\)$/m);
  });

  it('should name the variable of the callback URL that is unset', async () => {
    const files = { 'extension.yaml': MANIFEST };
    expect((await settings(files))['url']).toEqual([undefined, 'extension.yaml: EXTENSION_BASE_URL is unset']);
    const { code, stdout, stderr } = await cli(['send'], { cwd: folderWith(files) });
    expect([code, stdout, stderr]).toEqual([
      2,
      '',
      'error: the callback URL of the manifest needs the environment variable EXTENSION_BASE_URL: set it, or use --to\n',
    ]);
  });

  it('should be those of kiket.json and options when the package yaml is missing', async () => {
    jest.doMock('yaml', () => {
      throw Object.assign(new Error('Not loaded'), { code: 'MODULE_NOT_FOUND' });
    });
    try {
      const cwd = folderWith({ 'extension.yaml': MANIFEST, 'kiket.json': { url: 'http://localhost:4000' } });
      const { code, stdout, stderr } = await cli(['settings'], { cwd });
      expect([code, stderr]).toEqual([
        0,
        `warning: ${cwd}/extension.yaml is not read, because the package yaml is missing: npm install yaml\n`,
      ]);
      expect(stdout).toContain('http://localhost:4000  (kiket.json)');
    } finally {
      jest.dontMock('yaml');
    }
  });

  it.each([
    ['kiket.json that is not JSON', { 'kiket.json': '{' }, 2, 'error: kiket.json cannot be read: '],
    ['an unknown field', { 'kiket.json': { urll: 'x' } }, 2, 'unknown option "urll". Did you mean "url"?'],
    ['a manifest that is not one', { 'extension.yaml': 'a: 1' }, 2, 'extension.yaml'],
    ['a manifest that is not YAML', { 'extension.yaml': 'a: [' }, 2, 'extension.yaml'],
    [
      'a file of secrets that is missing',
      { 'kiket.json': { secretsFile: 'x' } },
      3,
      'error: x cannot be read: ENOENT\n',
    ],
  ])('should be refused: %s', async (_name, files, code, message) => {
    const result = await cli(['settings'], { cwd: folderWith(files) });
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toMatch(/\n {4}at /);
  });

  it('should send the headers of the manifest, its version, and its events first', async () => {
    const received: NodeJS.Dict<string | string[]>[] = [];
    const { url } = await startServer((req, res) => {
      received.push(req.headers);
      req.resume().on('end', () => res.end());
    });
    const cwd = folderWith({ 'extension.yaml': MANIFEST });
    const env = { EXTENSION_BASE_URL: url, EXTENSION_SECRET: SECRET };
    expect((await cli(['send'], { cwd, env })).code).toBe(0);
    expect(received[0]).toMatchObject({
      'x-tenant': 'acme',
      'x-kiket-event': 'issue.created',
      'x-kiket-event-version': 'v3',
    });
  });
});

describe('a delivery secret', () => {
  const dryRun = async (args: readonly string[], options: CliOptions = {}) => {
    const result = await cli(['send', '--to', 'http://localhost:1', '--dry-run', ...args], options);
    expect(result.stdout + result.stderr).not.toContain('canary');
    return result;
  };

  it.each([
    ['without a newline', SECRET, ''],
    ['with a newline at its end', `${SECRET}\n`, 'secret.txt: the newline at the end is not part of the secret\n'],
    ['with CR and LF at its end', `${SECRET}\r\n`, 'secret.txt: the newline at the end is not part of the secret\n'],
  ])('should be read from a file %s', async (_name, content, stderr) => {
    const cwd = folderWith({ 'secret.txt': content });
    expect(await dryRun(['--secret-file', 'secret.txt'], { cwd })).toMatchObject({ code: 0, stderr });
  });

  it.each([SECRET, `${SECRET}\n`])('should be read from standard input', async (stdin) => {
    const result = await dryRun(['--secret', '-'], { stdin });
    expect([result.code, result.stderr, result.stdout.endsWith('signed: timestamped\n')]).toEqual([0, '', true]);
  });

  it('should be an argument, with a warning', async () => {
    expect(await dryRun(['--secret', 'canary'])).toMatchObject({
      code: 0,
      stderr: '--secret: shells and ps keep the value; --secret-env and --secret-file do not\n',
    });
  });

  it('should be the one of --secret-env, in place of the default variable', async () => {
    const env = { MINE: SECRET, KIKET_WEBHOOK_SECRET: ' invalid ' };
    expect(await dryRun(['--secret-env', 'MINE'], { env })).toMatchObject({ code: 0, stderr: '' });
  });

  it.each([
    [
      'an unset variable',
      ['--secret-env', 'MINE'],
      2,
      'the environment variable MINE of --secret-env is unset or empty',
    ],
    [
      'white space in a variable',
      ['--secret-env', 'SPACE'],
      2,
      'SPACE: the delivery secret: secret must be a string without white space around it, but has some. Trim',
    ],
    [
      'white space in the default variable',
      [],
      2,
      'KIKET_WEBHOOK_SECRET: the delivery secret: secret must be a string without white space',
    ],
    [
      'two newlines in a file',
      ['--secret-file', 'two.txt'],
      2,
      'two.txt: the delivery secret: secret must be a string without white space',
    ],
    [
      'an empty file',
      ['--secret-file', 'empty.txt'],
      2,
      'empty.txt: the delivery secret: secret must be a non-empty string',
    ],
    ['a file that is missing', ['--secret-file', 'none.txt'], 3, 'none.txt cannot be read: ENOENT'],
    ['a folder', ['--secret-file', '.'], 3, '. cannot be read: EISDIR'],
    ['an empty argument', ['--secret', ''], 2, '--secret: the delivery secret: secret must be a non-empty string'],
    [
      'empty standard input',
      ['--secret', '-'],
      2,
      'standard input: the delivery secret: secret must be a non-empty string',
    ],
  ])('should be refused: %s', async (_name, args, code, message) => {
    const cwd = folderWith({ 'two.txt': `${SECRET}\n\n`, 'empty.txt': '' });
    const env = { SPACE: ' canary', KIKET_WEBHOOK_SECRET: 'canary ' };
    const result = await dryRun(args, { cwd, env });
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toContain(message);
  });

  it('should not be read from the standard input that has the payload', async () => {
    const { code, stderr } = await dryRun(['-', '--secret', '-'], { stdin: SECRET });
    expect([code, stderr]).toEqual([3, expect.stringContaining('standard input')]);
  });
});

describe('a target', () => {
  const to = (url: string, ...args: string[]) => cli(['send', '--to', url, '--dry-run', '--quiet', ...args]);

  it.each([
    'http://localhost:3000/kiket',
    'localhost:3000/kiket',
    'http://LOCALHOST',
    'http://127.0.0.1',
    'http://127.8.9.1',
    'http://2130706433',
    'http://[::1]:3000',
    'https://localhost',
  ])('should be this machine: %s', async (url) => expect((await to(url)).code).toBe(0));

  it.each([
    ['http://example.com', 'example.com'],
    ['example.com:8080/x', 'example.com:8080'],
    ['http://192.168.1.2', '192.168.1.2'],
    ['http://app.localhost:1', 'app.localhost:1'],
    ['http://localhost.example.com', 'localhost.example.com'],
    ['http://127.0.0.1.example.com', '127.0.0.1.example.com'],
    ['http://localhost@example.com', 'example.com'],
    ['http://[::2]', '[::2]'],
  ])('should be another machine, which needs --allow-remote: %s', async (url, host) => {
    expect(await to(url)).toMatchObject({
      code: 2,
      stderr: `error: ${host} is not this machine: deliveries have effects there. Add --allow-remote if you want that\n`,
    });
    expect((await to(url, '--allow-remote')).code).toBe(0);
  });

  it.each(['', 'ftp://localhost', 'file:///etc/passwd', 'http://', 'localhost:port', 'http://localhost:99999'])(
    'should be an HTTP URL: %j',
    async (url) => {
      expect(await to(url, '--allow-remote')).toMatchObject({
        code: 2,
        stderr: `error: the target must be an HTTP URL such as http://localhost:3000/kiket, but is ${JSON.stringify(url)}\n`,
      });
    },
  );

  it('should not be another machine because a file says so', async () => {
    const cwd = folderWith({ 'kiket.json': { url: 'https://staging.example.com/kiket' } });
    const { code, stderr } = await cli(['send', '--dry-run'], { cwd });
    expect([code, stderr]).toEqual([2, expect.stringContaining('staging.example.com is not this machine')]);
  });
});

it('should refuse a kiket.json that is not a file', async () => {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, 'kiket.json'));
  const { code, stderr } = await cli(['settings'], { cwd });
  expect([code, stderr]).toEqual([2, 'error: kiket.json must be a file, but is a directory or a device\n']);
});
