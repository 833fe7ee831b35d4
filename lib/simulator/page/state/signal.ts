import { useEffect, useReducer } from 'preact/hooks';

const renders = new Set<() => void>();

/** State that is shown. A change renders the page again, once for all changes at a time; of it, only what differs is touched. */
export class Signal<T> {
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set value(value: T) {
    if (value === this.#value) return;
    this.#value = value;
    for (const render of renders) render();
  }
}

/** For the root of the page: it is rendered when a signal changes. */
export function useSignals(): void {
  const [, render] = useReducer((times: number, _: undefined) => times + 1, 0);
  useEffect(() => {
    const listener = (): void => render(undefined);
    renders.add(listener);
    // Some may have changed between the first rendering and now.
    listener();
    return () => renders.delete(listener);
  }, []);
}
