import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { readAndUnshift } from '../../../lib/body/peek';
import { readBody } from '../../../lib/body/read';
import type { BodyCallback } from '../../../lib/body/stream';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const LIMIT = 2 ** 20;

type Reader = (req: IncomingMessage, done: BodyCallback) => void;

const readers: Record<string, Reader> = {
  readBody: (req, done) => readBody(req, LIMIT, done),
  readAndUnshift: (req, done) => readAndUnshift(req, new ServerResponse(req), LIMIT, done),
};

/** A request without a connection, to which a test pushes the chunks. */
function requestWith(headers: Record<string, string>): IncomingMessage {
  const req = new IncomingMessage(new Socket());
  req.httpVersionMajor = 1;
  Object.assign(req.headers, headers);
  return req;
}

function bodyOf(req: IncomingMessage, read: Reader): Promise<Buffer> {
  return new Promise((resolve) => read(req, (_error, bytes) => resolve(bytes)));
}

function end(req: IncomingMessage): void {
  req.complete = true;
  req.push(null);
}

/** Memory in use after a garbage collection, in bytes. */
function usedBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('a body in chunks of one byte', () => {
  it.each([
    ['readBody', 'chunked', { 'transfer-encoding': 'chunked' }],
    ['readAndUnshift', 'chunked', { 'transfer-encoding': 'chunked' }],
    ['readAndUnshift', 'with a length', { 'content-length': String(LIMIT) }],
  ])('should take a few times 1 MB of memory for 1 MB: %s, %s', async (reader, _framing, headers) => {
    const req = requestWith(headers);
    const before = usedBytes();
    const body = bodyOf(req, readers[reader]!);
    await turn();
    for (let sent = 0; sent < LIMIT - 1; sent++) {
      req.push(Buffer.from([sent & 0x7f]));
      if (sent % 1000 === 0) await turn();
    }
    await turn();
    expect(usedBytes() - before).toBeLessThan(8 * LIMIT);
    req.push(Buffer.from([0x7f]));
    end(req);
    const expected = Buffer.from(Array.from({ length: LIMIT }, (_, at) => at & 0x7f));
    expect((await body).equals(expected)).toBe(true);
  });
});

describe('readAndUnshift', () => {
  it('should not copy a single chunk', async () => {
    const chunk = Buffer.from('{"event":"issue.created"}');
    const req = requestWith({ 'content-length': String(chunk.length) });
    const body = bodyOf(req, readers['readAndUnshift']!);
    req.push(chunk);
    end(req);
    expect(await body).toBe(chunk);
  });
});

describe('readBody', () => {
  const chunked = { 'transfer-encoding': 'chunked' };
  const announced = { 'content-length': '2' };
  it.each<[string, Record<string, string>, (req: IncomingMessage) => unknown]>([
    ['closes', chunked, (req) => req.emit('close')],
    ['closes', announced, (req) => req.emit('close')],
    ['fails', announced, (req) => req.emit('error', new Error('of another platform'))],
  ])(
    "should fail with body.aborted when a stream that is not Node's %s before its end: %j",
    async (_name, headers, end) => {
      const req = requestWith(headers);
      const code = new Promise((resolve) => readBody(req, LIMIT, (error) => resolve(error?.code)));
      end(req);
      expect(await code).toBe('body.aborted');
    },
  );

  it('should fail with body.already_parsed when the stream has ended', async () => {
    const req = requestWith({ 'content-length': '2' });
    req.resume();
    end(req);
    await turn();
    expect(await new Promise((resolve) => readBody(req, LIMIT, (error) => resolve(error?.code)))).toBe(
      'body.already_parsed',
    );
  });
});

describe.each(Object.entries(readers))('%s', (_name, read) => {
  it('should take memory for the received bytes, not for the announced length', async () => {
    const before = usedBytes();
    const requests = Array.from({ length: 50 }, () => requestWith({ 'content-length': String(LIMIT) }));
    for (const req of requests) {
      read(req, () => undefined);
      for (const part of ['{', '}']) {
        req.push(Buffer.from(part));
        await turn();
      }
    }
    expect(usedBytes() - before).toBeLessThan(10 * LIMIT);
    expect(requests.map((req) => req.readableEnded)).not.toContain(true);
  });

  it.each([1, 2, 3, 7, 64, 1000])('should join chunks of %s bytes in their order', async (size) => {
    const whole = Buffer.from(Array.from({ length: 5000 }, (_, at) => at % 251));
    const req = requestWith({ 'transfer-encoding': 'chunked' });
    const body = bodyOf(req, read);
    for (let at = 0; at < whole.length; at += size) {
      req.push(whole.subarray(at, at + size));
      if (at % 3 === 0) await turn();
    }
    end(req);
    expect((await body).equals(whole)).toBe(true);
  });
});
