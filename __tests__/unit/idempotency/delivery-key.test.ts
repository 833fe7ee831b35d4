import { identify, keysOf } from '../../../lib/idempotency/delivery-key';

const base = {
  rawBody: Buffer.from('{"event":"a","secrets":{"A":"canary"}}'),
  mac: Buffer.alloc(32, 1),
  token: undefined,
  delivery: { invocationId: 'inv-1', organizationId: 7 },
};

function identityOf(changes: object = {}): ReturnType<typeof identify> {
  const { mac, token, ...rest } = { ...base, ...changes };
  return identify({ ...rest, authenticity: { mac, token } });
}

/** Names of the hashes that differ from those of `base`. */
function differing(changes: object): string[] {
  const [first, second] = [identityOf(), identityOf(changes)];
  return (['payload', 'attempt', 'delivery'] as const).filter((name) => first[name] !== second[name]);
}

describe('identify', () => {
  it('should return hashes only', () => {
    for (const value of Object.values(identityOf())) expect(value).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each<[string, object, string[]]>([
    ['another signature', { mac: Buffer.alloc(32, 2) }, ['attempt']],
    ['other members of the attempt', { rawBody: Buffer.from('{"event":"a"}') }, []],
    ['another payload', { rawBody: Buffer.from('{"event":"b"}') }, ['payload', 'delivery']],
    ['another invocation', { delivery: { invocationId: 'inv-2', organizationId: 7 } }, ['delivery']],
    ['another organization', { delivery: { invocationId: 'inv-1', organizationId: 8 } }, ['delivery']],
    ['no organization', { delivery: { invocationId: 'inv-1', organizationId: undefined } }, ['delivery']],
    ['no invocation', { delivery: { invocationId: undefined, organizationId: 7 } }, ['delivery']],
  ])('should change these hashes for %s', (_name, changes, names) => {
    expect(differing(changes)).toEqual(names);
  });

  it('should hash the id of the token and the whole body when there is no signature', () => {
    const unsigned = { mac: undefined, token: { tokenId: 'first' } };
    const attempts = [
      unsigned,
      { ...unsigned, token: { tokenId: 'second' } },
      { ...unsigned, token: {} },
      { ...unsigned, rawBody: Buffer.from('{"event":"a"}') },
      {},
    ].map((changes) => identityOf(changes).attempt);
    expect(new Set(attempts).size).toBe(5);
    expect(identityOf(unsigned).attempt).toBe(attempts[0]);
  });

  it('should return keys with one hash tag, and only the first without an invocation', () => {
    const identity = identityOf();
    const { payload, attempt, delivery } = identity;
    expect(keysOf(identity)).toEqual([`{${payload}}:attempt:${attempt}`, `{${payload}}:delivery:${delivery}`]);
    expect(keysOf({ ...identity, delivery: undefined })).toEqual([`{${payload}}:attempt:${attempt}`]);
  });
});
