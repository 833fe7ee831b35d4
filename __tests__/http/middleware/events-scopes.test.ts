import { kiketEvents, type KiketHandler } from 'kiket-express';
import { describeNewest } from '../../support/express';
import {
  responsesTo,
  bytesOf,
  expectReceived,
  expectRefused,
  final,
  observed,
  pathsToHandler,
  retried,
} from '../../support/refusals';
import { signedRequest } from '../../support/signed-request';

const missing = final(403, 'scope.missing');
const granting = (scopes: readonly string[] | null | undefined, event = 'issue.created') => ({
  event,
  authentication: { scopes },
});
const ok = () => ({ ok: true });
const guard = 'workflow.before_transition';

describeNewest('the scopes of kiketEvents', (express) => {
  const stages = pathsToHandler['kiket()']!({});

  it.each<[readonly string[], readonly string[]]>([
    [[], []],
    [[], ['a']],
    [['a'], ['a']],
    [['a'], ['b', 'a']],
    [
      ['a', 'b'],
      ['b', 'a', 'c'],
    ],
    [['a', 'a'], ['a']],
    [['a', 'b'], ['*']],
    [
      ['a', '*'],
      ['x', '*'],
    ],
    [['constructor'], ['constructor']],
  ])('should accept a delivery that needs %j and has %j', async (scopes, granted) => {
    const events = kiketEvents().on('issue.created', { scopes }, ok);
    await expectReceived(observed(express, stages, events), { name: '', payload: granting(granted) }, { ok: true });
  });

  it.each<[readonly string[], readonly string[] | null | undefined, readonly string[]]>([
    [['a'], undefined, ['a']],
    [['a'], null, ['a']],
    [['a'], [], ['a']],
    [['a', 'b', 'c'], ['b'], ['a', 'c']],
    [['b', 'a'], [], ['b', 'a']],
    [['a'], ['A', 'ab', 'a.*', ' a'], ['a']],
    [['*'], ['a'], ['*']],
    [['__proto__', 'constructor'], [], ['__proto__', 'constructor']],
  ])('should 403 a delivery that needs %j and has %j, for want of %j', async (scopes, granted, lacking) => {
    const handler = jest.fn(ok);
    const events = kiketEvents().on(['issue.created', 'issue.*'], { scopes }, handler).on('*', ok);
    const { details } = await expectRefused(observed(express, stages, events), {
      name: '',
      payload: granting(granted),
      refusal: missing,
    });
    expect(details).toEqual([{ reason: expect.any(String) as string, missing: lacking }]);
    expect(handler).not.toHaveBeenCalled();
  });

  it('should result in the same response as auth.requireScopes() in the handler', async () => {
    const handler: KiketHandler = ({ auth }) => auth.requireScopes('a', 'b', 'c');
    const ways = [
      kiketEvents().on('issue.created', { scopes: ['a', 'b', 'c'] }, ok),
      kiketEvents().on('issue.created', handler),
    ];
    const texts = [];
    for (const events of ways) {
      const row = { name: '', payload: granting(['b']), refusal: missing };
      texts.push((await expectRefused(observed(express, stages, events.on('*', ok)), row)).text);
    }
    expect(texts[0]).toBe(texts[1]);
    expect(texts[0]).toContain('"missing":["a","c"]');
  });

  it('should be those of the registration that takes the delivery, and of no other', async () => {
    const events = kiketEvents()
      .on('*', { scopes: ['any'] }, ok)
      .on('issue.*', { scopes: ['issues'] }, ok)
      .on('issue.created', ok)
      .on('issue.created@v2', { scopes: ['two'] }, ok)
      .on(['a', 'b'], { scopes: ['list'] }, ok);
    const sent: [string, string | undefined, readonly string[] | undefined][] = [
      ['unheard_of', undefined, ['any']],
      ['issue.updated', undefined, ['issues']],
      ['issue.created', 'v1', undefined],
      ['issue.created', '2', ['two']],
      ['a', undefined, ['list']],
      ['b', 'v2', ['list']],
    ];
    const requests = sent.map(([event, event_version]) => signedRequest(bytesOf({ event, event_version })));
    const responses = await responsesTo(observed(express, stages, events).app, requests);
    const found = responses.map((response) => {
      const { error } = JSON.parse(response!.text) as { error?: { details: { missing: string[] }[] } };
      return error?.details[0]?.missing;
    });
    expect(found).toEqual(sent.map(([, , lacking]) => lacking));
  });

  it('should not be asked of a delivery that otherwise takes', async () => {
    const events = kiketEvents()
      .on('issue.created', { scopes: ['a'] }, ok)
      .otherwise(ok);
    await expectReceived(observed(express, stages, events), { name: '' }, { ok: true });
  });

  it('should be asked of a guard before it decides', async () => {
    const events = kiketEvents()
      .on(guard, { scopes: ['workflow'] }, () => ({ status: 'allow' }))
      .on('*', ok);
    await expectRefused(observed(express, stages, events), {
      name: '',
      payload: granting([], guard),
      refusal: missing,
    });
    await expectReceived(
      observed(express, stages, events),
      { name: '', payload: granting(['workflow'], guard) },
      { status: 'allow' },
    );
  });

  it('should not excuse a guard from its reply', async () => {
    const events = kiketEvents()
      .on<string>(guard, { scopes: ['workflow'] }, ok)
      .on('*', ok);
    await expectRefused(observed(express, stages, events), {
      name: '',
      payload: granting(['workflow'], guard),
      refusal: retried(500, 'reply.missing'),
    });
  });

  it('should not follow later changes of the options', async () => {
    const scopes = ['a', 'b'];
    const options = { scopes };
    const events = kiketEvents().on('issue.created', options, ok).on('*', ok);
    scopes.length = 0;
    options.scopes = [];
    const { details } = await expectRefused(observed(express, stages, events), {
      name: '',
      payload: granting([]),
      refusal: missing,
    });
    expect(details[0]?.missing).toEqual(['a', 'b']);
  });

  it.each([{}, { scopes: undefined }, { scopes: [] }, Object.freeze({ scopes: Object.freeze([]) })])(
    'should be empty when the options are %j',
    async (options) => {
      const events = kiketEvents().on('issue.created', options, ok);
      await expectReceived(observed(express, stages, events), { name: '', payload: granting([]) }, { ok: true });
    },
  );

  it.each(['another secret', undefined])(
    'should be missing from a delivery that report-only mode passes on unverified (secret: %s)',
    async (secret) => {
      const delivery = secret === undefined ? { headers: { 'X-Kiket-Signature': undefined } } : { secret };
      const handler = jest.fn(ok);
      const events = kiketEvents()
        .on('issue.created', { scopes: ['a'] }, handler)
        .on('issue.updated', ok)
        .on('*', ok);
      const observing = pathsToHandler['kiket()']!({ reportOnly: true });
      const { details } = await expectRefused(observed(express, observing, events), {
        name: '',
        payload: granting(['a', '*']),
        delivery,
        refusal: missing,
      });
      expect(details[0]?.missing).toEqual(['a']);
      expect(handler).not.toHaveBeenCalled();
      const row = { name: '', payload: granting([], 'issue.updated'), delivery };
      await expectReceived(observed(express, observing, events), row, { ok: true });
    },
  );
});
