import { signDelivery } from 'kiket-express/testing';
import request from 'supertest';
import { createApp } from '../../../../examples/ports/chat-notifications';
import {
  assigned,
  breached,
  commented,
  created,
  readCommand,
  toMrkdwn,
  transitioned,
} from '../../../../examples/ports/chat-notifications/messages';
import { deliver, secret } from '../../../support/deliver';
import { ExampleProcess } from '../../../support/example-process';
import { announcedEvents, errorCodeOf, handledEvents, manifestOf } from '../../../support/port';
import { startThirdParty, type ThirdPartyResponse } from '../../../support/third-party';

const issue = { id: 7, title: 'Broken <door>' };

describe('toMrkdwn', () => {
  it.each([
    ['plain words', 'plain words'],
    ['a **bold** word and **another**', 'a *bold* word and *another*'],
    ['## Heading\ntext', '*Heading*\ntext'],
    ['- one\n* two', '• one\n• two'],
    ['[Kiket](https://kiket.dev/a?b=1&c=2)', '<https://kiket.dev/a?b=1&amp;c=2|Kiket>'],
    ['[not a link](javascript:x)', '[not a link](javascript:x)'],
    ['<!channel> & <@U1>', '&lt;!channel&gt; &amp; &lt;@U1&gt;'],
    ['**open', '**open'],
    ['', ''],
  ])('should translate %j into %j', (markdown, expected) => {
    expect(toMrkdwn(markdown)).toBe(expected);
  });

  it.each(['**', '[', '[a](http://b', '# ', '- '])('should translate 500 KB of %j', (part) => {
    const markdown = part.repeat(500_000 / part.length);
    expect(toMrkdwn(markdown).length).toBeGreaterThan(100_000);
  });
});

describe('the texts', () => {
  it.each([
    ['an issue', created, { issue }, 'New: *Broken &lt;door&gt;*'],
    ['a case', created, { case: issue }, 'New: *Broken &lt;door&gt;*'],
    [
      'an issue with a URL',
      created,
      { issue: { ...issue, url: 'https://kiket.dev/7' } },
      'New: <https://kiket.dev/7|Broken &lt;door&gt;>',
    ],
    [
      'an issue with a URL that is not one',
      created,
      { issue: { ...issue, url: 'https://a|b' } },
      'New: *Broken &lt;door&gt;*',
    ],
    ['an issue with a key only', created, { issue: { key: 'OPS-7' } }, 'New: *OPS-7*'],
    [
      'a transition',
      transitioned,
      { issue, transition: { from: 'open', to: 'done' } },
      '*Broken &lt;door&gt;*: open → done',
    ],
    [
      'a transition beside the issue',
      transitioned,
      { issue, from: 'open', to: 'done' },
      '*Broken &lt;door&gt;*: open → done',
    ],
    ['an assignment', assigned, { issue, assignee: { name: 'Ada' } }, '*Broken &lt;door&gt;* is assigned to Ada'],
    [
      'an assignment that was removed',
      assigned,
      { issue, assignee: null },
      '*Broken &lt;door&gt;* is assigned to nobody',
    ],
    ['a comment', commented, { issue, comment: { body: '**Done**' } }, 'Comment on *Broken &lt;door&gt;*: *Done*'],
    [
      'a breach',
      breached,
      { issue, sla: { policy_name: 'Response', exceeded_by: '8 minutes' } },
      'SLA Response of *Broken &lt;door&gt;* is breached by 8 minutes',
    ],
    [
      'a breach without a time',
      breached,
      { issue, sla: { policy_name: 'Response' } },
      'SLA Response of *Broken &lt;door&gt;* is breached',
    ],
  ])('should describe %s', (_name, textFor, fields, expected) => {
    expect(textFor(fields)).toBe(expected);
  });

  it('should shorten a long comment', () => {
    expect(commented({ issue, comment: { body: 'x'.repeat(1000) } }).length).toBeLessThan(400);
  });
});

