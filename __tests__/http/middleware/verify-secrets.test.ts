import type { Request } from 'express';
import { kiketVerify, type KiketError, type KiketSecretSource } from 'kiket-express';
import { deliver, example, secret } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import {
  expectReceived,
  expectRefused,
  final,
  observed,
  pathNames,
  pathsToHandler,
  retried,
  type Refusal,
} from '../../support/refusals';

type Lookup = Extract<KiketSecretSource, (...args: never) => unknown>;

const unknown = final(401, 'signature.secret_unknown');
const unavailable = retried(503, 'signature.secret_unavailable');
const mismatch = final(401, 'signature.mismatch');

/** Results of a lookup that are refused, each with its refusal. */
const refusals: [string, () => unknown, Refusal][] = [
  ['returns nothing', () => undefined, unknown],
  ['resolves to nothing', () => Promise.resolve(undefined), unknown],
  ['returns a number', () => 42, unavailable],
  ['resolves to an empty list', () => Promise.resolve([]), unavailable],
  ['throws', () => throws(new Error('vault is sealed')), unavailable],
  ['rejects', () => Promise.reject(new Error('vault is sealed')), unavailable],
  ['never settles', () => new Promise(() => undefined), unavailable],
  ['returns another secret', () => 'another', mismatch],
  ['resolves to another secret', () => Promise.resolve('another'), mismatch],
];

function throws(error: Error): never {
  throw error;
}

const found: [string, () => unknown, number][] = [
  ['a string', () => secret, 0],
  ['a list', () => ['current', secret], 1],
  ['a promise of a list', () => Promise.resolve(['current', Buffer.from(secret)]), 1],
  ['a string in a later turn', () => new Promise((resolve) => setImmediate(resolve, secret)), 0],
];

/** Calls `first` for the first delivery, and returns the secret of all tests for later ones. */
function once(first: () => unknown): Lookup {
  let calls = 0;
  return () => (calls++ === 0 ? first() : secret) as string;
}

describeMajors('kiketVerify with a secret function', (express) => {
  describe.each(pathNames)('in %s', (path) => {
    const stagesOf = pathsToHandler[path]!;

    it.each(found)('should accept %s', async (_name, lookup, secretIndex) => {
      const indexes: unknown[] = [];
      const { app, log } = observed(express, [
        ...stagesOf({ secret: lookup as Lookup }),
        (req, _res, next) => next(void indexes.push((req as Request).kiket?.signature?.secretIndex)),
      ]);
      await expectReceived({ app, log }, { name: '' });
      expect(indexes).toEqual([secretIndex]);
    });

    it.each(refusals)('should be refused when it %s', async (name, lookup, refusal) => {
      const stages = stagesOf({ secret: once(lookup), lookupTimeoutMs: 10 });
      await expectRefused(observed(express, stages), { name, refusal });
    });

    it('should wait for it for less than the deadline by default', async () => {
      const stages = stagesOf({
        secret: once(() => new Promise(() => undefined)),
        lookupTimeoutMs: 10,
        deadlineMs: 1e6,
      });
      await expectRefused(observed(express, stages), { name: 'hangs', refusal: unavailable });
    });

    it.each<[string, Promise<unknown>]>([
      ['finds the secret', Promise.resolve(secret)],
      ['fails', Promise.reject(new Error('vault is sealed'))],
    ])('should send one response when it %s after lookupTimeoutMs', async (name, late) => {
      late.catch(() => undefined);
      let settle!: (late: Promise<unknown>) => void;
      const lookup = once(() => new Promise((resolve) => (settle = resolve)));
      const handled = jest.fn();
      const { app, log } = observed(express, [
        ...stagesOf({ secret: lookup, lookupTimeoutMs: 1 }),
        (_req, _res, next) => next(void handled()),
      ]);
      await expectRefused({ app, log }, { name, refusal: unavailable });
      settle(late);
      await new Promise(setImmediate);
      expect(handled).toHaveBeenCalledTimes(1);
    });

    it('should be called once for a delivery', async () => {
      const lookup = jest.fn(() => secret);
      const { app } = observed(express, stagesOf({ secret: lookup }));
      await deliver(app).expect(200);
      expect(lookup).toHaveBeenCalledTimes(1);
    });

    it.each([
      ['no signature', { 'X-Kiket-Signature': undefined }, 401],
      ['a malformed one', { 'X-Kiket-Signature': 'nonsense' }, 401],
      ['a stale one', { 'X-Kiket-Timestamp': '1' }, 401],
      ['a compressed body', { 'Content-Encoding': 'gzip' }, 415],
      ['another charset', { 'Content-Type': 'application/json; charset=utf-7' }, 415],
      ['a Content-Length over the limit', {}, 413],
    ])('should not be called for %s', async (_name, headers, status) => {
      const lookup = jest.fn(() => secret);
      const limit = status === 413 ? 100 : '1mb';
      const { app } = observed(express, stagesOf({ secret: lookup, limit }));
      await deliver(app, example, { headers }).expect(status);
      expect(lookup).not.toHaveBeenCalled();
    });

    it('should receive the request of its route, to distinguish tenants', async () => {
      const secrets: Record<string, string> = { 'workflow.sla_status': 'secret of a tenant' };
      const lookup: Lookup = async (req) => {
        await new Promise(setImmediate);
        return secrets[(req.params as { event: string }).event];
      };
      const { app } = observed(express, stagesOf({ secret: lookup }));
      const signing = { secret: 'secret of a tenant' };
      await deliver(app, example, { ...signing, path: '/webhooks/workflow.sla_status' }).expect(200);
      await deliver(app, example, { ...signing, path: '/webhooks/another' }).expect(401);
    });

    it('should verify simultaneous deliveries each with its own secret', async () => {
      const lookup: Lookup = async (req) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
        return req.get('x-tenant');
      };
      const { app } = observed(express, stagesOf({ secret: lookup }));
      const statuses = await Promise.all(
        Array.from({ length: 20 }, async (_, tenant) => {
          const headers = { 'X-Tenant': `secret-${tenant}` };
          const signed = tenant % 2 === 0 ? tenant : tenant - 1;
          return (await deliver(app, example, { secret: `secret-${signed}`, headers })).status;
        }),
      );
      expect(statuses).toEqual(statuses.map((_, tenant) => (tenant % 2 === 0 ? 200 : 401)));
    });
  });

  it.each([
    [
      'throws',
      () =>
        Promise.resolve().then(() => {
          throw new Error('canary of a vault');
        }),
    ],
    ['finds a number', () => 42],
  ])('should give its failure only to onRefused, as the cause, when it %s', async (_name, lookup) => {
    const errors: KiketError[] = [];
    const onRefused = (error: KiketError) => void errors.push(error);
    const { app } = observed(express, [kiketVerify(lookup as unknown as Lookup, { onRefused })]);
    const response = await deliver(app).expect(503);
    expect(errors[0]?.cause).toBeInstanceOf(Error);
    expect(response.text).not.toMatch(/canary|42/);
  });
});
