import { KIKET_EVENTS } from 'kiket-express';
import { cli } from '../../support/cli';

interface Listed {
  readonly event: string;
  readonly isGuard: boolean;
  readonly fields: readonly string[];
  readonly example: object;
}

async function listed(...args: string[]): Promise<readonly Listed[]> {
  const { code, stdout } = await cli(['events', '--json', ...args]);
  expect(code).toBe(0);
  const document = JSON.parse(stdout) as { schema: number; command: string; events: readonly Listed[] };
  expect(document).toMatchObject({ schema: 1, command: 'events' });
  return document.events;
}

describe('events', () => {
  it('should list each event with its fields, and mark guards', async () => {
    const { code, stdout, stderr } = await cli(['events']);
    expect([code, stderr]).toEqual([0, '']);
    expect(
      stdout
        .split('\n')
        .filter((line) => /^\S/.test(line))
        .map((line) => line.replace('  (guard)', '')),
    ).toEqual(KIKET_EVENTS);
    expect(stdout.match(/^.*\(guard\)$/gm)).toEqual([
      'workflow.before_transition  (guard)',
      'before_transition  (guard)',
    ]);
    expect(stdout).toContain('\nissue.status_changed\n  event  event_version  issue.id  issue.project_id');
  });

  it('should have an example of each as JSON, in both envelopes', async () => {
    const contract = await listed();
    const data = await listed('--envelope', 'data');
    for (const events of [contract, data]) expect(events.map(({ event }) => event)).toEqual(KIKET_EVENTS);
    for (const { event, example, fields } of contract) {
      expect(example).toMatchObject({ event });
      expect(fields).toContain('event');
    }
    for (const { event, example, fields } of data) {
      expect(example).toMatchObject({ type: event, data: {} });
      expect(fields).toContain('type');
    }
  });

  it('should have one event, and its example', async () => {
    const [only, ...others] = await listed('calendar.list');
    expect([only!.fields, others]).toEqual([
      [
        'event',
        'event_version',
        'issue.id',
        'issue.project_id',
        'issue.key',
        'issue.title',
        'issue.type',
        'issue.priority',
        'issue.status',
        'user_id',
      ],
      [],
    ]);
    const { stdout } = await cli(['events', 'calendar.list', '--example']);
    const [name, ...lines] = stdout.split('\n');
    expect([name, JSON.parse(lines.join('\n'))]).toEqual(['calendar.list', only!.example]);
  });

  it.each([
    [['issue.create'], 'error: "issue.create" is not an event that Kiket documents. Did you mean "issue.created"?\n'],
    [
      ['slack.sendMessage'],
      'error: "slack.sendMessage" is not an event that Kiket documents; without a name, all are listed\n',
    ],
    [['toString'], 'error: "toString" is not an event that Kiket documents; without a name, all are listed\n'],
    [['--envelope', 'flat'], "argument 'flat' is invalid. Allowed choices are contract, data.\n"],
  ])('should end with 2 for %j', async (args, message) => {
    const { code, stdout, stderr } = await cli(['events', ...args]);
    expect([code, stdout, stderr.endsWith(message)]).toEqual([2, '', true]);
  });
});
