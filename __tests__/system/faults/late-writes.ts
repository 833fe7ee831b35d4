import { Readable } from 'node:stream';
import type { NextFunction, Response } from 'express';

/** The message of a time-out of the service. */
export const TIMED_OUT = 'The service has timed out';

const LATE = 'This comes after the response.';

/** Writes to a response object after the response was sent. */
export const LATE_WRITES = {
  json: (res) => res.status(500).json({ late: LATE }),
  status: (res) => res.sendStatus(503),
  write: (res) => res.write(LATE),
  end: (res) => res.end(LATE),
  head: (res) => res.writeHead(500, { 'Content-Length': LATE.length }).flushHeaders(),
  stream: (res) => Readable.from([LATE, LATE]).pipe(res),
  reply: (res) => void res.kiket.retry(LATE),
  error: (_res, next) => next(new Error(LATE)),
} as const satisfies Record<string, (res: Response, next: NextFunction) => unknown>;

export type LateWrite = keyof typeof LATE_WRITES;
