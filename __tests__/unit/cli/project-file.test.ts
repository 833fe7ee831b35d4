import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { PROJECT_TABLE, readProjectFile } from '../../../lib/cli/project-file';
import { temporaryFolder } from '../../support/cli';

interface Schema {
  readonly properties: Readonly<Record<string, Schema & { readonly description?: string }>>;
  readonly additionalProperties?: Schema;
}

const schema = JSON.parse(readFileSync(resolve(__dirname, '../../../lib/cli/kiket.schema.json'), 'utf8')) as Schema;
const validate = new Ajv({ allowUnionTypes: true }).compile(schema);

function read(content: string | object) {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'kiket.json'), typeof content === 'string' ? content : JSON.stringify(content));
  return readProjectFile(cwd);
}

const COMPLETE = {
  $schema: './node_modules/kiket-express/dist/cli/kiket.schema.json',
  url: 'http://localhost:3000/kiket',
  secretEnv: 'KIKET_WEBHOOK_SECRET',
  scheme: 'timestamped',
  eventVersion: 'v2',
  events: {
    'issue.created': {},
    'issue.updated': { required: false, endpoint: '/updated', timeoutMs: 500, retries: 2 },
  },
  project: 27,
  organization: 'org_3',
  scopes: ['project:27'],
  secretsFile: '.env.kiket',
  schedule: 'contract',
  timeoutMs: 5000,
  deliveries: '.kiket/deliveries',
  check: { skip: ['D4'], baseline: 'kiket-check.json' },
};

describe('kiket.json', () => {
  it('should be read with all its fields', () => {
    expect(read(COMPLETE)).toEqual({
      ...COMPLETE,
      events: [
        { event: 'issue.created', isRequired: true, isGuard: false },
        {
          event: 'issue.updated',
          isRequired: false,
          isGuard: false,
          endpoint: '/updated',
          timeoutMs: 500,
          retries: 2,
        },
      ],
    });
  });

  it('should be empty where there is no file', () => {
    expect(readProjectFile(temporaryFolder())).toEqual({});
  });

  it.each([
    ['not JSON', '{', /^kiket\.json cannot be read: /],
    ['an array', [], 'kiket.json: options must be an object, but is an empty array'],
    ['an unknown field', { secretenv: 'A' }, /unknown option "secretenv"\. Did you mean "secretEnv"\?/],
    ['a secret in place of its variable', { secret: 's' }, /unknown option "secret"\. Did you mean "secretEnv"\?/],
    ['an unknown scheme', { scheme: 'sha256' }, 'kiket.json: scheme must be "timestamped" or "body", but is "sha256"'],
    [
      'an event that is not an object',
      { events: { a: true } },
      'kiket.json: events["a"] must be an object, but is true',
    ],
    [
      'an endpoint on another host',
      { events: { a: { endpoint: '//x' } } },
      /events\["a"\]\.endpoint must be a path such as /,
    ],
    ['a string for required', { events: { a: { required: 'no' } } }, /required must be true or false, but is "no"/],
    [
      'an unknown setting of an event',
      { events: { a: { require: true } } },
      /Did you mean "events\["a"\]\.required"\?/,
    ],
    ['a list of events', { events: ['a'] }, 'kiket.json: events must be an object, but is an array'],
    ['a project that is not an id', { project: 0 }, 'kiket.json: project must be an id, but is 0'],
    [
      'an unknown schedule',
      { schedule: 'daily' },
      /^kiket\.json: schedule must be none, contract, docs, fast, legacy, 24h, or delays/,
    ],
    ['a time-out of seconds', { timeoutMs: 0.5 }, /timeoutMs must be an integer from 1 to 600000, but is 0\.5/],
    ['an unknown setting of check', { check: { only: ['A'] } }, /^kiket\.json: check: unknown option "only"/],
    ['null', { url: null }, 'kiket.json: url must be a non-empty string, but is null'],
  ])('should be refused with exit code 2, with the reason: %s', (_name, content, message) => {
    let thrown: unknown;
    try {
      read(content);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      exitCode: 2,
      message: typeof message === 'string' ? message : (expect.stringMatching(message) as string),
    });
  });
});

describe('the JSON Schema of kiket.json', () => {
  it('should name the fields that are read, at each level', () => {
    expect(Object.keys(schema.properties)).toEqual(Object.keys(PROJECT_TABLE));
    const { check, events } = schema.properties;
    expect(Object.keys(check!.properties)).toEqual(
      Object.keys(read({ check: {} }).check!)
        .sort()
        .reverse(),
    );
    const { event, isRequired, isGuard, ...others } = read({ events: { a: {} } }).events![0]!;
    expect([event, isRequired, isGuard]).toEqual(['a', true, false]);
    expect(Object.keys(events!.additionalProperties!.properties)).toEqual(['required', ...Object.keys(others)]);
  });

  it('should describe each field', () => {
    const described = Object.values(schema.properties).filter(({ description }) => (description ?? '').endsWith('.'));
    expect(described).toHaveLength(Object.keys(PROJECT_TABLE).length);
  });

  it.each([
    [COMPLETE],
    [{}],
    [{ project: 'prj_27', schedule: '30s,1m' }],
    [{ schedule: '1.5h' }],
    [{ schedule: 'none,30s' }],
    [{ schedule: '30' }],
    [{ scheme: 'both' }],
    [{ url: '' }],
    [{ url: null }],
    [{ project: 0 }],
    [{ project: '' }],
    [{ events: { a: true } }],
    [{ events: { a: { required: 1 } } }],
    [{ events: { a: { retries: 1, timeoutMs: 1, endpoint: '/' } } }],
    [{ events: { a: { retries: -1 } } }],
    [{ events: { a: { retries: 101 } } }],
    [{ events: { a: { timeoutMs: 0 } } }],
    [{ events: { a: { timeoutMs: 2 ** 31 } } }],
    [{ events: { a: { endpoint: 'kiket' } } }],
    [{ events: { a: { endpoint: '//other.example/kiket' } } }],
    [{ events: { a: { endpoint: '/\\other.example' } } }],
    [{ schedule: 'legacy' }],
    [{ schedule: '24h' }],
    [{ scopes: 'all' }],
    [{ scopes: [''] }],
    [{ timeoutMs: 0 }],
    [{ timeoutMs: 600_001 }],
    [{ check: { skip: 'D4' } }],
    [{ check: { only: [] } }],
    [{ secret: 'x' }],
    [[]],
  ])('should accept a file exactly when it is read: %j', (content) => {
    expect(validate(content)).toBe(isRead(content));
  });
});

function isRead(content: object): boolean {
  try {
    read(content);
    return true;
  } catch {
    return false;
  }
}
