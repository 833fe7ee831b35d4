import { headerOf } from '../../../lib/sending/http-message';
import type { DeliveryInput } from '../../../lib/simulator/local-kiket';
import { secret } from '../../support/deliver';
import { idle, later, refusal, response, simulate, type ReceivedAttempt } from '../../support/simulator';

const HOUR_MS = 3_600_000;

const tokenIn = ({ payload }: ReceivedAttempt): unknown =>
  (payload!['authentication'] as Record<string, unknown>)['runtime_token'];

const conflict = refusal(409);
const notFound = refusal(404);

describe('a delivery with invalid options', () => {
  it.each([
    [{ options: { scopes: 'all' } }, 'send: options.scopes must be an array, but is a string'],
    [{ optons: {} }, 'send: unknown option "optons". Did you mean "options"?'],
    [
      { options: { invocationID: 'a' } },
      'send: unknown option "options.invocationID". Did you mean "options.invocationId"?',
    ],
  ])('should be refused before it is sent: %j', async (given, message) => {
    const { kiket, received } = await simulate(() => response(200));
    expect(() => kiket.deliveries.send({ event: 'issue.created', ...given } as never)).toThrow(message);
    await idle();
    expect(received).toEqual([]);
  });
});

describe('attemptNow', () => {
  it('should make the next attempt at once, and keep the schedule after it', async () => {
    const { kiket, clock, received } = await simulate(() => response(503));
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await clock.advance(10_000);
    expect(kiket.deliveries.attemptNow(id)).toMatchObject({ state: 'sending' });
    await clock.advance(HOUR_MS);
    expect(received.map(({ atMs }) => atMs)).toEqual([0, 10_000, 70_000, 190_000, 430_000, 910_000]);
    expect(kiket.deliveries.find(id)!.attempts.map(({ reason }) => reason)).toEqual([
      'first',
      ...Array<string>(5).fill('retry'),
    ]);
  });

  it('should make a further attempt of one that has ended, which raises no second alert and is not repeated', async () => {
    const { kiket, clock, received } = await simulate(() => response(503), { schedule: 'none' });
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    kiket.deliveries.attemptNow(id);
    await clock.advance(HOUR_MS);
    expect(received).toHaveLength(2);
    const { state, sentence, attempts } = kiket.deliveries.find(id)!;
    expect([state, sentence]).toEqual(['failed', 'The attempt by hand failed: it is not repeated.']);
    expect(attempts[1]).toMatchObject({ reason: 'manual', isAssumed: true });
    expect(kiket.alerts.list()).toHaveLength(1);
  });

  it('should let a halted workflow go on when it succeeds', async () => {
    const { kiket } = await simulate((_, i) => response(i === 0 ? 400 : 200));
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    expect(kiket.issues.list()[0]!.workflow.kind).toBe('halted');
    kiket.deliveries.attemptNow(id);
    expect(kiket.issues.list()[0]!.workflow.kind).toBe('halted');
    await idle();
    expect(kiket.deliveries.find(id)!.state).toBe('completed');
    expect(kiket.issues.list()[0]!.workflow.kind).toBe('running');
  });

  it('should not hold up the workflow of a delivery that was complete', async () => {
    const { kiket } = await simulate((_, i) => response(i === 0 ? 200 : 400));
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    kiket.deliveries.attemptNow(id);
    expect(kiket.issues.list()[0]!.workflow.kind).toBe('running');
    await idle();
    expect(kiket.deliveries.find(id)!.state).toBe('failed');
    expect(kiket.issues.list()[0]!.workflow.kind).toBe('running');
  });

  it('should not move the issue of a guard that is asked again', async () => {
    const { kiket, received } = await simulate((_, i) => response(200, { status: i === 0 ? 'deny' : 'allow' }));
    kiket.issues.add({ id: 7, status: 'open' });
    const { deliveryId } = await kiket.issues.transition(7, 'done');
    kiket.deliveries.attemptNow(deliveryId!);
    await idle();
    expect(kiket.deliveries.find(deliveryId!)!.sentence).toContain('The issue stays where it is');
    expect(kiket.issues.list()[0]!.status).toBe('open');
    expect(received).toHaveLength(2);
  });

  it('should be refused while an attempt waits or is under way, also of one that was cancelled', async () => {
    const { kiket } = await simulate(() => later().response, { concurrency: 1 });
    const [first, second] = [1, 2].map(() => kiket.deliveries.send({ event: 'issue.created' }).id);
    await idle();
    expect(() => kiket.deliveries.attemptNow(first!)).toThrow(conflict);
    expect(() => kiket.deliveries.attemptNow(second!)).toThrow(conflict);
    kiket.deliveries.cancel(first!);
    expect(() => kiket.deliveries.attemptNow(first!)).toThrow(conflict);
    expect(() => kiket.deliveries.attemptNow('unknown')).toThrow(notFound);
  });
});

