import { cpus } from 'node:os';
import { pinned } from './pinning.mjs';
import { median } from './statistics.mjs';
import { formatTable } from './table.mjs';

/** Above it the load generator may limit the throughput. */
const BUSY_LOAD_SHARE = 0.9;

/** Prints the ratios of all sizes, and then the figures of each. */
export function printReport(sizes, options) {
  const bySize = sizes.map(({ kilobytes, rounds }) => ({ kilobytes, results: summarise(rounds) }));
  const { receivers } = options;
  const baseline = options.baseline.name.replaceAll('**', '');

  console.log(`\n${conditions(options, baseline)}\n`);
  print(`Throughput, as a ratio to the ${baseline}`, ratioTable('throughput'));
  print(`Deliveries per second of CPU time, as a ratio to the ${baseline}`, ratioTable('economy'));
  for (const { kilobytes, results } of bySize) print(`${kilobytes} KB`, figuresTable(results));

  function print(title, rows) {
    console.log(`${options.markdown ? '### ' : ''}${title}\n\n${formatTable(rows, options)}\n`);
  }

  function ratioTable(kind) {
    return [
      ['Receiver', ...bySize.map(({ kilobytes }) => `${kilobytes} KB`)],
      ...fastestFirst(bySize[0].results).map(({ id, name }) => [
        name,
        ...bySize.map(({ results }) => withSpread(results.get(id)[kind])),
      ]),
    ];
  }

  function figuresTable(results) {
    return [
      ['Receiver', 'deliveries/s', 'ratio', 'CPU µs', 'CPU ratio', 'p99 ms', 'RSS MB'],
      ...fastestFirst(results).map(({ id, name }) => {
        const { perSecond, throughput, cpuMicros, economy, p99Ms, rssBytes, loadShare } = results.get(id);
        const limited = loadShare > BUSY_LOAD_SHARE ? ' ¹' : '';
        return [
          name,
          `${Math.round(perSecond)}${limited}`,
          withSpread(throughput),
          cpuMicros.toFixed(0),
          withSpread(economy),
          p99Ms.toFixed(2),
          (rssBytes / 2 ** 20).toFixed(0),
        ];
      }),
    ];
  }

  function fastestFirst(results) {
    return receivers.toSorted((a, b) => results.get(b.id).throughput.median - results.get(a.id).throughput.median);
  }
}

/** Medians over the rounds. Ratios are formed within each pair, and the median is of the ratios. */
function summarise(rounds) {
  return new Map(
    [...rounds].map(([id, pairs]) => [
      id,
      {
        ...mediansOf(pairs.map(({ own }) => own)),
        throughput: spreadOf(pairs.map(({ own, baseline }) => own.perSecond / baseline.perSecond)),
        economy: spreadOf(pairs.map(({ own, baseline }) => baseline.cpuMicros / own.cpuMicros)),
      },
    ]),
  );
}

function mediansOf(measured) {
  const names = Object.keys(measured[0]);
  return Object.fromEntries(names.map((name) => [name, median(measured.map((round) => round[name]))]));
}

function spreadOf(ratios) {
  return { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) };
}

function withSpread({ median, lowest, highest }) {
  return `${median.toFixed(2)} (${lowest.toFixed(2)}–${highest.toFixed(2)})`;
}

function conditions({ rounds, seconds, connections }, baseline) {
  const date = new Date().toISOString().slice(0, 10);
  const cores = pinned ? 'load and receiver pinned to a core each' : 'NOT pinned to cores';
  return [
    `${date}, Node ${process.version}, ${cpus()[0].model}, ${cpus().length} cores.`,
    `Rounds: ${rounds}, of ${seconds} s for each receiver, ${connections} connections, ${cores}.`,
    'In brackets: the lowest and the highest round. For all ratios higher is better.',
    `The ${baseline} is compared with itself: its brackets are this run's noise.`,
    `¹ The load generator was busy for more than ${BUSY_LOAD_SHARE * 100} % of the time: read the CPU time instead.`,
  ].join('\n');
}
