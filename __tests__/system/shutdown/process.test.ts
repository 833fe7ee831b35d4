import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { signDelivery } from 'kiket-express/testing';
import { Agent } from 'undici';
import { secret } from '../../support/deliver';
import { startFake } from '../../support/fake-kiket';
import { userEnvironment } from '../../support/user-environment';

const repository = resolve(__dirname, '../../..');

describe('a process that calls kiketShutdown on SIGTERM', () => {
  it('should respond to the delivery that is running, and end by itself', async () => {
    const fake = await startFake();
    const service = spawn(process.execPath, ['--import', 'tsx', '__tests__/system/shutdown/service.ts'], {
      cwd: repository,
      env: { ...userEnvironment, KIKET_SECRET: secret, KIKET_URL: fake.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(service, 'close');
    // Keeps its connections alive, as the platform may.
    const agent = new Agent();
    try {
      let output = '';
      service.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      const said = async (pattern: RegExp): Promise<string> => {
        for (let match; ; await Promise.race([once(service.stdout, 'data'), ended])) {
          if ((match = pattern.exec(output))) return match[0];
          if (service.exitCode !== null) throw new Error(`It has ended: ${output}`);
        }
      };
      const port = (await said(/"port":\d+/)).slice('"port":'.length);
      const { body, headers } = signDelivery({ event: 'issue.created', ...fake.callback() }, { secret });
      const delivery = agent.request({
        origin: `http://127.0.0.1:${port}`,
        path: '/kiket',
        method: 'POST',
        headers,
        body,
      });
      await said(/running/);
      service.kill('SIGTERM');
      const response = await delivery;
      expect([response.statusCode, await response.body.json()]).toEqual([200, { done: true }]);
      expect(await ended).toEqual([0, null]);
      expect(output).toContain('{"finished":true,"released":0}\nleft: 0 timers');
    } finally {
      service.kill('SIGKILL');
      await ended;
      await agent.close();
    }
  });
});
