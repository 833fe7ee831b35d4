import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RequestHandler, Router } from 'express';
import { InputError } from '../local-kiket';

/** The paths of the page. The page itself decides which view they are. */
export const PAGE_PATHS = [
  '/',
  '/d/:id',
  '/compare',
  '/send',
  '/issues',
  '/alerts',
  '/api-calls',
  '/faults',
  '/check',
  '/verify',
  '/settings',
];

/** Adds the page. Only these files are served, whatever is in the folder. They contain nothing of this run. */
export function addPage(router: Router, folder: string): void {
  router.get(PAGE_PATHS, file(folder, 'index.html', 'text/html'));
  router.get('/assets/page.js', file(folder, 'page.js', 'text/javascript'));
  router.get('/assets/page.css', file(folder, 'page.css', 'text/css'));
}

function file(folder: string, name: string, type: string): RequestHandler {
  return (_req, res, next) => {
    readFile(join(folder, name)).then(
      (bytes) => void res.set('Content-Type', `${type}; charset=utf-8`).send(bytes),
      () => next(new InputError(404, `the page has no ${name}`)),
    );
  };
}
