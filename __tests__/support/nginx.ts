import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from './describe-with';
import { closedOrigin, isListening } from './loopback-server';
import { until } from './until';

const isThere = spawnSync('nginx', ['-v']).status === 0;
const remedy = 'put nginx on the PATH (apt-get install nginx, brew install nginx)';

/** Tests that need nginx. */
export function describeWithNginx(name: string, define: () => void): void {
  describeWith({ name: 'nginx', isThere, remedy }, name, define);
}

/** An nginx of the test's own, in a process and a folder of its own. */
export interface Nginx {
  /** `https://127.0.0.1:<port>` */
  readonly origin: string;
  /** The certificate, which no authority has signed. */
  readonly certificate: string;
  stop(): Promise<void>;
}

/**
 * Starts nginx with a file of `conf.d`. Only the addresses and the paths of its certificate are replaced.
 *
 * @param upstreamPort in place of port 3000.
 */
export async function startNginx(configuration: string, upstreamPort: number): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'kiket-nginx-'));
  const key = join(folder, 'key.pem');
  const certificate = join(folder, 'certificate.pem');
  createCertificate(key, certificate);
  const port = Number(new URL(await closedOrigin()).port);
  writeFileSync(
    join(folder, 'site.conf'),
    configuration
      .replace('listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`)
      .replace('127.0.0.1:3000', `127.0.0.1:${upstreamPort}`)
      .replace('/etc/ssl/extension.pem', certificate)
      .replace('/etc/ssl/extension.key', key),
  );
  writeFileSync(join(folder, 'nginx.conf'), mainConfiguration(folder));
  mkdirSync(join(folder, 'temporary'));

  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`nginx has ended with ${child.exitCode}: ${log}`);
    return isListening(port);
  }, 'nginx');
  return {
    origin: `https://127.0.0.1:${port}`,
    certificate: readFileSync(certificate, 'utf8'),
    async stop() {
      await end(child);
      rmSync(folder, { recursive: true });
    },
  };
}

function createCertificate(key: string, certificate: string): void {
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files], {
    stdio: 'ignore',
  });
}

/** One process, which needs no other user, and writes to its folder only. */
function mainConfiguration(folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, 'temporary', name)};`,
  );
  return `
daemon off;
master_process off;
pid ${join(folder, 'nginx.pid')};
events {}
http {
  access_log off;
  ${temporary.join('\n  ')}
  include ${join(folder, 'site.conf')};
}
`;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill();
  await closed;
}
