/** Calls `close` when this process is told to end, which it does once nothing is left open. */
export function onTermination(close: () => Promise<void>): void {
  process.once('SIGTERM', () => {
    // The channel to the primary would keep it.
    void close().finally(() => process.disconnect());
  });
  // Ctrl-C reaches all processes at once; the primary says when they are to end.
  process.on('SIGINT', () => {});
}
