/** @param {number} ms */
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/**
 * One action at a time. With Web Locks, in all tabs: and whoever has the turn knows what the one
 * before wrote. A lock says nothing of storage and messages, which reach another tab somewhat
 * later, so a lock whose name ends in the version of what was written stays for two seconds.
 */
export class Turns {
  /** @type {Promise<unknown>} */ #last = Promise.resolve();

  /**
   * @param {() => string} name
   * @param {() => number} version
   * @param {LockManager} [locks]
   */
  constructor(name, version, locks) {
    this.name = name;
    this.version = version;
    this.locks = locks;
  }

  /**
   * @template T
   * @param {() => T | Promise<T>} action
   * @returns {Promise<T>}
   */
  take(action) {
    const { locks } = this;
    if (!locks) {
      const next = this.#last.then(action, action);
      this.#last = next.catch(() => {});
      return next;
    }
    const name = this.name();
    return /** @type {Promise<any>} */ (
      locks.request(name, async () => {
        const { held = [] } = await locks.query();
        const versions = held.map((lock) => (lock.name?.startsWith(`${name} `) ? Number(lock.name.slice(name.length)) : 0));
        const before = Math.max(0, ...versions);
        for (let i = 0; i < 100 && this.version() < before; i++) await sleep(10);
        try {
          return await action();
        } finally {
          const written = this.version();
          const stay = (/** @type {() => void} */ held) => () => (held(), sleep(2000));
          if (written > before)
            await new Promise((held) => void locks.request(`${name} ${written}`, { mode: "shared" }, stay(() => held(0))));
        }
      })
    );
  }
}
