import { InvalidArgumentError, Option, type Command } from 'commander';
import { headerId, type KiketId } from '../guards';
import { parseDuration, parseSchedule, SCHEDULE_NAMES } from '../sending/schedule';
import { addSecretOptions } from './secrets';

/** Adds the options that every command has. */
export function addOutputOptions(command: Command): Command {
  return command
    .option('--json', 'write one JSON document to standard output')
    .option('--quiet', 'write only what was asked for')
    .option('--no-color', 'write without colours');
}

/** Adds the options that name the receiver. */
export function addReceiverOptions(command: Command): Command {
  return command
    .option('--to <url>', 'the receiver (default: url of kiket.json, else the callback URL of the manifest)')
    .option('--allow-remote', 'send to another machine than this one')
    .option('--timeout <duration>', 'how long to wait for each response, e.g. 10s (default: 10s)', duration);
}

/** Adds the options of commands that send deliveries. */
export function addTargetOptions(command: Command): Command {
  return addSecretOptions(addReceiverOptions(command)).addOption(
    new Option('--scheme <scheme>', 'what the signature covers').choices(['timestamped', 'body']),
  );
}

/** A duration in milliseconds. */
export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError('It must be a duration such as 500ms, 10s or 5m.');
  return ms;
}

export function schedule(text: string): string {
  if (parseSchedule(text) === undefined) {
    throw new InvalidArgumentError(`It must be ${SCHEDULE_NAMES}, or delays such as 30s,1m,5m.`);
  }
  return text;
}

/** A port; 0 is any that is free. */
export function port(text: string): number {
  const value = Number(text);
  if (/^\d{1,5}$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError('It must be an integer from 0 to 65535.');
}

/** By how much delays are shortened. */
export function speed(text: string): number | 'max' {
  const value = Number(text);
  if (text === 'max') return text;
  if (text.trim() !== '' && value >= 0.001 && value <= 1_000_000) return value;
  throw new InvalidArgumentError('It must be a number such as 60, or max.');
}

/** A positive integer. */
export function count(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 1_000_000) {
    throw new InvalidArgumentError('It must be an integer from 1 to 1000000.');
  }
  return value;
}

/** The id of a project or an organization: digits are a number. */
export function id(text: string): KiketId {
  const value = headerId(text);
  if (value === undefined) throw new InvalidArgumentError('It must be a positive integer, or a string such as org_7.');
  return value;
}

/** Names that commas separate. */
export function names(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
