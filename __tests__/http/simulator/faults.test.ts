import { gunzipSync } from 'node:zlib';
import { verifySignature } from 'kiket-express/signature';
import { headerOf } from '../../../lib/sending/http-message';
import { TAMPERINGS } from '../../../lib/sending/tamper';
import type { SimulatorEvent } from '../../../lib/simulator/model';
import { secret } from '../../support/deliver';
import { idle, later, refusal, response, simulate, type ReceivedAttempt } from '../../support/simulator';

function isGenuine({ request }: ReceivedAttempt, key: string = secret): boolean {
  const headers = Object.fromEntries(request.headers);
  const now = (): number => Date.parse('2026-05-04T10:00:00Z');
  try {
    return verifySignature({ body: request.body, headers, secret: key, now }) !== undefined;
  } catch {
    return false;
  }
}

const invocationOf = ({ request }: ReceivedAttempt): string | undefined =>
  headerOf(request.headers, 'X-Kiket-Invocation');

describe('the list of faults', () => {
  it('should have every tampering, four more of deliveries, and nine of the API', async () => {
    const { kiket } = await simulate();
    const names = (side: string): string[] =>
      kiket.faults.kinds.filter((each) => each.side === side).map(({ kind }) => kind);
    expect(names('delivery').sort()).toEqual(
      ['lose-response', 'five-at-once', 'reverse-order', 'old-secret', ...TAMPERINGS.map(({ name }) => name)].sort(),
    );
    expect(names('api')).toHaveLength(9);
  });

  it.each([
    [{ side: 'delivery', kind: 'hang' }, 'delivery has no fault "hang"'],
    [{ side: 'api', kind: 'bom' }, 'api has no fault "bom"'],
    [{ side: 'other', kind: 'bom' }, 'other has no fault "bom"'],
    [{ side: 'delivery', kind: 'bom', times: 0 }, 'times must be an integer from 1'],
    [{ side: 'api', kind: 'latency', fields: { ms: -1 } }, /ms must be a number from 0/],
  ])('should refuse %j', async (fault, message) => {
    const { kiket } = await simulate();
    expect(() => kiket.faults.switchOn(fault as never)).toThrow(message);
    expect(kiket.faults.list()).toEqual([]);
  });

  it('should say what is on and how often it still hits, and be switched off one by one and as a whole', async () => {
    const events: SimulatorEvent[] = [];
    const { kiket } = await simulate();
    kiket.subscribe((event) => event.type === 'fault' && events.push(event));
    const bom = kiket.faults.switchOn({ side: 'delivery', kind: 'bom', times: 2 });
    const hang = kiket.faults.switchOn({ side: 'api', kind: 'hang' });
    kiket.faults.switchOn({ side: 'delivery', kind: 'stale' });
    kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    expect(kiket.faults.list()).toMatchObject([
      { kind: 'bom', timesLeft: 1 },
      { kind: 'hang', timesLeft: undefined },
      { kind: 'stale' },
    ]);
    kiket.faults.switchOff(bom.id);
    kiket.faults.switchOff(hang.id);
    expect(kiket.faults.list().map(({ kind }) => kind)).toEqual(['stale']);
    expect(() => kiket.faults.switchOff(bom.id)).toThrow(refusal(404));
    kiket.faults.clear();
    expect(kiket.faults.list()).toEqual([]);
    expect(events).toHaveLength(7);
  });
});

