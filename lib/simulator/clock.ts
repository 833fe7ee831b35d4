/** The time of a local Kiket. Tests have one of their own, so that hours pass at once. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` after `ms`, which may be longer than a timer waits; returns a function that keeps it from being called. */
  after(ms: number, run: () => void): () => void;
}

/** A day, in milliseconds: less than the longest delay of a timer. */
const LONGEST_TIMER_MS = 86_400_000;

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      const part = Math.min(left, LONGEST_TIMER_MS);
      timer = setTimeout(() => (left > part ? wait(left - part) : run()), part);
    };
    wait(Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};
