/** A program that tests need, such as a Redis. */
export interface NeededProgram {
  readonly name: string;
  readonly isThere: boolean;
  /** How to get it. */
  readonly remedy: string;
}

/** Tests that need a program. Without it they are skipped; with `CI` set, they fail. */
export function describeWith(
  { name: program, isThere, remedy }: NeededProgram,
  name: string,
  define: () => void,
): void {
  if (isThere) return describe(name, define);
  if (process.env['CI']) {
    return describe(name, () => {
      it(`should find a ${program}, because CI is set`, () => {
        throw new Error(`There is no ${program}; ${remedy}`);
      });
    });
  }
  process.stderr.write(`Skipped, because there is no ${program}: ${name}; ${remedy}\n`);
  describe.skip(name, define);
}

/**
 * A port below those that systems assign to outgoing connections, so that no connection takes it while a server is stopped. The bus
 * of a Redis cluster, 10,000 above, is below them too, and conflicts with no server.
 */
export function freshServerPort(): number {
  return 12_000 + Math.floor(Math.random() * 10_000);
}
