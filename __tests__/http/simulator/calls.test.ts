import type { SimulatorOptions } from '../../../lib/simulator/simulator-options';
import type { SimulatorEvent } from '../../../lib/simulator/model';
import {
  idle,
  later,
  refusal,
  response,
  simulate,
  type ReceivedAttempt,
  type SimulatedKiket,
} from '../../support/simulator';
import { until } from '../../support/until';

const API = '/api/v1/ext/issues/7';

function tokenIn({ payload }: ReceivedAttempt): string {
  return (payload!['authentication'] as Record<string, string>)['runtime_token']!;
}

function post(url: string, token: string, body: unknown): Promise<Response> {
  const headers = { 'Content-Type': 'application/json', 'X-Kiket-Runtime-Token': token };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
}

const comment = { comment: { body: 'Seen' } };

/** A local Kiket with the issue 7, whose extension calls back in each attempt. */
async function calling(
  call: (attempt: ReceivedAttempt, url: string) => Promise<unknown>,
  options: Partial<SimulatorOptions> = {},
): Promise<SimulatedKiket & { events: SimulatorEvent[] }> {
  const simulated: SimulatedKiket = await simulate(async (attempt) => {
    await call(attempt, simulated.kiket.apiUrl);
    return response(200, { status: 'allow' });
  }, options);
  const events: SimulatorEvent[] = [];
  simulated.kiket.subscribe((event) => events.push(event));
  simulated.kiket.issues.add({ id: 7, status: 'open' });
  return { ...simulated, events };
}

async function ended({ kiket }: SimulatedKiket): Promise<void> {
  await until(async () => {
    await idle();
    return kiket.deliveries.list({}).deliveries.every(({ state }) => !['queued', 'sending'].includes(state));
  });
}

describe('calls', () => {
  it('should be tied to the attempt whose runtime token they have', async () => {
    const simulated = await calling(
      async (attempt, url) => {
        await post(`${url}${API}/comments`, tokenIn(attempt), comment);
        await fetch(`${url}/api/v1/ext/rate_limit`, { headers: { 'X-Kiket-API-Key': 'ext_fake' } });
      },
      { hooks: [{ event: 'issue.created' }] },
    );
    const { kiket, events } = simulated;
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await ended(simulated);
    await until(() => kiket.calls.list(undefined).length === 2);
    expect(kiket.calls.list(undefined)).toMatchObject([
      { number: 1, method: 'POST', target: `${API}/comments`, status: 201, deliveryId: id, attempt: 1 },
      { number: 2, method: 'GET', target: '/api/v1/ext/rate_limit', status: 200, deliveryId: undefined },
    ]);
    expect(kiket.calls.list(undefined)[0]!.body).toBe(JSON.stringify(comment));
    expect(kiket.calls.list(id)).toHaveLength(1);
    expect(kiket.deliveries.find(id)!.attempts[0]!.calls).toEqual(kiket.calls.list(id));
    expect(events.filter(({ type }) => type === 'call')).toHaveLength(2);
    expect(kiket.calls.state()['comments']).toMatchObject([{ issue_id: 7, body: 'Seen' }]);
    expect(kiket.calls.rateLimit()).toMatchObject({ limit: 600, remaining: 598 });
    kiket.calls.resetRateLimit();
    expect(kiket.calls.rateLimit().remaining).toBe(600);
  });

  it('should not show secrets and tokens, also those that the extension has stored', async () => {
    const simulated = await calling(
      async (attempt, url) => {
        const token = tokenIn(attempt);
        await fetch(`${url}/api/v1/extensions/local/secrets/OAUTH`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', 'X-Kiket-API-Key': 'ext_fake' },
          body: JSON.stringify({ value: 'stored_by_the_extension' }),
        });
        await post(`${url}${API}/comments?q=value_of_the_crm`, token, {
          comment: { body: `value_of_the_crm ${token}` },
        });
        await post(`${url}${API}/comments`, token, { comment: { body: 'stored_by_the_extension' } });
      },
      { hooks: [{ event: 'issue.created' }], secrets: { CRM_TOKEN: 'value_of_the_crm' } },
    );
    simulated.kiket.deliveries.send({ event: 'issue.created' });
    await ended(simulated);
    await until(() => simulated.kiket.calls.list(undefined).length === 3);
    expect(simulated.kiket.calls.list(undefined).map(({ target, body }) => [target, body])).toEqual([
      ['/api/v1/extensions/local/secrets/OAUTH', '{{secret}}'],
      [`${API}/comments?q={{secret:CRM_TOKEN}}`, '{"comment":{"body":"{{secret:CRM_TOKEN}} {{token}}"}}'],
      [`${API}/comments`, '{"comment":{"body":"{{secret:OAUTH}}"}}'],
    ]);
  });

  it('should find the secrets of the page in the API, until they are deleted', async () => {
    const { kiket } = await simulate();
    const read = async (): Promise<number> => {
      const headers = { 'X-Kiket-API-Key': 'ext_fake' };
      return (await fetch(`${kiket.apiUrl}/api/v1/extensions/local/secrets/PAGE`, { headers })).status;
    };
    kiket.settings.setSecret('PAGE', 'value_of_the_page');
    expect(await read()).toBe(200);
    kiket.settings.deleteSecret('PAGE');
    expect(await read()).toBe(404);
  });
});

