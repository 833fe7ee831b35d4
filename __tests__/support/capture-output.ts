import { Console } from 'node:console';
import { Writable } from 'node:stream';

/** Returns the output to stdout, stderr and the console during `run`. */
export async function captureOutput(run: () => Promise<unknown>): Promise<string> {
  let output = '';
  const write = (chunk: unknown): true => {
    output += Buffer.isBuffer(chunk) ? chunk.toString() : String(chunk);
    return true;
  };
  const stream = new Writable({ write: (chunk, _encoding, done) => (write(chunk), done()) });
  const original = globalThis.console;
  const spies = [process.stdout, process.stderr].map((target) => jest.spyOn(target, 'write').mockImplementation(write));
  globalThis.console = new Console(stream, stream);
  try {
    await run();
  } finally {
    globalThis.console = original;
    for (const spy of spies) spy.mockRestore();
  }
  return output;
}
