import { spawn } from 'node:child_process';

/** The program that opens a URL, and its arguments before the URL. None is a shell, which would read the URL. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Opens a URL in the browser of the user. Resolves to why it was not opened; to `undefined` when it was. */
export function openPage(url: string, env: Readonly<Record<string, string | undefined>>): Promise<string | undefined> {
  const [program, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  return new Promise((resolve) => {
    const opener = spawn(program, [...args, url], { env, stdio: 'ignore', detached: true });
    opener.once('error', (error) => resolve(`${program}: ${(error as NodeJS.ErrnoException).code}`));
    opener.once('exit', (code) => resolve(code === 0 ? undefined : `${program} ended with exit code ${code}`));
    // Some openers stay until the browser ends.
    setTimeout(() => resolve(undefined), 5000).unref();
    opener.unref();
  });
}
