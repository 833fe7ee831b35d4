import { kiketHandler, type KiketDelivery } from 'kiket-express';
import { deliver, example, secret } from '../../support/deliver';
import { describeMajors, type Express } from '../../support/express';
import {
  expectReceived,
  expectRefused,
  final,
  observed,
  pathNames,
  pathsToHandler,
  type Case,
  type RefusedCase,
} from '../../support/refusals';

const canary = 'canary of the payload';
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const malformed = final(400, 'payload.malformed');
const invalid = final(422, 'payload.invalid');

const refused: RefusedCase[] = [
  { name: 'an empty body', payload: '', refusal: malformed },
  { name: 'JSON that is not an object', payload: `["${canary}"]`, refusal: malformed },
  { name: 'bytes that are not UTF-8', payload: Buffer.from(`{"event":"${canary}é"}`, 'latin1'), refusal: malformed },
  { name: '20,000 nested arrays', payload: nested(20_000), refusal: malformed },
  { name: 'a field of a wrong type', payload: { event: 'a', secrets: { KEY: [canary] } }, refusal: invalid },
  { name: 'no event', payload: {}, refusal: invalid },
];

const accepted: Case[] = [
  { name: 'a byte order mark', payload: '\ufeff{"event":"a"}' },
  { name: '20,000 nested arrays in a field', payload: `{"event":"a","context":{"deep":${nested(20_000)}}}` },
  { name: '20,000 nested arrays in an unknown field', payload: `{"event":"a","unknown":${nested(20_000)}}` },
  { name: 'null in place of fields', payload: { event: 'a', issue: null, secrets: null, authentication: null } },
];

/** An application whose handler returns the result of `inspect`. */
function ask(express: Express, inspect: (delivery: KiketDelivery) => unknown) {
  return observed(
    express,
    pathsToHandler['kiket()']!({ secret }),
    kiketHandler((delivery) => ({ seen: inspect(delivery) })),
  ).app;
}

describeMajors('kiketParse', (express) => {
  describe.each(pathNames)('in %s', (path) => {
    const app = () => observed(express, pathsToHandler[path]!({}));

    it.each(refused)('should fail with $refusal.code, and show no value, for $name', async (row) => {
      const { text } = await expectRefused(app(), row);
      expect(text).not.toContain(canary);
    });

    it.each(accepted)('should accept $name', async (row) => {
      await expectReceived(app(), row, { event: 'a' });
    });
  });

  it('should keep null', async () => {
    const app = ask(express, ({ payload }) => [payload.issue, payload.metrics, payload.event]);
    const response = await deliver(app, { event: 'a', issue: null }).expect(200);
    expect(response.body).toEqual({ seen: [null, null, 'a'] });
  });

  it('should pass contents and unknown fields on unchanged', async () => {
    const sent = { event: 'a', issue: { id: 'x', deep: [{ null: null }] }, unknown: [1, '2', { three: 3.5 }] };
    const response = await deliver(
      ask(express, ({ payload }) => payload),
      sent,
    ).expect(200);
    expect(response.body).toEqual({ seen: sent });
  });

  it('should make req.body the payload', async () => {
    const handler = kiketHandler(({ payload }, req) => ({ same: req.body === payload }));
    await deliver(observed(express, pathsToHandler['kiket()']!({}), handler).app).expect(200, { same: true });
  });

  it('should receive the example of the contract', async () => {
    const app = ask(express, ({ event, eventVersion, projectId }) => [event, eventVersion, projectId]);
    await deliver(app, example).expect(200, { seen: ['workflow.sla_status', 'v1', 27] });
  });
});
