import { setMaxListeners } from 'node:events';

/** A controller whose signal takes any number of listeners without a warning. */
export function createAbortController(): AbortController {
  const controller = new AbortController();
  try {
    setMaxListeners(0, controller.signal);
  } catch {
    // That of a DOM, as tests have it, is refused; it warns of nothing.
  }
  return controller;
}
