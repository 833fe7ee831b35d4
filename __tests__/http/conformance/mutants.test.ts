import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkReceiver, type CheckReceiverOptions } from '../../../lib/conformance/check-receiver';
import type { CheckReport } from '../../../lib/conformance/report';
import { startFakeKiket } from 'kiket-express/testing';
import { close, listen } from '../../support/loopback-server';
import { CORRECT, logsTo, MUTANTS, startMutant, type Mutant } from '../../support/mutant-receivers';

/** Takes 2 s, and half a minute. Only the receivers that are wrong there are checked for it. */
const SLOW = ['A8', 'D4'];

/** Most of a run is waiting. */
const AT_ONCE = 4;

/** Runs of the mutants, by name. */
const runs = new Map<string, Promise<CheckReport>>();

async function check(mutant: Mutant, options: Partial<CheckReceiverOptions> = {}): Promise<CheckReport> {
  const api = mutant.callsBack === true ? await startFakeKiket() : undefined;
  const { server, receiver, secrets } = startMutant(mutant, api?.url);
  const url = `http://127.0.0.1:${await listen(server)}/kiket`;
  try {
    return await checkReceiver(url, {
      secret: secrets,
      event: 'issue.created',
      guard: 'workflow.before_transition',
      effects: () => receiver.effects,
      skip: SLOW.filter((id) => id !== mutant.id),
      api,
      ...options,
      ...mutant.options,
    });
  } finally {
    await Promise.all([close(server), api?.close()]);
  }
}

const failedIn = ({ cases }: CheckReport, severity?: string) =>
  cases.filter((each) => each.outcome === 'failed' && (severity === undefined || each.severity === severity));

describe('a correct receiver', () => {
  it.each([
    ['that calls back', true],
    ['that does not', false],
  ])('should pass every case that applies: %s', async (_name, callsBack) => {
    const report = await check({ ...CORRECT, callsBack }, { skip: ['D4'] });
    expect(failedIn(report)).toEqual([]);
    const inapplicable = report.cases.filter(({ outcome }) => outcome === 'not-applicable').map(({ id }) => id);
    expect(inapplicable).toEqual(callsBack ? ['G6'] : ['E6', 'G6', 'H1', 'H2', 'H3', 'H4', 'H5', 'H6', 'H7']);
  });
});

// It waits for three time limits.
it('should pass a correct receiver in D4', async () => {
  const report = await check(CORRECT, { skip: [], only: ['D4'], timeoutMs: 3000 });
  expect(report.cases.find(({ id }) => id === 'D4')?.outcome).toBe('passed');
});

describe('a receiver with one fault', () => {
  beforeAll(() => {
    const ends: Promise<unknown>[] = [];
    MUTANTS.forEach((mutant, i) => {
      const run = (ends[i - AT_ONCE] ?? Promise.resolve()).then(() => check(mutant));
      runs.set(mutant.name, run);
      ends.push(run.catch(() => {}));
    });
  });

  it.each(MUTANTS.map((mutant) => [mutant.id, mutant.severity, mutant.name, mutant] as const))(
    'should be found by %s as a %s, and by no other must: it %s',
    async (id, severity, _name, mutant) => expectFound(await runs.get(mutant.name)!, id, severity, mutant),
  );

  it('should be found by G6 when it logs payloads', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kiket-scan-'));
    try {
      const mutant = logsTo(folder);
      expectFound(await check(mutant), 'G6', 'must', mutant);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function expectFound(report: CheckReport, id: string, severity: string, { also = [], maybe = [] }: Mutant): void {
  expect(failedIn(report).map((each) => [each.id, each.severity])).toContainEqual([id, severity]);
  const musts = new Set([...(severity === 'must' ? [id] : []), ...also]);
  const found = failedIn(report, 'must').filter((each) => !maybe.includes(each.id));
  expect(found.map((each) => each.id)).toEqual([...musts].sort());
}