describe('what calls cause', () => {
  it('should be issue.commented for a comment', async () => {
    const simulated = await calling(async (attempt, url) => {
      if (attempt.payload!['event'] === 'issue.created') await post(`${url}${API}/comments`, tokenIn(attempt), comment);
    });
    const { kiket, received } = simulated;
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await ended(simulated);
    expect(received[1]!.payload).toMatchObject({
      event: 'issue.commented',
      issue: { id: 7 },
      comment: { body: 'Seen', issue_id: 7 },
    });
    expect(kiket.deliveries.latest('issue.commented')!.origin).toEqual({ kind: 'call', deliveryId: id, depth: 1 });
  });

  it.each([
    ['allow', 200, 'done', ['issue.created', 'workflow.before_transition', 'issue.transitioned']],
    ['deny', 422, 'open', ['issue.created', 'workflow.before_transition']],
    ['pending', 422, 'open', ['issue.created', 'workflow.before_transition']],
  ])('should be the guard, which decides, for a transition: %s', async (decision, status, state, delivered) => {
    const statuses: number[] = [];
    const simulated: SimulatedKiket = await simulate(async (attempt) => {
      const { payload } = attempt;
      if (payload!['event'] !== 'issue.created') return response(200, { status: decision, message: 'Because' });
      const called = await post(`${simulated.kiket.apiUrl}${API}/transitions`, tokenIn(attempt), {
        transition: 'done',
      });
      statuses.push(called.status);
      return response(200, await called.text());
    });
    const { kiket, received } = simulated;
    kiket.issues.add({ id: 7, status: 'open' });
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await ended(simulated);
    expect(statuses).toEqual([status]);
    expect(kiket.issues.list().find(({ id: each }) => each === 7)!.status).toBe(state);
    expect(received.map(({ payload }) => payload!['event'])).toEqual(delivered);
    const { body } = kiket.deliveries.find(id)!.attempts[0]!.response!;
    expect(JSON.parse(body)).toMatchObject(status === 200 ? { issue: { status: 'done' } } : { error: 'Because' });
  });

  it('should be refused for an issue that waits, is halted or does not exist', async () => {
    const { kiket, received } = await simulate((_, i) => response(i === 0 ? 400 : 200));
    kiket.deliveries.send({ event: 'issue.created', set: { 'issue.id': 7 } });
    await idle();
    const token = tokenIn(received[0]!);
    const move = async (id: number): Promise<number> =>
      (await post(`${kiket.apiUrl}/api/v1/ext/issues/${id}/transitions`, token, { transition: 'done' })).status;
    expect(await move(7)).toBe(422);
    kiket.issues.resume(7);
    expect(await move(7)).toBe(200);
    expect(await move(8)).toBe(404);
  });

  it('should be nothing when that is switched off: an issue moves without its guard', async () => {
    const simulated = await calling(
      async (attempt, url) => {
        await post(`${url}${API}/comments`, tokenIn(attempt), comment);
        await post(`${url}${API}/transitions`, tokenIn(attempt), { transition: 'done' });
      },
      { raisesEvents: false },
    );
    simulated.kiket.deliveries.send({ event: 'issue.created' });
    await ended(simulated);
    expect(simulated.received).toHaveLength(1);
    expect(simulated.kiket.issues.list()[0]!.status).toBe('done');
  });

  it('should be cut at depth 5, and said', async () => {
    const simulated = await calling(async (attempt, url) => {
      await post(`${url}${API}/comments`, tokenIn(attempt), comment);
    });
    const { kiket, received, events } = simulated;
    kiket.deliveries.send({ event: 'issue.created' });
    await until(async () => {
      await ended(simulated);
      return events.some(({ type }) => type === 'note');
    });
    await ended(simulated);
    const depths = kiket.deliveries.list({}).deliveries.map(({ origin }) => origin.depth);
    expect(depths).toEqual([5, 4, 3, 2, 1, 0]);
    expect(received).toHaveLength(6);
    expect(events.find(({ type }) => type === 'note')!.data).toMatchObject({ level: 'warning', code: 'loop.cut' });
  });

  it('should move nothing when the guard is one call too deep, or the queue is full', async () => {
    const held = later();
    const { kiket } = await simulate(() => held.response);
    kiket.issues.add({ id: 7, status: 'open' });
    await expect(kiket.issues.transition(7, 'done', { kind: 'call', depth: 6 })).rejects.toMatchObject({ status: 409 });
    for (let i = 0; i < 505; i++) kiket.deliveries.send({ event: 'issue.updated' });
    await expect(kiket.issues.transition(7, 'done')).rejects.toMatchObject({ status: 503 });
    expect(kiket.issues.list()[0]!.status).toBe('open');
  });

  it('should be said when an event cannot be delivered because the queue is full', async () => {
    const { kiket } = await simulate(() => later().response);
    for (let i = 0; i < 505; i++) kiket.deliveries.send({ event: 'issue.updated' });
    const notes: unknown[] = [];
    kiket.subscribe(({ type, data }) => type === 'note' && notes.push(data));
    kiket.calls.addSlaEvent({ issue_id: 7, state: 'breached' });
    expect(notes).toMatchObject([
      {
        level: 'error',
        code: 'queue.full',
        text: expect.stringContaining('workflow.sla_status was not delivered') as string,
      },
    ]);
  });

  it('should be workflow.sla_status for an SLA event', async () => {
    const { kiket, received } = await simulate();
    kiket.issues.add({ id: 7, title: 'Late' });
    kiket.calls.addSlaEvent({ issue_id: 7, state: 'breached' });
    await idle();
    expect(received[0]!.payload).toMatchObject({
      event: 'workflow.sla_status',
      issue: { id: 7, title: 'Late' },
      definition: { status: 'breached' },
    });
  });

  it('should have the envelope of the settings', async () => {
    const { kiket, received } = await simulate(undefined, { envelope: 'data' });
    kiket.issues.add({ id: 7, status: 'open' });
    await kiket.issues.transition(7, 'done');
    expect(received[0]!.payload).toMatchObject({
      type: 'workflow.before_transition',
      data: { issue: { id: 7 }, transition: { from: 'open', to: 'done' } },
    });
  });

  it('should not move the same issue twice at once', async () => {
    const held = later();
    const { kiket } = await simulate(() => held.response);
    kiket.issues.add({ id: 7, status: 'open' });
    const first = kiket.issues.transition(7, 'done');
    await expect(kiket.issues.transition(7, 'closed')).rejects.toMatchObject({ status: 409 });
    held.respond(response(200, { status: 'allow' }));
    expect(await first).toMatchObject({ outcome: 'moved', issue: { status: 'done' } });
  });
});

