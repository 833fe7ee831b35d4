import { readFileSync } from 'node:fs';
import type { RequestListener, ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Express as App } from 'express';
import { captureRawBody, kiketVerify } from 'kiket-express';
import request, { type Response, type Test } from 'supertest';
import { captureOutput } from '../../../support/capture-output';
import { deliver, secret, type DeliverOptions } from '../../../support/deliver';
import { runBlock } from '../../../support/doc-block';
import { codeOf, replacing } from '../../../support/doc-page';
import { describeMajors, type Express } from '../../../support/express';
import { startServer } from '../../../support/loopback-server';
import { blocksOf, sectionsOf, tableOf } from '../../../support/markdown';
import { until } from '../../../support/until';

const repository = resolve(__dirname, '../../../..');
const guide = readFileSync(resolve(repository, 'docs/migrating.md'), 'utf8');
const blocks = blocksOf(guide);
const sectionOf = (heading: string): string =>
  sectionsOf(guide, 2).find((section) => section.heading === heading)!.text;

/** Blocks that others import, by the name in their first line. */
const files: Record<string, string> = {};
/** The others, by heading; a second one under the same heading is `heading 2`. */
const snippets = new Map<string, string>();
for (const { heading, mark, code } of blocks) {
  const file = /^\/\/ (\S+\.ts)$/m.exec(code.split('\n')[0]!)?.[1];
  if (file !== undefined) files[file] = code;
  else if (mark === '') snippets.set(snippets.has(heading) ? `${heading} 2` : heading, code);
}

/** An application after a block has run. */
function start(express: Express, name: string, change = (code: string): string => code, exports: object = {}): App {
  const app = express();
  app.set('env', 'test');
  run(express, app, name, change, exports);
  return app;
}

function run(express: Express, app: App, name: string, change = (code: string): string => code, exports = {}): void {
  const tickets = {};
  runBlock(files['tickets.ts']!, app, secret, express, { exports: tickets });
  runBlock(change(snippets.get(name)!), app, secret, express, { exports, modules: { './tickets': tickets } });
}

/** The other system that the handlers of the guide call. */
const tickets = {
  opened: [] as unknown[],
  mode: 'up' as 'up' | 'down' | 'hanging',
  held: [] as ServerResponse[],
};
const token = 'canary_of_a_token';
const ticketSystem: RequestListener = (req, res) => {
  let text = '';
  req.on('data', (chunk) => (text += String(chunk)));
  req.on('end', () => {
    const { title } = JSON.parse(text) as { title?: string };
    if (tickets.mode === 'hanging') return void tickets.held.push(res);
    if (tickets.mode === 'down') return void res.writeHead(503).end();
    if (req.headers.authorization !== `Bearer ${token}`) return void res.writeHead(401).end();
    if (title === undefined) return void res.writeHead(400).end();
    tickets.opened.push(title);
    res.writeHead(201).end();
  });
};

beforeEach(async () => {
  tickets.opened.length = 0;
  tickets.mode = 'up';
  process.env.TICKETS_URL = (await startServer(ticketSystem)).url;
});
afterEach(() => {
  jest.useRealTimers();
  delete process.env.TICKETS_URL;
});

const created = { event: 'issue.created', issue: { id: 7, title: 'Door' }, secrets: { TICKETS_TOKEN: token } };
const asCreated = { event: 'issue.created', scheme: 'body' } satisfies DeliverOptions;
const forged = { ...asCreated, secret: 'whsec_of_another' };
const large = (payload: object): object => ({ ...payload, context: { padding: 'x'.repeat(400_000) } });

describe('the blocks of docs/migrating.md', () => {
  it('should all be tested', () => {
    expect([...snippets.keys()]).toEqual(Object.keys(behaviours));
  });
});