describe('skipDelays', () => {
  it('should make all attempts that are left at once', async () => {
    const { kiket, clock, received } = await simulate(() => response(503));
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    kiket.deliveries.skipDelays(id);
    await clock.advance(0);
    expect(received).toHaveLength(6);
    expect(kiket.deliveries.find(id)!.state).toBe('failed');
    expect(() => kiket.deliveries.skipDelays(id)).toThrow(conflict);
  });

  it('should be heeded by an attempt that is under way', async () => {
    const first = later();
    const { kiket, clock, received } = await simulate((_, i) => (i === 0 ? first.response : response(200)));
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    kiket.deliveries.skipDelays(id);
    first.respond(response(503));
    await clock.advance(0);
    expect(received).toHaveLength(2);
  });
});

describe('cancel', () => {
  it('should end a delivery that waits for an attempt', async () => {
    const { kiket, clock, received } = await simulate(() => response(503));
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    expect(kiket.deliveries.cancel(id)).toMatchObject({ state: 'cancelled', nextAttempt: undefined });
    await clock.advance(HOUR_MS);
    expect(received).toHaveLength(1);
    expect(kiket.issues.list()[0]!.workflow).toEqual({ kind: 'running' });
    expect(() => kiket.deliveries.cancel(id)).toThrow(conflict);
  });

  it('should end a delivery that waits for its turn', async () => {
    const first = later();
    const { kiket, received } = await simulate(() => first.response, { concurrency: 1 });
    const [, second] = [1, 2].map(() => kiket.deliveries.send({ event: 'issue.created' }));
    kiket.deliveries.cancel(second!.id);
    first.respond(response(200));
    await idle();
    expect(received).toHaveLength(1);
  });

  it('should still record the response to an attempt that is under way', async () => {
    const first = later();
    const { kiket, clock, received } = await simulate(() => first.response);
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    kiket.deliveries.cancel(id);
    first.respond(response(503));
    await clock.advance(HOUR_MS);
    expect(received).toHaveLength(1);
    const { state, attempts } = kiket.deliveries.find(id)!;
    expect(state).toBe('cancelled');
    expect(attempts).toMatchObject([{ status: 503, consequence: 'Cancelled by hand: there is no further attempt.' }]);
  });

  it('should leave nothing of a delivery that was removed while its attempt was under way', async () => {
    const first = later();
    const { kiket } = await simulate(() => first.response);
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    kiket.deliveries.cancel(id);
    kiket.deliveries.clear();
    const seen: string[] = [];
    kiket.subscribe(({ type }) => seen.push(type));
    first.respond(response(200));
    await idle();
    expect(kiket.deliveries.find(id)).toBeUndefined();
    expect(seen).not.toContain('delivery');
  });

  it('should deny the transition of a guard', async () => {
    const { kiket } = await simulate(() => later().response);
    kiket.issues.add({ id: 7, status: 'open' });
    const result = kiket.issues.transition(7, 'done');
    await idle();
    kiket.deliveries.cancel(kiket.deliveries.latest(undefined)!.id);
    expect(await result).toMatchObject({ outcome: 'denied', issue: { status: 'open' } });
  });
});

