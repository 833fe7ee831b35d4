import { isObject } from './object';

/** An error of ioredis without what was sent, which it keeps beside the message: an answer, a job, or the password. */
export function withoutCommand(error: unknown): unknown {
  if (isObject(error)) Reflect.deleteProperty(error, 'command');
  return error;
}
