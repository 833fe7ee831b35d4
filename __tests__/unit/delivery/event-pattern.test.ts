import { kiketHandler, type KiketReply } from 'kiket-express';
import { quoted } from '../../../lib/text';
import { describeNewest } from '../../support/express';
import { illFormedPatterns } from '../../support/ill-formed-patterns';
import { expectReceived, expectRefused, final, observed, pathsToHandler } from '../../support/refusals';

const unhandled = final(404, 'event.unhandled');
const guard = 'workflow.before_transition';

/** A pattern, and an event with its version. Default v1. */
type Row = [pattern: string, event: string, version?: string];
const withVersion = ([pattern, event, version = 'v1']: Row) => [pattern, event, version] as const;

const matching: Row[] = [
  ['issue.created', 'issue.created'],
  ['issue.created', 'issue.created', 'v7'],
  ['issue.created@v1', 'issue.created'],
  ['issue.created@1', 'issue.created', 'v1'],
  ['issue.created@v2', 'issue.created', 'v2'],
  ['issue.created@v2', 'issue.created', '2'],
  ['issue.created@2', 'issue.created', 'v2'],
  ['issue.created@10', 'issue.created', 'v10'],
  ['issue.created@v10', 'issue.created', '10'],
  ['issue.created@2beta', 'issue.created', '2beta'],
  ['issue.created@beta', 'issue.created', 'beta'],
  ['issue.*', 'issue.created'],
  ['issue.*', 'issue.comment.created', 'v9'],
  ['workflow.issue.*', 'workflow.issue.transitioned'],
  ['*', 'issue.created'],
  ['*', 'unheard_of', 'v3'],
  [guard, guard],
  [`${guard}@v2`, guard, 'v2'],
];

const others: Row[] = [
  ['issue.created', 'issue.updated'],
  ['issue.created', 'issue.created.late'],
  ['issue.created', 'issue'],
  ['issue.created', 'Issue.created'],
  ['issue.created', 'issueXcreated'],
  ['issue.created@v2', 'issue.created'],
  ['issue.created@v2', 'issue.created', 'v22'],
  ['issue.created@v2', 'issue.created', 'V2'],
  ['issue.created@v2beta', 'issue.created', '2beta'],
  ['issue.created@v2', 'issue.created@v2'],
  ['issue.*', 'issue'],
  ['issue.*', 'issues.created'],
  ['issue.*', 'my.issue.created'],
  ['issue.*', 'comment.created'],
  ['workflow.issue.*', 'workflow.triggered'],
  ['*', guard],
  ['*', guard, 'v2'],
  ['workflow.*', guard],
  [`${guard}@v2`, guard],
];

describeNewest('the event of kiketHandler', (express) => {
  const stages = pathsToHandler['kiket()']!({});
  const allow = { status: 'allow' as const };
  const validFor = (pattern: string) => {
    const [event, event_version] = pattern.replace('*', 'x').split('@');
    return { payload: { event, event_version } };
  };
  const payloadOf = (event: string, event_version: string) => ({ event, event_version });
  const handler = (pattern: string) => kiketHandler(pattern, (): KiketReply => allow);

  it.each(matching.map(withVersion))('%s should take %s %s', async (pattern, event, version) => {
    const row = { name: '', payload: payloadOf(event, version) };
    await expectReceived(observed(express, stages, handler(pattern)), row, allow);
  });

  it.each(others.map(withVersion))('%s should 404 %s %s', async (pattern, event, version) => {
    const row = { name: '', payload: payloadOf(event, version), refusal: unhandled, valid: validFor(pattern) };
    const { details } = await expectRefused(observed(express, stages, handler(pattern)), row);
    expect(details).toEqual([{ reason: expect.any(String) as string, events: [pattern] }]);
  });

  it('should take any event when none is named, also a guard', async () => {
    const any = kiketHandler((): KiketReply => allow);
    await expectReceived(observed(express, stages, any), { name: '', payload: { event: 'unheard_of' } }, allow);
    await expectReceived(observed(express, stages, any), { name: '', payload: { event: guard } }, allow);
  });
});

describe('the start-up check of an event', () => {
  it.each(illFormedPatterns)("should throw a TypeError for '%s'", (pattern) => {
    const start = () => kiketHandler(pattern, () => undefined);
    expect(start).toThrow(TypeError);
    expect(start).toThrow(
      `kiketHandler: event must be "name", "name@v2", "prefix.*" or "*", but is "${quoted(pattern)}"`,
    );
  });
});