describe('replay', () => {
  async function delivered(status = 200) {
    const given = await simulate((_, i) => response(i === 0 ? status : 200));
    const { id } = given.kiket.deliveries.send({ event: 'issue.created', tamper: 'newline' });
    await given.clock.advance(5000);
    return { ...given, id };
  }

  it('should send the same bytes and headers: exact', async () => {
    const { kiket, clock, received, id } = await delivered();
    const replayed = kiket.deliveries.replay(id, 'exact');
    await clock.advance(0);
    expect(received[1]!.request).toEqual(received[0]!.request);
    expect(replayed).toMatchObject({ origin: { kind: 'replayed', deliveryId: id, depth: 0 }, invocationId: id });
    expect(replayed.id).not.toBe(id);
    expect(kiket.deliveries.exactRequest(replayed.id, 1)).toEqual(kiket.deliveries.exactRequest(id, 1));
  });

  it('should sign the same body again: resign', async () => {
    const { kiket, clock, received, id } = await delivered();
    kiket.deliveries.replay(id, 'resign');
    await clock.advance(0);
    expect(received[1]!.request.body).toEqual(received[0]!.request.body);
    const times = received.map(({ request }) => Number(headerOf(request.headers, 'X-Kiket-Timestamp')));
    expect(times[1]! - times[0]!).toBe(5);
  });

  it('should send it as a retry does, with changes: fresh', async () => {
    const { kiket, clock, received, id } = await delivered();
    kiket.deliveries.replay(id, 'fresh', { 'issue.title': 'Another', 'context.note': { a: 1 } });
    await clock.advance(0);
    expect(received[1]!.payload).toMatchObject({ issue: { title: 'Another' }, context: { note: { a: 1 } } });
    expect(tokenIn(received[1]!)).not.toBe(tokenIn(received[0]!));
    const ids = received.map(({ request }) => headerOf(request.headers, 'X-Kiket-Invocation'));
    expect(ids).toEqual([id, id]);
  });

  it.each([
    ['exact', { a: 1 }, 400, 'only fresh can set'],
    ['resign', { a: 1 }, 400, 'only fresh can set'],
    ['other', {}, 400, 'mode must be'],
    ['fresh', { 'event.x': 1 }, 400, 'leads through'],
  ])('should be refused: %s with %j', async (mode, set, status, message) => {
    const { kiket, id } = await delivered();
    expect(() => kiket.deliveries.replay(id, mode as 'fresh', set)).toThrow(refusal(status, message));
  });

  it('should be refused while there is no attempt, and for given bytes with changes', async () => {
    const { kiket } = await simulate(() => later().response);
    const { id } = kiket.deliveries.send({ bodyBase64: Buffer.from('{"event":"x"}').toString('base64') });
    expect(() => kiket.deliveries.replay(id, 'exact')).toThrow(conflict);
    expect(() => kiket.deliveries.replay(id, 'fresh', { a: 1 })).toThrow(conflict);
    expect(kiket.deliveries.replay(id, 'fresh').event).toBe('x');
    expect(() => kiket.deliveries.replay('unknown', 'fresh')).toThrow(notFound);
  });
});

describe('reveal', () => {
  it('should return signature, token and secrets of the page, and no others', async () => {
    const { kiket, received } = await simulate(undefined, { secrets: { ENV: 'value_of_environment' } });
    kiket.settings.setSecret('PAGE', 'value_of_the_page');
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    const { request } = received[0]!;
    expect(kiket.deliveries.reveal(id, 1, 'signature')).toBe(headerOf(request.headers, 'X-Kiket-Signature'));
    expect(kiket.deliveries.reveal(id, 1, 'token')).toBe(tokenIn(received[0]!));
    expect(kiket.deliveries.reveal(id, 1, 'secret:PAGE')).toBe('value_of_the_page');
    const forbidden = refusal(403);
    expect(() => kiket.deliveries.reveal(id, 1, 'secret:ENV')).toThrow(forbidden);
    kiket.settings.setSecret('ENV', 'value_in_its_place');
    kiket.settings.setSecret('COPY', 'value_of_environment');
    kiket.settings.setSecret('DELIVERY', secret);
    expect(() => kiket.deliveries.reveal(id, 1, 'secret:ENV')).toThrow(forbidden);
    const { id: second } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    expect(() => kiket.deliveries.reveal(second, 1, 'secret:COPY')).toThrow(forbidden);
    expect(() => kiket.deliveries.reveal(second, 1, 'secret:DELIVERY')).toThrow(forbidden);
    expect(kiket.deliveries.reveal(second, 1, 'secret:ENV')).toBe('value_in_its_place');
    for (const name of ['secret:NONE', 'body', 'toString', 'secret:']) {
      expect(() => kiket.deliveries.reveal(id, 1, name)).toThrow(notFound);
    }
    expect(() => kiket.deliveries.reveal(id, 2, 'token')).toThrow(notFound);
  });
});

