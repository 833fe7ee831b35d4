import { kiketEvents, type KiketDelivery, type KiketEvents, type KiketReply } from 'kiket-express';
import { example } from '../../support/deliver';
import { describeMajors, describeNewest } from '../../support/express';
import {
  responsesTo,
  bytesOf,
  expectReceived,
  expectRefused,
  final,
  observed,
  pathNames,
  pathsToHandler,
  retried,
  type Refusal,
} from '../../support/refusals';
import { signedRequest } from '../../support/signed-request';

const guard = 'workflow.before_transition';
const dots = '.'.repeat(100_000);

/** The reply of the handler that was registered with `pattern`. It is also a valid decision of a guard. */
const takenBy = (pattern: string) => ({ status: 'allow' as const, message: pattern });

/** A handler for each pattern, or list of patterns. Its reply names the pattern. */
function registering(patterns: readonly (string | readonly string[])[]): KiketEvents {
  const events = kiketEvents();
  for (const pattern of patterns) events.on(pattern, (): KiketReply => takenBy(String(pattern)));
  return events;
}

/** An event and, optionally, its version in the payload. */
type Sent = readonly [event: string, version?: string | undefined];
const payloadOf = ([event, event_version]: Sent) => ({ event, event_version });

const family = ['*', 'issue.*', 'issue.comment.*', 'issue.created', 'issue.created@v2', 'issue.comment.created@beta'];
const oddNames = ['__proto__', 'constructor', 'toString@v2', 'constructor.*', '.a.*', '..*', '.', 'a..b', '*'];

interface Row {
  readonly name?: string;
  readonly of: readonly string[];
  readonly sent: Sent;
  readonly taken: string;
}

const routing: Row[] = [
  { of: family, sent: ['issue.created', 'v2'], taken: 'issue.created@v2' },
  { of: family, sent: ['issue.created', '2'], taken: 'issue.created@v2' },
  { of: family, sent: ['issue.created', 'v1'], taken: 'issue.created' },
  { of: family, sent: ['issue.created'], taken: 'issue.created' },
  { of: family, sent: ['issue.created', 'v22'], taken: 'issue.created' },
  { of: family, sent: ['issue.created', 'V2'], taken: 'issue.created' },
  { of: family, sent: ['issue.created', '02'], taken: 'issue.created' },
  { of: family, sent: ['issue.comment.created', 'beta'], taken: 'issue.comment.created@beta' },
  { of: family, sent: ['issue.comment.created', 'v2'], taken: 'issue.comment.*' },
  { of: family, sent: ['issue.comment.reply.created', 'v3'], taken: 'issue.comment.*' },
  { of: family, sent: ['issue.comment.'], taken: 'issue.comment.*' },
  { of: family, sent: ['issue.comment'], taken: 'issue.*' },
  { of: family, sent: ['issue.comments.created'], taken: 'issue.*' },
  { of: family, sent: ['issue.created.late', 'v2'], taken: 'issue.*' },
  { of: family, sent: ['issue.created@v2', 'v2'], taken: 'issue.*' },
  { of: family, sent: ['issue.*', 'v2'], taken: 'issue.*' },
  { of: family, sent: ['issue.'], taken: 'issue.*' },
  { of: family, sent: ['issue'], taken: '*' },
  { of: family, sent: ['issues.created'], taken: '*' },
  { of: family, sent: ['Issue.created'], taken: '*' },
  { of: family, sent: ['my.issue.created'], taken: '*' },
  { of: family, sent: ['.issue.created.'], taken: '*' },
  { of: family, sent: ['*'], taken: '*' },
  { of: family, sent: ['.'], taken: '*' },
  { of: family, sent: ['__proto__'], taken: '*' },
  { of: family, sent: ['constructor', '__proto__'], taken: '*' },
  { of: ['issue.created@1', 'issue.created@v2', 'issue.*'], sent: ['issue.created'], taken: 'issue.created@1' },
  { of: ['issue.created@1', 'issue.created@v2', 'issue.*'], sent: ['issue.created', 'v3'], taken: 'issue.*' },
  { of: ['a.*', 'a.b.c.d.*'], sent: ['a.b.c.x'], taken: 'a.*' },
  { of: ['a.*', 'a.b.c.d.*'], sent: ['a.b.c.d'], taken: 'a.*' },
  { of: ['a.*', 'a.b.c.d.*'], sent: ['a.b.c.d.e'], taken: 'a.b.c.d.*' },
  { of: ['a.b', 'a.b@v2'], sent: ['a.b', 'v2'], taken: 'a.b@v2' },
  { of: oddNames, sent: ['__proto__'], taken: '__proto__' },
  { of: oddNames, sent: ['constructor', 'toString'], taken: 'constructor' },
  { of: oddNames, sent: ['constructor.name'], taken: 'constructor.*' },
  { of: oddNames, sent: ['toString', '2'], taken: 'toString@v2' },
  { of: oddNames, sent: ['toString', 'constructor'], taken: '*' },
  { of: oddNames, sent: ['.a.b'], taken: '.a.*' },
  { of: oddNames, sent: ['..b'], taken: '..*' },
  { of: oddNames, sent: ['.'], taken: '.' },
  { of: oddNames, sent: ['a..b'], taken: 'a..b' },
  { name: '100,000 dots', of: family, sent: [dots], taken: '*' },
  { name: '100,000 dots after a known prefix', of: family, sent: [`issue.comment${dots}`], taken: 'issue.comment.*' },
  { name: 'a version of 100,000 dots', of: family, sent: ['issue.created', dots], taken: 'issue.created' },
  { of: ['*', 'workflow.*', guard], sent: [guard], taken: guard },
  { of: ['*', 'workflow.*', guard, `${guard}@v2`], sent: [guard, '2'], taken: `${guard}@v2` },
  { of: ['*', 'workflow.*', guard, `${guard}@v2`], sent: [guard, 'v3'], taken: guard },
  { of: ['*', 'workflow.*', guard], sent: [`${guard}.late`], taken: 'workflow.*' },
];

