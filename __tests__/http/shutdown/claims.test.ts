import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import express from 'express';
import { kiket, kiketHandler } from 'kiket-express';
import { kiketShutdown } from 'kiket-express/shutdown';
import type { Claim } from '../../../lib/idempotency/claim';
import { startRenewing, stopRenewing } from '../../../lib/idempotency/claim-renewer';
import { Connection } from '../../support/connection';
import { example, secret } from '../../support/deliver';
import { signedRequest } from '../../support/signed-request';
import { turns } from '../../support/turns';
import { until } from '../../support/until';
import { closingService } from './closing-service';

const { head, body } = signedRequest(JSON.stringify(example));

const settleAll: (() => void)[] = [];

afterEach(() => settleAll.splice(0).forEach((settle) => settle()));

/** The claim of a handler that keeps running. It is open until it is settled. */
function claimOf(server: Server, release: () => Promise<void> = () => Promise.resolve()) {
  const settle = (): void => stopRenewing(claim as unknown as Claim);
  const claim = { req: { socket: { server } }, release: jest.fn(release), settle, isOpen: true, renewAtMs: Infinity };
  startRenewing(claim as unknown as Claim);
  settleAll.push(settle);
  return claim;
}

describe('an open claim', () => {
  it('should be waited for, although the response to its delivery was sent', async () => {
    const server = createServer();
    const claim = claimOf(server);
    let isOver = false;
    const shutdown = kiketShutdown(server).finally(() => (isOver = true));
    await once(server, 'close');
    await turns();
    expect(isOver).toBe(false);
    claim.settle();
    expect(await shutdown).toEqual({ finished: true, released: 0 });
    expect(claim.release).not.toHaveBeenCalled();
  });

  it('should be released at the limit', async () => {
    const server = createServer();
    const claims = [claimOf(server), claimOf(server)];
    expect(await kiketShutdown(server, { timeoutMs: 10 })).toEqual({ finished: false, released: 2 });
    for (const { release } of claims) expect(release).toHaveBeenCalledTimes(1);
  });

  it('should be left alone when it is of another server', async () => {
    const server = createServer();
    const other = claimOf(createServer());
    expect(await kiketShutdown(server, { timeoutMs: 10 })).toEqual({ finished: true, released: 0 });
    expect(other.release).not.toHaveBeenCalled();
  });

  it('should be released after its connection is broken off', async () => {
    let signal: AbortSignal | undefined;
    const never = kiketHandler((delivery) => {
      signal = delivery.signal;
      return new Promise<object>(() => undefined);
    });
    const { server } = closingService(express, [kiket({ secret })], never);
    const found: unknown[] = [];
    claimOf(server, () => Promise.resolve(void found.push(signal!.aborted)));
    await Connection.to(server, async (connection) => {
      connection.write(head, body);
      await until(() => signal !== undefined);
      expect(await kiketShutdown(server, { timeoutMs: 10 })).toEqual({ finished: false, released: 1 });
      expect(await connection.response()).toBeUndefined();
    });
    expect(found).toEqual([true]);
  });

  it('should be settled by a handler that ends when its signal aborts', async () => {
    let isRunning = false;
    const stopped = kiketHandler(({ signal }) => {
      isRunning = true;
      return new Promise<object>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          claim.settle();
          reject(new Error('Stopped'));
        });
      });
    });
    const { server } = closingService(express, [kiket({ secret })], stopped);
    const claim = claimOf(server);
    await Connection.to(server, async (connection) => {
      connection.write(head, body);
      await until(() => isRunning);
      expect(await kiketShutdown(server, { timeoutMs: 10 })).toEqual({ finished: false, released: 0 });
    });
    expect(claim.release).not.toHaveBeenCalled();
  });
});

describe('a store', () => {
  it('should not delay the end of kiketShutdown by failing', async () => {
    const server = createServer();
    const failing = claimOf(server, () => Promise.reject(new Error('Redis is down')));
    const other = claimOf(server);
    expect(await kiketShutdown(server, { timeoutMs: 10 })).toEqual({ finished: false, released: 2 });
    for (const { release } of [failing, other]) expect(release).toHaveBeenCalledTimes(1);
  });

  it('should not delay the end of kiketShutdown by hanging', async () => {
    const server = createServer();
    claimOf(server, () => new Promise(() => undefined));
    expect(await kiketShutdown(server, { timeoutMs: 10 })).toEqual({ finished: false, released: 1 });
  });

  it('should be waited for until its claims are released', async () => {
    const server = createServer();
    let released!: () => void;
    const { release } = claimOf(server, () => new Promise((resolve) => (released = resolve)));
    let isOver = false;
    const shutdown = kiketShutdown(server, { timeoutMs: 10 }).finally(() => (isOver = true));
    await until(() => release.mock.calls.length === 1);
    await turns();
    expect(isOver).toBe(false);
    released();
    await shutdown;
  });
});
