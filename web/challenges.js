/** @typedef {import("./storage.js").Store} Store */
/** @typedef {import("./types.js").Challenge} Challenge */
/** @typedef {import("./types.js").Destination} Destination */

/** The same for each way to type a destination. @param {Destination} to */
export const keyOf = (to) => ("email" in to ? to.email : to.phone_number + (to.country ?? "")).trim().toLowerCase();

/** One of the user's destinations, as a login takes it. @param {any} own @returns {Destination} */
export const destinationOf = ({ email, phone_number }) => (email ? { email } : { phone_number });

/**
 * What the service says of a code that was asked for at a time.
 *
 * @param {Destination} destination
 * @param {any} sent
 * @param {number} asked
 * @returns {Challenge}
 */
export const challengeOf = (destination, sent, asked) => ({
  destination,
  ...(sent.destination && { sentTo: sent.destination }),
  id: sent.challenge_id,
  channel: sent.channel,
  ...(sent.ways && { ways: sent.ways }),
  codeLength: sent.code_length,
  maxAttempts: sent.max_attempts,
  delivery: sent.delivery,
  expiresAt: Math.min(asked, Date.now()) + sent.expires_in * 1000,
  resendAt: Date.now() + sent.resend_in * 1000,
  expiresIn: sent.expires_in,
  resendIn: sent.resend_in,
  tries: 0,
});

/**
 * The seconds until another code may be requested. A longer wait than the server said comes from a
 * clock that was set back: then the server knows.
 *
 * @param {Challenge} challenge
 */
export const waitOf = ({ resendAt, resendIn }) => {
  const wait = Math.ceil((resendAt - Date.now()) / 1000);
  return wait > 0 && wait <= (resendIn ?? wait) ? wait : 0;
};

/** No code lives longer, so a challenge that claims more is not ours. */
const LONGEST = 600_000;

/**
 * The codes that were sent and not yet used. All tabs of a browser share them, so that a second tab
 * asks for the same code again, and the tab that an e-mail's link opens knows the address. Each goes
 * when its time is over.
 */
export class Challenges {
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #key;
  #store;
  #tab;

  /**
   * @param {string} key
   * @param {Store} store That of all tabs.
   * @param {Store} tab That of one, for a device that others use.
   */
  constructor(key, store, tab) {
    this.#key = key;
    this.#store = store;
    this.#tab = tab;
    this.all();
  }

  /** Those that live. @returns {Challenge[]} */
  all() {
    const live = [this.#store, this.#tab].flatMap((store) => this.#sweep(store));
    this.#watch(live);
    return live;
  }

  /** @param {string | undefined} id */
  withId(id) {
    return this.all().find((challenge) => challenge.id === id);
  }

  /** @param {Destination} to */
  to(to) {
    return this.all().find(({ destination }) => keyOf(destination) === keyOf(to));
  }

  /** Keeps a challenge in the place of others to the same destination. @param {Challenge} challenge */
  put(challenge) {
    this.drop(challenge.destination);
    const store = challenge.shared ? this.#tab : this.#store;
    this.#save(store, [...this.#read(store), challenge]);
    this.all();
  }

  /** @param {Destination} to */
  drop(to) {
    for (const store of [this.#store, this.#tab]) {
      const all = this.#read(store);
      const others = all.filter(({ destination }) => keyOf(destination) !== keyOf(to));
      if (others.length < all.length) this.#save(store, others);
    }
  }

  /** Ends the watch over their time. */
  close() {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** @param {Store} store @returns {Challenge[]} */
  #read(store) {
    try {
      const all = JSON.parse(store.getItem(this.#key) ?? "[]");
      return all.filter((/** @type {Challenge} */ { destination, expiresAt, expiresIn }) => destination && expiresAt && expiresIn * 1000 <= LONGEST);
    } catch {
      return []; // not ours
    }
  }

  /** @param {Store} store @param {Challenge[]} all */
  #save(store, all) {
    if (all.length) store.setItem(this.#key, JSON.stringify(all));
    else store.removeItem(this.#key);
  }

  /** Forgets those that are over. A clock that was set back gives none more time than the server did. @param {Store} store */
  #sweep(store) {
    const now = Date.now();
    const all = this.#read(store);
    const live = all
      .filter(({ expiresAt }) => now < expiresAt)
      .map((challenge) => ({ ...challenge, expiresAt: Math.min(challenge.expiresAt, now + challenge.expiresIn * 1000) }));
    const same = live.length === all.length && live.every(({ expiresAt }, i) => expiresAt === all[i]?.expiresAt);
    if (!same) this.#save(store, live);
    return live;
  }

  /** A timer follows no clock: what was not prolonged until it ends is over. @param {Challenge[]} live */
  #watch(live) {
    this.close();
    const [first] = [...live].sort((a, b) => a.expiresAt - b.expiresAt);
    if (!first) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.withId(first.id)?.expiresAt === first.expiresAt) this.drop(first.destination);
      this.all();
    }, first.expiresAt - Date.now());
    /** @type {any} */ (this.#timer).unref?.(); // Node need not wait for it
  }
}
