/** The handler of every receiver. It reads the payload, so that no receiver can win by not parsing it. */
export function handle(payload) {
  return { ok: payload.metrics.overdue_minutes > 0 };
}

/** The same, after the handler has asked Kiket's API how many calls remain. */
export function handleWithin(payload, remaining) {
  return { ...handle(payload), remaining };
}
