import { describeStoreContract, type StoreContractOptions } from 'kiket-express/testing';

/** A test of the store contract, which its runner has not run yet. */
export interface ContractTest {
  /** With the name of its group. */
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** The tests that describeStoreContract defines, by a runner that only collects them. */
export function contractTests(
  create: Parameters<typeof describeStoreContract>[1],
  options: Pick<StoreContractOptions, 'unreachable'> = {},
): ContractTest[] {
  const tests: ContractTest[] = [];
  const groups: string[] = [];
  describeStoreContract('the store', create, {
    ...options,
    describe(name, define) {
      groups.push(name);
      define();
      groups.pop();
    },
    it(name, run) {
      tests.push({ name: [...groups.slice(1), name].join(' '), run });
    },
  });
  return tests;
}

/** Returns the message of a test that fails; `undefined` when it passes. */
export function messageOf({ run }: ContractTest): Promise<string | undefined> {
  return run().then(
    () => undefined,
    (error: Error) => error.message,
  );
}
