const AHEAD_MS = 3_600_000;

/** The clock is that of the process: another call waits. */
let last: Promise<unknown> = Promise.resolve();

/** Runs `work` while `Date` is an hour ahead in this process, as on a machine whose clock is wrong. */
export function withClockAhead(work: () => Promise<void>): Promise<void> {
  const result = last.then(async () => {
    const SystemDate = Date;
    globalThis.Date = clockAheadOf(SystemDate);
    try {
      await work();
    } finally {
      globalThis.Date = SystemDate;
    }
  });
  last = result.catch(() => undefined);
  return result;
}

function clockAheadOf(SystemDate: DateConstructor): DateConstructor {
  const now = (): number => SystemDate.now() + AHEAD_MS;
  return new Proxy(SystemDate, {
    get: (target, name, receiver): unknown => (name === 'now' ? now : Reflect.get(target, name, receiver)),
    construct: (target, given: unknown[], newTarget) =>
      Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget) as object,
  });
}
