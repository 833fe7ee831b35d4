/**
 * A store that confirms a response at once and records it afterwards: the cost of responding first.
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