describe('faults of deliveries', () => {
  it.each(TAMPERINGS.map(({ name }) => name))('should tamper with the next attempt only: %s', async (kind) => {
    const { kiket, received } = await simulate();
    kiket.faults.switchOn({ side: 'delivery', kind, times: 1 });
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    const hit = received.length;
    kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    expect(hit).toBe(kind === 'duplicate' ? 2 : 1);
    expect(isGenuine(received[hit]!)).toBe(true);
    const [attempt] = kiket.deliveries.find(id)!.attempts;
    expect(attempt!.signature.tamper).toBe(kind);
    expect(attempt!.diagnostics.map(({ code }) => code)).not.toContain('fault.not_applied');
  });

  it('should say when a tampering cannot be applied, and send the delivery as it is', async () => {
    const { kiket, received } = await simulate(undefined, { scheme: 'body' });
    kiket.faults.switchOn({ side: 'delivery', kind: 'stale', times: 1 });
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    expect(received).toHaveLength(1);
    const [attempt] = kiket.deliveries.find(id)!.attempts;
    expect(attempt!.signature.tamper).toBeUndefined();
    expect(attempt!.diagnostics).toEqual([
      {
        level: 'warning',
        code: 'fault.not_applied',
        text: 'stale was not applied: the scheme "body" signs no timestamp',
      },
    ]);
  });

  it('should lose a response, so that the delivery is sent again', async () => {
    const { kiket, clock, received } = await simulate();
    kiket.faults.switchOn({ side: 'delivery', kind: 'lose-response', times: 1 });
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await clock.advance(30_000);
    expect(received.map(invocationOf)).toEqual([id, id]);
    const { state, attempts } = kiket.deliveries.find(id)!;
    expect(state).toBe('completed');
    expect(attempts).toMatchObject([
      { kind: 'retryable', failure: 'lost', problem: 'the response, 200, was lost by the fault lose-response' },
      { kind: 'success', status: 200, reason: 'retry' },
    ]);
  });

  it('should deny a transition when the response of its guard is lost', async () => {
    const { kiket } = await simulate(() => response(200, { status: 'allow' }));
    kiket.issues.add({ id: 7 });
    kiket.faults.switchOn({ side: 'delivery', kind: 'lose-response', times: 1 });
    expect(await kiket.issues.transition(7, 'done')).toMatchObject({ outcome: 'denied' });
  });

  it('should send the same request twice in a row: duplicate', async () => {
    const { kiket, received } = await simulate((_, i) => response(i === 0 ? 200 : 409));
    const { id } = kiket.deliveries.send({ event: 'issue.created', tamper: 'duplicate' });
    await idle();
    expect(received.map(invocationOf)).toEqual([id, id]);
    const { state, attempts } = kiket.deliveries.find(id)!;
    expect(state).toBe('completed');
    expect(attempts).toMatchObject([
      { number: 1, reason: 'first', status: 200 },
      {
        number: 2,
        reason: 'duplicate',
        status: 409,
        consequence: expect.stringContaining('the first one decides') as string,
      },
    ]);
  });

  it('should send the same request five times at once', async () => {
    const responses = Array.from({ length: 5 }, later);
    const { kiket, received } = await simulate((_, i) => responses[i]!.response);
    kiket.faults.switchOn({ side: 'delivery', kind: 'five-at-once', times: 1 });
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    expect(received).toHaveLength(5);
    expect(new Set(received.map(({ request }) => request.body.toString())).size).toBe(1);
    for (const [i, { respond }] of responses.entries()) respond(response(i === 0 ? 200 : 503));
    await idle();
    const { state, attempts } = kiket.deliveries.find(id)!;
    expect(state).toBe('completed');
    expect(attempts.map(({ reason }) => reason)).toEqual(['first', ...Array<string>(4).fill('duplicate')]);
  });

  it('should hold deliveries, and send them in reverse order', async () => {
    const { kiket, received } = await simulate(undefined, { concurrency: 1 });
    kiket.faults.switchOn({ side: 'delivery', kind: 'reverse-order', times: 3 });
    const ids = [1, 2].map(() => kiket.deliveries.send({ event: 'issue.created' }).id);
    await idle();
    expect(received).toEqual([]);
    expect(kiket.deliveries.find(ids[0]!)).toMatchObject({
      state: 'queued',
      sentence: 'It is held by the fault reverse-order.',
    });
    ids.push(kiket.deliveries.send({ event: 'issue.created' }).id);
    await idle();
    expect(received.map(invocationOf)).toEqual([...ids].reverse());
    expect(kiket.faults.list()).toEqual([]);
  });

  it.each(['switchOff', 'clear'] as const)('should send what is held when the fault ends by %s', async (end) => {
    const { kiket, received } = await simulate();
    const { id: fault } = kiket.faults.switchOn({ side: 'delivery', kind: 'reverse-order' });
    const held = kiket.deliveries.send({ event: 'issue.created' });
    if (end === 'switchOff') kiket.faults.switchOff(fault);
    else kiket.faults.clear();
    await idle();
    expect(received.map(invocationOf)).toEqual([held.id]);
  });

  it('should not send what was cancelled while it was held', async () => {
    const { kiket, received } = await simulate();
    kiket.faults.switchOn({ side: 'delivery', kind: 'reverse-order' });
    const held = kiket.deliveries.send({ event: 'issue.created' });
    kiket.deliveries.cancel(held.id);
    kiket.faults.clear();
    await idle();
    expect(received).toEqual([]);
  });

  it('should sign with the secret before the rotation: old-secret', async () => {
    const { kiket, received } = await simulate();
    const next = kiket.settings.rotate();
    kiket.faults.switchOn({ side: 'delivery', kind: 'old-secret', times: 1 });
    for (let i = 0; i < 2; i++) kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    expect(received.map((each) => [isGenuine(each, secret), isGenuine(each, next)])).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  it('should apply different faults at once, and of two tamperings the one that was switched on first', async () => {
    const { kiket, clock, received } = await simulate();
    kiket.faults.switchOn({ side: 'delivery', kind: 'gzip', times: 1 });
    kiket.faults.switchOn({ side: 'delivery', kind: 'no-signature', times: 1 });
    kiket.faults.switchOn({ side: 'delivery', kind: 'lose-response', times: 1 });
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await clock.advance(30_000);
    expect(JSON.parse(gunzipSync(received[0]!.request.body).toString())).toMatchObject({ event: 'issue.created' });
    const tampers = kiket.deliveries.find(id)!.attempts.map(({ signature, failure }) => [signature.tamper, failure]);
    expect(tampers).toEqual([
      ['gzip', 'lost'],
      ['no-signature', undefined],
    ]);
  });
});

describe('faults of the API', () => {
  const call = (url: string): Promise<Response> =>
    fetch(`${url}/api/v1/ext/rate_limit`, { headers: { 'X-Kiket-API-Key': 'ext_fake' }, redirect: 'manual' });

  it.each([
    ['rate-limit', 429, '30'],
    ['server-error', 500, null],
    ['unavailable', 503, null],
    ['forbidden', 403, null],
    ['not-found', 404, null],
    ['redirect', 302, null],
  ])('should respond as %s, as often as it is to hit', async (kind, status, retryAfter) => {
    const { kiket } = await simulate();
    kiket.faults.switchOn({ side: 'api', kind, times: 1 });
    const hit = await call(kiket.apiUrl);
    expect([hit.status, hit.headers.get('Retry-After')]).toEqual([status, retryAfter]);
    expect((await call(kiket.apiUrl)).status).toBe(200);
    expect(kiket.faults.list()).toEqual([]);
  });

  it('should cut JSON', async () => {
    const { kiket } = await simulate();
    kiket.faults.switchOn({ side: 'api', kind: 'cut-json', times: 1 });
    await expect((await call(kiket.apiUrl)).json()).rejects.toThrow('Unexpected end of JSON input');
  });

  it('should respond late by as much as its fields say', async () => {
    const { kiket } = await simulate();
    kiket.faults.switchOn({ side: 'api', kind: 'latency', fields: { ms: 30 } });
    const startedAtMs = performance.now();
    expect((await call(kiket.apiUrl)).status).toBe(200);
    expect(performance.now() - startedAtMs).toBeGreaterThan(29);
  });

  it('should not respond until it is closed: hang', async () => {
    const { kiket } = await simulate();
    kiket.faults.switchOn({ side: 'api', kind: 'hang', times: 1 });
    const called = expect(call(kiket.apiUrl)).rejects.toThrow();
    await idle();
    await kiket.close();
    await called;
  });

  it('should tell those who watch when it is used up', async () => {
    const lists: number[] = [];
    const { kiket } = await simulate();
    kiket.faults.switchOn({ side: 'api', kind: 'server-error', times: 1 });
    const told = new Promise<void>((resolve) => {
      kiket.subscribe((event) => {
        if (event.type === 'fault') resolve(void lists.push(event.data.length));
      });
    });
    await call(kiket.apiUrl);
    await told;
    expect(lists).toEqual([0]);
  });
});
