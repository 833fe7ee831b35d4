import express from 'express';
import { startSimulator } from 'kiket-express/simulator';
import { startControl } from '../../support/control-server';
import { majors } from '../../support/express';
import { startServer } from '../../support/loopback-server';

// The peer of a service with Express 4: the server, and the fake API, load it by its name.
jest.mock('express', () => jest.requireActual<object>('express4'));

describe('the control server on Express 4', () => {
  it('should serve as on Express 5', async () => {
    expect(express).toBe(majors['Express 4']);
    const { url } = await startServer(express().post('/kiket', (_req, res) => void res.status(204).end()));
    const simulator = await startSimulator({ url: `${url}/kiket`, secret: 'whsec_of_a_test', speed: 'max' });
    const server = await startControl(simulator);
    const send = (method: string, path: string, body?: string, headers: Record<string, string> = {}) =>
      fetch(server.url + path, {
        method,
        redirect: 'manual',
        headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json', ...headers },
        ...(body !== undefined && { body }),
      });
    const sent = await send('POST', '/api/deliveries', '{"event":"issue.created"}');
    expect(sent.status).toBe(202);
    const waited = await send('GET', `${sent.headers.get('location')}/wait`);
    expect(await waited.json()).toMatchObject({ state: 'completed' });

    const statuses: (readonly [number, string, string, (string | undefined)?, Record<string, string>?])[] = [
      [200, 'GET', '/d/latest'],
      [200, 'GET', '/assets/page.css'],
      [303, 'GET', `/?token=${server.token}`],
      [204, 'DELETE', '/api/faults'],
      [400, 'POST', '/api/deliveries', '{"event"'],
      [400, 'POST', '/api/deliveries', ''],
      [400, 'GET', '/api/deliveries?limit=x'],
      [400, 'GET', '/api/deliveries/%E0'],
      [401, 'GET', '/api/deliveries', undefined, { Authorization: 'Bearer wrong' }],
      [403, 'GET', '/api/deliveries', undefined, { Origin: 'http://evil.example' }],
      [404, 'GET', '/assets/notes.txt'],
      [413, 'POST', '/api/deliveries', JSON.stringify({ event: 'x'.repeat(2 ** 20) })],
      [415, 'POST', '/api/deliveries', '{}', { 'Content-Type': 'text/plain' }],
    ];
    for (const [status, method, path, body, headers] of statuses) {
      const response = await send(method, path, body, headers);
      expect([path, response.status]).toEqual([path, status]);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    }
    await simulator.close();
  });
});
