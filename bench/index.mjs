import { check, measure } from './measure.mjs';
import { readOptions } from './options.mjs';
import { payloadOf } from './payload.mjs';
import { BASELINE } from './receivers.mjs';
import { printReport } from './report.mjs';

const options = readOptions();
const { receivers, rounds } = options;
const sizes = options.kilobytes.map((kilobytes) => ({
  kilobytes,
  body: payloadOf(kilobytes * 1024),
  rounds: new Map(receivers.map(({ id }) => [id, []])), // by receiver, one pair of measurements a round
}));

for (const { kilobytes, body } of sizes) {
  for (const receiver of receivers) await check(receiver, body);
  progress(`${receivers.length} receivers take a valid delivery of ${kilobytes} KB and refuse a tampered one`);
}

for (let round = 0; round < rounds; round += 1) {
  for (const size of sizes) {
    for (const receiver of orderOf(round)) {
      const pair = await measurePair(receiver, size.body, round);
      size.rounds.get(receiver.id).push(pair);
      const ratio = (pair.own.perSecond / pair.baseline.perSecond).toFixed(2);
      progress(`round ${round + 1}/${rounds}, ${size.kilobytes} KB, ${receiver.id}: ${ratio}`);
    }
  }
}

printReport(sizes, options);

/**
 * A receiver, and the baseline right before or right after it: what disturbs the machine for some seconds disturbs both, and
 * one bad measurement of the baseline spoils one ratio instead of a round.
 */
async function measurePair(receiver, body, round) {
  if (round % 2 === 0) {
    const baseline = await measure(BASELINE, body, options);
    return { baseline, own: await measure(receiver, body, options) };
  }
  const own = await measure(receiver, body, options);
  return { own, baseline: await measure(BASELINE, body, options) };
}

/** Each round starts with another receiver, so that none always runs while the machine is quiet, or warm. */
function orderOf(round) {
  const start = Math.floor((round * receivers.length) / rounds);
  return [...receivers.slice(start), ...receivers.slice(0, start)];
}

function progress(line) {
  process.stderr.write(`${line}\n`);
}
