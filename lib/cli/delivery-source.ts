import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { factsOf, payloadOf } from '../captures/facts';
import { CaptureError, parseCaptures, type CaptureFormatName } from '../captures/parse';
import { isEventPattern } from '../delivery/event-pattern';
import { KIKET_EVENTS, nearMissOf } from '../delivery/known-events';
import { notRunError, usageError } from './exit';
import type { CliIo, Output } from './io';
import type { Project } from './project';
import { readFile, readInput } from './read-input';

/** The delivery that `send` is to send. */
export type DeliverySource =
  | { readonly event: string }
  | {
      /** Of the file, as it is. */
      readonly bytes: Buffer;
      /** As the file names it, in the header or the payload. */
      readonly event: string | undefined;
      readonly eventVersion: string | undefined;
    };

const DEFAULT_EVENT = 'issue.created';

/**
 * Returns what a name stands for: `-` is standard input; then a file; then a file of the folder of deliveries; then an event. Without
 * a name, the first event of the project.
 *
 * @throws {CliError} when it stands for nothing, or the file is neither a payload nor a capture.
 */
export async function findDelivery(
  name: string | undefined,
  format: CaptureFormatName | undefined,
  project: Project,
  io: CliIo,
  output: Output,
): Promise<DeliverySource> {
  if (name === undefined) return { event: firstEvent(project) };
  if (name === '-') return deliveryIn(await readInput('-', io), 'standard input', format);
  const { deliveries } = project;
  const file = [name, join(deliveries.value, name), join(deliveries.value, `${name}.json`)]
    .map((path) => resolve(io.cwd, path))
    .find(isFile);
  if (file !== undefined) return deliveryIn(readFile(file, io), name, format);
  requireEvent(name, project, output);
  return { event: name };
}

/** A hook may be a pattern, which is not an event. */
function firstEvent({ events }: Project): string {
  return events.value.find(({ event }) => !event.endsWith('*'))?.event ?? DEFAULT_EVENT;
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** The last capture of a file is the newest. */
function deliveryIn(bytes: Buffer, name: string, format: CaptureFormatName | undefined): DeliverySource {
  try {
    const capture = parseCaptures(bytes, format).at(-1)!;
    const { event, eventVersion } = factsOf(capture);
    return { bytes: capture.body, event, eventVersion };
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    if (format === undefined && payloadOf(bytes) !== undefined) {
      const { event, eventVersion } = factsOf({ headers: [], body: bytes });
      return { bytes, event, eventVersion };
    }
    const reasons = error.message.replaceAll(/^/gm, '  ');
    throw notRunError(`${name} is neither a payload nor a capture:\n  it is not a JSON object\n${reasons}`, error);
  }
}

/** Extensions have events of their own: an unknown name passes, except for a slip of the keyboard, or a file that is missing. */
function requireEvent(name: string, { events, deliveries }: Project, output: Output): void {
  const known = [...KIKET_EVENTS, ...events.value.map(({ event }) => event)];
  if (known.includes(name)) return;
  const near = nearMissOf(name);
  const places = `neither a file, nor a delivery in ${deliveries.value}, nor an event`;
  if (near !== undefined) throw usageError(`${JSON.stringify(name)} is ${places}. Did you mean "${near}"?`);
  if (!isEventPattern(name) || /[*/\\]|\.(?:json|jsonl|har|http|txt)$/.test(name)) {
    throw usageError(`${JSON.stringify(name)} is ${places}; kiket-express events lists the events`);
  }
  output.warn(`${name} is not an event that Kiket documents: it is sent with an example issue`);
}