describe('readCommand', () => {
  it.each([
    [
      { message: '**Hi**', channel_id: 'C1' },
      { channel: 'C1', text: '*Hi*' },
    ],
    [
      { message: '**Hi**', channel_id: 'C1', format: 'plain' },
      { channel: 'C1', text: '**Hi**' },
    ],
    [
      { message: 'Hi', channel_type: 'dm', recipient_id: 'U1' },
      { channel: 'U1', text: 'Hi' },
    ],
    [
      { message: 'Hi', channel_id: 'C1', thread_id: '1.2' },
      { channel: 'C1', text: 'Hi', thread_ts: '1.2' },
    ],
  ])('should read %j', (fields, expected) => {
    expect(readCommand(fields)).toEqual(expected);
  });

  it.each([
    [{ channel_id: 'C1' }, 'message must be a non-empty string'],
    [{ message: ' ', channel_id: 'C1' }, 'message must be a non-empty string'],
    [{ message: 'Hi' }, 'channel_id must be a non-empty string'],
    [{ message: 'Hi', channel_type: 'dm', channel_id: 'C1' }, 'recipient_id must be a non-empty string'],
    [{ message: 'Hi', channel_type: 'fax', channel_id: 'C1' }, 'channel_type must be "channel", "group" or "dm"'],
    [{ message: 'Hi', channel_id: 'C1', format: 'html' }, 'format must be "markdown" or "plain"'],
  ])('should throw a final error for %j', (fields, message) => {
    expect(() => readCommand(fields)).toThrow(
      expect.objectContaining({ message, code: 'chat.invalid', status: 422 }) as Error,
    );
  });
});

