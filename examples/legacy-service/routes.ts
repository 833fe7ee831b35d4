// The service before kiket-express. No step changes this file.
import type { ErrorRequestHandler, RequestHandler } from 'express';

declare module 'express-session' {
  interface SessionData {
    user: string;
  }
}

export const login: RequestHandler = (req, res) => {
  req.session.user = (req.body as { user: string }).user;
  res.json({ user: req.session.user });
};

export const account: RequestHandler = (req, res) => {
  if (req.session.user === undefined) return void res.status(401).send('Log in first');
  res.json({ user: req.session.user });
};

export const createOrder: RequestHandler = (req, res) => {
  res.status(201).json({ created: req.body as object });
};

/** The existing webhook, which reads only the parsed body. */
export const receive: RequestHandler = (req, res, next) => {
  const { issue } = req.body as { issue?: { id?: number } };
  findTicket(issue?.id).then((ticket) => res.json({ ok: true, ticket }), next);
};

/** Simulates a call to another system, whose client throws errors with a `status`. */
function findTicket(id: number | undefined): Promise<string> {
  if (id === undefined) return Promise.reject(Object.assign(new Error('No such ticket'), { status: 404 }));
  return Promise.resolve(`TICKET-${id}`);
}

// Express recognises an error handler by its four parameters.
export const ownErrorHandler: ErrorRequestHandler = (error: { status?: number; message: string }, _req, res, _next) => {
  res.status(error.status ?? 500).json({ message: error.message });
};
