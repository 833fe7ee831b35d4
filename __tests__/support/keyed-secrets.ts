import express from 'express';
import { startServer } from './loopback-server';

export interface KeyedSecrets {
  readonly url: string;
  readonly stored: Map<string, string>;
  /** Method, path and body of each request. */
  readonly requests: unknown[][];
}

/**
 * Starts a server that has the secrets of an extension in Kiket's other shape: it creates them at the path of the list. A value
 * that is empty is refused.
 *
 * @param unknownRoute the status for a POST to the path of a secret.
 */
export async function startKeyedSecrets(unknownRoute: 404 | 405): Promise<KeyedSecrets> {
  const stored = new Map<string, string>();
  const requests: unknown[][] = [];
  const app = express();
  app.use(express.json(), (req, _res, next) => {
    requests.push([req.method, req.path, ...(req.body === undefined ? [] : [req.body as unknown])]);
    next();
  });
  app
    .route('/api/v1/extensions/:extension/secrets')
    .get((_req, res) => {
      res.json([...stored.keys()].map((key) => ({ key, created_at: 'now', updated_at: 'now' })));
    })
    .post((req, res) => {
      const { key, value } = (req.body as { secret: { key: string; value: string } }).secret;
      if (value === '') return void res.status(422).json({ errors: { value: ['is blank'] } });
      if (stored.has(key)) return void res.status(422).json({ error: 'Key has already been taken' });
      stored.set(key, value);
      res.status(201).json({ key });
    });
  app
    .route('/api/v1/extensions/:extension/secrets/:key')
    .get(({ params: { key } }, res) => {
      if (stored.has(key)) res.json({ key, value: stored.get(key), created_at: 'now', updated_at: 'now' });
      else res.status(404).json({ error: 'Not found' });
    })
    .patch((req, res) => {
      const { value } = (req.body as { secret: { value: string } }).secret;
      if (!stored.has(req.params.key)) return void res.status(404).json({ error: 'Not found' });
      if (value === '') return void res.status(422).json({ errors: { value: ['is too short'] } });
      stored.set(req.params.key, value);
      res.json({ key: req.params.key });
    })
    .delete(({ params }, res) => {
      res.status(stored.delete(params.key) ? 204 : 404).end();
    })
    .post((_req, res) => void res.status(unknownRoute).json({ error: 'Unknown route' }));
  const { url } = await startServer(app);
  return { url, stored, requests };
}
