import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPostgresStore } from './postgres-store.mjs';

/**
 * A PostgreSQL for the receivers, which find it by DATABASE_URL: the one of that variable, or a server of the bench's own, which does
 * not wait for the disk. In that of the variable, rows stay.
 */
export async function startPostgres() {
  const own = process.env.DATABASE_URL === undefined ? await startServer() : undefined;
  const { store, pool } = createPostgresStore();
  await store.migrate();
  await pool.query('CREATE TABLE IF NOT EXISTS payments (id text)');
  await pool.query('CREATE TABLE IF NOT EXISTS handled (invocation text PRIMARY KEY)');
  await pool.end();
  return { close: () => own?.close() };
}

async function startServer() {
  const binaries = findBinaries();
  const user = serverUser();
  const folder = mkdtempSync(join(tmpdir(), 'kiket-bench-'));
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const flags = ['--username=postgres', '--auth=trust', '--no-sync', '--locale=C', '--encoding=UTF8'];
  const { status, stderr } = spawnSync(join(binaries, 'initdb'), ['-D', data, ...flags], {
    ...user,
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`initdb has failed: ${stderr}`);
  const port = 12_000 + Math.floor(Math.random() * 10_000);
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off'];
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const server = spawn(join(binaries, 'postgres'), args, { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  server.stderr.setEncoding('utf8');
  let log = '';
  await new Promise((resolve, reject) => {
    server.stderr.on('data', (text) => {
      log += text;
      if (log.includes('ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('close', () => reject(new Error(`postgres has ended: ${log}`)));
  });
  process.env.DATABASE_URL = `postgres://postgres@127.0.0.1:${port}/postgres`; // the receivers inherit it
  return { close };

  async function close() {
    const closed = new Promise((resolve) => server.once('close', resolve));
    server.kill('SIGQUIT');
    await closed;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Debian has a folder for each major, none of which is on the PATH. */
function findBinaries() {
  const debian = '/usr/lib/postgresql';
  const majors = existsSync(debian) ? readdirSync(debian).sort((a, b) => b - a) : [];
  const folders = [...process.env.PATH.split(':'), ...majors.map((major) => join(debian, major, 'bin'))];
  const found = folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));
  if (found === undefined) throw new Error('There is no PostgreSQL; install it, or set DATABASE_URL');
  return found;
}

/** The server refuses to run as root. */
function serverUser() {
  if (process.getuid?.() !== 0) return {};
  const id = (flag) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}
