import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { inspect } from 'node:util';
import { Delivery, type DeliverySource } from '../../../lib/delivery/delivery';
import type { KiketPayload } from '../../../lib/delivery/payload';

const source: DeliverySource = {
  req: new IncomingMessage(new Socket()),
  rawBody: undefined,
  signal: new AbortController().signal,
  transaction: undefined,
  token: undefined,
  parsed: undefined,
};

function deliveryWith(payload: KiketPayload): Delivery {
  return Object.assign(new Delivery(source), { event: 'a', payload });
}

const depth = 10_000;
const deep = JSON.parse(`{"context":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`) as KiketPayload;
const cyclic: Record<string, unknown> = {};
cyclic['context'] = cyclic;

describe('a logged delivery', () => {
  it.each<[string, KiketPayload]>([
    ['is nested 10,000 levels deep', deep],
    ['was made cyclic by a handler', cyclic],
    ['was given a BigInt by a handler', { count: 1n }],
  ])('should contain a placeholder when its payload %s', (_name, payload) => {
    const delivery = deliveryWith(payload);
    expect(JSON.parse(JSON.stringify({ delivery }))).toEqual({
      delivery: { event: 'a', payload: '[not serialisable]' },
    });
    expect(inspect(delivery, { depth: Infinity })).toContain("payload: '[not serialisable]'");
  });

  it('should contain any other payload as it is', () => {
    const payload = { context: { list: [1, null, { a: 'b' }] } };
    expect(JSON.parse(JSON.stringify(deliveryWith(payload)))).toMatchObject({ payload });
  });
});
