import type { ServerResponse } from 'node:http';
import type { LocalKiket } from '../local-kiket';
import type { CheckRuns } from './check-runs';

/** Shorter than proxies and browsers wait. */
const HEARTBEAT_MS = 15_000;

/** After which a browser connects again. */
const RETRY_MS = 1_000;

/** The clients that follow what happens, by server-sent events. */
export class EventStreams {
  readonly #kiket: LocalKiket;
  readonly #checks: CheckRuns;
  readonly #heartbeatMs: number;
  readonly #open = new Set<EventStream>();

  constructor(kiket: LocalKiket, checks: CheckRuns, heartbeatMs = HEARTBEAT_MS) {
    this.#kiket = kiket;
    this.#checks = checks;
    this.#heartbeatMs = heartbeatMs;
  }

  /** @param lastEventId the header `Last-Event-ID`: what has happened since is sent first. */
  open(res: ServerResponse, lastEventId: string | undefined): void {
    const lastId = /^\d{1,15}$/.test(lastEventId ?? '') ? Number(lastEventId) : undefined;
    const stream = new EventStream(res, this.#kiket, this.#checks, lastId, this.#heartbeatMs);
    this.#open.add(stream);
    res.on('close', () => {
      stream.end();
      this.#open.delete(stream);
    });
  }

  close(): void {
    for (const stream of this.#open) stream.end();
  }
}

/**
 * One client. While it does not read, nothing is kept for it: it gets the events from the last one that it was sent, once it reads
 * again. After two heartbeats it is dropped.
 */
class EventStream {
  readonly #res: ServerResponse;
  readonly #kiket: LocalKiket;
  readonly #timer: NodeJS.Timeout;
  readonly #unfollowChecks: () => void;
  #lastId: number | undefined;
  #isFollowing = false;
  #unfollow: (() => void) | undefined;
  #missedHeartbeats = 0;

  constructor(
    res: ServerResponse,
    kiket: LocalKiket,
    checks: CheckRuns,
    lastId: number | undefined,
    heartbeatMs: number,
  ) {
    this.#res = res;
    this.#kiket = kiket;
    this.#lastId = lastId;
    res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
    res.write(`retry: ${RETRY_MS}\n\n`);
    res.on('drain', () => this.#follow());
    this.#timer = setInterval(() => this.#beat(), heartbeatMs).unref();
    // Of a run, only the last message matters; a client that misses it asks for the run.
    this.#unfollowChecks = checks.subscribe((step) => {
      if (!res.writableNeedDrain) res.write(`event: check\ndata: ${JSON.stringify(step)}\n\n`);
    });
    this.#follow();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#unfollowChecks();
    this.#pause();
    this.#res.end();
  }

  #follow(): void {
    this.#missedHeartbeats = 0;
    if (this.#isFollowing || this.#res.writableEnded) return;
    this.#isFollowing = true;
    const unfollow = this.#kiket.subscribe(({ type, data }, id) => {
      if (!this.#isFollowing) return;
      this.#lastId = id;
      const isDrained = this.#res.write(`event: ${type}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
      if (!isDrained) this.#pause();
    }, this.#lastId);
    // The first events may come before the subscription has returned.
    if (this.#isFollowing) this.#unfollow = unfollow;
    else unfollow();
  }

  #pause(): void {
    this.#isFollowing = false;
    this.#unfollow?.();
    this.#unfollow = undefined;
  }

  #beat(): void {
    if (!this.#res.writableNeedDrain) this.#res.write(':\n\n');
    else if (++this.#missedHeartbeats === 2) this.#res.destroy();
  }
}
