import { until } from './until';
import { startCli, temporaryFolder, type CliOptions, type CliResult, type RunningCli } from './cli';

/** A command `dev` that runs in this process. */
export interface RunningDev {
  readonly cli: RunningCli;
  readonly cwd: string;
  /** The address of the page, with the token. */
  readonly page: URL;
  readonly api: string;
  readonly token: string;
  /** Calls the API for scripts, and resolves to what it returns. */
  readonly call: <T = Record<string, unknown>>(method: string, path: string, body?: unknown) => Promise<T>;
  /** Ends it as Ctrl-C does. */
  readonly end: () => Promise<CliResult>;
}

const running: RunningCli[] = [];

/** Starts `dev` on free ports, and resolves when it has started. It is ended after the test. */
export async function startDev(args: readonly string[], options: CliOptions = {}): Promise<RunningDev> {
  const cwd = options.cwd ?? temporaryFolder();
  const cli = startCli(['dev', '--port', '0', '--api-port', '0', ...args], { ...options, cwd });
  running.push(cli);
  let result: CliResult | undefined;
  void cli.ended.then((ended) => (result = ended));
  await until(() => result !== undefined || started(cli) !== undefined, 'dev');
  const { page, api } = started(cli) ?? fail(result!);
  const url = new URL(page);
  const token = url.searchParams.get('token')!;
  return {
    cli,
    cwd,
    page: url,
    api,
    token,
    async call<T>(method: string, path: string, body?: unknown) {
      const response = await fetch(new URL(path, url.origin), {
        method,
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    end() {
      cli.interrupt();
      return cli.ended;
    },
  };
}

function started({ output: { stdout } }: RunningCli): { readonly page: string; readonly api: string } | undefined {
  const page = /^page +(\S+)$/m.exec(stdout)?.[1] ?? /"page":"([^"]+)"/.exec(stdout)?.[1];
  const api = /^API +(\S+)$/m.exec(stdout)?.[1] ?? /"api":"([^"]+)"/.exec(stdout)?.[1];
  return page === undefined || api === undefined ? undefined : { page, api };
}

function fail({ code, stdout, stderr }: CliResult): never {
  throw new Error(`dev ended with ${code}:\n${stdout}\n${stderr}`);
}

afterEach(async () => {
  for (const each of running.splice(0)) {
    each.interrupt();
    await each.ended;
  }
});
