import type { Server } from 'node:http';
import { http, type HttpFunction } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { kiket, kiketErrorHandler } from 'kiket-express';
import { deliverTwice, chains, expectReceived, payloadOf, receiver, report, sizes } from '../../support/receiver';
import { secret } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { pairs } from '../../support/pairs';

/** A function in Cloud Functions: the framework has parsed the body and kept its bytes. */
function functionServer(handler: unknown): Server {
  http('kiket', handler as HttpFunction);
  return getTestServer('kiket');
}

const bodies = {
  ...Object.fromEntries(Object.entries(sizes).map(([size, bytes]) => [size, JSON.stringify(payloadOf(bytes))])),
  emoji: JSON.stringify(payloadOf(1024, '👩‍🚀é')),
  'a byte order mark': `\uFEFF${JSON.stringify(payloadOf(1024))}`,
};

describeMajors('the functions framework with an application', (express) => {
  const table = pairs({
    way: Object.keys(chains),
    name: Object.keys(bodies) as (keyof typeof bodies)[],
    framing: ['length', 'chunked'] as const,
  });

  it.each(table)('should receive $name, framed by $framing ($way)', async ({ way, name, framing }) => {
    const app = receiver(express, { stages: chains[way]!() });
    await expectReceived(functionServer(app), bodies[name], { framing });
  });

  it.each(Object.entries(chains))('should make a later express.json() skip (%s)', async (_way, chain) => {
    const app = receiver(express, { stages: [...chain(), express.json()] });
    await expectReceived(functionServer(app), bodies.emoji);
  });

  it.each(Object.entries(chains))('should 401 another signature (%s)', async (_way, chain) => {
    const app = functionServer(receiver(express, { stages: chain() }));
    const responses = await deliverTwice(app, bodies.emoji, { secret: 'whsec_of_another' });
    expect(responses.map((response) => response?.status)).toEqual([401, 401]);
  });
});

describe('the functions framework with a plain function', () => {
  const receive = kiket({ secret });
  const refuse = kiketErrorHandler();
  const plain: HttpFunction = (req, res) => {
    const fail = (error: unknown): void => refuse(error, req, res, () => undefined);
    receive(req, res, (error) => (error === undefined ? report(req, res, fail) : fail(error)));
  };

  it.each(Object.entries(bodies))('should receive %s', async (_name, body) => {
    await expectReceived(functionServer(plain), body);
  });
});
