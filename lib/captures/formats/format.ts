import { isObject } from '../../guards';
import type { HeaderLine } from '../../sending/http-message';
import type { Capture } from '../capture';

/** A way in which requests are saved. */
export interface CaptureFormat {
  /** As an option of the command line. */
  readonly name: 'jsonl' | 'http' | 'har' | 'ngrok' | 'curl';
  /** For people. */
  readonly title: string;
  /** Returns the captures in order. @throws {FormatError} when the bytes are in another format. */
  readonly read: (bytes: Buffer) => Capture[];
}

/** The bytes are not in a format. The message completes "it is not a HAR file: …". */
export class FormatError extends Error {}

const BOM = '\uFEFF';

/** Returns a text without the byte order mark that some editors write. */
export function textOf(bytes: Buffer): string {
  const text = bytes.toString();
  return text.startsWith(BOM) ? text.slice(1) : text;
}

/** @throws {FormatError} when a text is not JSON. `where` begins the message. */
export function jsonOf(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FormatError(`${where} is not JSON`);
  }
}

/** @throws {FormatError} when a member of an object is not a string. `where` names the object. */
export function stringIn(object: Readonly<Record<string, unknown>>, name: string, where: string): string {
  const value = object[name];
  if (typeof value === 'string') return value;
  throw new FormatError(`${where} has no string "${name}"`);
}

/** @throws {FormatError} when a value is not an object. `where` names it. */
export function objectAt(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value;
  throw new FormatError(`${where} is not an object`);
}

/** @throws {FormatError} when a value is not an array. `where` names it. */
export function arrayAt(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new FormatError(`${where} is not an array`);
}

/** True for a name and a value, both strings. */
export function isHeaderLine(value: unknown): value is HeaderLine {
  return Array.isArray(value) && value.length === 2 && value.every((each) => typeof each === 'string');
}
