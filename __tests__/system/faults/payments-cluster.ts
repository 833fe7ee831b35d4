import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { secret } from '../../support/deliver';
import type { majors } from '../../support/express';
import { until } from '../../support/until';
import { ForkedProcess } from './forked-process';
import type { Random } from './random';

/** The settings of a replica. */
export interface PaymentsSettings {
  readonly url: string;
  readonly secret: string;
  readonly library: 'pg' | 'postgres';
  readonly major: keyof typeof majors;
}

const KINDS: readonly Pick<PaymentsSettings, 'library' | 'major'>[] = [
  { library: 'pg', major: 'Express 5' },
  { library: 'pg', major: 'Express 4' },
  { library: 'pg', major: 'Express 5' },
  { library: 'postgres', major: 'Express 5' },
];

interface Replica {
  readonly process: ForkedProcess<number>;
  origin: string | undefined;
}

/** Four replicas of a service that books payments, each in a process of its own. One that is killed is started again. */
export class PaymentsCluster {
  readonly #url: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'kiket-payments-'));
  readonly #program = join(this.#folder, 'replica.js');
  readonly #replicas: Replica[] = [];

  static async start(url: string): Promise<PaymentsCluster> {
    const cluster = new PaymentsCluster(url);
    for (const index of KINDS.keys()) cluster.#start(index);
    await until(() => cluster.#alive.length === KINDS.length, 'the replicas to start');
    return cluster;
  }

  private constructor(url: string) {
    this.#url = url;
    // As one file: a killed replica has to be back within a few deliveries.
    buildSync({
      entryPoints: [resolve(__dirname, 'payments-replica.ts')],
      outfile: this.#program,
      bundle: true,
      platform: 'node',
      external: ['pg-native', 'bullmq', 'jose', 'yaml', '@opentelemetry/api'],
      tsconfig: resolve(__dirname, '../../../tsconfig.json'),
    });
  }

  get #alive(): Replica[] {
    return this.#replicas.filter(({ origin }) => origin !== undefined);
  }

  /** The address of a replica, if possible one that is running. */
  pick(random: Random): string {
    const origins = this.#alive.map(({ origin }) => origin!);
    return origins.length === 0 ? 'http://127.0.0.1:9' : random.pick(origins);
  }

  /** Kills one of the running replicas, unless it is the last. */
  async kill(random: Random): Promise<void> {
    const alive = this.#alive;
    if (alive.length < 2) return;
    const killed = random.pick(alive);
    killed.origin = undefined;
    await killed.process.kill();
    this.#start(this.#replicas.indexOf(killed));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #start(index: number): void {
    const settings: PaymentsSettings = { url: this.#url, secret, ...KINDS[index]! };
    const process = new ForkedProcess<number>(this.#program, settings);
    const replica: Replica = { process, origin: undefined };
    this.#replicas[index] = replica;
    process.whenStarted().then(
      (port) => void (replica.origin = `http://127.0.0.1:${port}`),
      () => {
        // The test has ended meanwhile, and killed it.
      },
    );
  }
}
