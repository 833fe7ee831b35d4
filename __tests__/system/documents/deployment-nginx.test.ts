import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { KiketMemoryStore } from 'kiket-express';
import { signDelivery } from 'kiket-express/testing';
import { Agent, request } from 'undici';
import { createApp } from '../../../examples/deployment';
import { secret } from '../../support/deliver';
import { closedOrigin, startServer, type RunningServer } from '../../support/loopback-server';
import { describeWithNginx, startNginx, type Nginx } from '../../support/nginx';

const file = resolve(__dirname, '../../../examples/deployment/nginx.conf');
const configuration = readFileSync(file, 'utf8');

describeWithNginx('nginx.conf', () => {
  const issues: string[] = [];
  let headers: Readonly<Record<string, unknown>>;
  let service: RunningServer;
  let nginx: Nginx;
  let dispatcher: Agent;

  beforeEach(async () => {
    issues.length = 0;
    const app = createApp(secret, new KiketMemoryStore(), (id) => Promise.resolve(issues.push(id)));
    service = await startServer((req, res) => {
      headers = req.headers;
      app(req, res);
    });
    await startBefore(service.url);
  });
  afterEach(async () => {
    await dispatcher.close();
    await nginx.stop();
  });

  async function startBefore(upstream: string): Promise<void> {
    nginx = await startNginx(configuration, Number(new URL(upstream).port));
    dispatcher = new Agent({ connect: { ca: nginx.certificate } });
  }

  async function send(padding: number, path = '/kiket'): Promise<{ status: number; text: string }> {
    const payload = {
      event: 'issue.created',
      issue: { id: 7, title: 'Zoë 🚪' },
      context: { padding: 'x'.repeat(padding) },
    };
    const delivery = signDelivery(payload, { secret });
    const { statusCode, body } = await request(`${nginx.origin}${path}`, { method: 'POST', ...delivery, dispatcher });
    return { status: statusCode, text: await body.text() };
  }

  it('should pass on the exact bytes of a delivery of 500 KB', async () => {
    const { status, text } = await send(499_000);
    expect([status, JSON.parse(text)]).toEqual([200, { ok: true, note: '1 issues so far' }]);
    expect(issues).toEqual(['7']);
  });

  it('should pass on the address of the sender and the protocol', async () => {
    await send(10);
    expect(headers).toMatchObject({
      host: new URL(nginx.origin).host.split(':')[0],
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'https',
    });
  });

  it('should use one connection to the service for several deliveries', async () => {
    for (let i = 0; i < 3; i++) expect(await send(i)).toMatchObject({ status: 200 });
    expect(service.counts).toEqual({ connections: 1, requests: 3 });
  });

  it('should not show the other routes', async () => {
    expect(await send(10, '/ready')).toMatchObject({ status: 404 });
    expect(service.counts.requests).toBe(0);
  });

  it('should respond with a retryable error while the service is down', async () => {
    await dispatcher.close();
    await nginx.stop();
    await startBefore(await closedOrigin());
    expect(await send(10)).toMatchObject({ status: 502 });
  });
});

describe('nginx.conf, without nginx', () => {
  const valueOf = (name: string): string | undefined => new RegExp(`^ *${name} (.+);$`, 'm').exec(configuration)?.[1];

  it('should let the largest delivery through', () => {
    expect(valueOf('client_max_body_size')).toBe('1m');
  });

  it('should wait longer than the deadline', () => {
    const [, seconds = '60'] = /^(\d+)s$/.exec(valueOf('proxy_read_timeout') ?? '60s')!;
    expect(Number(seconds)).toBeGreaterThan(10);
  });

  it('should repeat no delivery, and change no bytes', () => {
    expect(configuration).not.toMatch(/non_idempotent|proxy_set_body|gunzip|sub_filter|proxy_request_buffering/);
  });
});
