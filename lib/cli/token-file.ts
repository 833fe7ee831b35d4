import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { notRunError } from './exit';

/** The file of the token, from which scripts read it. Only its owner can read it, and it ends with the run. */
export class TokenFile {
  readonly #path: string;

  /** @throws {CliError} when it cannot be written. */
  constructor(directory: string, token: string) {
    this.#path = join(directory, 'token');
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      // An old one would keep its mode.
      this.remove();
      writeFileSync(this.#path, `${token}\n`, { mode: 0o600, flag: 'wx' });
    } catch (error) {
      throw notRunError(`${this.#path} cannot be written: ${(error as NodeJS.ErrnoException).code}`, error);
    }
  }

  remove(): void {
    rmSync(this.#path, { force: true });
  }
}