describe('wait', () => {
  it('should resolve when it is so, else to the state after the time', async () => {
    const { kiket, clock } = await simulate(() => response(503), { schedule: '10s' });
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    const states: string[] = [];
    const watch = async (until: 'completed' | 'failed' | 'settled', ms: number): Promise<void> => {
      const { state } = await kiket.deliveries.wait(id, until, ms);
      states.push(`${until} ${state} ${clock.now() - Date.parse('2026-05-04T10:00:00Z')}`);
    };
    const waits = [
      watch('settled', 5000),
      watch('settled', 60_000),
      watch('completed', 60_000),
      watch('failed', Infinity),
    ];
    await clock.advance(HOUR_MS);
    await Promise.all(waits);
    expect(states.sort()).toEqual([
      'completed failed 60000',
      'failed failed 10000',
      'settled failed 10000',
      'settled retrying 5000',
    ]);
    expect(await kiket.deliveries.wait(id, 'settled', 1)).toMatchObject({ state: 'failed' });
    expect(() => kiket.deliveries.wait(id, 'ended' as 'failed', 1)).toThrow(/until must be/);
  });

  it('should end when the local Kiket is closed', async () => {
    const { kiket } = await simulate(() => later().response);
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    const waited = kiket.deliveries.wait(id, 'settled', Infinity);
    await kiket.close();
    expect(await waited).toMatchObject({ state: 'sending' });
  });
});

describe('settings', () => {
  it('should change what follows, and refuse what is invalid', async () => {
    const { kiket, clock, received } = await simulate(() => response(503));
    kiket.settings.change({ schedule: '1s', speed: 2, scheme: 'body', envelope: 'data' });
    kiket.deliveries.send({ event: 'issue.created' });
    await clock.advance(HOUR_MS);
    expect(received.map(({ atMs }) => atMs)).toEqual([0, 500]);
    expect(headerOf(received[0]!.request.headers, 'X-Kiket-Timestamp')).toBeUndefined();
    expect(received[0]!.payload).toMatchObject({ type: 'issue.created' });
    expect(kiket.settings.change({ speed: 'max' })).toMatchObject({ speed: 'max', schedule: '1s', delays: [1000] });
    const invalid = [{ schedule: 'soon' }, { speed: 0 }, { scheme: 'none' }, { envelope: 'x' }, { raisesEvents: 1 }];
    for (const change of [...invalid, { honoursRetryAfter: 'yes' }, { schedule: 5 }]) {
      expect(() => kiket.settings.change(change as never)).toThrow(refusal(400));
    }
  });

  it('should show which secrets are set and where they come from, never their values', async () => {
    const { kiket } = await simulate(undefined, { secrets: { ENV: 'value_of_environment' } });
    kiket.settings.setSecret('PAGE', 'value_of_the_page');
    const view = kiket.settings.read();
    expect(view.secrets).toEqual([
      { key: 'ENV', isSet: true, source: 'environment' },
      { key: 'PAGE', isSet: true, source: 'page' },
    ]);
    expect(JSON.stringify(view)).not.toMatch(/value_of|whsec/);
    kiket.settings.deleteSecret('PAGE');
    expect(kiket.settings.read().secrets).toHaveLength(1);
  });
});

describe('a guard that was sent by hand', () => {
  const input = (to: string): DeliveryInput => ({
    payload: {
      event: 'workflow.before_transition',
      issue: { id: 7, status: 'open' },
      transition: { from: 'open', to },
    },
  });

  it('should keep other transitions of its issue from beginning', async () => {
    const guard = later();
    const { kiket } = await simulate(({ payload }) =>
      payload!['event'] === 'workflow.before_transition' ? guard.response : response(200),
    );
    kiket.deliveries.send(input('done'));
    await idle();
    await expect(kiket.issues.transition(7, 'review')).rejects.toEqual(conflict);
    guard.respond(response(200, { status: 'allow' }));
    await idle();
    expect(kiket.issues.list()).toMatchObject([{ id: 7, status: 'done' }]);
  });

  it('should not move an issue that another one has moved since it was sent', async () => {
    const guards = [later(), later(), later()];
    const { kiket } = await simulate(({ payload }, index) =>
      payload!['event'] === 'workflow.before_transition' ? guards[index]!.response : response(200),
    );
    for (const to of ['done', 'review', 'closed']) kiket.deliveries.send(input(to));
    await idle();
    guards[1]!.respond(response(200, { status: 'pending' }));
    await idle();
    guards[0]!.respond(response(200, { status: 'allow' }));
    await idle();
    expect(kiket.issues.list()).toMatchObject([{ status: 'open', workflow: { kind: 'pending', to: 'review' } }]);
    kiket.issues.decide(7, 'approve');
    guards[2]!.respond(response(200, { status: 'allow' }));
    await idle();
    expect(kiket.issues.list()).toMatchObject([{ status: 'review', workflow: { kind: 'running' } }]);
  });
});
