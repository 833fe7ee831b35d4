import type { KiketKnownEvent } from '../delivery/known-events';
import type { KiketPayload } from '../delivery/payload';
import { oneOf, readOptions, type OptionTable } from '../options';

/** The options of {@link examplePayload}. */
export interface ExamplePayloadOptions {
  /**
   * `contract` has the fields of the event at the top; `data`, which newer versions of Kiket send, has them in `data`.
   * Default `contract`.
   */
  envelope?: 'contract' | 'data' | undefined;
}

const OPTIONS = { envelope: oneOf('contract', 'data') } satisfies OptionTable<ExamplePayloadOptions>;

const ISSUE = {
  id: 456,
  project_id: 27,
  key: 'ISS-456',
  title: 'Invoices are sent twice',
  type: 'bug',
  priority: 'high',
  status: 'in_progress',
};
const USER = { name: 'Ada Example', email: 'ada@example.com' };
const TRANSITION = { from: 'in_progress', to: 'done' };
const COMMENT = { id: 9, body: 'It also happens on Mondays.', author: USER };
const SLA = {
  policy_name: 'First response',
  target_time: '4 h',
  actual_time: '5 h',
  exceeded_by: '1 h',
  severity: 'high',
};

/** The fields of the events that have some of their own. */
const FIELDS: Readonly<Record<string, object>> = {
  'issue.status_changed': { previous_status: 'open' },
  'workflow.sla_status': {
    definition: { id: 12, status: 'breached', issue_type: 'bug' },
    metrics: { duration_minutes: 300, overdue_minutes: 60 },
  },
  'automation.dispatch': { payload: { reason: 'nightly run' } },
  'external.webhook.inbound_email': thirdParty('inbound_email', 'application/json', '{"Subject":"Hello"}'),
  'external.webhook.status_callback': thirdParty(
    'status_callback',
    'application/x-www-form-urlencoded',
    'MessageStatus=delivered',
  ),
  'calendar.sync': { user_id: 3, calendar_ids: ['primary'], sync_window_days: 30 },
  'calendar.list': { user_id: 3 },
  'calendar.events': { calendar_id: 'primary', time_min: '2026-01-01T00:00:00Z', time_max: '2026-02-01T00:00:00Z' },
};

/**
 * Returns a payload of an event with plausible fields, to be signed and delivered in tests. For an event that Kiket does not
 * know, it has an issue only.
 *
 * @throws {TypeError} when an option is invalid or unknown.
 * @example signDelivery(examplePayload('issue.transitioned', { envelope: 'data' }), { secret });
 */
export function examplePayload(
  event: KiketKnownEvent | (string & {}),
  options: Readonly<ExamplePayloadOptions> = {},
): KiketPayload {
  const { envelope } = readOptions('examplePayload', options, OPTIONS);
  const fields = fieldsOf(event);
  if (envelope === 'contract') return { event, event_version: 'v1', ...fields };
  const { transition, ...others } = fields;
  return {
    id: 'evt_7f3a9c',
    type: event,
    createdAt: '2026-04-20T12:00:00Z',
    organizationId: 'org_51',
    projectKey: 'ISS',
    // In this envelope, ids are strings, and a transition stands beside the issue.
    data: { ...others, ...(transition && TRANSITION), ...inStrings(fields), actor: { id: 'usr_8', email: USER.email } },
  };
}

type Fields = Record<string, object | undefined>;

function fieldsOf(event: string): Fields {
  const action = /^external\.webhook\.(.+)$/.exec(event)?.[1];
  if (action !== undefined) return { ...(FIELDS[event] ?? thirdParty(action, 'application/json', '{}')) };
  const subject = event.startsWith('case.') ? { case: ISSUE } : { issue: ISSUE };
  return {
    ...subject,
    ...(/transition/.test(event) && { transition: { ...TRANSITION, performed_by: USER } }),
    ...(/assign/.test(event) && { assignee: USER }),
    ...(/comment/.test(event) && { comment: COMMENT }),
    ...(/^sla\.|sla_breach$/.test(event) && { sla: SLA }),
    ...FIELDS[event],
  };
}

function inStrings({ issue, case: renamed }: Fields): object {
  const subject = { ...ISSUE, id: ISSUE.key, project_id: 'prj_27' };
  return { ...(issue && { issue: subject }), ...(renamed && { case: subject }) };
}

function thirdParty(action: string, content_type: string, body: string): object {
  return {
    action,
    received_at: '2026-01-22T10:00:00Z',
    external_webhook: {
      body,
      headers: { 'X-Signature': 'c2lnbmF0dXJl' },
      content_type,
      method: 'POST',
      query_params: {},
      original_url: `https://kiket.dev/webhooks/ext/token/${action}`,
    },
  };
}
