import { performance } from 'node:perf_hooks';
import { openConnection } from './connection.mjs';

/** Resolves with the status of one request. */
export function statusOf(port, request) {
  const { promise, resolve, reject } = deferred();
  const connection = openConnection({ port, onStatus: resolve, onError: reject });
  connection.send(request);
  return promise.finally(connection.close);
}

/**
 * Sends one request after another, as `next` gives them, one at a time on each of `connections` connections.
 *
 * `delivered` counts the responses since the start, `latencies` holds the milliseconds of each since the last `clear()`.
 * `failed` rejects on the first response that is not a success: a receiver that refuses must not look fast.
 */
export function startLoad({ port, next, connections }) {
  const { promise: failed, reject } = deferred();
  failed.catch(() => {}); // the caller races it, and may have stopped before it rejects
  const load = { delivered: 0, latencies: [], failed, clear, stop };
  const open = Array.from({ length: connections }, startConnection);
  return load;

  function startConnection() {
    let sentAt = performance.now();
    const connection = openConnection({ port, onStatus, onError: reject });
    connection.send(next());
    return connection;

    function onStatus(status) {
      if (status < 200 || status > 299) return reject(new Error(`The response to a valid delivery was ${status}`));
      const now = performance.now();
      load.delivered += 1;
      load.latencies.push(now - sentAt);
      sentAt = now;
      connection.send(next());
    }
  }

  function clear() {
    load.latencies = [];
  }

  function stop() {
    for (const connection of open) connection.close();
  }
}

function deferred() {
  let resolve, reject;
  const promise = new Promise((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
}
