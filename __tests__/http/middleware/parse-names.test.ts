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
  type Case,
} from '../../support/refusals';
import type { SignedRequestOptions } from '../../support/signed-request';

const conflict = final(400, 'delivery.conflict');

/** What says the event, or the version, where: the signed body first. */
interface Named extends Case {
  readonly expected?: string;
}

const at = (path: string, headers: Record<string, string> = {}): SignedRequestOptions => ({ path, headers });
const event = (value: string) => ({ 'X-Kiket-Event': value });
const version = (value: string) => ({ 'X-Kiket-Event-Version': value });

const events: Named[] = [
  { name: 'the body alone', payload: { event: 'a' }, expected: 'a' },
  { name: 'the header alone', payload: {}, delivery: { event: 'h' }, expected: 'h' },
  { name: 'the path alone', payload: {}, delivery: at('/webhooks/p'), expected: 'p' },
  { name: 'the query alone', payload: {}, delivery: at('/kiket?event=q'), expected: 'q' },
  { name: 'a body of null beside a header', payload: { event: null }, delivery: { event: 'h' }, expected: 'h' },
  { name: 'an empty body beside a path', payload: { event: '' }, delivery: at('/webhooks/p'), expected: 'p' },
  { name: 'all, which agree', payload: { event: 'a' }, delivery: at('/webhooks/a?event=a', event('a')), expected: 'a' },
  {
    name: 'all but the body, which agree',
    payload: {},
    delivery: at('/webhooks/a?event=a', event('a')),
    expected: 'a',
  },
  {
    name: 'an empty header and query',
    payload: { event: 'a' },
    delivery: at('/kiket?event=', event('')),
    expected: 'a',
  },
  {
    name: 'the query twice, which agrees',
    payload: { event: 'a' },
    delivery: at('/kiket?event=a&event=a'),
    expected: 'a',
  },
  { name: 'an escaped path', payload: { event: 'a b' }, delivery: at('/webhooks/a%20b'), expected: 'a b' },
  { name: 'an escaped query', payload: { event: 'é+' }, delivery: at('/kiket?event=%C3%A9%2B'), expected: 'é+' },
  { name: 'a query of another case', payload: { event: 'a' }, delivery: at('/kiket?Event=b&events=c'), expected: 'a' },
  { name: 'a query that is malformed', payload: { event: 'a' }, delivery: at('/kiket?%&=&&event'), expected: 'a' },
];

const conflictingEvents: Named[] = [
  { name: 'a header against the body', payload: { event: 'a' }, delivery: { event: 'b' } },
  { name: 'a path against the body', payload: { event: 'a' }, delivery: at('/webhooks/b') },
  { name: 'a query against the body', payload: { event: 'a' }, delivery: at('/kiket?event=b') },
  { name: 'a path against the header', payload: {}, delivery: at('/webhooks/b', event('a')) },
  { name: 'a query against the header', payload: {}, delivery: at('/kiket?event=b', event('a')) },
  { name: 'a query against the path', payload: {}, delivery: at('/webhooks/a?event=b') },
  {
    name: 'the last of several against the body',
    payload: { event: 'a' },
    delivery: at('/webhooks/a?event=b', event('a')),
  },
  { name: 'the second query against the body', payload: { event: 'a' }, delivery: at('/kiket?event=a&event=b') },
  { name: 'an escaped query against the body', payload: { event: 'a' }, delivery: at('/kiket?%65vent=b') },
  { name: 'another case', payload: { event: 'a' }, delivery: { event: 'A' } },
  { name: 'the header twice', payload: { event: 'a' }, delivery: { headers: twice('X-Kiket-Event', 'a') } },
  { name: 'a pattern', payload: { event: 'issue.created' }, delivery: { event: 'issue.*' } },
];

const versions: Named[] = [
  { name: 'nothing', payload: {}, expected: 'v1' },
  { name: 'null in the body', payload: { event_version: null }, expected: 'v1' },
  { name: 'the body alone', payload: { event_version: 'v2' }, expected: 'v2' },
  { name: 'digits in the body', payload: { event_version: '2' }, expected: 'v2' },
  { name: 'a word in the body', payload: { event_version: 'beta' }, expected: 'beta' },
  { name: 'the header alone', payload: {}, delivery: { eventVersion: 'v3' }, expected: 'v3' },
  { name: 'digits in the header', payload: {}, delivery: { eventVersion: '3' }, expected: 'v3' },
  { name: 'the path alone', payload: {}, delivery: at('/v/4/webhooks/a'), expected: 'v4' },
  { name: 'the query alone', payload: {}, delivery: at('/kiket?version=5'), expected: 'v5' },
  {
    name: 'all, which agree in both forms',
    payload: { event_version: 'v2' },
    delivery: at('/v/2/webhooks/a?version=v2', version('2')),
    expected: 'v2',
  },
  { name: 'the query event_version', payload: {}, delivery: at('/kiket?event_version=9'), expected: 'v1' },
];

const conflictingVersions: Named[] = [
  { name: 'a header against the body', payload: { event_version: 'v1' }, delivery: { eventVersion: 'v2' } },
  { name: 'a path against the body', payload: { event_version: 'v1' }, delivery: at('/v/v2/webhooks/a') },
  { name: 'a query against the body', payload: { event_version: '1' }, delivery: at('/kiket?version=2') },
  { name: 'a path against the header', payload: {}, delivery: at('/v/2/webhooks/a', version('1')) },
  { name: 'a query against the header', payload: {}, delivery: at('/kiket?version=v2', version('v1')) },
  { name: 'the second query', payload: {}, delivery: at('/kiket?version=1&version=2') },
  { name: 'digits of another number', payload: { event_version: 'v1' }, delivery: { eventVersion: '11' } },
];

