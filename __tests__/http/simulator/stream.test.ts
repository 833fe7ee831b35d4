import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { CheckRuns } from '../../../lib/simulator/control/check-runs';
import { EventStreams } from '../../../lib/simulator/control/stream';
import type { LocalKiket } from '../../../lib/simulator/local-kiket';
import type { SimulatorEvent } from '../../../lib/simulator/model';
import { close, listen } from '../../support/loopback-server';
import { until } from '../../support/until';

type Listener = (event: SimulatorEvent, id: number) => void;
type StepListener = Parameters<CheckRuns['subscribe']>[0];

const note = (text: string): SimulatorEvent => ({ type: 'note', data: { level: 'hint', code: 'test', text } });

/** Remembers all events, as the local Kiket does those of late. */
class Source {
  readonly events: SimulatorEvent[] = [];
  readonly listeners = new Set<Listener>();
  readonly stepListeners = new Set<StepListener>();

  emit(event: SimulatorEvent): void {
    this.events.push(event);
    for (const listener of [...this.listeners]) listener(event, this.events.length);
  }

  readonly kiket = {
    subscribe: (listener: Listener, lastId = this.events.length) => {
      this.events.slice(lastId).forEach((event, i) => listener(event, lastId + i + 1));
      this.listeners.add(listener);
      return () => this.listeners.delete(listener);
    },
  } as unknown as LocalKiket;

  readonly checks = {
    subscribe: (listener: StepListener) => {
      this.stepListeners.add(listener);
      return () => this.stepListeners.delete(listener);
    },
  } as unknown as CheckRuns;
}

const endings: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(endings.splice(0).map((end) => end())));

/** A heartbeat far away, unless the test is about it. */
async function serve(source: Source, heartbeatMs = 3_600_000): Promise<{ port: number; streams: EventStreams }> {
  const streams = new EventStreams(source.kiket, source.checks, heartbeatMs);
  const server = createServer((req, res) => streams.open(res, req.headers['last-event-id'] as string | undefined));
  const port = await listen(server);
  endings.push(async () => {
    streams.close();
    await close(server);
  });
  return { port, streams };
}

async function follow(port: number, headers: Readonly<Record<string, string>> = {}): Promise<IncomingMessage> {
  const request = get({ port, headers, agent: false }).on('error', () => undefined);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  endings.push(() => Promise.resolve(void response.destroy()));
  return response.setEncoding('utf8').on('error', () => undefined);
}

/** Collects the text that a client reads. */
function reading(response: IncomingMessage): { text: string } {
  const read = { text: '' };
  response.on('data', (part: string) => (read.text += part));
  return read;
}

const idsIn = (text: string): number[] => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));

describe('the stream', () => {
  it('should send each event with its type, its id and its data', async () => {
    const source = new Source();
    const { port } = await serve(source);
    const response = await follow(port);
    const read = reading(response);
    source.emit(note('first\nsecond\r\n\r\nid: 9'));
    await until(() => read.text.includes('second'));
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(read.text).toBe(
      'retry: 1000\n\nevent: note\nid: 1\ndata: {"level":"hint","code":"test","text":"first\\nsecond\\r\\n\\r\\nid: 9"}\n\n',
    );
  });

  it.each([
    ['2', [3, 4]],
    ['0', [1, 2, 3, 4]],
    ['4', [4].slice(1)],
    [undefined, []],
    ['x', []],
    ['-1', []],
    ['9'.repeat(30), []],
  ])('should begin after Last-Event-ID: %s', async (lastEventId, ids) => {
    const source = new Source();
    for (let i = 1; i <= 4; i++) source.emit(note(`event ${i}`));
    const { port } = await serve(source);
    const read = reading(await follow(port, lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId }));
    source.emit(note('the end'));
    await until(() => read.text.includes('the end'));
    expect(idsIn(read.text)).toEqual([...ids, 5]);
  });

  it('should send how far a check has come, without an id', async () => {
    const source = new Source();
    const { port } = await serve(source);
    const read = reading(await follow(port));
    for (const tell of source.stepListeners) tell({ run: 'a', done: 1, total: 68, isDone: false });
    await until(() => read.text.includes('check'));
    expect(read.text).toContain('\n\nevent: check\ndata: {"run":"a","done":1,"total":68,"isDone":false}\n\n');
  });

  it('should send a comment while nothing happens', async () => {
    const { port } = await serve(new Source(), 5);
    const read = reading(await follow(port));
    await until(() => read.text.split('\n\n:').length > 2);
  });

  it('should keep nothing for a client that does not read, and send the rest once it reads again', async () => {
    const source = new Source();
    const { port } = await serve(source);
    const response = await follow(port);
    response.pause();
    const sent = 400;
    for (let i = 1; i <= sent; i++) {
      source.emit(note('x'.repeat(100_000)));
      // Time for what is written to leave.
      if (i % 20 === 0) await new Promise(setImmediate);
    }
    expect(source.listeners.size).toBe(0);
    const read = reading(response);
    response.resume();
    await until(() => idsIn(read.text).length === sent);
    expect(idsIn(read.text)).toEqual(Array.from({ length: sent }, (_, i) => i + 1));
    source.emit(note('the end'));
    await until(() => read.text.includes('the end'));
  });

  it('should drop a client that does not read for two heartbeats', async () => {
    const source = new Source();
    const { port } = await serve(source, 5);
    const response = await follow(port);
    response.pause();
    source.emit(note('x'.repeat(20_000_000)));
    expect(source.listeners.size).toBe(0);
    await until(() => source.stepListeners.size === 0);
    response.resume();
    await until(() => response.closed);
    expect(response.complete).toBe(false);
  });

  it('should forget a client that has left', async () => {
    const source = new Source();
    const { port } = await serve(source);
    const response = await follow(port);
    expect(source.listeners.size).toBe(1);
    response.destroy();
    await until(() => source.listeners.size + source.stepListeners.size === 0);
  });

  it('should end when the server closes', async () => {
    const source = new Source();
    const { port, streams } = await serve(source);
    const response = await follow(port);
    const read = reading(response);
    streams.close();
    await until(() => response.complete);
    expect([read.text, source.listeners.size, source.stepListeners.size]).toEqual(['retry: 1000\n\n', 0, 0]);
    source.emit(note('too late'));
  });
});
