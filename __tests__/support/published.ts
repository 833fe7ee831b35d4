import { channel } from 'node:diagnostics_channel';

/** Returns the messages that a diagnostics channel publishes during `run`. */
export async function published<T = unknown>(name: string, run: () => Promise<unknown>): Promise<T[]> {
  const messages: T[] = [];
  const collect = (message: unknown): void => void messages.push(message as T);
  channel(name).subscribe(collect);
  try {
    await run();
  } finally {
    channel(name).unsubscribe(collect);
  }
  return messages;
}
