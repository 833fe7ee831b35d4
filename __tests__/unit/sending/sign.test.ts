import { createHmac } from 'node:crypto';
import { signedRequest, type SigningPlan } from '../../../lib/sending/sign';

const url = 'http://localhost:3000/kiket';
const body = Buffer.from('{"event":"issue.created"}');
const plan: SigningPlan = {
  secret: 'secret',
  scheme: 'timestamped',
  prefix: '',
  timestampSeconds: 1_700_000_000,
  headers: 'full',
  event: 'issue.created',
  eventVersion: 'v1',
  invocationId: '3f6b0c',
  projectId: 27,
  organizationId: 'org_3',
};
const mac = (...texts: (string | Buffer)[]): string => {
  const hmac = createHmac('sha256', 'secret');
  for (const text of texts) hmac.update(text);
  return hmac.digest('hex');
};
const JSON_TYPES = [
  ['Content-Type', 'application/json'],
  ['Accept', 'application/json'],
];

describe('a signed request', () => {
  it('should have the headers in the order and spelling of the platform', () => {
    expect(signedRequest(url, body, plan)).toEqual({
      method: 'POST',
      url,
      body,
      headers: [
        ...JSON_TYPES,
        ['X-Kiket-Event', 'issue.created'],
        ['X-Kiket-Event-Version', 'v1'],
        ['X-Kiket-Invocation', '3f6b0c'],
        ['X-Kiket-Project', '27'],
        ['X-Kiket-Organization', 'org_3'],
        ['X-Kiket-Timestamp', '1700000000'],
        ['X-Kiket-Signature', mac('1700000000.', body)],
      ],
    });
  });

  it.each([
    ['the scheme body', { scheme: 'body', headers: 'minimal' }, [['X-Kiket-Signature', mac(body)]]],
    [
      'a prefix',
      { scheme: 'body', headers: 'minimal', prefix: 'sha256=' },
      [['X-Kiket-Signature', `sha256=${mac(body)}`]],
    ],
    ['no secret', { secret: undefined, headers: 'minimal' }, []],
    [
      'no ids',
      {
        secret: undefined,
        eventVersion: undefined,
        invocationId: undefined,
        projectId: undefined,
        organizationId: undefined,
      },
      [['X-Kiket-Event', 'issue.created']],
    ],
  ] as const)('should have the headers of a plan with %s', (_name, change, expected) => {
    expect(signedRequest(url, body, { ...plan, ...change }).headers).toEqual([...JSON_TYPES, ...expected]);
  });

  it.each(['', 'undefined', ' with white space '])('should be signed with %j, which a receiver refuses', (secret) => {
    const { headers } = signedRequest(url, body, { ...plan, secret, scheme: 'body' });
    expect(headers.at(-1)![1]).toBe(createHmac('sha256', secret).update(body).digest('hex'));
  });
});
