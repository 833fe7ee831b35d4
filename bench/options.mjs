import { parseArgs } from 'node:util';
import { RECEIVERS } from './receivers.mjs';

/** The command line. */
export function readOptions() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '2' },
      warmup: { type: 'string', default: '1' },
      sizes: { type: 'string', default: '1,20,450' },
      connections: { type: 'string', default: '16' },
      only: { type: 'string', default: RECEIVERS.map(({ id }) => id).join() },
      markdown: { type: 'boolean', default: false },
    },
  });
  return {
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    warmupSeconds: positive('warmup', values.warmup),
    kilobytes: values.sizes.split(',').map((size) => positive('sizes', size)),
    connections: positive('connections', values.connections),
    receivers: named(values.only.split(',')),
    markdown: values.markdown,
  };
}

function positive(option, text) {
  const number = Number(text);
  if (!(number > 0)) throw new TypeError(`--${option} takes a positive number, not '${text}'`);
  return number;
}

function named(ids) {
  const unknown = ids.filter((id) => !RECEIVERS.some((receiver) => receiver.id === id));
  if (unknown.length > 0) {
    throw new TypeError(`--only takes ${RECEIVERS.map(({ id }) => id).join()}, not '${unknown.join()}'`);
  }
  return RECEIVERS.filter(({ id }) => ids.includes(id));
}
