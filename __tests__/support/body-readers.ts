import { createHash } from 'node:crypto';
import { finished, pipeline } from 'node:stream/promises';
import type { Request, RequestHandler, Response } from 'express';
import type { Express } from './express';

/** A part of a service that reads the body, and returns the result. */
export interface BodyReader {
  readonly contentType: string;
  /** Returns a suitable body of `bytes` bytes. */
  makeBody(size: number): string;
  handlers(express: Express): RequestHandler[];
}

/** Every way in which a service reads a body after our middlewares. */
export const bodyReaders: Readonly<Record<string, BodyReader>> = {
  'express.json()': { ...json(), handlers: (express) => [express.json(), echoBody] },
  'express.json() in a later turn': {
    ...json(),
    handlers: (express) => [(_req, _res, next) => void setImmediate(next), express.json(), echoBody],
  },
  'express.raw()': {
    contentType: 'application/octet-stream',
    makeBody: (size) => '\0'.repeat(size),
    handlers: (express) => [express.raw(), echoBody],
  },
  'express.text()': {
    contentType: 'text/plain',
    makeBody: (size) => 'é'.repeat(size / 2).padEnd(size - Math.floor(size / 2), 't'),
    handlers: (express) => [express.text(), echoBody],
  },
  'express.urlencoded()': {
    contentType: 'application/x-www-form-urlencoded',
    makeBody: (size) => 'field='.padEnd(size, 'v').slice(0, size),
    handlers: (express) => [express.urlencoded({ extended: false }), echoBody],
  },
  'no parser that takes the type': {
    ...json(),
    contentType: 'application/x-other',
    handlers: (express) => [express.json(), express.text(), express.raw(), readEvents],
  },
  "a handler of 'data' and 'end'": { ...json(), handlers: () => [readEvents] },
  "a handler of 'readable'": { ...json(), handlers: () => [readReadable] },
  'a handler that iterates': { ...json(), handlers: () => [readIterator] },
  'a handler that pipes': { ...json(), handlers: () => [readPipe] },
};

function json(): Pick<BodyReader, 'contentType' | 'makeBody'> {
  return {
    contentType: 'application/json',
    makeBody: (size) => (size < 8 ? '1'.repeat(size) : `{"f":"${'v'.repeat(size - 8)}"}`),
  };
}

function echoBody(req: Request, res: Response): void {
  const body: unknown = req.body;
  res.json({ isBuffer: Buffer.isBuffer(body), type: typeof body, body });
}

function readEvents(req: Request, res: Response): void {
  const hash = createHash('sha256');
  req.on('data', (chunk: Buffer) => hash.update(chunk)).on('end', () => res.send(hash.digest('hex')));
}

function readReadable(req: Request, res: Response): void {
  const hash = createHash('sha256');
  req.on('readable', () => {
    for (let chunk: unknown; (chunk = req.read()) !== null;) hash.update(chunk as Buffer);
  });
  void finished(req, { writable: false }).then(() => res.send(hash.digest('hex')));
}

async function readIterator(req: Request, res: Response): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of req) hash.update(chunk as Buffer);
  res.send(hash.digest('hex'));
}

async function readPipe(req: Request, res: Response): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(req, hash);
  res.send(hash.digest('hex'));
}
