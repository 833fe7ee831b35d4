import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { ACTION_NAMES, ACTIONS } from '../../../../lib/simulator/scenario/actions';
import { readScenario, SCENARIO } from '../../../../lib/simulator/scenario/read-scenario';
import { temporaryFolder } from '../../../support/cli';

interface Schema {
  readonly properties: Readonly<Record<string, Schema & { readonly description?: string }>>;
  readonly definitions: Readonly<Record<string, Schema>>;
}

const lib = resolve(__dirname, '../../../../lib');
const schema = JSON.parse(readFileSync(join(lib, 'simulator/scenario/scenario.schema.json'), 'utf8')) as Schema;
const validate = new Ajv({ allowUnionTypes: true, strictRequired: false }).compile(schema);

const read = (scenario: unknown, directory = __dirname) => readScenario(scenario, 's.json', directory);

/** A scenario of one step. */
const of = (...steps: readonly unknown[]) => ({ name: 'n', steps });

const DEFAULTS = { isBackground: false, withinMs: undefined };

describe('a scenario', () => {
  it('should be read with its settings and all kinds of steps', () => {
    const scenario = {
      $schema: 'x',
      name: 'all',
      hooks: { 'issue.created': { required: false, endpoint: '/a', timeoutMs: 5, retries: 1 }, 'a.*': {} },
      secrets: { TOKEN: 'x' },
      schedule: '30s,1m',
      speed: 'max',
      honoursRetryAfter: false,
      steps: [
        { issue: { id: 7, status: 'review' } },
        { transition: { issue: 7, to: 'done' }, expect: { outcome: 'denied', message: '~review' } },
        { decide: { issue: 7, decision: 'approve' } },
        { resume: 7 },
        { fault: { side: 'api', kind: 'rate-limit', times: 1, fields: { retryAfter: 3 } } },
        { fault: { side: 'api', kind: 'rate-limit', off: true } },
        { fault: 'off' },
        { name: 'first', send: 'issue.created', set: { 'issue.id': 8 }, unset: ['a'], options: { scheme: 'body' } },
        { send: 'issue.created', duplicate: 'once', background: true },
        { send: 'issue.created', duplicate: 'concurrent', within: '2s', expect: { effects: 1 } },
        { send: 'issue.created', tamper: 'stale', payload: { event: 'issue.created' } },
        { replay: 'first' },
        { replay: 'first', mode: 'exact' },
        { replay: 'first', set: { a: 1 } },
        { secret: { key: 'K', value: null } },
        { rotate: true },
        { slaEvent: { issue_id: 7 } },
        { wait: '1.5s' },
        { wait: 'settled' },
      ],
    };
    const { name, settings, secrets, steps } = read(scenario);
    expect([name, secrets]).toEqual(['all', { TOKEN: 'x' }]);
    expect(settings).toMatchObject({ schedule: '30s,1m', speed: 'max', honoursRetryAfter: false });
    expect(settings.hooks).toMatchObject([
      { event: 'issue.created', isRequired: false, endpoint: '/a', timeoutMs: 5, retries: 1 },
      { event: 'a.*', isRequired: true },
    ]);
    expect(steps[1]).toMatchObject({ ...DEFAULTS, expect: { outcome: 'denied', message: '~review' } });
    expect(steps[8]).toMatchObject({ isBackground: true });
    expect(steps[9]).toMatchObject({ withinMs: 2000, expect: { effects: 1 } });
    expect(steps.map(({ name: step, action }) => [step, action])).toMatchObject([
      ['issue 7', { kind: 'issue', fields: { id: 7, status: 'review' } }],
      ['issue 7 → done', { kind: 'transition', issue: 7, to: 'done' }],
      ['approve issue 7', { kind: 'decide', issue: 7, decision: 'approve' }],
      ['resume issue 7', { kind: 'resume', issue: 7 }],
      ['fault rate-limit', { kind: 'fault', isOff: false, input: { side: 'api', kind: 'rate-limit', times: 1 } }],
      ['fault rate-limit off', { kind: 'fault', isOff: true }],
      ['all faults off', { kind: 'fault', input: 'off' }],
      ['first', { kind: 'send', isConcurrent: false, input: { event: 'issue.created', unset: ['a'] } }],
      ['issue.created', { kind: 'send', isConcurrent: false, input: { tamper: 'duplicate' } }],
      ['issue.created', { kind: 'send', isConcurrent: true }],
      ['issue.created', { kind: 'send', input: { tamper: 'stale', payload: { event: 'issue.created' } } }],
      ['first again', { kind: 'replay', of: 'first', mode: 'resign', set: {} }],
      ['first again', { kind: 'replay', mode: 'exact' }],
      ['first again', { kind: 'replay', mode: 'fresh', set: { a: 1 } }],
      ['secret K', { kind: 'secret', key: 'K', value: null }],
      ['rotation of the delivery secret', { kind: 'rotate' }],
      ['SLA event', { kind: 'slaEvent', fields: { issue_id: 7 } }],
      ['wait 1500 ms', { kind: 'wait', ms: 1500 }],
      ['wait until all have ended', { kind: 'wait', ms: undefined }],
    ]);
    expect([validate(scenario), validate.errors]).toEqual([true, null]);
  });

  it('should have payloads of files beside it', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'a.json'), '{"event":"a.b"}');
    const [step] = read(of({ send: 'a.b', file: 'a.json' }), folder).steps;
    expect(step!.action).toMatchObject({ kind: 'send', input: { payload: { event: 'a.b' } } });
    writeFileSync(join(folder, 'b.json'), '[1]');
    expect(() => read(of({ send: 'a.b', file: 'b.json' }), folder)).toThrow(
      's.json: steps[0].file must be a file with a JSON object, but has an array',
    );
    expect(() => read(of({ send: 'a.b', file: 'c.json' }), folder)).toThrow(
      /^s\.json: steps\[0\]\.file must be a file with JSON, but cannot be read: ENOENT/,
    );
  });

  it.each<[string, unknown, string | RegExp]>([
    ['not an object', [], 's.json: the scenario must be an object, but is an empty array'],
    ['no name', { steps: [{ rotate: true }] }, 's.json: name must be a non-empty string, but is undefined'],
    ['no steps', { name: 'n' }, 's.json: steps must be a non-empty array, but is undefined'],
    ['an empty list of steps', of(), 's.json: steps must be a non-empty array, but is an empty array'],
    [
      'a misspelt member',
      { ...of({ rotate: true }), shedule: 'docs' },
      /unknown option "shedule". Did you mean "schedule"\?/,
    ],
    [
      'an unknown schedule',
      { ...of({ rotate: true }), schedule: 'x' },
      /schedule must be none, contract, docs, .*, but is "x"/,
    ],
    [
      'a speed of nothing',
      { ...of({ rotate: true }), speed: 0 },
      /speed must be a number from 0.001 to 1000000, or "max"/,
    ],
    [
      'a misspelt setting of a hook',
      { ...of({ rotate: true }), hooks: { a: { require: true } } },
      /unknown option "hooks\["a"\]\.require"\. Did you mean "hooks\["a"\]\.required"\?/,
    ],
    [
      'a secret that is not a string',
      { ...of({ rotate: true }), secrets: { A: 5 } },
      's.json: secrets must be an object of non-empty strings, but is an object',
    ],
    ['a step that is not an object', of('send'), /steps\[0\] must be an object, but is "send"/],
    [
      'a misspelt action',
      of({ rotate: true }, { sned: 'a.b' }),
      /unknown option "steps\[1\]\.sned"\. Did you mean "steps\[1\]\.send"\?/,
    ],
    [
      'no action',
      of({ name: 'x' }),
      /steps\[0\] must be an action: issue, transition, .*, but has none of these members/,
    ],
    ['two actions', of({ send: 'a.b', wait: '1s' }), 's.json: steps[0] must be one action, but has send and wait'],
    ['a member of another action', of({ wait: '1s', set: {} }), /unknown option "steps\[0\]\.set"/],
    [
      'two payloads',
      of({ send: 'a', payload: {}, file: 'x' }),
      's.json: steps[0].payload and steps[0].file exclude each other',
    ],
    [
      'two ways to tamper',
      of({ send: 'a', tamper: 'stale', duplicate: 'once' }),
      's.json: steps[0].tamper and steps[0].duplicate exclude each other',
    ],
    [
      'a misspelt tampering',
      of({ send: 'a', tamper: 'body-bite' }),
      's.json: steps[0].tamper must be the name of a tampering, but is "body-bite". Did you mean "body-byte"?',
    ],
    [
      'a misspelt fault',
      of({ fault: { side: 'api', kind: 'ratelimit' } }),
      's.json: steps[0].fault.kind must be the name of a fault of api, but is "ratelimit". Did you mean "rate-limit"?',
    ],
    [
      'a fault of the other side',
      of({ fault: { side: 'api', kind: 'lose-response' } }),
      /steps\[0\]\.fault\.kind must be the name of a fault of api/,
    ],
    [
      'a fault without its side',
      of({ fault: { kind: 'hang' } }),
      /fault\.side must be "delivery" or "api", but is undefined/,
    ],
    ['a word for a fault', of({ fault: 'on' }), 's.json: steps[0].fault must be an object or "off", but is "on"'],
    [
      'a replay of no step',
      of({ name: 'first', send: 'a' }, { replay: 'frist' }),
      's.json: steps[1].replay must be the name of an earlier step, but is "frist". Did you mean "first"?',
    ],
    ['a replay of itself', of({ name: 'x', replay: 'x' }), /steps\[0\]\.replay must be the name of an earlier step/],
    [
      'a replay of the same bytes with changes',
      of({ send: 'a' }, { replay: 'a', mode: 'exact', set: {} }),
      's.json: steps[1].mode must be "fresh" beside set, but is "exact"',
    ],
    [
      'a number for a duration',
      of({ wait: 5 }),
      's.json: steps[0].wait must be a duration such as 500ms, or "settled", but is 5',
    ],
    ['a limit without unit', of({ rotate: true, within: '5' }), /steps\[0\]\.within must be a duration such as/],
    ['no decision', of({ decide: { issue: 7 } }), /decide\.decision must be "approve" or "reject", but is undefined/],
    [
      'an endpoint on another host',
      of({ send: 'a', options: { endpoint: '//x' } }),
      /steps\[0\]\.options\.endpoint must be a path/,
    ],
    [
      'a secret that is not a string',
      of({ secret: { key: 'A', value: 1 } }),
      /secret\.value must be a non-empty string or null, but is a number/,
    ],
    ['no rotation', of({ rotate: false }), 's.json: steps[0].rotate must be true, but is false'],
    [
      'an attempt in unknown words',
      of({ send: 'a' }, { send: 'a', expect: { attempts: ['sucess'] } }),
      's.json: steps[1].expect.attempts[0] must be words such as "success", "retryable 429" or "final 401 signature.mismatch", ' +
        'but has "sucess". Did you mean "success"?',
    ],
    [
      'a number for an attempt',
      of({ send: 'a', expect: { attempts: [200] } }),
      /attempts\[0\] must be words .*, but is a number/,
    ],
    [
      'an unknown state',
      of({ send: 'a', expect: { state: 'done' } }),
      /steps\[0\]\.expect\.state must be "completed", .*, but is "done"/,
    ],
    [
      'a misspelt expectation',
      of({ send: 'a', expect: { efects: 1 } }),
      /unknown option "steps\[0\]\.expect\.efects"\. Did you mean "steps\[0\]\.expect\.effects"\?/,
    ],
    [
      'an outcome of a delivery',
      of({ send: 'a', expect: { outcome: 'moved' } }),
      /unknown option "steps\[0\]\.expect\.outcome"/,
    ],
    [
      'an expectation of a fault',
      of({ fault: 'off', expect: { effects: 1 } }),
      /unknown option "steps\[0\]\.expect\.effects"/,
    ],
    [
      'a call without method',
      of({ send: 'a', expect: { calls: { '/x': 1 } } }),
      /steps\[0\]\.expect\.calls must be by method and path.*has "\/x"/,
    ],
    [
      'half a call',
      of({ send: 'a', expect: { calls: { 'GET /x': 0.5 } } }),
      /calls\["GET \/x"\] must be an integer from 0/,
    ],
  ])('should be refused, with the path: %s', (_what, scenario, message) => {
    expect(() => read(scenario)).toThrow(message);
    expect(() => read(scenario)).toThrow(TypeError);
  });
});

