/**
 * A store that says at once that it has recorded an answer, and does so afterwards: what it would be to answer first.
 */
export function behind(store) {
  return {
    claim: (...args) => store.claim(...args),
    renew: (...args) => store.renew(...args),
    release: (...args) => store.release(...args),
    complete: (...args) => {
      void store.complete(...args);
      return Promise.resolve(true);
    },
  };
}
