import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { deliveryBytes, tamperedBytes } from './delivery.mjs';
import { distinctDeliveries } from './distinct.mjs';
import { startLoad, statusOf } from './load.mjs';
import { withReceiver } from './receiver-process.mjs';
import { percentile } from './statistics.mjs';

/** Throws unless the receiver takes a valid delivery and refuses a tampered one. */
export function check({ id, scheme }, body) {
  return withReceiver(id, async ({ port }) => {
    const valid = await statusOf(port, deliveryBytes(scheme, body));
    if (valid < 200 || valid > 299)
      throw new Error(`The response to a valid delivery of ${body.length} characters was ${valid}`);
    const tampered = await statusOf(port, tamperedBytes(scheme, body));
    if (tampered < 300) throw new Error(`The response to a tampered delivery was ${tampered}`);
  });
}

/**
 * One receiver, one size, one round. The delivery is signed anew, because most schemes refuse an old timestamp; and for each
 * request, where they must be distinct.
 */
export function measure({ id, scheme }, body, { seconds, warmupSeconds, connections, distinct }) {
  return withReceiver(id, async ({ port, usage }) => {
    const load = startLoad({ port, next: distinct ? distinctDeliveries(body) : repeated(scheme, body), connections });
    try {
      await Promise.race([sleep(warmupSeconds * 1000), load.failed]);
      const before = await snapshot(load, usage);
      load.clear();
      await Promise.race([sleep(seconds * 1000), load.failed]);
      const after = await snapshot(load, usage);
      return { ...between(before, after), p99Ms: percentile(load.latencies, 0.99), rssBytes: after.rssBytes };
    } finally {
      load.stop();
    }
  });
}

function repeated(scheme, body) {
  const bytes = deliveryBytes(scheme, body);
  return () => bytes;
}

async function snapshot(load, usage) {
  const { cpuMicros, rssBytes } = await usage();
  const { user, system } = process.cpuUsage();
  return { delivered: load.delivered, cpuMicros, rssBytes, loadCpuMicros: user + system, atMs: performance.now() };
}

function between(before, after) {
  const deliveries = after.delivered - before.delivered;
  const elapsedMs = after.atMs - before.atMs;
  return {
    perSecond: (deliveries / elapsedMs) * 1000,
    cpuMicros: (after.cpuMicros - before.cpuMicros) / deliveries,
    loadShare: (after.loadCpuMicros - before.loadCpuMicros) / (elapsedMs * 1000),
  };
}
