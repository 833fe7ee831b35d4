import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { serverForkOptions } from './pinning.mjs';

const SERVER = fileURLToPath(new URL('./server.mjs', import.meta.url));

/** Runs `use(receiver)` on a receiver in a fresh process, and ends the process. Errors contain its output. */
export async function withReceiver(id, use) {
  const child = fork(SERVER, [id], {
    ...serverForkOptions,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let printed = ''; // kept rather than passed on, because most receivers print the refusals that are asked of them
  child.stderr.setEncoding('utf8').on('data', (text) => (printed += text));
  const ended = Promise.all([once(child, 'exit'), once(child.stderr, 'close')]);
  try {
    const { port } = await message();
    return await use({ port, usage });
  } catch (error) {
    throw new Error(`${id}: ${error.message}\n${printed}`, { cause: error });
  } finally {
    if (child.connected) child.disconnect();
    await ended;
  }

  function usage() {
    child.send('usage');
    return message();
  }

  async function message() {
    const [received] = await Promise.race([once(child, 'message'), ended.then(refuse)]);
    return received;
  }
}

function refuse() {
  throw new Error('The receiver has ended');
}
