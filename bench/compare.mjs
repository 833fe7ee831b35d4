import { check, measure } from './measure.mjs';
import { printReport } from './report.mjs';

/**
 * Measures every receiver beside the baseline, in rounds, and prints the report.
 *
 * @param bodyOf returns the body of a delivery of the given size in bytes.
 * @param checkReceiver throws unless a receiver does its work.
 */
export async function compare(options, bodyOf, checkReceiver = check) {
  const { receivers, rounds } = options;
  const sizes = options.kilobytes.map((kilobytes) => ({
    kilobytes,
    body: bodyOf(kilobytes * 1024),
    rounds: new Map(receivers.map(({ id }) => [id, []])), // by receiver, one pair of measurements a round
  }));

  for (const { kilobytes, body } of sizes) {
    for (const receiver of receivers) await checkReceiver(receiver, body);
    progress(`${receivers.length} receivers take a valid delivery of ${kilobytes} KB and refuse a tampered one`);
  }

  for (let round = 0; round < rounds; round += 1) {
    for (const size of sizes) {
      for (const receiver of orderOf(round, options)) {
        const pair = await measurePair(receiver, size.body, round, options);
        size.rounds.get(receiver.id).push(pair);
        const ratio = (pair.own.perSecond / pair.baseline.perSecond).toFixed(2);
        progress(`round ${round + 1}/${rounds}, ${size.kilobytes} KB, ${receiver.id}: ${ratio}`);
      }
    }
  }

  printReport(sizes, options);
}

/**
 * A receiver, and the baseline right before or right after it: a disturbance of some seconds affects both, and
 * one bad measurement of the baseline spoils one ratio instead of a round.
 */
async function measurePair(receiver, body, round, options) {
  if (round % 2 === 0) {
    const baseline = await measure(options.baseline, body, options);
    return { baseline, own: await measure(receiver, body, options) };
  }
  const own = await measure(receiver, body, options);
  return { own, baseline: await measure(options.baseline, body, options) };
}

/** Each round starts with another receiver, so that none always runs while the machine is quiet, or warm. */
function orderOf(round, { receivers, rounds }) {
  const start = Math.floor((round * receivers.length) / rounds);
  return [...receivers.slice(start), ...receivers.slice(0, start)];
}

function progress(line) {
  process.stderr.write(`${line}\n`);
}