/** The behaviour of each block, in addition to the tables. */
const behaviours: Record<string, (app: App, express: Express) => Promise<unknown>> = {
  'The handler before': async (app) => {
    expect(await captureOutput(() => deliver(app, created, asCreated).expect(200))).toContain(token);
    tickets.mode = 'down';
    await captureOutput(async () => {
      const shown = { error: 'Error: The ticket system answered 503' };
      await deliver(app, created, asCreated).expect(500, shown);
    });
  },
  'The handler before 2': async (app) => {
    const thrown = await captureOutput(() =>
      deliver(app, created, { ...asCreated, headers: { 'X-Kiket-Signature': 'sha256=0' } }).expect(200),
    );
    expect(thrown).toMatch(/RangeError: .* same .*length/);
    tickets.mode = 'down';
    expect(await captureOutput(() => deliver(app, created, asCreated).expect(200))).toMatch(/answered 503/);
  },
  'Step 1: report only': async (app) => {
    const reported = async (options: DeliverOptions, payload: object | string = created): Promise<string[]> => {
      const output = await captureOutput(async () => void (await deliver(app, payload, options)));
      return output.split('\n').flatMap((line) => /^Would be refused: (.+)$/.exec(line)?.[1] ?? []);
    };
    expect(await reported(asCreated)).toEqual([]);
    expect(await reported({ event: 'issue.created' })).toEqual([]);
    expect(await reported(asCreated, JSON.stringify(created, null, 2))).toEqual([]);
    expect(await reported(forged)).toEqual(['signature.mismatch']);
    expect(await reported({ timestampSeconds: 1 })).toEqual(['signature.stale']);
  },
  'Step 2: verify': async (app) => {
    const output = await captureOutput(async () => {
      await deliver(app, created, asCreated).expect(200, { ok: true });
      expect(codeOf(await deliver(app, created, forged).expect(401))).toBe('signature.mismatch');
      expect(codeOf(await deliver(app, created, { timestampSeconds: 1 }).expect(401))).toBe('signature.stale');
    });
    expect(output).toBe('');
  },
  'Step 3: parse and respond': async (app, express) => {
    const conflict = await deliver(app, { ...created, event: 'issue.updated' }, asCreated).expect(400);
    expect(codeOf(conflict)).toBe('delivery.conflict');
    tickets.mode = 'down';
    app.set('env', 'production');
    const output = await captureOutput(async () => {
      const response = await deliver(app, created, asCreated).expect(500);
      expect(codeOf(response)).toBe('handler.failed');
      expect(response.text).not.toContain('ticket system');
    });
    expect(output).toContain('The ticket system answered 503');

    tickets.mode = 'up';
    const logging = start(
      express,
      'Step 3: parse and respond',
      replacing('const { event }', 'console.log(req.body);\n    const { event }'),
    );
    const logged = await captureOutput(() => deliver(logging, created, asCreated).expect(200));
    expect(logged).toContain("title: 'Door'");
    expect(logged).not.toContain(token);

    const withParser = async (options?: Parameters<Express['json']>[0]): Promise<Response> => {
      const app = express();
      app.set('env', 'test');
      app.use(express.json(options));
      run(express, app, 'Step 3: parse and respond');
      return deliver(app, created, asCreated);
    };
    expect(codeOf(await withParser())).toBe('body.already_parsed');
    expect((await withParser({ limit: '1mb', verify: captureRawBody })).status).toBe(200);
  },
  'Step 4: kiketHandler': async (app) => {
    await deliver(app, created).expect(200, { ok: true });
    expect(codeOf(await deliver(app, { ...created, issue: {} }).expect(422))).toBe('handler.final');
    expect(codeOf(await deliver(app, { ...created, secrets: {} }).expect(422))).toBe('secret.missing');
    expect(codeOf(await deliver(app, { event: 'issue.updated' }).expect(404))).toBe('event.unhandled');
  },
  'Step 5: several events': async (app) => {
    const guard = (to: string, issue = {}): Test =>
      deliver(app, { event: 'workflow.before_transition', transition: { to }, issue });
    await guard('done').expect(200, { status: 'deny', message: 'Assign the issue first' });
    await guard('done', { assignee: 'ada' }).expect(200, { status: 'allow' });
    expect((await deliver(app, { event: 'issue.updated' }).expect(200)).text).toBe('');
    const health = await request(app).get('/health').expect(200);
    expect(health.body).toMatchObject({
      status: 'ok',
      events: [{ event: 'issue.created' }, { event: 'workflow.before_transition' }],
      deliveries: { success: 3 },
    });
  },
};

describeMajors('a block of docs/migrating.md', (express) => {
  it.each([...snippets.keys()])('should behave as documented: %s', async (name) => {
    await behaviours[name]!(start(express, name), express);
  });
});

