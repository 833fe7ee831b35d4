import compression from 'compression';
import type { RequestHandler } from 'express';
import session, { MemoryStore } from 'express-session';

/** Sessions of a service that saves one for each request. */
export function sessions(store: MemoryStore): RequestHandler {
  return session({ secret: 'session secret', resave: true, saveUninitialized: true, store });
}

/** A session store that saves when `ready` resolves; a response waits for that. */
export class SlowStore extends MemoryStore {
  readonly #ready: () => Promise<unknown>;

  constructor(ready: () => Promise<unknown>) {
    super();
    this.#ready = ready;
  }

  override set(id: string, data: session.SessionData, done?: (error?: unknown) => void): void {
    void this.#ready().then(() => super.set(id, data, done));
  }
}

export function compressed(): RequestHandler {
  return compression({ threshold: 0 });
}
