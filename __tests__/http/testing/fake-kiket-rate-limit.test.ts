import { call, clock, runtimeToken, start, type Reply } from './calling';

const RATE_LIMIT = 'GET /api/v1/ext/rate_limit';

/** Limit, remaining and reset. */
function rateOf({ headers }: Reply): number[] {
  return ['limit', 'remaining', 'reset'].map((name) => Number(headers.get(`x-ratelimit-${name}`)));
}

describe('the rate limit', () => {
  it('should be the same in every header and at its own path', async () => {
    const { now, pass } = clock();
    const kiket = await start({ now });
    const first = await call(kiket, RATE_LIMIT);
    expect(first.body).toEqual({ rate_limit: { limit: 600, remaining: 599, reset_in: 60, window_seconds: 60 } });
    expect(rateOf(first)).toEqual([600, 599, 60]);
    pass(7.5);
    const second = await call(kiket, RATE_LIMIT);
    expect(second.body).toEqual({ rate_limit: { limit: 600, remaining: 598, reset_in: 53, window_seconds: 60 } });
    expect(rateOf(second)).toEqual([600, 598, 53]);
  });

  it('should respond with 429 past the limit, until the window ends', async () => {
    const { now, pass } = clock();
    const kiket = await start({ now, limit: 2, windowSeconds: 30 });
    await call(kiket, RATE_LIMIT);
    pass(10);
    expect(rateOf(await call(kiket, RATE_LIMIT))).toEqual([2, 0, 20]);
    for (let i = 0; i < 2; i++) {
      const refused = await call(kiket, RATE_LIMIT);
      expect(refused).toMatchObject({ status: 429, body: { error: 'Rate limit exceeded', retry_after: 20 } });
      expect(refused.headers.get('retry-after')).toBe('20');
      expect(rateOf(refused)).toEqual([2, 0, 20]);
    }
    pass(19.999);
    expect((await call(kiket, RATE_LIMIT)).status).toBe(429);
    pass(0.001);
    expect(rateOf(await call(kiket, RATE_LIMIT))).toEqual([2, 1, 30]);
  });

  it('should carry out no request past the limit', async () => {
    const kiket = await start({ limit: 1 });
    const create = () => call(kiket, 'POST /api/v1/ext/custom_data/m/t?project_id=1', { record: {} });
    expect([(await create()).status, (await create()).status]).toEqual([201, 429]);
    expect(kiket.records('m', 't')).toHaveLength(1);
  });

  it('should count the keys and runtime tokens of the installation together, and a workspace token by itself', async () => {
    const kiket = await start({ limit: 1 });
    const credentials = [runtimeToken(kiket), runtimeToken(kiket), undefined, { Authorization: 'Bearer wk_fake' }];
    const statusesOf = async () => {
      const statuses = [];
      for (const headers of credentials) statuses.push((await call(kiket, RATE_LIMIT, undefined, headers)).status);
      return statuses;
    };
    expect(await statusesOf()).toEqual([200, 429, 429, 200]);
    expect(await statusesOf()).toEqual([429, 429, 429, 429]);
  });

  it('should count every request of a credential, whatever the response', async () => {
    const kiket = await start({ limit: 4 });
    await call(kiket, 'GET /nowhere');
    await call(kiket, 'POST /api/v1/ext/telemetry', '{');
    kiket.fail({ kind: 'status', status: 503, times: 1 });
    expect(rateOf(await call(kiket, RATE_LIMIT))).toEqual([4, 1, 60]);
    expect((await call(kiket, RATE_LIMIT)).status).toBe(200);
    expect((await call(kiket, RATE_LIMIT)).status).toBe(429);
  });

  it('should not count unknown credentials', async () => {
    const kiket = await start({ limit: 1 });
    for (let i = 0; i < 3; i++) {
      const refused = await call(kiket, RATE_LIMIT, undefined, {});
      expect([refused.status, ...rateOf(refused)]).toEqual([401, 1, 1, 60]);
    }
  });

  it('should start again when it is reset', async () => {
    const kiket = await start({ limit: 1 });
    await call(kiket, RATE_LIMIT);
    expect((await call(kiket, RATE_LIMIT)).status).toBe(429);
    kiket.resetRateLimit();
    expect((await call(kiket, RATE_LIMIT)).status).toBe(200);
  });

  it.each(['GET /nowhere', 'PUT /api/v1/ext/issues', 'GET /api/v1/ext/issues/none', 'DELETE /api/v1/ext/issues/%zz'])(
    'should be in the response to %s, with an id of its own',
    async (what) => {
      const kiket = await start();
      const replies = [await call(kiket, what), await call(kiket, what)];
      expect(replies.map(rateOf)).toEqual([
        [600, 599, 60],
        [600, 598, 60],
      ]);
      expect(new Set(replies.map(({ headers }) => headers.get('x-request-id'))).size).toBe(2);
    },
  );
});
