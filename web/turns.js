/** @param {number} ms */
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Longer than anybody has a turn: three tries of half a minute. */
const PATIENCE = 100_000;

/** How long storage and messages may take to reach another tab. */
const LAG = 2000;

/**
 * One action at a time. With Web Locks, in all tabs: and whoever has the turn knows what the one
 * before wrote. A lock says nothing of storage and messages, which reach another tab somewhat
 * later, so a lock whose name ends in the version of what was written stays for a while.
 */
export class Turns {
  /** @type {Promise<unknown>} */ #last = Promise.resolve();

  /**
   * @param {() => number} version Of what this tab knows.
   * @param {LockManager} [locks]
   */
  constructor(version, locks) {
    this.version = version;
    this.locks = locks;
  }

  /**
   * @template T
   * @param {string} name Those of one name take turns.
   * @param {() => Promise<T>} action
   * @returns {Promise<T>}
   */
  async take(name, action) {
    const { locks } = this;
    // One of this tab at a time waits for others, so that others do not wait for one tab twice.
    const next = this.#last.then(() => (locks ? this.#inAllTabs(locks, name, action) : action()));
    this.#last = next.catch(() => {});
    return next;
  }

  /**
   * @template T
   * @param {LockManager} locks
   * @param {string} name
   * @param {() => Promise<T>} action
   * @returns {Promise<T>}
   */
  async #inAllTabs(locks, name, action) {
    const patience = this.#patience(locks, name);
    let granted = false;
    try {
      return await /** @type {Promise<any>} */ (
        locks.request(name, { signal: patience.signal }, async () => {
          granted = true;
          patience.end();
          const before = await this.#written(locks, name);
          for (let waited = 0; waited < LAG / 2 && this.version() < before; waited += 10) await sleep(10);
          try {
            return await action();
          } finally {
            if (this.version() > before) await this.#publish(locks, `${name} ${this.version()}`);
          }
        })
      );
    } catch (error) {
      if (granted || !patience.signal.aborted) throw error;
      return action();
    }
  }

  /** Ends when one tab has the turn for too long: its page was frozen in it. @param {LockManager} locks @param {string} name */
  #patience(locks, name) {
    const aborter = new AbortController();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    /** @param {string} [before] */
    const look = async (before) => {
      const { held = [] } = await locks.query();
      const holder = held.find((lock) => lock.name === name)?.clientId;
      if (holder && holder === before) aborter.abort();
      else if (timer !== undefined) timer = setTimeout(look, PATIENCE, holder);
    };
    timer = setTimeout(look, PATIENCE);
    return {
      signal: aborter.signal,
      end: () => {
        clearTimeout(timer);
        timer = undefined;
      },
    };
  }

  /** The newest version that another tab wrote a moment ago. @param {LockManager} locks @param {string} name */
  async #written(locks, name) {
    const { held = [] } = await locks.query();
    const versions = held.map((lock) => (lock.name?.startsWith(`${name} `) ? Number(lock.name.slice(name.length)) : 0));
    return Math.max(0, ...versions);
  }

  /** Resolves as soon as other tabs can see the version. @param {LockManager} locks @param {string} name */
  #publish(locks, name) {
    return new Promise((published) => {
      const held = () => {
        published(undefined);
        return sleep(LAG);
      };
      void locks.request(name, { mode: "shared" }, held);
    });
  }
}
