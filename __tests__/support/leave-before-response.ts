import { once } from 'node:events';
import type { RequestHandler } from 'express';
import { Connection } from './connection';
import { example } from './deliver';
import { endpoint, type Stage } from './endpoint';
import type { Express } from './express';
import { signedRequest } from './signed-request';
import { until } from './until';

/** A client that sends a delivery through `stages`, and disconnects before the response. */
export async function leaveBeforeResponse(express: Express, stages: readonly Stage[]): Promise<void> {
  let closed: Promise<unknown> | undefined;
  const silent: RequestHandler = (_req, res) => void (closed = once(res, 'close'));
  const { head, body } = signedRequest(JSON.stringify(example));
  await Connection.to(endpoint(express, [...stages, silent]), async (connection) => {
    connection.write(head, body);
    await until(() => closed !== undefined);
    connection.break();
    await closed;
  });
}
