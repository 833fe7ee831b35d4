import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { startSimulator, type RunningSimulator } from 'kiket-express/simulator';
import type { BrowserContext, Page } from 'playwright-core';
import { PAGE_PATHS } from '../../../lib/simulator/control/page-files';
import { describeInBrowser, openProfile } from '../../support/browser';
import { startControl } from '../../support/control-server';
import { close, listen, startServer } from '../../support/loopback-server';
import { until } from '../../support/until';

const CANARY = 'canary_of_an_issue';

type Server = Awaited<ReturnType<typeof startControl>>;

let simulator: RunningSimulator;
let received: string[];

beforeEach(async () => {
  received = [];
  const { url } = await startServer((req, res) => {
    received.push(req.url!);
    res.writeHead(204).end();
  });
  simulator = await startSimulator({ url: `${url}/kiket`, secret: 'whsec_of_a_test', speed: 'max' });
  const { id } = simulator.deliveries.send({ event: 'issue.created', set: { 'issue.title': CANARY } });
  await simulator.deliveries.wait(id, 'settled', 10_000);
});

afterEach(async () => {
  await simulator.close();
});

/** Opens the page as its user does: by the address of the terminal. */
async function signIn(context: BrowserContext, server: Server): Promise<Page> {
  const page = await context.newPage();
  await page.goto(server.pageUrl);
  return page;
}

/** Hosts of other pages: another service of this machine, to which the browser sends the cookie, and another site. */
const HOSTS = ['127.0.0.1', 'evil.example'];

/** A page of another origin, in the same browser. */
async function openOther(context: BrowserContext, host: string, content = ''): Promise<Page> {
  const html = `<!doctype html><title>other</title>${content}`;
  const { url } = await startServer((_req, res) => void res.writeHead(200, { 'Content-Type': 'text/html' }).end(html));
  const page = await context.newPage();
  await page.goto(url.replace('127.0.0.1', host));
  return page;
}

type FetchOptions = Readonly<Pick<RequestInit, 'method' | 'mode' | 'credentials'>> & {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** What a script of a page gets to see of a request: its status and text, or the name of the error. */
function request(page: Page, url: string, init: FetchOptions = {}): Promise<string> {
  return page.evaluate(
    async ([at, options]) => {
      try {
        const response = await fetch(at, options);
        return `${response.type} ${response.status} ${await response.text()}`;
      } catch (error) {
        return (error as Error).name;
      }
    },
    [url, init] as const,
  );
}

/** Runs in a page: whether it can follow the events. */
function streamOutcome(url: string): Promise<string> {
  return new Promise((resolve) => {
    const source = new EventSource(url, { withCredentials: true });
    source.onopen = () => resolve('open');
    source.onerror = () => resolve(`error, ${source.readyState === EventSource.CLOSED ? 'closed' : 'again'}`);
  });
}

/** How many deliveries there are: one, unless a page has sent or removed some. */
const countOf = (): number => simulator.deliveries.list({}).total;

describeInBrowser('the control server in a browser', () => {
  it('should take the token once, and keep it out of the address and of scripts', async () => {
    const server = await startControl(simulator);
    const page = await signIn(await openProfile(), server);
    expect(page.url()).toBe(`${server.url}/`);
    expect(await page.title()).toBe('The page runs');
    expect(await page.evaluate(() => [document.cookie, document.referrer, history.length])).toEqual(['', '', 2]);
    expect(await request(page, '/api/issues')).toContain(CANARY);
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ name: `kiket_${server.port}`, httpOnly: true, sameSite: 'Strict', path: '/' });
  });

  it('should refuse what has no token, or a wrong one', async () => {
    const server = await startControl(simulator);
    const context = await openProfile();
    const page = await context.newPage();
    const wrong = await page.goto(`${server.url}/?token=${'a'.repeat(22)}`);
    expect([wrong!.status(), await context.cookies()]).toEqual([401, []]);
    await page.goto(server.url);
    const refused = await request(page, '/api/issues');
    expect(refused).toContain('basic 401');
    expect(refused).not.toContain(CANARY);
  });

  it('should not take the cookie of another port', async () => {
    const [one, two] = [await startControl(simulator), await startControl(simulator)];
    const context = await openProfile();
    await signIn(context, one);
    const page = await context.newPage();
    await page.goto(two.url);
    expect(await request(page, '/api/deliveries')).toContain('basic 401');
  });

  it('should send its events to its own page, and those that it has missed', async () => {
    const server = await startControl(simulator);
    const page = await signIn(await openProfile(), server);
    const next = page.evaluate(
      () =>
        new Promise((resolve) => {
          const source = new EventSource('/api/stream');
          source.onopen = () => (document.title = 'open');
          source.addEventListener('delivery', ({ lastEventId, data }) => {
            source.close();
            resolve([Number(lastEventId) > 0, (JSON.parse(data as string) as { event: string }).event]);
          });
        }),
    );
    await until(async () => (await page.title()) === 'open');
    simulator.deliveries.send({ event: 'issue.updated' });
    expect(await next).toEqual([true, 'issue.updated']);
  });

  it('should have no frames, not even of itself', async () => {
    const server = await startControl(simulator);
    const page = await signIn(await openProfile(), server);
    const directive = await page.evaluate(
      () =>
        new Promise((resolve) => {
          document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
          document.body.append(Object.assign(document.createElement('iframe'), { src: '/d/1' }));
        }),
    );
    expect(directive).toBe('frame-src');
  });

  it('should run no script and load nothing that is not its own', async () => {
    const server = await startControl(simulator);
    const page = await signIn(await openProfile(), server);
    const { url } = await startServer((req, res) => {
      received.push(`evil ${req.url}`);
      res.end();
    });
    const blocked = await page.evaluate(async (evil) => {
      const found: string[] = [];
      document.addEventListener('securitypolicyviolation', (event) => found.push(event.effectiveDirective));
      const add = (name: string, fields: object): void =>
        document.body.append(Object.assign(document.createElement(name), fields));
      add('script', { textContent: 'document.title = "inline"' });
      add('script', { src: `${evil}/script.js` });
      add('img', { src: `${evil}/image.png` });
      add('div', { innerHTML: '<b style="color: red" onclick="1">text</b>' });
      await fetch(`${evil}/fetch`).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve));
      return [found.sort(), document.title];
    }, url);
    expect(blocked).toEqual([
      ['connect-src', 'img-src', 'script-src-attr', 'script-src-elem', 'script-src-elem', 'style-src-attr'],
      'The page runs',
    ]);
    expect(received.filter((each) => each.startsWith('evil'))).toEqual([]);
  });
});

