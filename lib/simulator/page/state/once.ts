/** Returns a function that runs `work`, and once more when it was called meanwhile; never twice at a time. */
export function once(work: () => Promise<void>): () => void {
  let isRunning = false;
  let isAsked = false;
  return () => {
    isAsked = true;
    if (isRunning) return;
    isRunning = true;
    void run().finally(() => {
      isRunning = false;
    });
  };

  async function run(): Promise<void> {
    while (isAsked) {
      isAsked = false;
      await work();
    }
  }
}