describe('issues', () => {
  it('should be added once, also by the payload of a delivery', async () => {
    const { kiket } = await simulate();
    expect(kiket.issues.add({ id: 7, key: 'DEMO-7' })).toEqual({
      id: 7,
      key: 'DEMO-7',
      title: '',
      status: 'open',
      projectId: 1,
      workflow: { kind: 'running' },
    });
    expect(() => kiket.issues.add({ id: 7 })).toThrow(refusal(409));
    expect(kiket.deliveries.send({ event: 'issue.updated', set: { 'issue.id': 7 } }).issueId).toBe(7);
    expect(kiket.deliveries.send({ payload: { event: 'x', issue: { id: 'ISS-9', title: 'T' } } }).issueId).toBe(
      'ISS-9',
    );
    expect(
      kiket.deliveries.send({ payload: { event: 'x', issue: { id: 0.5, key: 'DEMO-7' } } }).issueId,
    ).toBeUndefined();
    expect(kiket.issues.list().map(({ id, title }) => [id, title])).toEqual([
      [7, ''],
      ['ISS-9', 'T'],
    ]);
  });

  it.each([
    ['an issue that does not exist', (kiket: SimulatedKiket['kiket']) => kiket.issues.resume(8), 404],
    ['a workflow that is not halted', (kiket: SimulatedKiket['kiket']) => kiket.issues.resume(7), 409],
    ['another decision', (kiket: SimulatedKiket['kiket']) => kiket.issues.decide(7, 'perhaps' as 'approve'), 409],
    ['a decision that nobody waits for', (kiket: SimulatedKiket['kiket']) => kiket.issues.decide(7, 'approve'), 409],
  ])('should refuse %s', async (_name, act, status) => {
    const { kiket } = await simulate();
    kiket.issues.add({ id: 7 });
    expect(() => act(kiket)).toThrow(refusal(status));
  });

  it('should refuse a state without a name', async () => {
    const { kiket } = await simulate();
    kiket.issues.add({ id: 7 });
    await expect(kiket.issues.transition(7, '')).rejects.toMatchObject({ status: 400 });
  });
});

