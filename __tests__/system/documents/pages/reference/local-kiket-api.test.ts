import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startSimulator } from 'kiket-express/simulator';
import { temporaryFolder } from '../../../../support/cli';
import { startControl } from '../../../../support/control-server';
import { secret } from '../../../../support/deliver';
import { startServer } from '../../../../support/loopback-server';
import { blocksOf } from '../../../../support/markdown';
import { userEnvironment } from '../../../../support/user-environment';

const repository = resolve(__dirname, '../../../../..');
const blocks = blocksOf(readFileSync(resolve(repository, 'docs/reference/local-kiket-api.md'), 'utf8'));

describe('docs/reference/local-kiket-api.md and openapi.json', () => {
  it('should be up to date with the routes and their types', () => {
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/openapi.mjs', '--check'], {
      cwd: repository,
      env: userEnvironment,
      encoding: 'utf8',
    });
    // The message says how to write them again.
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('the commands of docs/reference/local-kiket-api.md', () => {
  it('should do as shown, one after the other', async () => {
    const { url } = await startServer((_req, res) => void res.writeHead(204).end());
    const simulator = await startSimulator({ url: `${url}/kiket`, secret, speed: 'max' });
    Object.defineProperty(simulator, 'target', { value: { url: `${url}/kiket`, isUp: true } });
    const server = await startControl(simulator);
    const folder = temporaryFolder();
    mkdirSync(join(folder, '.kiket/dev'), { recursive: true });
    writeFileSync(join(folder, '.kiket/dev/token'), server.token);

    const commands = blocks.filter(({ language }) => language === 'sh').map(({ code }) => code);
    const script = commands.join('\necho; echo ===\n').replaceAll('127.0.0.1:4538', `127.0.0.1:${server.port}`);
    const { code, stdout, stderr } = await runInShell(script, folder);
    expect([code, stderr.replace('curl: (28)', '').includes('curl:')]).toEqual([0, false]);
    const [ready, waited, latest, fault, stream] = stdout.split('===\n').map((text) => text.trim());
    expect([ready, JSON.parse(waited!), latest, JSON.parse(fault!)]).toMatchObject([
      '{}',
      { event: 'issue.created', state: 'completed' },
      blocks.find(({ language }) => language === '')!.code.trim(),
      { kind: 'lose-response', timesLeft: 1 },
    ]);
    expect(stream).toMatch(/^retry: 1000\n\nevent: \w+\nid: 1\ndata: \{[^]+event: delivery\n[^]+event: fault\n/);
    await simulator.close();
  });
});

function runInShell(script: string, cwd: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((done) => {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd, env: userEnvironment });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
}