describeMajors('the responses of each step', (express) => {
  const columns = [
    'The handler before',
    'The handler before 2',
    'Step 1: report only',
    'Step 2: verify',
    'Step 3: parse and respond',
    'Step 4: kiketHandler',
    'Step 5: several events',
  ];
  const anHourAgo = Math.floor(Date.now() / 1000) - 3600;
  const deliveries: Record<string, readonly [payload: object | string, options: DeliverOptions, mode?: 'down']> = {
    'is valid, and signed without timestamp': [created, asCreated],
    'is written with white space between its fields': [JSON.stringify(created, null, 2), asCreated],
    'is signed with its timestamp': [created, { event: 'issue.created' }],
    'has sha256= before its signature': [created, asCreated],
    'has no header that names the event': [created, { scheme: 'body' }],
    'has 400 KB': [large(created), asCreated],
    'is signed with another secret': [created, forged],
    'is not signed': [created, { ...asCreated, headers: { 'X-Kiket-Signature': undefined } }],
    'was signed an hour ago, with its timestamp': [created, { event: 'issue.created', timestampSeconds: anHourAgo }],
    'is another event, sent as issue.created': [{ ...created, event: 'issue.updated' }, asCreated],
    'is another event': [{ ...created, event: 'issue.updated' }, { scheme: 'body' }],
    'has no title': [{ ...created, issue: {} }, asCreated],
    'has no TICKETS_TOKEN': [{ ...created, secrets: {} }, asCreated],
    'comes while the ticket system is down': [created, asCreated, 'down'],
  };
  const rows = tableOf(sectionOf('Responses of each step'));
  const HANGS = 'comes while the ticket system hangs';

  it('should be documented for these deliveries', () => {
    expect(rows.map(([delivery]) => delivery)).toEqual([...Object.keys(deliveries), HANGS]);
  });

  it.each(rows.filter(([delivery]) => delivery !== HANGS).map(([delivery, ...cells]) => [delivery!, cells] as const))(
    'should be as in the table: a delivery that %s',
    async (delivery, cells) => {
      const [payload, options, mode = 'up'] = deliveries[delivery]!;
      const responses: string[] = [];
      await captureOutput(async () => {
        for (const name of columns) {
          tickets.mode = mode;
          tickets.opened.length = 0;
          const sent = deliver(start(express, name), payload, options);
          if (delivery.includes('sha256=')) {
            const header = sent as unknown as { get(name: string): string };
            void sent.set('X-Kiket-Signature', `sha256=${header.get('X-Kiket-Signature')}`);
          }
          const { status } = await sent;
          responses.push(tickets.opened.length > 0 ? `${status}, ticket` : String(status));
        }
      });
      expect(responses).toEqual(cells);
    },
  );

  it(`should be as in the table: a delivery that ${HANGS}`, async () => {
    const cells = rows.find(([delivery]) => delivery === HANGS)!.slice(1);
    const responses: string[] = [];
    await captureOutput(async () => {
      for (const [i, name] of columns.entries()) {
        tickets.mode = 'hanging';
        const app = start(express, name);
        jest.useFakeTimers({
          doNotFake: ['nextTick', 'setImmediate', 'setInterval', 'performance', 'Date', 'queueMicrotask'],
        });
        const response = deliver(app, created, asCreated).then(({ status }) => String(status));
        await until(() => tickets.held.length > 0);
        jest.advanceTimersByTime(10_000);
        jest.useRealTimers();
        // The absence of a response shows only with time.
        responses.push(await (cells[i] === 'none' ? Promise.race([response, wait(200, 'none')]) : response));
        // Any later write of the handler is dropped.
        for (const res of tickets.held.splice(0)) res.writeHead(201).end();
        await response;
        tickets.mode = 'up';
        await deliver(app, created, asCreated).expect(200);
      }
    });
    expect(responses).toEqual(cells);
  });

  it('should be the same with another form of the old handler', async () => {
    const app = express();
    app.set('env', 'test');
    app.use('/kiket', kiketVerify(secret));
    run(express, app, 'The handler before 2');
    await deliver(app, created, asCreated).expect(200);
    expect(tickets.opened).toEqual(['Door']);
    await deliver(app, created, forged).expect(401);
  });
});
