import { kiketHandler } from 'kiket-express';
import { deliver, example } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import {
  expectReceived,
  expectRefused,
  final,
  observed,
  pathNames,
  pathsToHandler,
  twice,
} from '../../support/refusals';
import type { SignedRequestOptions } from '../../support/signed-request';

const conflict = final(400, 'delivery.conflict');

const at = (path: string, headers: Record<string, string> = {}): SignedRequestOptions => ({ path, headers });

/** One row for each place in which Express has a value. */
const named: [string, object, SignedRequestOptions, object][] = [
  ['the header', {}, { event: 'h', eventVersion: '2' }, { event: 'h', eventVersion: 'v2' }],
  ['the path', {}, at('/v/3/webhooks/p'), { event: 'p', eventVersion: 'v3' }],
  ['the query', {}, at('/kiket?event=q&version=4'), { event: 'q', eventVersion: 'v4' }],
  ['an escaped path', { event: 'a b' }, at('/webhooks/a%20b'), { event: 'a b', eventVersion: 'v1' }],
  ['an escaped query', { event: 'é+' }, at('/kiket?event=%C3%A9%2B'), { event: 'é+', eventVersion: 'v1' }],
  ['a malformed query', { event: 'a' }, at('/kiket?%&=&&event'), { event: 'a', eventVersion: 'v1' }],
  [
    'all, which agree',
    { event: 'a', event_version: '2' },
    at('/v/2/webhooks/a?event=a&version=v2', { 'X-Kiket-Event': 'a', 'X-Kiket-Event-Version': '2' }),
    { event: 'a', eventVersion: 'v2' },
  ],
];

const conflicts: [string, object, SignedRequestOptions][] = [
  ['a header', { event: 'a' }, { event: 'b' }],
  ['a header of the version', { event: 'a', event_version: 'v1' }, { eventVersion: '2' }],
  ['a path', { event: 'a' }, at('/webhooks/b')],
  ['a query', { event: 'a' }, at('/kiket?event=b')],
  ['a second query', { event: 'a' }, at('/kiket?event=a&event=b')],
  ['a repeated header', { event: 'a' }, { headers: twice('X-Kiket-Event', 'a') }],
];

describeMajors('path, headers and query of a delivery', (express) => {
  describe.each(pathNames)('in %s', (path) => {
    const stagesOf = pathsToHandler[path]!;
    const show = kiketHandler(({ event, eventVersion }) => ({ event, eventVersion }));

    it.each(named)('should take event and version from %s', async (name, payload, delivery, reply) => {
      await expectReceived(observed(express, stagesOf({}), show), { name, payload, delivery }, reply);
    });

    it.each(conflicts)('should 400 when %s differs from the signed body', async (name, payload, delivery) => {
      const row = { name, payload, delivery, refusal: conflict };
      const { details } = await expectRefused(observed(express, stagesOf({})), row);
      expect(details).toEqual([{ reason: expect.any(String) as string }]);
    });

    it.each<[object, string, object]>([
      [{ issue: { project_id: 27 } }, '99', { projectId: 27, organizationId: 99 }],
      [{}, '99', { projectId: 99, organizationId: 99 }],
      [{}, 'acme', { projectId: 'acme', organizationId: 'acme' }],
      [{}, '0', { projectId: null, organizationId: null }],
    ])('should take project and organization from %j and the headers of %s', async (fields, header, reply) => {
      const handler = kiketHandler(({ projectId = null, organizationId = null }) => ({ projectId, organizationId }));
      const delivery = { headers: { 'X-Kiket-Project': header, 'X-Kiket-Organization': header } };
      const row = { name: '', payload: { event: 'a', ...fields }, delivery };
      await expectReceived(observed(express, stagesOf({}), handler), row, reply);
    });

    it.each<[Record<string, string>, string | null]>([
      [{ 'X-Kiket-Invocation': 'inv_1', 'X-Kiket-Delivery': 'del_1' }, 'inv_1'],
      [{ 'X-Kiket-Delivery': 'del_1' }, 'del_1'],
      [{ 'X-Kiket-Invocation': '', 'X-Kiket-Delivery': 'del_1' }, 'del_1'],
      [{}, null],
    ])('should take the invocation of %j', async (headers, invocationId) => {
      const handler = kiketHandler((delivery) => ({ invocationId: delivery.invocationId ?? null }));
      const row = { name: '', delivery: { headers } };
      await expectReceived(observed(express, stagesOf({}), handler), row, { invocationId });
    });
  });

  it('should name the invocation in the body of an error', async () => {
    const { app } = observed(express, pathsToHandler['kiket()']!({}));
    const response = await deliver(app, '[]', { invocationId: 'inv_1' }).expect(400);
    expect((response.body as { error: object }).error).toHaveProperty('invocation', 'inv_1');
  });

  it.each(['simple', 'extended', false])('should read the query with any query parser: %s', async (parser) => {
    const app = express();
    app.set('env', 'test');
    app.set('query parser', parser);
    app.use('/mounted', observed(express, pathsToHandler['kiket()']!({})).app as ReturnType<typeof express>);
    await deliver(app, example, { path: '/mounted/kiket?event=issue.created' }).expect(400);
    await deliver(app, example, { path: '/mounted/kiket?event=workflow.sla_status' }).expect(200);
  });
});