interface Unhandled {
  readonly of: readonly string[];
  readonly sent: Sent;
  readonly valid: Sent;
}

const unhandled: Unhandled[] = [
  { of: ['issue.created'], sent: ['issue.updated'], valid: ['issue.created', 'v9'] },
  { of: ['issue.created@2', 'a.b@v1', 'a.c'], sent: ['issue.created'], valid: ['issue.created', 'v2'] },
  { of: ['issue.created@v2'], sent: ['issue.created@v2', 'v2'], valid: ['issue.created', 'v2'] },
  { of: ['issue.*', 'a.b.c.*'], sent: ['issue'], valid: ['issue.created'] },
  { of: ['issue.*', 'a.b.c.*'], sent: ['a.b.c'], valid: ['a.b.c.d'] },
  { of: ['a.b'], sent: ['__proto__', '__proto__'], valid: ['a.b'] },
  { of: ['a.b'], sent: ['constructor'], valid: ['a.b'] },
  { of: ['*'], sent: [guard], valid: ['a.b'] },
  { of: ['*', 'workflow.*'], sent: [guard, 'v2'], valid: ['workflow.triggered'] },
  { of: ['*', `${guard}@v2`], sent: [guard], valid: [guard, '2'] },
];

const receive = (event: string): RegExp => new RegExp(event);

describeMajors('kiketEvents', (express) => {
  it.each(pathNames)('should hand a delivery to the most specific handler, or 404, behind %s', async (path) => {
    const stages = pathsToHandler[path]!({});
    const row = { name: '', payload: { event: 'issue.created', event_version: 'v2' } };
    await expectReceived(observed(express, stages, registering(family)), row, takenBy('issue.created@v2'));
    await expectRefused(observed(express, stages, registering(['issue.updated'])), {
      ...row,
      refusal: final(404, 'event.unhandled'),
      valid: { payload: { event: 'issue.updated' } },
    });
  });
});

