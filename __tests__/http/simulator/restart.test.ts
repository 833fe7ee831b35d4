import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { startSimulator } from 'kiket-express/simulator';
import { headerOf } from '../../../lib/sending/http-message';
import { temporaryFolder } from '../../support/cli';
import { secret } from '../../support/deliver';
import {
  idle,
  later,
  refusal,
  response,
  simulate,
  TestClock,
  timeout,
  type Responder,
  type SimulatedKiket,
} from '../../support/simulator';

const HOUR_MS = 3_600_000;

/** Windows has no modes of files, and lets only some users make links. */
const hasModes = process.platform !== 'win32';

interface Given {
  readonly folder: string;
  readonly clock: TestClock;
  readonly start: (respond?: Responder, options?: Parameters<typeof simulate>[1]) => Promise<SimulatedKiket>;
}

/** A state directory, and a clock that goes on from one run to the next. */
function given(): Given {
  const folder = join(temporaryFolder(), 'state');
  const clock = new TestClock();
  return {
    folder,
    clock,
    start: (respond, options) => simulate(respond, { stateDirectory: folder, clock, ...options }),
  };
}

const linesIn = (folder: string): string[] => readFileSync(join(folder, 'journal.jsonl'), 'utf8').split('\n');

describe('a state directory', () => {
  it('should never have a delivery of another sender as one that waits, which a restart would send', async () => {
    const { folder, start } = given();
    const { kiket, clock } = await start();
    const request = {
      method: 'POST',
      url: 'http://127.0.0.1:9/kiket',
      headers: [],
      body: Buffer.from('{"event":"e"}'),
    };
    kiket.addRecorded({ request, result: response(200), startedAtMs: clock.now() });
    await kiket.close();
    const states = linesIn(folder).flatMap((line) => /{"state":"(\w+)"/.exec(line)?.[1] ?? []);
    expect(new Set(states)).toEqual(new Set(['completed']));
  });

  it('should have a journal, a lock and a .gitignore, for its user alone', async () => {
    const { folder, start } = given();
    const { kiket } = await start();
    expect(readdirSync(folder).sort()).toEqual(['.gitignore', 'journal.jsonl', 'lock']);
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('*\n');
    if (hasModes) {
      expect((statSync(folder).mode & 0o777).toString(8)).toBe('700');
      const modes = readdirSync(folder).map((name) => (statSync(join(folder, name)).mode & 0o777).toString(8));
      expect(modes).toEqual(['600', '600', '600']);
    }
    expect(linesIn(folder)).toEqual(['{"version":1}', '']);
    await kiket.close();
    expect(readdirSync(folder).sort()).toEqual(['.gitignore', 'journal.jsonl']);
    await kiket.close();
  });

  it('should keep a .gitignore that is there', async () => {
    const { folder, start } = given();
    mkdirSync(folder);
    writeFileSync(join(folder, '.gitignore'), '# mine\n');
    await start();
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('# mine\n');
  });

  it('should not be a folder with other files', async () => {
    const { folder, start } = given();
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'package.json'), '{}');
    await expect(start()).rejects.toThrow(
      `startSimulator: stateDirectory ${folder} has other files, such as package.json: choose a folder that is new or empty`,
    );
    expect(readdirSync(folder)).toEqual(['package.json']);
    if (hasModes) expect((statSync(folder).mode & 0o777).toString(8)).toBe('755');
  });

  it('should not be a file, nor lie below one', async () => {
    const { folder, start } = given();
    writeFileSync(folder, '');
    await expect(start()).rejects.toThrow(`startSimulator: stateDirectory ${folder} cannot be used: `);
    await expect(start(undefined, { stateDirectory: join(folder, 'below') })).rejects.toThrow(/cannot be used: E/);
  });

  it('should be named in the error when its journal cannot be written', async () => {
    const { folder, start } = given();
    mkdirSync(join(folder, 'journal.new.jsonl'), { recursive: true });
    await expect(start()).rejects.toThrow(/stateDirectory .+ cannot be used: /);
    expect(readdirSync(folder)).not.toContain('lock');
  });

  it('should serve one local Kiket at a time, in this process too', async () => {
    const { folder, start } = given();
    const { kiket } = await start();
    await expect(start()).rejects.toThrow(
      `startSimulator: stateDirectory ${folder} is in use by process ${process.pid}: end it, or choose another folder.`,
    );
    await kiket.close();
    await start();
  });

  it('should not be taken from another process that runs, but from one that has ended', async () => {
    const { folder, start } = given();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    mkdirSync(folder);
    writeFileSync(join(folder, 'lock'), String(child.pid));
    await expect(start()).rejects.toThrow(`is in use by process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await start();
    expect(readFileSync(join(folder, 'lock'), 'utf8')).toBe(String(process.pid));
  });

  it('should be taken over from an earlier process with the same id, as it is in containers', async () => {
    const { folder, start } = given();
    mkdirSync(folder);
    writeFileSync(join(folder, 'lock'), String(process.pid));
    await expect(start()).resolves.toBeDefined();
  });

  it('should not be taken from a process that has taken it over just before', async () => {
    const { folder, start } = given();
    mkdirSync(folder);
    const ended = spawn(process.execPath, ['-e', '']);
    await once(ended, 'exit');
    writeFileSync(join(folder, 'lock'), String(ended.pid));
    const fs = jest.requireActual<typeof import('node:fs')>('node:fs');
    const rename = fs.renameSync;
    jest.spyOn(fs, 'renameSync').mockImplementationOnce((from, to) => {
      writeFileSync(join(folder, 'lock'), String(process.ppid));
      rename(from, to);
    });
    await expect(start()).rejects.toThrow(`is in use by process ${process.ppid}`);
    expect(readdirSync(folder).sort()).toEqual(['.gitignore', 'lock']);
    expect(readFileSync(join(folder, 'lock'), 'utf8')).toBe(String(process.ppid));
    jest.restoreAllMocks();
  });

  it('should not be taken while another process writes its lock', async () => {
    const { folder, start } = given();
    mkdirSync(folder);
    writeFileSync(join(folder, 'lock'), '');
    await expect(start()).rejects.toThrow(/is in use by process NaN.* remove .*lock/);
  });

  it('should be free again when the port of the API is taken', async () => {
    const { folder, start } = given();
    const { kiket } = await start(undefined, { stateDirectory: undefined });
    const apiPort = Number(new URL(kiket.apiUrl).port);
    await expect(start(undefined, { apiPort })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(readdirSync(folder)).not.toContain('lock');
    await start();
  });

  (hasModes ? it : it.skip)('should not follow a link in place of the journal that is written', async () => {
    const { folder, start } = given();
    const other = join(temporaryFolder(), 'other');
    writeFileSync(other, 'precious');
    mkdirSync(folder);
    symlinkSync(other, join(folder, 'journal.new.jsonl'));
    await start();
    expect(readFileSync(other, 'utf8')).toBe('precious');
  });

  it.each([
    ['{"version":2}\n', /has the state of another version of the local Kiket: remove it/],
    ['{"a":1}\n', /has a journal.jsonl that is not one of the local Kiket/],
    ['hello\n', /has a journal.jsonl that is not one of the local Kiket/],
  ])('should be refused, and left alone, with the journal %j', async (text, message) => {
    const { folder, start } = given();
    mkdirSync(folder);
    writeFileSync(join(folder, 'journal.jsonl'), text);
    await expect(start()).rejects.toThrow(message);
    expect(readFileSync(join(folder, 'journal.jsonl'), 'utf8')).toBe(text);
    expect(readdirSync(folder)).not.toContain('lock');
  });
});

describe('the next start', () => {
  it('should go on with a delivery that waits, at its time', async () => {
    const { clock, start } = given();
    const first = await start(() => response(503));
    const { id } = first.kiket.deliveries.send({ event: 'issue.created' });
    await clock.advance(40_000);
    await first.kiket.close();
    const before = first.kiket.deliveries.find(id)!;

    const second = await start(() => response(503));
    expect(second.kiket.deliveries.find(id)).toEqual(before);
    expect(second.kiket.issues.list()[0]!.workflow).toEqual({ kind: 'waiting', deliveryId: id });
    await clock.advance(49_999);
    expect(second.received).toEqual([]);
    await clock.advance(HOUR_MS);
    const { state, attempts } = second.kiket.deliveries.find(id)!;
    expect([first.received.length, second.received.length, state]).toEqual([2, 4, 'failed']);
    expect(attempts.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(second.kiket.alerts.list()).toMatchObject([
      { deliveryId: id, text: expect.stringContaining('6 times') as string },
    ]);
    const [request] = second.received;
    expect(headerOf(request!.request.headers, 'X-Kiket-Invocation')).toBe(before.invocationId);
    expect(second.kiket.deliveries.send({ event: 'issue.created' }).number).toBe(2);
  });

  it('should not wait for longer than the delay when the clock was set back', async () => {
    const { clock, start } = given();
    const first = await start(() => response(503));
    first.kiket.deliveries.send({ event: 'issue.created' });
    await clock.advance(0);
    await first.kiket.close();
    await clock.advance(-24 * HOUR_MS);

    const second = await start(() => response(200));
    await clock.advance(30_000);
    expect(second.received).toHaveLength(1);
  });

  it('should make attempts whose time has passed at once, a few at a time', async () => {
    const { clock, start } = given();
    const first = await start(() => response(503));
    for (let i = 0; i < 12; i++) first.kiket.deliveries.send({ event: 'issue.created' });
    await clock.advance(0);
    await first.kiket.close();
    await clock.advance(HOUR_MS);

    const responses = Array.from({ length: 12 }, later);
    const second = await start((_, i) => responses[i]!.response);
    await clock.advance(0);
    expect(second.received).toHaveLength(5);
    for (const { respond } of responses) respond(response(200));
    await clock.advance(0);
    const states = second.kiket.deliveries.list({}).deliveries.map(({ state }) => state);
    expect(states).toEqual(Array(12).fill('completed'));
  });

  it('should send again what was under way, and what waited for its turn or was held', async () => {
    const { start, clock } = given();
    const first = await start(() => later().response, { concurrency: 1 });
    const ids = [1, 2].map(() => first.kiket.deliveries.send({ event: 'issue.created' }).id);
    first.kiket.faults.switchOn({ side: 'delivery', kind: 'reverse-order' });
    ids.push(first.kiket.deliveries.send({ event: 'issue.created' }).id);
    await idle();
    await first.kiket.close();

    const second = await start();
    await clock.advance(0);
    expect(second.received.map(({ request }) => headerOf(request.headers, 'X-Kiket-Invocation'))).toEqual(ids);
  });

  it('should leave a delivery as it was when a further attempt was under way', async () => {
    const { start, clock } = given();
    const first = await start((_, i) => (i === 0 ? response(200) : later().response));
    const { id } = first.kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    first.kiket.deliveries.attemptNow(id);
    await idle();
    await first.kiket.close();
    const second = await start();
    await clock.advance(HOUR_MS);
    expect(second.kiket.deliveries.find(id)!.state).toBe('completed');
    expect(second.received).toEqual([]);
  });

  it('should have issues, pending approvals, halted workflows and alerts', async () => {
    const { start, clock } = given();
    const first = await start(
      ({ payload }) =>
        payload!['event'] === 'workflow.before_transition'
          ? response(200, { status: 'pending', message: 'Wait' })
          : response(payload!['event'] === 'issue.created' ? 400 : 503),
      { schedule: 'none' },
    );
    first.kiket.issues.add({ id: 7, key: 'DEMO-7', title: 'T', status: 'open' });
    await first.kiket.issues.transition(7, 'done');
    first.kiket.deliveries.send({ event: 'issue.created', set: { 'issue.id': 8 } });
    first.kiket.deliveries.send({ event: 'issue.updated', set: { 'issue.id': 9, 'issue.key': 'DEMO-9' } });
    await idle();
    first.kiket.alerts.acknowledge(first.kiket.alerts.list()[0]!.id);
    const [issues, alerts] = [first.kiket.issues.list(), first.kiket.alerts.list()];
    expect(issues.map(({ workflow }) => workflow.kind)).toEqual(['pending', 'halted', 'halted']);
    await first.kiket.close();

    const second = await start();
    expect(second.kiket.issues.list()).toEqual(issues);
    expect(second.kiket.alerts.list()).toEqual(alerts);
    expect(second.kiket.issues.decide(7, 'approve')).toMatchObject({ outcome: 'moved', issue: { status: 'done' } });
    await clock.advance(0);
    expect(second.received.map(({ payload }) => payload!['event'])).toEqual(['issue.transitioned']);
  });

  it('should ask a guard again whose response was not there, and move the issue', async () => {
    const { start, clock } = given();
    const first = await start(() => later().response);
    first.kiket.issues.add({ id: 7, status: 'open' });
    void first.kiket.issues.transition(7, 'done');
    await idle();
    await first.kiket.close();
    const second = await start(() => response(200, { status: 'allow' }));
    await clock.advance(0);
    expect(second.kiket.issues.list()[0]).toMatchObject({ status: 'done', workflow: { kind: 'running' } });
  });

  it('should not have what was removed', async () => {
    const { start, folder } = given();
    const first = await start();
    const { id } = first.kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    first.kiket.deliveries.clear();
    await first.kiket.close();
    const second = await start();
    expect(second.kiket.deliveries.find(id)).toBeUndefined();
    expect(linesIn(folder).join('\n')).not.toContain(id);
  });

  it('should not have settings that were changed, nor secrets of the page', async () => {
    const { start, folder } = given();
    const first = await start();
    first.kiket.settings.change({ schedule: 'docs' });
    first.kiket.settings.setSecret('PAGE', 'value_of_the_page');
    first.kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    await first.kiket.close();
    const second = await start();
    expect(second.kiket.settings.read()).toMatchObject({ schedule: 'contract', secrets: [] });
    expect(linesIn(folder).join('\n')).not.toContain('value_of_the_page');
  });

  it.each([
    ['the same', '{"event":"x","n":1.0}', 'completed'],
    ['not the same, as they contained a secret', '{"event":"x","note":"value_of_the_crm"}', 'failed'],
    ['not the same, as they contained a token', '{"event":"x","authentication":{"runtime_token":"abc"}}', 'failed'],
    [
      'not the same, as they contained a secret in base64',
      Buffer.from('a value_of_the_crm').toString('base64'),
      'failed',
    ],
  ])('should send given bytes only if they are %s', async (_name, body, state) => {
    const { start, clock } = given();
    const options = { secrets: { CRM_TOKEN: 'value_of_the_crm' } };
    const first = await start(() => response(503), options);
    const { id } = first.kiket.deliveries.send({ bodyBase64: Buffer.from(body).toString('base64'), event: 'x' });
    await idle();
    await first.kiket.close();
    const second = await start(undefined, options);
    await clock.advance(HOUR_MS);
    const delivery = second.kiket.deliveries.find(id)!;
    expect(delivery.state).toBe(state);
    if (state === 'completed') return expect(second.received[0]!.request.body.toString()).toBe(body);
    expect(delivery.sentence).toBe(
      'It had not ended before a restart, and it contained secrets, which are not saved: it cannot be sent again.',
    );
    expect(second.received).toEqual([]);
    const refused = refusal(409);
    expect(() => second.kiket.deliveries.attemptNow(id)).toThrow(refused);
    expect(() => second.kiket.deliveries.replay(id, 'fresh')).toThrow(refused);
    expect(() => second.kiket.deliveries.replay(id, 'exact')).toThrow(refused);
  });

  it('should not send a replay of exact bytes, which had a token and a signature', async () => {
    const { start, clock } = given();
    const first = await start((_, i) => response(i === 0 ? 200 : 503));
    const { id } = first.kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    const replayed = first.kiket.deliveries.replay(id, 'exact');
    await idle();
    await first.kiket.close();
    const second = await start();
    await clock.advance(HOUR_MS);
    expect(second.received).toEqual([]);
    expect(second.kiket.deliveries.find(replayed.id)!.state).toBe('failed');
  });

  it('should not send a payload that had a secret', async () => {
    const { start, clock, folder } = given();
    const options = { secrets: { CRM_TOKEN: 'value_of_the_crm' } };
    const first = await start(() => timeout, options);
    const { id } = first.kiket.deliveries.send({ event: 'issue.created', set: { 'context.value_of_the_crm': 1 } });
    await idle();
    await first.kiket.close();
    expect(linesIn(folder).join('\n')).not.toContain('value_of_the_crm');
    const second = await start(undefined, options);
    await clock.advance(HOUR_MS);
    expect(second.kiket.deliveries.find(id)!.state).toBe('failed');
    expect(second.received).toEqual([]);
  });
});

describe('a journal that is damaged', () => {
  async function withDelivery(): Promise<Given & { id: string; last: number }> {
    const state = given();
    const { kiket } = await state.start(() => response(503));
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    await kiket.close();
    return { ...state, id, last: linesIn(state.folder).length - 1 };
  }

  it('should be read up to a line that a crash has cut', async () => {
    const { folder, start, id } = await withDelivery();
    appendFileSync(join(folder, 'journal.jsonl'), `{"progress":{"id":"${id}","state":"comp`);
    const { kiket } = await start();
    expect(kiket.deliveries.find(id)!.state).toBe('retrying');
    expect(kiket.settings.read().notes).toEqual([]);
    expect(linesIn(folder).at(-1)).toBe('');
  });

  it('should be read without lines that cannot be read, which is said', async () => {
    const { folder, start, id, last } = await withDelivery();
    const lines = [
      'hello',
      '[]',
      '{"what":1}',
      '{"delivery":{"id":5}}',
      '{"attempt":{}}',
      '{"progress":{"state":"x"}}',
    ];
    appendFileSync(join(folder, 'journal.jsonl'), `${lines.join('\n')}\n{"removed":["x"]}\n`);
    const { kiket } = await start();
    expect(kiket.deliveries.find(id)!.state).toBe('retrying');
    const path = join(folder, 'journal.jsonl');
    expect(kiket.settings.read().notes).toEqual(
      lines.map((_, i) => `line ${last + 1 + i} of ${path} was skipped, because it cannot be read`),
    );
  });

  it('should be written anew at the start, without what is out of date', async () => {
    const { folder, start, id } = await withDelivery();
    const before = linesIn(folder);
    const { kiket } = await start(() => later().response);
    expect([before, linesIn(folder)].map((lines) => /"progress"/.test(lines.join('')))).toEqual([true, false]);
    expect(JSON.parse(linesIn(folder)[1]!)).toMatchObject({ state: 'retrying', delivery: { id } });
    await kiket.close();
  });
});

describe('a journal that cannot be written any more', () => {
  it('should be said, once, while deliveries go on', async () => {
    const { folder, start } = given();
    const { kiket } = await start();
    // As on a full disk: the file is open, and each write fails.
    const notes: unknown[] = [];
    kiket.subscribe(({ type, data }) => type === 'note' && notes.push(data));
    const fs = jest.requireActual<typeof import('node:fs')>('node:fs');
    const write = jest.spyOn(fs, 'writeFileSync').mockImplementation(() => {
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    });
    try {
      for (let i = 0; i < 2; i++) kiket.deliveries.send({ event: 'issue.created' });
      await idle();
    } finally {
      write.mockRestore();
    }
    expect(kiket.deliveries.list({}).deliveries.map(({ state }) => state)).toEqual(['completed', 'completed']);
    expect(notes).toEqual([
      {
        level: 'error',
        code: 'state.not_saved',
        text: `The state is no longer saved, because ${folder} cannot be written: ENOSPC: no space left on device`,
      },
    ]);
    await kiket.close();
  });
});

describe('startSimulator', () => {
  it('should keep its state in a directory', async () => {
    const stateDirectory = join(temporaryFolder(), 'state');
    const options = { url: 'http://127.0.0.1:9/kiket', secret, stateDirectory };
    const first = await startSimulator(options);
    first.issues.add({ id: 7, title: 'Kept' });
    await first.close();
    const second = await startSimulator(options);
    expect(second.issues.list()).toMatchObject([{ id: 7, title: 'Kept' }]);
    await second.close();
  });
});
