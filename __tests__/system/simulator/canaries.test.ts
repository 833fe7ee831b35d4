import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync,
} from 'node:zlib';
import express, { type Request, type Response } from 'express';
import { startSimulator, type RunningSimulator } from 'kiket-express/simulator';
import { Canaries } from '../../../lib/conformance/canaries';
import { TAMPERINGS } from '../../../lib/sending/tamper';
import { temporaryFolder } from '../../support/cli';
import { startServer } from '../../support/loopback-server';

const DELIVERY_SECRET = 'whsec_canary_of_deliveries';

/** Values as secrets are: plain, with characters that JSON, URLs and base64 write in other ways, and in lines. */
const SECRETS = {
  PLAIN: 'canary_plain_value_of_a_secret',
  QUOTED: 'canary "quoted" \\ and/or +signs & more',
  ACCENTED: 'canary_é_ü_中文_value',
  LINES: '-----BEGIN CANARY KEY-----\nQ0FOQVJZQ0FOQVJZQ0FOQVJZ\nQkFOQVJZQ0FOQVJZQ0FOQVJa\n-----END CANARY KEY-----\n',
};

const PAGE_SECRET = 'canary_typed_into_the_page';
const STORED_SECRET = 'canary_stored_by_the_extension';

/** Ways in which a response may contain the values. */
const LEAKS: Readonly<Record<string, (values: readonly string[], res: Response) => unknown>> = {
  text: (values, res) => res.status(500).type('text/plain').send(values.join(' ')),
  html: (values, res) => res.status(400).send(`<pre>${values.join('<br>')}</pre>`),
  json: (values, res) => res.json({ ok: true, values }),
  'json in json': (values, res) => res.json({ ok: true, text: JSON.stringify({ log: JSON.stringify(values) }) }),
  'escaped json': (values, res) => res.type('json').send(`{"text":"${values.map(escaped).join('')}"}`),
  base64: (values, res) =>
    res.send(values.flatMap((value) => ['', 'a', 'ab'].map((start) => encoded(start + value, 'base64'))).join('\n')),
  base64url: (values, res) => res.send(values.map((value) => encoded(`x${value}y`, 'base64url')).join('\n')),
  url: (values, res) => res.send(values.map((value) => encodeURIComponent(value)).join('&')),
  gzip: (values, res) => res.set('Content-Encoding', 'gzip').end(gzipSync(values.join(' '))),
  'gzip without its header': (values, res) => res.type('application/octet-stream').end(gzipSync(values.join(' '))),
  deflate: (values, res) => res.set('Content-Encoding', 'deflate').end(deflateSync(values.join(' '))),
  brotli: (values, res) => res.set('Content-Encoding', 'br').end(brotliCompressSync(values.join(' '))),
  'cut gzip': (values, res) => res.set('Content-Encoding', 'gzip').end(gzipSync(values.join(' ')).subarray(0, -9)),
  'unknown encoding': (values, res) => res.set('Content-Encoding', 'zstd').end(values.join(' ')),
  bytes: (values, res) => res.end(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(values.join(' '))])),
  headers: (values, res) => {
    for (const [i, value] of values.entries()) res.set(`X-Echo-${i}`, encodeURIComponent(value));
    return res.set('Location', `/?token=${values[0]!}`).set('Set-Cookie', `a=${values[0]!}`).status(302).end();
  },
  'name of a header': (values, res) =>
    res
      .set(`X-${values[0]!.replaceAll('_', '-')}`, '1')
      .set(values[0]!, '1')
      .end(),
  'code of an error': (values, res) => res.status(400).json({ error: { code: values[0], message: values[1] } }),
  guard: (values, res) => res.json({ status: 'deny', message: values.join(' '), metadata: { values } }),
  pending: (values, res) => res.json({ status: 'pending', message: values.join(' ') }),
};

function escaped(value: string): string {
  return Array.from({ length: value.length }, (_, i) => `\\u${value.charCodeAt(i).toString(16).padStart(4, '0')}`).join(
    '',
  );
}

function encoded(value: string, encoding: 'base64' | 'base64url'): string {
  return Buffer.from(value).toString(encoding);
}

interface Payload {
  readonly authentication: { readonly runtime_token: string };
  readonly api: { readonly base_url: string };
  readonly secrets: Readonly<Record<string, string>>;
}

/** Responds with all that is secret in a delivery, in the way of its path, after calls with the same values. */
async function leak(req: Request, res: Response): Promise<void> {
  const { authentication, api, secrets } = req.body as Partial<Payload>;
  const token = authentication?.runtime_token;
  const values = [...Object.values(secrets ?? {}), DELIVERY_SECRET, STORED_SECRET];
  if (api !== undefined && token !== undefined) {
    tokens.add(token);
    values.push(token);
    await call(api.base_url, token, values);
  }
  LEAKS[req.params['way'] as string]!(values, res);
}

const tokens = new Set<string>();

async function call(url: string, token: string, values: readonly string[]): Promise<void> {
  const post = async (path: string, headers: object, body: object): Promise<void> => {
    const init = {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
    };
    await fetch(url + path, init);
  };
  await post('/api/v1/extensions/local/secrets/STORED', { 'X-Kiket-API-Key': 'ext_fake' }, { value: STORED_SECRET });
  const runtime = { 'X-Kiket-Runtime-Token': token };
  await post('/api/v1/ext/issues/7/comments', runtime, { comment: { body: values.join(' ') } });
  await post('/api/v1/ext/issues', runtime, { issue: { title: values.join(' '), description: values } });
  await post('/api/v1/ext/issues/7/transitions', runtime, { transition: values[0] });
}

