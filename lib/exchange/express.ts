/// <reference types="node" preserve="true" />
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KiketRequestState } from '../delivery/delivery';
import type { KiketResponder } from './responder';

export type { KiketRequestState } from '../delivery/delivery';

/**
 * A middleware in Connect's form rather than Express's: it fits `@types/express` 4 and 5, two copies of them, Nest and connect, and
 * keeps `req.params` of the next inline handler typed by its path.
 */
export type KiketMiddleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

declare global {
  namespace Express {
    interface Request {
      kiket?: KiketRequestState | undefined;
    }
    /** Not optional: without kiketRespond a call must fail. Skipped by `?.`, it would leave the request without a response. */
    interface Response {
      kiket: KiketResponder;
    }
  }
}
