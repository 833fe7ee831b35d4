/** Failures of a store call. */
export const storeFailures = {
  rejects: (): Promise<never> => Promise.reject(new Error('canary: redis://user:password@host is down')),
  throws: (): never => {
    throw new Error('canary of the store');
  },
  'does not respond': (): Promise<never> => new Promise(() => undefined),
};
