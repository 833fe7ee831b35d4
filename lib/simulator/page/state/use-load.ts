import { useEffect, useState } from 'preact/hooks';
import { onReload } from '../stream';

/** State that is loaded from the control API. */
export interface Loaded<T> {
  readonly data: T | undefined;
  readonly error: string | undefined;
  readonly set: (change: (data: T | undefined) => T | undefined) => void;
  readonly reload: () => void;
}

/** Loads state, and loads it again when `key` changes or messages of the stream were missed. */
export function useLoad<T>(load: () => Promise<T>, key = ''): Loaded<T> {
  const [data, set] = useState<T | undefined>(undefined);
  const [error, setError] = useState<string | undefined>(undefined);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    const run = (): void => {
      load().then(
        (loaded) => {
          if (!isCurrent) return;
          set(() => loaded);
          setError(undefined);
        },
        (failure: Error) => isCurrent && setError(failure.message),
      );
    };
    run();
    // It is loading already.
    let isFirst = true;
    const end = onReload(() => {
      if (!isFirst) run();
    });
    isFirst = false;
    return () => {
      isCurrent = false;
      end();
    };
  }, [key, asked]);
  return { data, error, set, reload: () => setAsked(asked + 1) };
}
