import { startSimulator } from 'kiket-express/simulator';

interface Settings {
  readonly url: string;
  readonly secret: string;
  readonly stateDirectory: string;
  readonly deliveries: number;
}

/** A local Kiket in a process of its own, which ends with its parent or is killed. */
async function main(): Promise<void> {
  const { deliveries, ...options } = JSON.parse(process.env['SETTINGS']!) as Settings;
  const kiket = await startSimulator({ ...options, schedule: [200, 300, 400, 500, 600] });
  for (let i = 0; i < deliveries; i++) kiket.deliveries.send({ event: 'issue.created' });
  process.once('disconnect', () => process.exit());
  process.send!(kiket.deliveries.list({ limit: 1000 }).deliveries.map(({ id }) => id));
}

void main();