describe('the JSON Schema of scenarios', () => {
  it('should name the members that are read, at each level', () => {
    expect(Object.keys(schema.properties)).toEqual(Object.keys(SCENARIO));
    for (const action of ACTION_NAMES) {
      const members = [...Object.keys(ACTIONS[action].fields), 'name', 'within', 'expect'];
      expect(Object.keys(schema.definitions[action]!.properties)).toEqual(members);
    }
  });

  it('should describe each member', () => {
    for (const [name, { description }] of Object.entries(schema.properties))
      expect([name, description]).toEqual([name, expect.stringMatching(/\.$/)]);
  });

  it.each([
    [of({ send: 'a' })],
    [of({ sned: 'a' })],
    [of({ send: 'a', wait: '1s' })],
    [of({ send: 'a', payload: {}, file: 'x' })],
    [of({ send: 'a', tamper: 'stale', duplicate: 'once' })],
    [of({ send: 'a', options: { endpoint: '//x' } })],
    [of({ send: 'a', options: { prefix: '' } })],
    [of({ send: 'a' }, { replay: 'a', mode: 'exact', set: {} })],
    [of({ send: 'a' }, { replay: 'a', mode: 'fresh', set: {} })],
    [of({ fault: 'off' })],
    [of({ fault: 'on' })],
    [of({ fault: 'off', expect: {} })],
    [of({ fault: 'off', expect: { effects: 0 } })],
    [of({ fault: { kind: 'hang' } })],
    [of({ wait: 'settled', expect: { effects: 0 } })],
    [of({ wait: 'settled', expect: { workflow: 'running' } })],
    [of({ wait: '1' })],
    [of({ rotate: false })],
    [of({ resume: 0 })],
    [of({ secret: { key: 'A', value: '' } })],
    [of({ secret: { key: 'A', value: null } })],
    [of({ decide: { issue: 7, decision: 'maybe' } })],
    [of({ decide: { issue: 7, decision: 'reject' }, expect: { outcome: 'denied', state: 'denied' } })],
    [of({ transition: { issue: 7, to: 'done' }, expect: { outcome: 'denied', state: 'denied' } })],
    [of({ send: 'a', expect: { calls: { '/x': 1 } } })],
    [of({ send: 'a', expect: { state: 'sending' } })],
    [of()],
    [{ ...of({ rotate: true }), speed: 0 }],
    [{ ...of({ rotate: true }), speed: 'max' }],
    [{ ...of({ rotate: true }), schedule: 'none,1s' }],
    [{ ...of({ rotate: true }), hooks: { a: { retries: -1 } } }],
    [{ ...of({ rotate: true }), secrets: { A: '' } }],
    [{ ...of({ rotate: true }), secrets: { A: 'x' } }],
  ])('should accept a scenario exactly when it is read: %j', (scenario) => {
    let isRead = true;
    try {
      read(scenario);
    } catch {
      isRead = false;
    }
    expect(validate(scenario)).toBe(isRead);
  });

  it('should accept the scenario of the demo', () => {
    const demo = JSON.parse(readFileSync(join(lib, 'demo/scenario.json'), 'utf8')) as object;
    expect([validate(demo), read(demo).name]).toEqual([true, 'demo']);
  });
});
