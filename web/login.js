import { memory } from "./storage.js";

/** @typedef {import("./storage.js").Store} Store */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Kept} Kept */

/** @type {Kept} */
const NOBODY = { n: 0, state: null, over: [] };

/** How many sessions that are over a record remembers. */
const REMEMBERED = 20;

/**
 * What two tabs know, together. A session that is over for one of them is over; of two that are not,
 * the later login counts, and the other is over; of two records of one session, the later one. So the
 * order in which tabs hear of each other makes no difference.
 *
 * @param {Kept} mine
 * @param {Kept} theirs
 * @returns {Kept}
 */
export const together = (mine, theirs) => {
  const over = [...new Set([...mine.over, ...theirs.over])];
  const live = [mine.state, theirs.state].filter((state) => state !== null && !over.includes(state.id));
  const [state = null, other] = /** @type {State[]} */ (live).sort(byAge);
  if (other && other.id !== state?.id) over.push(other.id);
  return { n: Math.max(mine.n, theirs.n), state, over: over.slice(-REMEMBERED) };
};

/** The one that counts first. @param {State} a @param {State} b */
const byAge = (a, b) => {
  if (a.id !== b.id) return b.since - a.since || (a.id < b.id ? 1 : -1);
  // With the cookie, only the message of a write has its token.
  return b.n - a.n || b.token.length - a.token.length;
};

/** @param {string | null} text @returns {Kept | undefined} */
const parse = (text) => {
  try {
    const kept = JSON.parse(text ?? "null");
    return typeof kept?.n === "number" ? { over: [], ...kept } : undefined;
  } catch {
    return undefined; // not ours
  }
};

/**
 * The login that one tab has, or all tabs of a browser. A tab learns of the others by storage and by
 * messages, which arrive late and in no order.
 */
export class Login {
  /** @type {Kept} */ #kept = NOBODY;
  /** @type {string | undefined} */ #seen;
  /** @type {BroadcastChannel | undefined} */ #channel;
  #key;
  #store;
  #tab;
  #shared;
  #hidden;
  #changed;

  /**
   * @param {object} place
   * @param {string} place.key
   * @param {Store} place.store Where the login lives.
   * @param {Store} [place.tab] Where one lives that must go with its tab.
   * @param {boolean} place.shared Whether all tabs have one login.
   * @param {boolean} place.hidden Whether tokens stay out of the store.
   * @param {boolean} place.tabs Whether there may be other tabs.
   * @param {() => void} place.changed Somebody else is logged in now, or nobody.
   */
  constructor({ key, store, tab = memory(), shared, hidden, tabs, changed }) {
    this.#key = key;
    this.#store = store;
    this.#tab = tab;
    this.#shared = shared;
    this.#hidden = hidden;
    this.#changed = changed;
    this.#seen = this.state?.id;
    if (!tabs) return;
    this.#channel = new BroadcastChannel(key);
    this.#channel.onmessage = ({ data }) => this.#hear(data.id, data.kept);
  }

  /** Who is logged in. @returns {State | null} */
  get state() {
    return this.#read().state;
  }

  /** Grows with each login and each renewal, in whatever tab. */
  get version() {
    return this.#read().n;
  }

  /** Somebody logged in, or has new tokens. A login that was there before is over. @param {Omit<State, "n" | "since">} state */
  put(state) {
    const { n: last, state: before, over } = this.#read();
    const n = Math.max(Date.now(), last + 1);
    const renewed = before?.id === state.id;
    const replaced = before && !renewed ? [before.id] : [];
    const kept = { n, state: { ...state, n, since: renewed ? before.since : n }, over: [...over, ...replaced].slice(-REMEMBERED) };
    this.#write(kept);
    this.#tell(state.id, kept);
  }

  /** The session with this id is over, and no other one. @param {string} id */
  end(id) {
    const { n, state, over } = this.#read();
    if (state?.id !== id) return;
    const kept = { n, state: null, over: [...over, id].slice(-REMEMBERED) };
    this.#write(kept);
    this.#tell(id, kept);
  }

  /** Stops listening to other tabs. */
  close() {
    this.#channel?.close();
  }

  #read() {
    const stored = parse(this.#store.getItem(this.#key));
    if (!this.#shared) return (this.#kept = stored ?? NOBODY);
    for (const kept of [stored, parse(this.#tab.getItem(`${this.#key}:tab`))]) if (kept) this.#kept = together(this.#kept, kept);
    return this.#kept;
  }

  /** @param {Kept} kept */
  #write(kept) {
    this.#kept = kept;
    const text = this.#text(kept);
    if (!this.#shared && !kept.state) this.#store.removeItem(this.#key);
    else if (this.#leavesWithTab(kept)) this.#store.setItem(this.#key, JSON.stringify({ ...kept, state: null }));
    else this.#store.setItem(this.#key, text);
    this.#writeTab(kept);
    this.#notice();
  }

  /** @param {Kept} kept */
  #writeTab(kept) {
    if (this.#leavesWithTab(kept)) this.#tab.setItem(`${this.#key}:tab`, this.#text(kept));
    else this.#tab.removeItem(`${this.#key}:tab`);
  }

  /** On a device that others use, a login that all tabs share ends with them. @param {Kept} kept */
  #leavesWithTab({ state }) {
    return this.#shared && Boolean(state?.forget);
  }

  /** What a store may have of a record. @param {Kept} kept */
  #text(kept) {
    const { state } = kept;
    return JSON.stringify(this.#hidden && state ? { ...kept, state: { ...state, token: "" } } : kept);
  }

  /** @param {string | undefined} id Whose tabs are concerned, if each has a login of its own. @param {Kept} kept */
  #tell(id, kept) {
    this.#channel?.postMessage({ id, kept });
  }

  /** @param {string | undefined} id @param {Kept} theirs */
  #hear(id, theirs) {
    const mine = this.#read();
    if (!this.#shared && mine.state?.id !== id) return;
    const both = together(mine, theirs);
    if (!this.#shared) return this.#write(both);
    if (theirs.state && both.state?.id !== theirs.state.id) {
      // They wrote without knowing what is known here.
      this.#write(both);
      return this.#tell(both.state?.id, both);
    }
    this.#kept = both;
    this.#writeTab(both);
    this.look();
  }

  /** Sees what other tabs stored, and mends what one of them wrote without knowing better. */
  look() {
    const kept = this.#read();
    const { state } = kept;
    const stored = parse(this.#store.getItem(this.#key));
    // Also a login that is over: a renewal may be stored after the logout.
    const worse = stored && (stored.state?.id !== state?.id || (stored.state && state && stored.state.n < state.n));
    if (this.#shared && worse && !this.#leavesWithTab(kept)) this.#write(kept);
    else this.#notice();
  }

  #notice() {
    const id = this.state?.id;
    if (this.#seen === id) return;
    this.#seen = id;
    this.#changed();
  }
}
