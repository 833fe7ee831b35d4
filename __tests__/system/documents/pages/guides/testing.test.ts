import { describePage, type Behaviour } from '../../../../support/doc-page';

/** Runs the tests that a block defines. */
const passing =
  (...names: string[]): Behaviour =>
  async (_app, { tests }) => {
    expect(tests.map(({ name }) => name)).toEqual(names);
    for (const { run } of tests) await run();
  };

describePage('docs/guides/testing.md', {
  'A delivery': passing('should take a delivery'),
  "A fake of Kiket's API": passing('should be delivered again when Kiket is down'),
});
