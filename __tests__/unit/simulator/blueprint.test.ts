import type { DeliveryInput } from '../../../lib/simulator/local-kiket';
import { urlOf } from '../../../lib/sending/endpoint';
import { blueprintOf } from '../../../lib/simulator/blueprint';
import { readSimulatorOptions, settingsOf } from '../../../lib/simulator/simulator-options';
import { refusal } from '../../support/simulator';

const settings = settingsOf(
  readSimulatorOptions({ url: 'http://127.0.0.1:9/kiket', projectId: 27, organizationId: 3 }),
);

const of = (input: DeliveryInput) => blueprintOf(input, settings);
const bytes = (text: string): string => Buffer.from(text).toString('base64');

describe('what is delivered', () => {
  it('should be a rendered event, with the settings', () => {
    const blueprint = of({ event: 'issue.created' });
    expect(blueprint).toMatchObject({
      event: 'issue.created',
      eventVersion: 'v1',
      projectId: 27,
      organizationId: 3,
      scheme: 'timestamped',
      prefix: '',
      headers: 'full',
      isIncomplete: false,
      content: { payload: { event: 'issue.created', issue: { project_id: 27 } } },
    });
    expect(blueprint.invocationId).toMatch(/^[\da-f-]{36}$/);
  });

  it('should be a payload without the part of the platform, with changes', () => {
    const payload = {
      event: 'x',
      a: { b: 1 },
      c: 2,
      secrets: { A: 'b' },
      api: {},
      authentication: {},
      secret_status: {},
    };
    const { content } = of({ payload, set: { 'a.b': 'two', 'a.n': { deep: true } }, unset: ['c', 'none.at.all'] });
    expect(content).toEqual({ payload: { event: 'x', a: { b: 'two', n: { deep: true } } } });
    expect(payload.c).toBe(2);
  });

  it('should be given bytes, whatever they are', () => {
    expect(of({ bodyBase64: bytes('not json'), event: 'x' })).toMatchObject({
      event: 'x',
      content: { bytes: Buffer.from('not json') },
    });
    expect(of({ bodyBase64: bytes('{"event":"y","event_version":"v2"}') })).toMatchObject({
      event: 'y',
      eventVersion: 'v2',
    });
    expect(of({ bodyBase64: '' }).event).toBeUndefined();
  });

  it('should have the options', () => {
    const options = {
      envelope: 'data',
      eventVersion: 'v9',
      projectId: 1,
      organizationId: 'org_2',
      invocationId: 'inv',
      scheme: 'body',
      prefix: 'sha256=',
      minimalHeaders: true,
      timestampOffsetSeconds: -600,
      missing: ['A'],
      scopes: ['read:issues'],
      endpoint: '/other',
      required: false,
    } as const;
    expect(of({ event: 'issue.created', options, tamper: 'bom' })).toMatchObject({
      eventVersion: 'v9',
      projectId: 1,
      organizationId: 'org_2',
      invocationId: 'inv',
      scheme: 'body',
      prefix: 'sha256=',
      headers: 'minimal',
      timestampOffsetSeconds: -600,
      missing: ['A'],
      scopes: ['read:issues'],
      endpoint: '/other',
      isRequired: false,
      tamper: 'bom',
      content: { payload: { type: 'issue.created', id: 'evt_inv' } },
    });
  });

  it.each([
    [{}, 'one of event, payload and bodyBase64 is missing'],
    [{ payload: {}, bodyBase64: '' }, 'payload and bodyBase64 exclude each other'],
    [{ event: 'x', tamper: 'nonsense' }, 'tamper must be the name of a tampering, but is "nonsense"'],
    [{ event: 'issue.created', set: { 'event.x': 1 } }, 'leads through "event"'],
    [{ event: 'issue.created', unset: ['a..b'] }, 'is not a path'],
    [{ event: 'x', options: { scopes: [''] } }, 'scopes[0] must be'],
    [{ payload: JSON.parse(`{"a":${'['.repeat(600)}${']'.repeat(600)}}`) as Record<string, unknown> }, '500 levels'],
    [{ event: 'x', set: { [`a${'.a'.repeat(600)}`]: 1 } }, '500 levels'],
    [{ event: 'x', options: { endpoint: '//evil.example' } }, 'endpoint must be a path'],
    [{ event: 'x', options: { endpoint: 'http://evil.example' } }, 'endpoint must be a path'],
  ])('should refuse %j', (input, message) => {
    expect(() => of(input)).toThrow(refusal(400, message));
  });
});

describe('the URL of a delivery', () => {
  it.each([
    [undefined, 'http://127.0.0.1:9/kiket'],
    ['/a?b=1', 'http://127.0.0.1:9/a?b=1'],
    ['//evil.example/x', 'http://127.0.0.1:9/kiket'],
    ['/\\evil.example', 'http://127.0.0.1:9/kiket'],
    ['https://evil.example', 'http://127.0.0.1:9/kiket'],
  ])('should be with the endpoint %s: %s', (endpoint, url) => {
    expect(urlOf('http://127.0.0.1:9/kiket', endpoint)).toBe(url);
  });
});
