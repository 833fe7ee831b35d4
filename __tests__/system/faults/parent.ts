/** The settings that this program was forked with. */
export function readSettings<Settings>(): Settings {
  return JSON.parse(process.env.SETTINGS!) as Settings;
}

/** Reports to the test that this program is ready. From then on it ends with the test, or when nothing else is open. */
export function sayStarted(said: unknown = null): void {
  process.once('disconnect', () => process.exit());
  process.channel!.unref();
  process.send!(said);
}