describeInBrowser('another page in the browser', () => {
  describe.each(HOSTS)('of %s', (host) => {
    it.each([
      ['a fetch', {}],
      ['a fetch with cookies', { credentials: 'include' }],
      ['an opaque fetch', { mode: 'no-cors', credentials: 'include' }],
      ['a fetch with a header', { credentials: 'include', headers: { 'Last-Event-ID': '0' } }],
    ] as const)('should show nothing to another page by %s', async (_name, init) => {
      const server = await startControl(simulator);
      const context = await openProfile();
      await signIn(context, server);
      const page = await openOther(context, host);
      for (const path of ['/api/deliveries', '/api/stream', '/api/settings', '/', '/assets/page.js', '/ready']) {
        for (const host of ['127.0.0.1', 'localhost']) {
          const seen = await request(page, `http://${host}:${server.port}${path}`, init);
          expect(['TypeError', 'opaque 0 ']).toContain(seen);
        }
      }
    });

    it.each([
      ['JSON', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"event":"issue.created"}' }],
      ['text', { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: '{"event":"issue.created"}' }],
      ['an opaque request', { method: 'POST', mode: 'no-cors', body: '{"event":"issue.created"}' }],
      ['a removal', { method: 'DELETE' }],
    ] as const)('should not be driven by another page with %s', async (_name, init) => {
      const server = await startControl(simulator);
      const context = await openProfile();
      await signIn(context, server);
      const page = await openOther(context, host);
      const before = countOf();
      await request(page, `${server.url}/api/deliveries`, { credentials: 'include', ...init });
      expect(countOf()).toBe(before);
      expect(received).toHaveLength(1);
    });

    it('should not be driven by a form of another page', async () => {
      const server = await startControl(simulator);
      const context = await openProfile();
      await signIn(context, server);
      const form = `<form method="post" enctype="text/plain" action="${server.url}/api/deliveries">
      <input name='{"event":"issue.created","x":"' value='"}'></form>`;
      const page = await openOther(context, host, form);
      const [response] = await Promise.all([
        page.waitForResponse((each) => each.url().startsWith(server.url)),
        page.evaluate(() => document.forms[0]!.submit()),
      ]);
      expect([response.status(), countOf(), received.length]).toEqual([403, 1, 1]);
    });

    it('should not send its events to another page', async () => {
      const server = await startControl(simulator);
      const context = await openProfile();
      await signIn(context, server);
      const page = await openOther(context, host);
      const outcome = await page.evaluate(streamOutcome, `${server.url}/api/stream`);
      expect(outcome).toBe('error, closed');
    });

    it.each([
      ['a script', (url: string) => `<script src="${url}/assets/page.js"></script>`],
      ['a style', (url: string) => `<link rel="stylesheet" href="${url}/assets/page.css">`],
      ['an image', (url: string) => `<img src="${url}/api/deliveries">`],
      ['an object', (url: string) => `<object data="${url}/"></object>`],
      ['a frame', (url: string) => `<iframe src="${url}/"></iframe>`],
    ])('should not be part of another page as %s', async (_name, htmlOf) => {
      const server = await startControl(simulator);
      const context = await openProfile();
      await signIn(context, server);
      // Chromium hides the status of what it does not hand to the page.
      const outcomes: (number | null)[] = [];
      context.on('response', (response) => {
        if (response.url().startsWith(server.url)) outcomes.push(response.status());
      });
      context.on('requestfailed', (failed) => {
        if (failed.url().startsWith(server.url)) outcomes.push(null);
      });
      const page = await openOther(context, host, htmlOf(server.url));
      await until(() => outcomes.length > 0);
      const seen = await page.evaluate(() => [
        document.title,
        getComputedStyle(document.body).color,
        document.images[0]?.naturalWidth,
      ]);
      expect([403, null]).toContain(outcomes[0]);
      expect(seen).toEqual(['other', 'rgb(0, 0, 0)', seen[2] && 0]);
    });

    it('should not be reached by a link of another page', async () => {
      const server = await startControl(simulator);
      const context = await openProfile();
      await signIn(context, server);
      const page = await openOther(context, host, `<a href="${server.url}/?token=wrong">link</a>`);
      const [response] = await Promise.all([
        page.waitForResponse((each) => each.url().startsWith(server.url)),
        page.click('a'),
      ]);
      expect(response.status()).toBe(403);
    });
  });
});

