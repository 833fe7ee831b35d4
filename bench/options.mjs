import { parseArgs } from 'node:util';

/** The options of the command line, with the defaults of a comparison. */
export function readOptions({ receivers, baseline, sizes, warmup, distinct = false }) {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '2' },
      warmup: { type: 'string', default: warmup },
      sizes: { type: 'string', default: sizes },
      connections: { type: 'string', default: '16' },
      only: { type: 'string', default: idsOf(receivers) },
      before: { type: 'string' },
      markdown: { type: 'boolean', default: false },
    },
  });
  return {
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    warmupSeconds: positive('warmup', values.warmup),
    kilobytes: values.sizes.split(',').map((size) => positive('sizes', size)),
    connections: positive('connections', values.connections),
    receivers: named(values.only.split(','), receivers),
    baseline: receivers.find(({ id }) => id === baseline),
    before: values.before,
    markdown: values.markdown,
    distinct,
  };
}

function positive(option, text) {
  const number = Number(text);
  if (!(number > 0)) throw new TypeError(`--${option} takes a positive number, not '${text}'`);
  return number;
}

function named(ids, receivers) {
  const unknown = ids.filter((id) => !receivers.some((receiver) => receiver.id === id));
  if (unknown.length > 0) throw new TypeError(`--only takes ${idsOf(receivers)}, not '${unknown.join()}'`);
  return receivers.filter(({ id }) => ids.includes(id));
}

function idsOf(receivers) {
  return receivers.map(({ id }) => id).join();
}
