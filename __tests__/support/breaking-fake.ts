import { request, type IncomingMessage } from 'node:http';
import type { FakeKiket } from 'kiket-express/testing';
import { startFake } from './fake-kiket';
import { startServer } from './loopback-server';

/** The part of a response that reaches the client before its connection is reset. */
export type Passage = 'all' | 'half' | 'nothing';

/**
 * Starts a fake behind a proxy that breaks connections. The fake carries out every request. The first
 * response passes as in `passages[0]`, the next as in `passages[1]`, and all further responses pass whole.
 */
export async function startBreakingFake(passages: readonly Passage[]): Promise<FakeKiket> {
  const fake = await startFake();
  const left = [...passages];
  const { url } = await startServer((req, res) => {
    const passage = left.shift() ?? 'all';
    const { method, headers } = req;
    const forwarded = request(fake.url + req.url!, { method, headers, agent: false });
    forwarded.on('response', (response: IncomingMessage) => {
      void response.toArray().then((chunks) => {
        const body = Buffer.concat(chunks as Buffer[]);
        const length = passage === 'half' ? Math.floor(body.length / 2) : 0;
        if (passage !== 'all' && length === 0) return void res.socket!.resetAndDestroy();
        res.writeHead(response.statusCode!, response.headers);
        if (passage === 'all') res.end(body);
        else res.write(body.subarray(0, length), () => res.destroy());
      });
    });
    req.pipe(forwarded);
  });
  return {
    ...fake,
    url,
    callback(options) {
      const callback = fake.callback(options);
      return { ...callback, api: { ...callback.api, base_url: url } };
    },
  };
}
