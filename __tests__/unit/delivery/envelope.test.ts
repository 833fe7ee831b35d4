import { readEnvelope } from '../../../lib/delivery/envelope';
import { PayloadError } from '../../../lib/errors';

const read = (payload: object) => readEnvelope(payload as never);
const long = 'x'.repeat(10_000);

type Row = [name: string, payload: object, kind: string, event?: string, id?: string];

const rows: Row[] = [
  ['the contract', { event: 'issue.created', event_version: 'v1', issue: {} }, 'contract', 'issue.created'],
  ['no name at all', { issue: { id: 'issue456' }, transition: {} }, 'contract'],
  [
    'a short name twice',
    { event: 'before_transition', event_type: 'before_transition' },
    'contract',
    'before_transition',
  ],
  ['event_type alone', { event_type: 'issue.created', organization_id: 'org-123' }, 'contract', 'issue.created'],
  [
    'a command with parameters',
    { event: 'slack.sendMessage', channel: 'c', id: 7, data: [1] },
    'contract',
    'slack.sendMessage',
  ],
  ['a command with a type', { event: 'slack.sendMessage', type: 'channel' }, 'contract', 'slack.sendMessage'],
  ['a command with data', { event: 'acme.run', data: { a: 1 }, id: 'x' }, 'contract', 'acme.run'],
  [
    'a command with an event_type',
    { event: 'github.webhooks.receive', event_type: 'push' },
    'contract',
    'github.webhooks.receive',
  ],
  [
    'an automation with a payload',
    { event: 'automation.dispatch', payload: { a: 1 } },
    'contract',
    'automation.dispatch',
  ],
  ['flat fields', { event: 'comment.created', timestamp: 't', comment_id: 7 }, 'contract', 'comment.created'],
  [
    'a third party',
    { event: 'external.webhook.x', action: 'x', external_webhook: {} },
    'external_webhook',
    'external.webhook.x',
  ],
  [
    'a third party and an id',
    { event: 'external.webhook.x', id: 'evt_1', external_webhook: {} },
    'external_webhook',
    'external.webhook.x',
  ],
  ['type and data', { id: 'evt_1', type: 'case.created', data: {} }, 'data', 'case.created', 'evt_1'],
  ['type and data without an id', { type: 'case.created', data: {} }, 'data', 'case.created'],
  ['an empty id', { id: '', type: 'case.created', data: {} }, 'data', 'case.created'],
  ['an id that is null', { id: null, type: 'case.created', data: {} }, 'data', 'case.created'],
  ['an id that is a number', { id: 7, type: 'case.created', data: {} }, 'data', 'case.created', '7'],
  ['a long type', { type: long, data: {} }, 'data', long],
  ['event and type, which agree', { id: 'evt_1', event: 'a', type: 'a', data: {} }, 'data', 'a', 'evt_1'],
  ['an empty event and a type', { event: '', type: 'a', data: {} }, 'data', 'a'],
  ['event, data and occurred_at', { id: 'evt_1', event: 'a', occurred_at: 't', data: {} }, 'data', 'a', 'evt_1'],
  ['event and payload', { id: 'evt_1', event: 'a', timestamp: 't', payload: {} }, 'payload', 'a', 'evt_1'],
  ['eventType and payload', { eventType: 'a', payload: {} }, 'payload', 'a'],
  ['a type without data', { type: 'bug', event_type: 'issue.created' }, 'contract', 'issue.created'],
  ['a type that is not a string', { type: 7, data: {} }, 'contract'],
];

describe('readEnvelope', () => {
  // Jest passes its callback in place of what a row leaves out.
  it.each(rows.map(([name, payload, kind, event, id]) => [name, payload, kind, event, id] as const))(
    'should read %s',
    (_name, payload, kind, event, id) => {
      expect(read(payload)).toEqual({ kind, event, id });
    },
  );

  it.each<[object, pointer: string]>([
    [{ type: 'a', data: null }, '/data'],
    [{ type: 'a', data: [] }, '/data'],
    [{ type: 'a', data: 'x' }, '/data'],
    [{ type: 'a', data: {}, id: {} }, '/id'],
    [{ type: 'a', data: {}, id: ['evt_1'] }, '/id'],
    [{ type: 'a', data: {}, id: 1.5 }, '/id'],
    [{ type: 'a', data: {}, id: true }, '/id'],
    [{ event: 'a', timestamp: 't', payload: {}, id: {} }, '/id'],
  ])('should return payload.invalid for %j', (payload, pointer) => {
    const error = read(payload) as PayloadError;
    expect(error).toBeInstanceOf(PayloadError);
    expect(error).toMatchObject({ code: 'payload.invalid', status: 422, details: [{ pointer }] });
  });

  it('should return delivery.conflict when event and type differ', () => {
    expect(read({ event: 'a', type: 'b', data: {} })).toMatchObject({
      code: 'delivery.conflict',
      status: 400,
      details: [{ reason: 'The signed body names b as type, but a as event' }],
    });
  });
});