describe('a secret that the extension writes into the project', () => {
  it('should not be shown: not in comments, not in issues, not in the events that they raise', async () => {
    const canary = 'canary_of_the_crm';
    const simulated = await calling(
      async (attempt, url) => {
        if (attempt.payload!['event'] !== 'issue.created') return;
        const headers = { 'Content-Type': 'application/json', 'X-Kiket-API-Key': 'ext_fake' };
        await post(`${url}${API}/comments`, tokenIn(attempt), { comment: { body: canary } });
        const body = JSON.stringify({ event: 'a', message: canary });
        await fetch(`${url}/api/v1/ext/issues/7`, {
          method: 'PATCH',
          headers,
          body: JSON.stringify({ issue: { title: canary } }),
        });
        await fetch(`${url}/api/v1/ext/telemetry`, { method: 'POST', headers, body });
      },
      { secrets: { CRM: canary } },
    );
    const { kiket, events } = simulated;
    kiket.deliveries.send({ event: 'issue.created' });
    await ended(simulated);
    await until(() => kiket.deliveries.latest('issue.commented')?.state === 'completed');
    const shown = [kiket.calls.state(), kiket.issues.list(), kiket.deliveries.latest('issue.commented'), events];
    expect(JSON.stringify(shown)).toContain('{{secret:CRM}}');
    expect(JSON.stringify(shown)).not.toContain(canary);
    expect(kiket.issues.list().find(({ id }) => id === 7)?.title).toBe('{{secret:CRM}}');
  });
});