/** All files. */
function contentOf(folder: string): string {
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}

function canaries(): Canaries {
  const all = new Canaries();
  all.add('the delivery secret', DELIVERY_SECRET);
  all.add('the secret of the page', PAGE_SECRET);
  all.add('the stored secret', STORED_SECRET);
  for (const [key, value] of Object.entries(SECRETS)) {
    for (const line of [value, ...value.split('\n')]) all.add(key, line);
  }
  for (const token of tokens) all.add('a runtime token', token);
  return all;
}

/** Bodies in base64, and what was compressed in them, also where it is cut. */
function decodedBodies(text: string): string {
  const bodies = [...text.matchAll(/"body(?:Base64)?":"([\w+/]{8,}={0,2})"/g)].map(([, body]) => body!);
  return bodies.map((body) => decompressed(Buffer.from(body, 'base64'))).join('\n');
}

function decompressed(bytes: Buffer): string {
  const decoders = [
    () => gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }),
    () => inflateSync(bytes),
    () => brotliDecompressSync(bytes),
  ];
  const texts = decoders.map((decode) => {
    try {
      return decode().toString('latin1');
    } catch {
      return '';
    }
  });
  return [bytes.toString('latin1'), ...texts].join('\n');
}

describe('the files of a state directory', () => {
  let folder: string;
  let kiket: RunningSimulator;
  let url: string;

  beforeEach(async () => {
    tokens.clear();
    folder = join(temporaryFolder(), 'state');
    const app = express()
      .use(express.json({ limit: '20mb' }))
      .post('/:way', leak);
    app.use((_error: unknown, req: Request, res: Response, _next: unknown) => {
      LEAKS[req.path.slice(1)]?.([...Object.values(SECRETS), DELIVERY_SECRET], res);
    });
    ({ url } = await startServer(app));
    kiket = await start();
  });

  afterEach(() => kiket.close());

  function start(): Promise<RunningSimulator> {
    return startSimulator({
      url: `${url}/text`,
      secret: DELIVERY_SECRET,
      secrets: SECRETS,
      stateDirectory: folder,
      schedule: [1],
    });
  }

  async function settled(id: string): Promise<void> {
    await kiket.deliveries.wait(id, 'settled', 20_000);
  }

  /** Looks before and after the journal is written anew. */
  async function expectNoCanary(): Promise<void> {
    for (const again of [true, false]) {
      await kiket.close();
      const text = contentOf(folder);
      expect(text.length).toBeGreaterThan(1000);
      expect(canaries().findIn(text)).toBeUndefined();
      expect(canaries().findIn(decodedBodies(text))).toBeUndefined();
      if (again) kiket = await start();
    }
  }

  it.each(Object.keys(LEAKS))('should have none of the secrets that a response has: %s', async (way) => {
    const guard = kiket.deliveries.send({
      event: 'workflow.before_transition',
      set: { 'issue.id': 7 },
      options: { endpoint: `/${encodeURIComponent(way)}` },
    });
    await settled(guard.id);
    const { id } = kiket.deliveries.send({
      event: 'issue.created',
      options: { endpoint: `/${encodeURIComponent(way)}` },
    });
    await settled(id);
    expect(kiket.deliveries.find(id)!.attempts[0]!.response).toBeDefined();
    await expectNoCanary();
  });

  it('should have none that are in a payload, an id, a name or a title', async () => {
    const values = [...Object.values(SECRETS), DELIVERY_SECRET];
    kiket.issues.add({ id: 7, title: values.join(' '), status: values[0], key: values[1] });
    const inputs = [
      { event: 'issue.created', set: { 'issue.title': values.join('\n'), 'context.deep': { [values[0]!]: [values] } } },
      { event: values[0]!, payload: { event: values[0], text: JSON.stringify({ values }) } },
      { event: 'issue.created', options: { invocationId: `id-${values[0]!}`, endpoint: `/json?q=${values[0]!}` } },
      { payload: { event: 'x', text: values.map((value) => encoded(`a${value}`, 'base64')).join(' ') } },
      { bodyBase64: encoded(`{"event":"x","values":${JSON.stringify(values)}}`, 'base64') },
      { bodyBase64: gzipSync(values.join(' ')).toString('base64'), event: 'x' },
    ];
    for (const input of inputs) await settled(kiket.deliveries.send(input).id);
    await expectNoCanary();
  });

  it('should have none of replays, faults, and a secret of the page', async () => {
    kiket.settings.setSecret('PAGE', PAGE_SECRET);
    kiket.settings.rotate();
    const { id } = kiket.deliveries.send({ event: 'issue.created', options: { endpoint: '/base64' } });
    await settled(id);
    for (const mode of ['exact', 'resign', 'fresh'] as const) await settled(kiket.deliveries.replay(id, mode).id);
    for (const { name } of TAMPERINGS.filter((each) => each.name !== 'slow')) {
      await settled(kiket.deliveries.send({ event: 'issue.created', tamper: name, options: { endpoint: '/json' } }).id);
    }
    expect(kiket.deliveries.list({}).total).toBeGreaterThan(TAMPERINGS.length);
    await expectNoCanary();
  });
});