describeInBrowser('a page whose name leads to this machine all of a sudden', () => {
  it('should get nothing, on any path', async () => {
    // DNS rebinding: the browser has the page from its own server, and takes the local Kiket for the same one.
    const own = createServer((_req, res) => void res.setHeader('Content-Type', 'text/html').end('<title>evil</title>'));
    const port = await listen(own);
    const context = await openProfile();
    const page = await context.newPage();
    await page.goto(`http://evil.example:${port}`);
    await close(own);
    const server = await startControl(simulator, { port });
    await signIn(context, server);

    const paths = [
      ...PAGE_PATHS.map((path) => path.replace(':id', 'latest')),
      ...['/assets/page.js', '/ready', `/?token=${server.token}`],
      ...['/api/deliveries', '/api/issues', '/api/settings', '/api/stream', '/nothing'],
    ];
    for (const path of paths) expect([path, await request(page, path)]).toEqual([path, 'basic 403 ']);
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"event":"issue.created"}' };
    expect(await request(page, '/api/deliveries', init)).toBe('basic 403 ');
    const bearer = { headers: { Authorization: `Bearer ${server.token}` } };
    expect(await request(page, '/api/issues', bearer)).toBe('basic 403 ');
    expect(await page.evaluate(streamOutcome, '/api/stream')).toBe('error, closed');
    expect([countOf(), await page.title(), (await context.cookies()).length]).toEqual([1, 'evil', 1]);
  });
});

describeInBrowser('a hundred idle connections', () => {
  const sockets: Socket[] = [];
  afterEach(() => sockets.splice(0).forEach((socket) => socket.destroy()));

  it('should not lock the page out for longer than headers may take', async () => {
    const server = await startControl(simulator);
    for (let i = 0; i < 100; i++) {
      const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
      sockets.push(socket.resume());
      await once(socket, 'connect');
    }
    const page = await (await openProfile()).newPage();
    let isRefused = false;
    await until(async () => {
      try {
        await page.goto(server.pageUrl);
        return true;
      } catch {
        isRefused = true;
        return false;
      }
    }, 'a connection that is free');
    expect([isRefused, await page.title()]).toEqual([true, 'The page runs']);
  });
});
