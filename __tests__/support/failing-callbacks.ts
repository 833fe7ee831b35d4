/** Every way in which a callback of the service can fail. */
export const failingCallbacks: [string, () => never][] = [
  [
    'throws',
    () => {
      throw new Error('callback');
    },
  ],
  [
    'throws undefined',
    () => {
      // A callback may throw any value.
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw undefined;
    },
  ],
  ['rejects', () => Promise.reject(new Error('callback')) as never],
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
  ['rejects with undefined', () => Promise.reject(undefined) as never],
  ['hangs', () => new Promise(() => undefined) as never],
  [
    'returns what only looks like a promise',
    () =>
      ({
        then() {
          throw new Error('then');
        },
      }) as never,
  ],
  [
    'returns what cannot be looked at',
    () =>
      ({
        get then() {
          throw new Error('then');
        },
      }) as never,
  ],
];
