import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Express } from 'express';
import { parseManifest, type KiketManifest } from 'kiket-express/manifest';
import request, { type Response } from 'supertest';
import { secret } from './deliver';

/** Reads the manifest of an example in `examples/ports`. */
export function manifestOf(port: string): KiketManifest {
  const path = resolve(__dirname, '../../examples/ports', port, '.kiket/manifest.yaml');
  return parseManifest(readFileSync(path, 'utf8'), { path, env: { KIKET_WEBHOOK_SECRET: secret } });
}

/** The events that a manifest announces, sorted. */
export function announcedEvents({ hooks, commands }: KiketManifest): string[] {
  return [...hooks, ...commands].map(({ event }) => event).sort();
}

/** The events that the health route reports, sorted. */
export async function handledEvents(app: Express): Promise<string[]> {
  const response = await request(app).get('/health').expect(200);
  return (response.body as { events: { event: string }[] }).events.map(({ event }) => event).sort();
}

export function errorCodeOf(response: Response): unknown {
  return (response.body as { error?: { code: string } }).error?.code;
}
