import { isEventPattern, normalizeVersion, splitPattern } from '../delivery/event-pattern';
import type { Capture } from './capture';
import { factsOf } from './facts';

type Condition = (capture: Capture) => boolean;

/**
 * Returns what chooses the captures of a filter such as `event=issue.*,status=5xx`: all conditions must hold. `event` is a
 * pattern of events, `status` that of the recorded response, `5xx` or `none`, and `invocation` an id or its beginning.
 *
 * @throws {RangeError} when a condition is unknown or invalid.
 */
export function parseFilter(text: string): Condition {
  const conditions = text.split(',').map(conditionOf);
  return (capture) => conditions.every((holds) => holds(capture));
}

function conditionOf(text: string): Condition {
  const [, name = '', value = ''] = /^\s*(\w+)=(.+?)\s*$/.exec(text) ?? [];
  if (name === 'event' && isEventPattern(value)) return hasEvent(value);
  if (name === 'status' && /^(?:\d{3}|\dxx|none)$/.test(value)) return hasStatus(value);
  if (name === 'invocation') return (capture) => factsOf(capture).invocationId?.startsWith(value) === true;
  throw new RangeError(
    `${JSON.stringify(text)} is not a condition such as event=issue.*, status=5xx or invocation=3f6b0c`,
  );
}

function hasEvent(pattern: string): Condition {
  const [name, version] = splitPattern(pattern);
  return (capture) => {
    const { event = '', eventVersion } = factsOf(capture);
    const isVersion =
      version === undefined || (eventVersion !== undefined && normalizeVersion(eventVersion) === version);
    return isVersion && (name.endsWith('*') ? event.startsWith(name.slice(0, -1)) : event === name);
  };
}

function hasStatus(pattern: string): Condition {
  if (pattern === 'none') return ({ response }) => response === undefined;
  const prefix = pattern.replace('xx', '');
  return ({ response }) => response !== undefined && String(response.status).startsWith(prefix);
}