describe('examples/ports/chat-notifications', () => {
  const manifest = manifestOf('chat-notifications');
  const accepted: ThirdPartyResponse = { body: { ok: true, ts: '1764064800.000100' } };
  const startSlack = (response = accepted) => startThirdParty(() => response);
  const secrets = { SLACK_BOT_TOKEN: 'canary_bot_token' };
  const moved = { event: 'issue.transitioned', issue, transition: { from: 'open', to: 'done' }, secrets };

  it('should handle every event of its manifest', async () => {
    expect(await handledEvents(createApp(manifest))).toEqual(announcedEvents(manifest));
  });

  it.each([
    ["the contract's", moved],
    ["the contract's, about a case", { ...moved, event: 'case.transitioned', issue: undefined, case: issue }],
    ['the newest', { id: 'evt_1', type: 'issue.transitioned', data: { issue, from: 'open', to: 'done' }, secrets }],
    [
      'that of generic webhooks',
      {
        id: 'evt_1',
        event: 'issue.transitioned',
        occurred_at: '2026-11-25T10:00:00Z',
        data: { issue, transition: moved.transition },
        secrets,
      },
    ],
  ])('should post about a transition in the envelope: %s', async (_name, payload) => {
    const slack = await startSlack();
    await deliver(createApp(manifest, slack.url), payload).expect(200, { ok: true, message_id: '1764064800.000100' });
    expect(slack.requests).toMatchObject([
      {
        path: '/api/chat.postMessage',
        headers: { authorization: 'Bearer canary_bot_token' },
        body: { channel: '#general', text: '*Broken &lt;door&gt;*: open → done' },
      },
    ]);
  });

  it.each([
    ['issue.created', {}, 'New: *Broken &lt;door&gt;*'],
    ['issue.assigned', { assignee: { name: 'Ada' } }, '*Broken &lt;door&gt;* is assigned to Ada'],
    ['case.commented', { comment: { body: 'Why?' } }, 'Comment on *Broken &lt;door&gt;*: Why?'],
    ['workflow.sla_breach', { sla: { policy_name: 'Response' } }, 'SLA Response of *Broken &lt;door&gt;* is breached'],
  ])('should post about %s', async (event, fields, text) => {
    const slack = await startSlack();
    await deliver(createApp(manifest, slack.url), { event, issue, secrets, ...fields }).expect(200);
    expect(slack.requests).toMatchObject([{ body: { text } }]);
  });

  it('should post to the channel that the delivery configures', async () => {
    const slack = await startSlack();
    const payload = { ...moved, secrets: { ...secrets, DEFAULT_CHANNEL: '#ops' } };
    await deliver(createApp(manifest, slack.url), payload).expect(200);
    expect(slack.requests).toMatchObject([{ body: { channel: '#ops' } }]);
  });

  it.each([
    ['at the top', { event: 'slack.sendMessage', message: '**Hi**', channel_id: 'C1', secrets }],
    ['in data', { id: 'evt_1', type: 'slack.sendMessage', data: { message: '**Hi**', channel_id: 'C1' }, secrets }],
  ])('should post the message of a command whose parameters are %s', async (_name, payload) => {
    const slack = await startSlack();
    await deliver(createApp(manifest, slack.url), payload).expect(200);
    expect(slack.requests).toMatchObject([{ body: { channel: 'C1', text: '*Hi*' } }]);
  });

  it('should reject an invalid command for good, without a call to Slack', async () => {
    const slack = await startSlack();
    const payload = { event: 'slack.sendMessage', secrets };
    expect(errorCodeOf(await deliver(createApp(manifest, slack.url), payload).expect(422))).toBe('chat.invalid');
    expect(slack.requests).toEqual([]);
  });

  it.each<[string, ThirdPartyResponse, number, string]>([
    ['429', { status: 429 }, 503, 'slack.rate_limited'],
    ['500', { status: 500 }, 503, 'slack.unavailable'],
    ['200 with internal_error', { body: { ok: false, error: 'internal_error' } }, 503, 'slack.unavailable'],
    ['200 with channel_not_found', { body: { ok: false, error: 'channel_not_found' } }, 422, 'slack.rejected'],
    ['200 with invalid_auth', { body: { ok: false, error: 'invalid_auth' } }, 422, 'slack.rejected'],
  ])("should turn Slack's %s into %i", async (_name, response, status, code) => {
    const slack = await startSlack(response);
    expect(errorCodeOf(await deliver(createApp(manifest, slack.url), moved).expect(status))).toBe(code);
  });

  it("should pass Slack's Retry-After on, and post at the next attempt", async () => {
    const responses = [{ status: 429, headers: { 'Retry-After': '60' } }, accepted];
    const slack = await startThirdParty(() => responses.shift()!);
    const app = createApp(manifest, slack.url);
    await deliver(app, moved).expect(503).expect('Retry-After', '60');
    await deliver(app, moved).expect(200);
  });

  it('should post once when a delivery arrives twice', async () => {
    const slack = await startSlack();
    const app = createApp(manifest, slack.url);
    await deliver(app, moved, { invocationId: 'inv-1' }).expect(200);
    await deliver(app, moved, { invocationId: 'inv-1' }).expect(200).expect('Kiket-Replayed', 'true');
    expect(slack.requests).toHaveLength(1);
  });

  describe('started', () => {
    let running: ExampleProcess;
    afterEach(() => running.stop());

    it('should post in both envelopes', async () => {
      const slack = await startSlack();
      running = new ExampleProcess('ports/chat-notifications', {
        KIKET_WEBHOOK_SECRET: secret,
        SLACK_ORIGIN: slack.url,
        KIKET_SECRET_SLACK_BOT_TOKEN: 'canary_own_token',
      });
      const origin = await running.origin();
      const newest = { id: 'evt_1', type: 'case.created', data: { case: issue } };
      for (const payload of [moved, newest]) {
        const { headers, body } = signDelivery(payload, { secret });
        await request(origin).post('/kiket').set(headers).send(body).expect(200);
      }
      expect(slack.requests).toMatchObject([
        { headers: { authorization: 'Bearer canary_bot_token' } },
        { headers: { authorization: 'Bearer canary_own_token' }, body: { text: 'New: *Broken &lt;door&gt;*' } },
      ]);
    }, 120_000);

    it('should not start without a delivery secret', async () => {
      running = new ExampleProcess('ports/chat-notifications', { KIKET_WEBHOOK_SECRET: '' });
      const { code, output } = await running.end();
      expect([code, output]).toEqual([1, expect.stringContaining('KIKET_WEBHOOK_SECRET, which is unset or empty')]);
    }, 120_000);
  });
});
