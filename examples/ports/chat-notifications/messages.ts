import { NonRetryableError, type KiketDelivery } from 'kiket-express';

/** A message to Slack. */
export interface Message {
  /** The id or name of a channel, or the id of a user. */
  readonly channel: string;
  /** In Slack's format. */
  readonly text: string;
  /** The message that it replies to. */
  readonly thread_ts?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Longest part of a comment that is shown, in characters. */
const MAX_EXCERPT_LENGTH = 300;

/** The text about an event, in Slack's format. */
export type Text = (fields: Fields) => string;

export const created: Text = (fields) => `New: ${titleOf(fields)}`;

export const transitioned: Text = (fields) => {
  // Beside the issue in the newer envelope.
  const { from, to } = (fields['transition'] ?? fields) as Fields;
  return `${titleOf(fields)}: ${escaped(from)} → ${escaped(to)}`;
};

export const assigned: Text = (fields) => {
  const { name } = objectIn(fields, 'assignee');
  return `${titleOf(fields)} is assigned to ${escaped(name) || 'nobody'}`;
};

export const commented: Text = (fields) => {
  const { body } = objectIn(fields, 'comment');
  const excerpt = typeof body === 'string' ? body.slice(0, MAX_EXCERPT_LENGTH) : '';
  return `Comment on ${titleOf(fields)}: ${toMrkdwn(excerpt)}`;
};

export const breached: Text = (fields) => {
  const { policy_name: policy, exceeded_by: time } = objectIn(fields, 'sla');
  return `SLA ${escaped(policy)} of ${titleOf(fields)} is breached${time === undefined ? '' : ` by ${escaped(time)}`}`;
};

/**
 * Returns the message that a command asks for.
 *
 * @throws {NonRetryableError} when a parameter is missing or invalid.
 */
export function readCommand(fields: Fields): Message {
  const { message, channel_type: type = 'channel', format = 'markdown', thread_id: thread } = fields;
  if (typeof message !== 'string' || message.trim() === '') throw invalidError('message must be a non-empty string');
  if (!['channel', 'group', 'dm'].includes(type as string)) {
    throw invalidError('channel_type must be "channel", "group" or "dm"');
  }
  if (format !== 'markdown' && format !== 'plain') throw invalidError('format must be "markdown" or "plain"');
  const name = type === 'dm' ? 'recipient_id' : 'channel_id';
  const channel = fields[name];
  if (typeof channel !== 'string' || channel === '') throw invalidError(`${name} must be a non-empty string`);
  return {
    channel,
    text: format === 'markdown' ? toMrkdwn(message) : escaped(message),
    ...(typeof thread === 'string' && { thread_ts: thread }),
  };
}

function invalidError(message: string): NonRetryableError {
  return new NonRetryableError(message, { code: 'chat.invalid' });
}

/** A delivery of any event. `is` would limit it to one. */
export type AnyDelivery = Omit<KiketDelivery, 'is'>;

/** Returns the fields of the event, which are in another place in each envelope. */
export function fieldsOf({ envelope, payload }: Pick<AnyDelivery, 'envelope' | 'payload'>): Fields {
  return envelope === 'contract' ? payload : (payload[envelope] as Fields);
}

/** Translates the Markdown that people use in issues: bold, headings, list items and links. */
export function toMrkdwn(markdown: string): string {
  return escaped(markdown)
    .replace(/^#{1,6} +(.+)$/gm, '*$1*')
    .replace(/^[-*] +/gm, '• ')
    .replace(/\*\*(.+?)\*\*/g, '*$1*')
    .replace(/\[([^[\]]+)\]\((https?:\/\/[^\s()]+)\)/g, '<$2|$1>');
}

/** Without it, a title with `<!channel>` would notify everybody. */
function escaped(value: unknown): string {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function titleOf(fields: Fields): string {
  const { id, key, title, url } = (fields['issue'] ?? fields['case'] ?? {}) as Fields;
  const text = escaped(title ?? key ?? id);
  return typeof url === 'string' && /^https?:\/\/[^\s|<>]+$/.test(url) ? `<${url}|${text}>` : `*${text}*`;
}

function objectIn(fields: Fields, name: string): Fields {
  const value = fields[name];
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
