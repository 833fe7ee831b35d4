import type { Command } from 'commander';
import { toKeys } from '../signature/hmac';
import { usageError } from './exit';
import type { CliIo, Output } from './io';
import { readFile, readInput } from './read-input';

/** Collects the values of an option that may be repeated. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** Options that name delivery secrets, as commander passes them. */
export interface SecretOptions {
  readonly secret?: readonly string[] | undefined;
  readonly secretEnv?: readonly string[] | undefined;
  readonly secretFile?: readonly string[] | undefined;
}

/** A delivery secret, and where it comes from. */
export interface NamedSecret {
  readonly value: string;
  /** For people: `KIKET_WEBHOOK_SECRET`, a file, `--secret`. */
  readonly source: string;
}

/** The variable that is read when no option names another. */
export const DEFAULT_SECRET_ENV = 'KIKET_WEBHOOK_SECRET';

/** Adds the options that name secrets. Each may be given several times: after a rotation two secrets are valid. */
export function addSecretOptions(command: Command): Command {
  return command
    .option(
      '--secret-env <name>',
      `environment variable with the delivery secret (default: ${DEFAULT_SECRET_ENV})`,
      collect,
    )
    .option('--secret-file <file>', 'file with the delivery secret; one newline at its end is removed', collect)
    .option(
      '--secret <value>',
      'the delivery secret itself, which shells and ps keep; - reads standard input',
      collect,
    );
}

/**
 * Returns the secrets that options name, in the order environment, file, value.
 *
 * @throws {CliError} when one is unset, empty, or has white space around it.
 */
export async function readSecrets(options: SecretOptions, io: CliIo, output: Output): Promise<readonly NamedSecret[]> {
  const secrets: NamedSecret[] = [];
  for (const name of options.secretEnv ?? []) secrets.push(fromEnvironment(name, io));
  for (const file of options.secretFile ?? []) secrets.push(fromFile(file, io, output));
  for (const value of options.secret ?? []) secrets.push(await fromArgument(value, io, output));
  return secrets.map(checked);
}

function fromEnvironment(name: string, { env }: CliIo): NamedSecret {
  const value = env[name];
  if (value !== undefined && value !== '') return { value, source: name };
  throw usageError(`the environment variable ${name} of --secret-env is unset or empty`);
}

function fromFile(file: string, io: CliIo, output: Output): NamedSecret {
  const text = readFile(file, io).toString();
  const value = text.replace(/\r?\n$/, '');
  if (value !== text) output.warn(`${file}: the newline at the end is not part of the secret`);
  return { value, source: file };
}

async function fromArgument(value: string, io: CliIo, output: Output): Promise<NamedSecret> {
  if (value === '-')
    return { value: (await readInput('-', io)).toString().replace(/\r?\n$/, ''), source: 'standard input' };
  output.warn('--secret: shells and ps keep the value; --secret-env and --secret-file do not');
  return { value, source: '--secret' };
}

/** Checks a secret as kiketVerify does. */
export function checked(secret: NamedSecret): NamedSecret {
  try {
    toKeys('the delivery secret', secret.value);
    return secret;
  } catch (error) {
    throw usageError(`${secret.source}: ${(error as TypeError).message}`);
  }
}

/** Returns a secret as explainRequest takes it. */
export function toKnown({ value, source }: NamedSecret): { readonly value: Buffer; readonly source: string } {
  return { value: Buffer.from(value), source };
}

/** Returns what somebody may have taken for the delivery secret: variables of Kiket, and secrets of the payload. */
export function otherSecrets(
  { env }: Pick<CliIo, 'env'>,
  ofPayload: Readonly<Record<string, string>>,
): readonly NamedSecret[] {
  const ofEnvironment = Object.entries(env).flatMap(([name, value]) =>
    /^KIKET_/.test(name) && value !== undefined && value !== '' ? [{ value, source: name }] : [],
  );
  return [...ofEnvironment, ...Object.entries(ofPayload).map(([key, value]) => ({ value, source: key }))];
}
