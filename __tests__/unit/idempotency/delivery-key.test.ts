import { createSecretKey } from 'node:crypto';
import { identify, keysOf } from '../../../lib/idempotency/delivery-key';

const keyOf = (secret: string) => createSecretKey(Buffer.from(secret));

const base = {
  rawBody: Buffer.from('{"event":"a","secrets":{"A":"canary"}}'),
  mac: Buffer.alloc(32, 1),
  keys: [keyOf('old')],
  token: undefined,
  trustsBody: true,
  delivery: deliveryOf({}),
};

function deliveryOf(changes: object) {
  return {
    event: 'a',
    deliveryId: undefined,
    invocationId: 'inv-1',
    organizationId: 7,
    payload: undefined,
    ...changes,
  };
}

function identityOf(changes: object = {}): ReturnType<typeof identify> {
  const { mac, keys, token, ...rest } = { ...base, ...changes };
  return identify({ ...rest, authenticity: { mac, keys, token } });
}

/** Names of the hashes that differ from those of `base`. */
function differing(changes: object): string[] {
  const [first, second] = [identityOf(), identityOf(changes)];
  return (['tag', 'attempt', 'delivery'] as const).filter((name) => first[name] !== second[name]);
}

describe('identify', () => {
  it('should return hashes only', () => {
    for (const value of Object.values(identityOf())) expect(value).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each<[string, object, string[]]>([
    ['another signature', { mac: Buffer.alloc(32, 2) }, ['attempt']],
    ['other members of the attempt', { rawBody: Buffer.from('{"event":"a"}') }, []],
    ['another payload', { rawBody: Buffer.from('{"event":"b"}') }, ['tag', 'delivery']],
    ['another invocation', { delivery: deliveryOf({ invocationId: 'inv-2' }) }, ['delivery']],
    ['another organization', { delivery: deliveryOf({ organizationId: 8 }) }, ['delivery']],
    ['no organization', { delivery: deliveryOf({ organizationId: undefined }) }, ['delivery']],
    ['no invocation', { delivery: deliveryOf({ invocationId: undefined }) }, ['delivery']],
  ])('should change these hashes for %s', (_name, changes, names) => {
    expect(differing(changes)).toEqual(names);
  });

  it.each<[string, object, string[]]>([
    ['the same id', {}, []],
    ['another payload of the same id', { rawBody: Buffer.from('{"event":"b"}') }, []],
    ['another signature of the same id', { mac: Buffer.alloc(32, 2) }, ['attempt']],
    ['another invocation, which is not signed', { delivery: { invocationId: 'inv-2' } }, []],
    ['another organization in a header', { delivery: { organizationId: 8 } }, []],
    [
      'another organization in the payload',
      { delivery: { payload: { organizationId: 'org_8' } } },
      ['tag', 'delivery'],
    ],
    ['another event', { delivery: { event: 'b' } }, ['tag', 'delivery']],
    ['another id', { delivery: { deliveryId: 'evt_2' } }, ['tag', 'delivery']],
    ['a body that is not trusted', { trustsBody: false }, ['tag', 'delivery']],
    ['the secret of another tenant', { keys: [keyOf('other')] }, ['tag', 'delivery']],
    ['a new secret during a rotation', { keys: [keyOf('new'), keyOf('old')] }, []],
  ])('should let a signed id decide, with %s', (_name, { delivery, ...changes }: { delivery?: object }, names) => {
    const signed = { deliveryId: 'evt_1', payload: { organizationId: 'org_7' } };
    const [first, second] = [
      identityOf({ delivery: deliveryOf(signed) }),
      identityOf({ delivery: deliveryOf({ ...signed, ...delivery }), ...changes }),
    ];
    expect((['tag', 'attempt', 'delivery'] as const).filter((name) => first[name] !== second[name])).toEqual(names);
  });

  it('should let a signed id count for the organization of the token when the payload names none', () => {
    const delivery = deliveryOf({ deliveryId: 'evt_1', payload: {} });
    const [first, second, again] = [7, 8, 7].map((organizationId) =>
      identityOf({ mac: undefined, keys: [], token: { organizationId }, delivery }),
    );
    expect(second!.delivery).not.toBe(first!.delivery);
    expect(again!.delivery).toBe(first!.delivery);
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
    const { tag, attempt, delivery } = identity;
    expect(keysOf(identity)).toEqual([`{${tag}}:attempt:${attempt}`, `{${tag}}:delivery:${delivery}`]);
    expect(keysOf({ ...identity, delivery: undefined })).toEqual([`{${tag}}:attempt:${attempt}`]);
  });
});
