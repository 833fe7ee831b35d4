import type { RequestHandler, Response } from 'express';
import { kiketHandler } from 'kiket-express';
import { attempt, attemptBytes, once } from '../../support/attempts';
import { Connection } from '../../support/connection';
import { describeMajors } from '../../support/express';
import { turns } from '../../support/turns';
import { until } from '../../support/until';
import { WatchedStore } from '../../support/watched-store';

describeMajors('kiketIdempotency', (express) => {
  it('should not store a response that was broken off as a success', async () => {
    const store = new WatchedStore();
    let hasReturned = false;
    const handler = kiketHandler(async ({ signal }, _req, res) => {
      res.writeHead(422).write('half an');
      await until(() => signal.aborted);
      hasReturned = true;
    });
    await Connection.to(once(express, store, handler), async (connection) => {
      const { head, body } = attemptBytes();
      connection.write(head, body);
      await store.called('claim');
      await turns();
      connection.break();
      await until(() => hasReturned);
    });
    await turns();
    expect(store.records).toEqual([]);
    await attempt(
      once(
        express,
        store,
        kiketHandler(() => ({})),
      ),
    ).expect(503);
  });

  it('should send no part of a late response in a 503 that a wrapper holds back in parts', async () => {
    const store = new WatchedStore();
    let endResponse!: () => void;
    let response: Response | undefined;
    const logged: number[] = [];
    const holdBack: RequestHandler = (_req, res, next) => {
      const end = res.end.bind(res) as (...args: unknown[]) => Response;
      res.end = (chunk?: unknown, ...rest: unknown[]) => {
        if (chunk !== undefined) res.write(chunk);
        endResponse = () => void end(undefined, ...rest);
        return res;
      };
      res.once('finish', () => logged.push(res.statusCode));
      next();
    };
    const handler: RequestHandler = (_req, res) => void (response = res);
    const app = once(express, store, handler, { before: [holdBack], deadlineMs: 50 });
    const received = attempt(app)
      .expect(503)
      .then(({ body }) => body as unknown);
    await until(() => endResponse !== undefined);
    response!.status(201).set('X-Own', 'yes').write('AAA');
    endResponse();
    expect(await received).toMatchObject({ error: { code: 'deadline.exceeded' } });
    response!.end('BBB');
    await turns();
    expect([store.records, logged]).toEqual([[], [503]]);
  });
});