describeNewest('kiketEvents', (express) => {
  const stages = pathsToHandler['kiket()']!({});

  it.each(routing.map((row) => [row.name ?? row.sent.join(' '), row.taken, row.of.join(', '), row] as const))(
    'should hand %s to %s, of %s, registered in any order',
    async (_name, _taken, _of, { of, sent, taken }) => {
      for (const patterns of [of, of.toReversed()]) {
        const payload = payloadOf(sent);
        await expectReceived(observed(express, stages, registering(patterns)), { name: '', payload }, takenBy(taken));
      }
    },
  );

  it.each(unhandled.map((row) => [row.sent.join(' '), row.of.join(', '), row] as const))(
    'should 404 %s when %s are handled, and list them as written',
    async (_sent, _of, { of, sent, valid }) => {
      const { details } = await expectRefused(observed(express, stages, registering(of)), {
        name: '',
        payload: payloadOf(sent),
        refusal: final(404, 'event.unhandled'),
        valid: { payload: payloadOf(valid) },
      });
      expect(details).toEqual([{ reason: expect.any(String) as string, events: of }]);
    },
  );

  describe('a list', () => {
    const events = () => registering([['issue.updated', 'issue.assigned@2', 'comment.*'], 'issue.*']);
    const list = 'issue.updated,issue.assigned@2,comment.*';

    it.each<[string, string | undefined, string]>([
      ['issue.updated', 'v7', list],
      ['issue.assigned', 'v2', list],
      ['issue.assigned', 'v1', 'issue.*'],
      ['comment.created', undefined, list],
      ['issue.created', undefined, 'issue.*'],
    ])('should take %s %s as if each event was registered alone', async (event, version, taken) => {
      const row = { name: '', payload: payloadOf([event, version]) };
      await expectReceived(observed(express, stages, events()), row, takenBy(taken));
    });

    it('should list each of its events when another is unhandled', async () => {
      const { details } = await expectRefused(observed(express, stages, events()), {
        name: '',
        payload: { event: 'unheard_of' },
        refusal: final(404, 'event.unhandled'),
        valid: { payload: { event: 'issue.updated' } },
      });
      expect(details[0]?.events).toEqual(['issue.updated', 'issue.assigned@2', 'comment.*', 'issue.*']);
    });

    it('should not change when the array changes afterwards', async () => {
      const patterns = ['issue.updated', 'comment.*'];
      const changed = kiketEvents().on(patterns, () => takenBy('list'));
      patterns.splice(0, 2, '*');
      await expectRefused(observed(express, stages, changed), {
        name: '',
        payload: { event: 'unheard_of' },
        refusal: final(404, 'event.unhandled'),
        valid: { payload: { event: 'issue.updated' } },
      });
    });
  });

  describe('a handler', () => {
    it('should receive the delivery, the request and the response', async () => {
      const events = kiketEvents().on('workflow.sla_status', ({ event, eventVersion, payload, verified }, req, res) => {
        res.status(201);
        return { event, eventVersion, id: payload.issue?.id, verified, path: req.path };
      });
      const [response] = await responsesTo(observed(express, stages, events).app, [signedRequest(bytesOf(example))]);
      expect(response?.status).toBe(201);
      expect(JSON.parse(response!.text)).toEqual({
        event: 'workflow.sla_status',
        eventVersion: 'v1',
        id: 4231,
        verified: true,
        path: '/kiket',
      });
    });

    it('should be the only one that is called', async () => {
      const handlers = family.map(() => jest.fn(() => ({ ok: true })));
      const events = kiketEvents();
      family.forEach((pattern, index) => events.on(pattern, handlers[index]!));
      await expectReceived(observed(express, stages, events), { name: '', payload: { event: 'issue.created' } });
      const taken = family.filter((_pattern, index) => handlers[index]!.mock.calls.length > 0);
      expect(taken).toEqual(['issue.created']);
    });

    it('should be found among those that are registered when the delivery arrives', async () => {
      const events = registering(['*']);
      const { app } = observed(express, stages, events);
      const request = signedRequest(bytesOf({ event: 'issue.created' }));
      const [before] = await responsesTo(app, [request]);
      events.on('issue.created', () => takenBy('issue.created'));
      const [after] = await responsesTo(app, [request]);
      expect([before?.text, after?.text]).toEqual(['*', 'issue.created'].map((by) => JSON.stringify(takenBy(by))));
    });

    it('should not be shared between two routers', async () => {
      registering(['issue.created']);
      await expectReceived(
        observed(express, stages, registering(['*'])),
        { name: '', payload: { event: 'issue.created' } },
        takenBy('*'),
      );
    });
  });

  describe('guards', () => {
    it.each<[string, object]>([
      ['allow', { status: 'allow' }],
      ['deny', { status: 'deny', message: 'Not yet' }],
      ['pending', { status: 'pending', message: 'Wait' }],
    ])('should get the decision %s, by name and by name and version', async (_name, reply) => {
      for (const pattern of [guard, `${guard}@v2`, `${guard}@2`]) {
        const events = kiketEvents().on(pattern, () => reply);
        const row = { name: '', payload: { event: guard, event_version: 'v2' } };
        await expectReceived(observed(express, stages, events), row, reply);
      }
    });

    it.each<[string, KiketEvents]>([
      [
        'its own handler',
        kiketEvents()
          .on<string>(guard, () => undefined)
          .on('*', () => ({})),
      ],
      [
        'its own handler, by version',
        kiketEvents()
          .on<string>(`${guard}@1`, () => ({}))
          .on('*', () => ({})),
      ],
      ['a list', kiketEvents().on<string>(['*', guard], () => ({ ok: true }))],
      [
        'otherwise',
        kiketEvents()
          .on('workflow.*', () => ({}))
          .otherwise(() => undefined),
      ],
    ])('should 500 reply.missing when %s decides nothing', async (_name, events) => {
      await expectRefused(observed(express, stages, events), {
        name: '',
        payload: { event: guard },
        refusal: retried(500, 'reply.missing'),
      });
    });

    it('should reach the handler of otherwise, past every pattern', async () => {
      const events = registering(['*', 'workflow.*']).otherwise(() => ({ status: 'deny', message: 'Not here' }));
      const row = { name: '', payload: { event: guard } };
      await expectReceived(observed(express, stages, events), row, { status: 'deny', message: 'Not here' });
    });
  });

  describe('otherwise', () => {
    type Fallback = Parameters<KiketEvents['otherwise']>[0];
    const reply = ({ event, eventVersion }: KiketDelivery) => ({ event, eventVersion });
    const rejected = { status: 404, text: receive('event.unhandled') };

    it.each<[string, Fallback | undefined, string, { status: number; text: string | RegExp }]>([
      ['absent', undefined, 'unheard_of', rejected],
      ["'reject'", 'reject', 'unheard_of', rejected],
      ["'reject'", 'reject', guard, rejected],
      ["'ignore'", 'ignore', 'unheard_of', { status: 200, text: '' }],
      ["'ignore'", 'ignore', '__proto__', { status: 200, text: '' }],
      ["'ignore'", 'ignore', `${guard}.late`, { status: 200, text: '' }],
      ["'ignore'", 'ignore', guard, rejected],
      ['a handler', reply, 'unheard_of', { status: 200, text: '{"event":"unheard_of","eventVersion":"v2"}' }],
      ['a handler that returns nothing', () => undefined, 'unheard_of', { status: 200, text: '' }],
    ])(
      'should decide the response to an unhandled event when it is %s (%#)',
      async (_name, fallback, event, { status, text }) => {
        for (const isSaidFirst of [true, false]) {
          const events = kiketEvents();
          if (fallback !== undefined && isSaidFirst) events.otherwise(fallback);
          events.on('issue.created', () => takenBy('issue.created'));
          if (fallback !== undefined && !isSaidFirst) events.otherwise(fallback);
          const { app } = observed(express, stages, events);
          const [unknown, known] = await responsesTo(app, [
            signedRequest(bytesOf({ event, event_version: 'v2' })),
            signedRequest(bytesOf({ event: 'issue.created' })),
          ]);
          expect(unknown?.status).toBe(status);
          if (typeof text === 'string') expect(unknown?.text).toBe(text);
          else expect(unknown?.text).toMatch(text);
          expect(known?.text).toBe(JSON.stringify(takenBy('issue.created')));
        }
      },
    );

    it.each<['ignore' | 'reject', string]>([
      ['reject', 'unheard_of'],
      ['reject', guard],
      ['ignore', guard],
    ])("should refuse with a list of the handled events: '%s', %s", async (fallback, event) => {
      const events = kiketEvents()
        .otherwise(fallback)
        .on('a@2', () => ({}))
        .on('workflow.*', () => ({}));
      const { details } = await expectRefused(observed(express, stages, events), {
        name: '',
        payload: { event },
        refusal: final(404, 'event.unhandled'),
      });
      expect(details[0]?.events).toEqual(['a@2', 'workflow.*']);
    });

    it('should handle every event when none is registered', async () => {
      const events = kiketEvents().otherwise(({ event }) => ({ event }));
      await expectReceived(observed(express, stages, events), { name: '' }, { event: 'workflow.sla_status' });
    });

    it('should 404 every event, and list none, when it is absent', async () => {
      const [response] = await responsesTo(observed(express, stages, kiketEvents()).app, [
        signedRequest(bytesOf(example)),
      ]);
      expect(response?.status).toBe(404);
      expect(JSON.parse(response!.text)).toMatchObject({
        error: {
          code: 'event.unhandled',
          message: 'No handler is registered for workflow.sla_status v1.',
          details: [{ events: [] }],
        },
      });
    });
  });

  describe('a path with event and version', () => {
    const events = () =>
      registering(['issue.created', 'issue.created@v2', 'issue.*']).on(guard, () => ({ status: 'deny' }));
    const created = { event: 'issue.created' };

    it.each<[string, object, string]>([
      ['/webhooks/issue.created', created, 'issue.created'],
      ['/webhooks/issue.created', {}, 'issue.created'],
      ['/webhooks/issue.updated', {}, 'issue.*'],
      ['/v/2/webhooks/issue.created', {}, 'issue.created@v2'],
      ['/v/v2/webhooks/issue.created', {}, 'issue.created@v2'],
      ['/v/2/webhooks/issue.created', { ...created, event_version: 'v2' }, 'issue.created@v2'],
      ['/v/v2/webhooks/issue.created', { ...created, event_version: '2' }, 'issue.created@v2'],
      ['/v/1/webhooks/issue.created', { ...created, event_version: 'v1' }, 'issue.created'],
      ['/v/v1/webhooks/issue.created', created, 'issue.created'],
      ['/webhooks/issue.created?version=2', created, 'issue.created@v2'],
      ['/kiket?version=v2', created, 'issue.created@v2'],
      ['/kiket?event=issue.created&version=v2', {}, 'issue.created@v2'],
      ['/kiket?event=issue.created', created, 'issue.created'],
    ])('should be accepted when it agrees with the payload: %s, %j', async (path, payload, taken) => {
      const row = { name: '', payload, delivery: { path } };
      await expectReceived(observed(express, stages, events()), row, takenBy(taken));
    });

    it.each<[string, object]>([
      ['/webhooks/issue.updated', created],
      ['/webhooks/issue.created.', created],
      ['/webhooks/issue.created', { event: guard }],
      ['/v/2/webhooks/issue.created', { ...created, event_version: 'v1' }],
      ['/v/v1/webhooks/issue.created', { ...created, event_version: '2' }],
      ['/v/1/webhooks/issue.created?version=2', created],
      ['/webhooks/issue.created?event=issue.updated', {}],
      ['/kiket?version=2', { ...created, event_version: 'v1' }],
      [`/kiket?event=${guard}`, created],
    ])('should 400 delivery.conflict when it contradicts the payload: %s, %j', async (path, payload) => {
      await expectRefused(observed(express, stages, events()), {
        name: '',
        payload,
        delivery: { path },
        refusal: final(400, 'delivery.conflict'),
        valid: { payload: created, path: '/v/1/webhooks/issue.created' },
      });
    });

    it('should not let a pattern handle a guard', async () => {
      await expectRefused(observed(express, stages, registering(['workflow.*', '*'])), {
        name: '',
        payload: {},
        delivery: { path: `/webhooks/${guard}` },
        refusal: final(404, 'event.unhandled') satisfies Refusal,
      });
    });
  });
});
