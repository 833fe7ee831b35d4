/** Calls `close` on SIGTERM. The process ends once nothing is open. */
export function onTermination(close: () => Promise<void>): void {
  process.once('SIGTERM', () => {
    // The channel to the primary would keep the process alive.
    void close().finally(() => process.disconnect());
  });
  // Ctrl-C reaches all processes at once, but the primary ends them with SIGTERM.
  process.on('SIGINT', () => {});
}
