/** Keeps claims and records in memory. Each method is one step, in which no other one runs. */
exports.Store = class Store {
  #entries = new Map();

  async claim(keys, owner, lockMs) {
    // Once for a call: a claim found must not have expired by the next line.
    const nowMs = performance.now();
    const found = this.#found(keys, nowMs);
    const recorded = found.find(({ record }) => record !== undefined);
    if (recorded) return { state: 'recorded', record: recorded.record };
    const times = found.filter((entry) => entry.owner !== owner).map(({ expiresAtMs }) => expiresAtMs);
    if (times.length > 0) return { state: 'held', retryAfterMs: Math.max(...times) - nowMs };
    this.#write(keys, { owner, expiresAtMs: nowMs + lockMs });
    return { state: 'claimed' };
  }

  async renew(keys, owner, lockMs) {
    if (!this.#holdsAll(keys, owner)) return false;
    this.#write(keys, { owner, expiresAtMs: performance.now() + lockMs });
    return true;
  }

  async complete(keys, owner, record, ttlMs) {
    if (!this.#holdsAll(keys, owner)) return false;
    this.#write(keys, { record, expiresAtMs: performance.now() + ttlMs });
    return true;
  }

  async release(keys, owner) {
    for (const key of keys) if (this.#holdsAll([key], owner)) this.#entries.delete(key);
  }

  #found(keys, nowMs = performance.now()) {
    return keys.map((key) => this.#entries.get(key)).filter((entry) => entry?.expiresAtMs > nowMs);
  }

  #holdsAll(keys, owner) {
    const own = this.#found(keys).filter((entry) => entry.owner === owner);
    return own.length === keys.length;
  }

  #write(keys, entry) {
    for (const key of keys) this.#entries.set(key, entry);
  }
};

/** Lets an owner that has lost its claim release that of the next one. */
exports.BrokenStore = class BrokenStore extends exports.Store {
  #owners = new Map();

  async claim(keys, owner, lockMs) {
    const result = await super.claim(keys, owner, lockMs);
    if (result.state === 'claimed') for (const key of keys) this.#owners.set(key, owner);
    return result;
  }

  async release(keys) {
    for (const key of keys) await super.release([key], this.#owners.get(key));
  }
};