const withEvent = (row: Named): Named => ({ ...row, payload: { event: 'a', ...(row.payload as object) } });

/** A header, and the id that is read from it. */
const ids: [string, number | null][] = [
  ['27', 27],
  ['1', 1],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ['9007199254740992', null],
  ['99999999999999999999', null],
  ['0', null],
  ['-1', null],
  ['+1', null],
  ['1.0', null],
  ['1e3', null],
  ['0x1b', null],
  ['027', null],
  ['27, 28', null],
  ['acme', null],
  ['', null],
];

describeMajors('what surrounds a delivery', (express) => {
  describe.each(pathNames)('in %s', (path) => {
    const stagesOf = pathsToHandler[path]!;
    const show = (name: 'event' | 'eventVersion') => kiketHandler((delivery) => ({ [name]: delivery[name] }));

    it.each(events)('should take the event from $name', async (row) => {
      await expectReceived(observed(express, stagesOf({}), show('event')), row, { event: row.expected });
    });

    it.each(versions.map(withEvent))('should take the version from $name', async (row) => {
      const reply = { eventVersion: row.expected };
      await expectReceived(observed(express, stagesOf({}), show('eventVersion')), row, reply);
    });

    it.each([
      ...conflictingEvents.map((row) => ({ ...row, what: 'event' })),
      ...conflictingVersions.map((row) => ({ ...withEvent(row), what: 'version' })),
    ])('should 400 a conflict of the $what: $name', async (row) => {
      const { details } = await expectRefused(observed(express, stagesOf({})), { ...row, refusal: conflict });
      expect(details).toEqual([{ reason: expect.any(String) as string }]);
    });

    it.each<[string, Case, names: string, reasons: string[]]>([
      [
        'the event of the signed body',
        { name: '', payload: { event: 'a' }, delivery: at('/webhooks/c?event=d', event('b')) },
        'the signed body names a',
        ['The header names b', 'The path names c', 'The query names d'],
      ],
      [
        'the version of the signed body',
        { name: '', payload: { event: 'a', event_version: 'v1' }, delivery: at('/v/3/webhooks/a', version('2')) },
        'the signed body names v1',
        ['The header names 2', 'The path names 3'],
      ],
      [
        'the header, where the signed body names none',
        { name: '', payload: {}, delivery: at('/webhooks/b', event('a')) },
        'the header names a',
        ['The path names b'],
      ],
      [
        'the beginning of a long name, on one line',
        { name: '', payload: { event: `a\n${'b'.repeat(200)}` }, delivery: at('/webhooks/c') },
        `the signed body names a\uFFFD${'b'.repeat(98)}…`,
        ['The path names c'],
      ],
      [
        'no secret',
        { name: '', payload: { event: 'a_secret', secrets: { S: 'a_secret' } }, delivery: at('/webhooks/b') },
        'the signed body names [redacted]',
        ['The path names b'],
      ],
    ])('should say of a conflict what contradicts %s', async (_what, row, names, reasons) => {
      const { details, text } = await expectRefused(observed(express, stagesOf({})), { ...row, refusal: conflict });
      expect((JSON.parse(text) as { error: { message: string } }).error.message).toBe(
        'Header, path and query are not signed, and must agree with the signed body and with one another; ' +
          `${names}.`,
      );
      expect(details).toEqual(reasons.map((reason) => ({ reason: `${reason}, but ${names}` })));
    });

    it.each(ids)("should read '%s' in a header as the id %p", async (text, id) => {
      const headers = { 'X-Kiket-Project': text, 'X-Kiket-Organization': text };
      const handler = kiketHandler(({ projectId = null, organizationId = null }) => ({ projectId, organizationId }));
      const reply = { projectId: id, organizationId: id };
      await expectReceived(
        observed(express, stagesOf({}), handler),
        { name: '', payload: { event: 'a' }, delivery: { headers } },
        reply,
      );
    });

    it.each<[object, string | undefined, number | null]>([
      [{ issue: { project_id: 27 } }, undefined, 27],
      [{ issue: { project_id: 27 } }, '99', 27],
      [{ issue: { project_id: null } }, '99', 99],
      [{ issue: {} }, '99', 99],
      [{ issue: null }, '99', 99],
      [{}, '99', 99],
      [{}, undefined, null],
    ])('should take the project of the signed %j before the header %s', async (fields, header, id) => {
      const handler = kiketHandler(({ projectId = null }) => ({ projectId }));
      const delivery = { headers: { 'X-Kiket-Project': header } };
      const row = { name: '', payload: { event: 'a', ...fields }, delivery };
      await expectReceived(observed(express, stagesOf({}), handler), row, { projectId: id });
    });

    it.each(['27', -1, 2.5, {}, 1e300])(
      'should not let a header stand in for a signed project of %j',
      async (signed) => {
        const handler = kiketHandler(({ projectId = null }) => ({ projectId }));
        const payload = { event: 'a', issue: { project_id: signed } };
        const row = { name: '', payload, delivery: { projectId: 99 } };
        await expectReceived(observed(express, stagesOf({}), handler), row, { projectId: null });
      },
    );

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

  it.each(['simple', 'extended', false])('should read the query whatever the query parser is: %s', async (parser) => {
    const app = express();
    app.set('env', 'test');
    app.set('query parser', parser);
    app.use('/mounted', observed(express, pathsToHandler['kiket()']!({})).app as ReturnType<typeof express>);
    await deliver(app, example, { path: '/mounted/kiket?event=issue.created' }).expect(400);
    await deliver(app, example, { path: '/mounted/kiket?event=workflow.sla_status' }).expect(200);
  });
});
