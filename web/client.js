/**
 * The client of Login with OTP, for browsers and Node.
 *
 * @typedef {import("./types.js").Destination} Destination
 * @typedef {import("./types.js").Challenge} Challenge
 * @typedef {import("./types.js").Session} Session
 * @typedef {import("./types.js").Options} Options
 * @typedef {import("./types.js").State} State
 * @typedef {import("./types.js").Kept} Kept
 */

import { Api, Problem, random } from "./api.js";
import { storeOf } from "./storage.js";
import { Turns } from "./turns.js";

export { Problem };

/** @type {Kept} */
const NOTHING = { n: 0, state: null };

export class Client {
  /** @type {Kept} */ #kept = NOTHING;
  /** @type {string | undefined} */ #seen;
  /** @type {BroadcastChannel | undefined} */ #channel;
  /** @type {Map<string, Set<(detail: any) => void>>} */ #listeners = new Map();
  #api;
  #key;
  #origins;
  #cookie;
  #shared;
  #store;
  #turns;

  /** @param {Options} options */
  constructor({ api, storage, locale, origins = [], fetch }) {
    const page = /** @type {Location | undefined} */ (globalThis.location);
    const where = storage ?? (page ? "session" : "memory");
    /** The address of the API. */
    this.api = new URL(api, page?.href).href.replace(/\/$/, "");
    this.#key = `login-with-otp:${this.api}`;
    this.#origins = new Set([this.api, page?.href, ...origins].map((url) => url && new URL(url).origin));
    this.#cookie = where === "cookie";
    this.#api = new Api(this.api, fetch ?? ((input, init) => globalThis.fetch(input, init)), this.#cookie);
    this.locale = locale;
    this.#shared = where === "local" || where === "cookie";
    this.#store = storeOf(where);
    this.#seen = this.#read()?.id;
    const tabs = page && typeof where === "string" && where !== "memory";
    this.#turns = new Turns(
      () => this.#key + (this.#shared ? "" : this.#read()?.id),
      () => (this.#read(), this.#kept.n),
      tabs ? globalThis.navigator?.locks : undefined,
    );
    if (tabs) {
      this.#channel = new BroadcastChannel(this.#key);
      this.#channel.onmessage = ({ data }) => {
        const { id, kept } = /** @type {{ id: string, kept: Kept }} */ (data);
        const mine = this.#read();
        if (kept.n < this.#kept.n) return;
        if (this.#shared) this.#kept = kept;
        else if (mine?.id === id) this.#save(kept.state, kept);
        this.#notice();
      };
      // A page that comes back from the back-forward cache has missed messages.
      addEventListener("pageshow", () => this.#notice());
    }
  }

  /** The language of messages. */
  get locale() {
    return this.#api.locale;
  }

  set locale(locale) {
    this.#api.locale = locale;
  }

  /** Who is logged in, or `null`. @returns {Session | null} */
  get session() {
    const state = this.#read();
    return state && { userId: state.userId, newUser: state.newUser, id: state.id };
  }

  /**
   * Calls `listener` when somebody logs in or out, in this tab or another.
   *
   * @template {"login" | "logout"} E
   * @param {E} event
   * @param {(detail: E extends "login" ? Session : null) => void} listener
   * @returns {() => void} Stops it.
   */
  on(event, listener) {
    const all = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, all.add(listener));
    return () => void all.delete(listener);
  }

  /** Sends a code. @param {Destination} destination @returns {Promise<Challenge>} */
  async requestCode(destination) {
    const asked = Date.now();
    const sent = await this.#api.once("/api/login-with-otp/", destination);
    return {
      destination,
      id: sent.challenge_id,
      channel: sent.channel,
      codeLength: sent.code_length,
      maxAttempts: sent.max_attempts,
      delivery: sent.delivery,
      expiresAt: asked + sent.expires_in * 1000,
      resendAt: Date.now() + sent.resend_in * 1000,
    };
  }

  /** Sends another code, as soon as the server permits. @param {Challenge} challenge */
  async resend(challenge) {
    const wait = Math.ceil((challenge.resendAt - Date.now()) / 1000);
    if (wait > 0) {
      const detail = `Wait ${wait} seconds.`;
      throw new Problem(429, { type: "/problems/too-many-requests", detail, retry_after: wait });
    }
    return this.requestCode(challenge.destination);
  }

  /**
   * Exchanges a code for a session.
   *
   * @param {Pick<Challenge, "destination"> & { id?: string }} challenge
   * @param {string} otp
   * @returns {Promise<Session>}
   */
  async validate({ destination, id }, otp) {
    const cookie = this.#cookie ? { cookie: true } : {};
    const body = { ...destination, otp, ...(id && { challenge_id: id }), ...cookie };
    const answer = await this.#api.once("/api/validate-otp/", body);
    const user = { userId: answer.user_id, newUser: answer.new_user, id: random() };
    await this.#turns.take(() => this.#save({ ...user, ...tokens(answer) }));
    return user;
  }

  /** An access token, renewed if it is about to expire; `null` if nobody is logged in. */
  async token() {
    const state = this.#read();
    if (!state) return null;
    return state.token && Date.now() < state.renewAt ? state.token : this.refresh();
  }

  /**
   * Renews the tokens now, one request at a time in all tabs. Who waits for a renewal gets its
   * result. `null`: nobody is logged in any more.
   *
   * @param {string | undefined} [stale] The token to replace; by default, the present one.
   * @returns {Promise<string | null>}
   */
  async refresh(stale = this.#read()?.token) {
    return this.#turns.take(async () => {
      const state = this.#read();
      if (!state || (state.token && state.token !== stale)) return state && state.token;
      try {
        const answer = await this.#api.post("/api/token/refresh/", this.#proof(state));
        this.#save({ ...state, ...tokens(answer) });
        return answer.token;
      } catch (problem) {
        if (/** @type {Problem} */ (problem).type !== "/problems/invalid-refresh-token") throw problem;
        // Without Web Locks, another tab may have been faster.
        const now = this.#read();
        if (now && (now.id !== state.id || now.refresh !== state.refresh)) return now.token;
        this.#save(null);
        return null;
      }
    });
  }

  /** Ends the session here at once, then on the server. @param {{ all?: boolean }} [options] */
  async logout({ all = false } = {}) {
    await this.#turns.take(async () => {
      const state = this.#read();
      this.#save(null);
      if (state) await this.#api.post("/api/logout/", { ...this.#proof(state), all });
    });
  }

  /**
   * Like `fetch`, with the access token. A relative address is one of the API. The token goes to
   * the API, to the page's own origin and to `origins`, and nowhere else.
   *
   * @param {string | URL | Request} input
   * @param {RequestInit} [init]
   */
  async fetch(input, init) {
    const request = input instanceof Request ? input : new URL(input, this.api);
    const url = new URL(input instanceof Request ? input.url : String(input), this.api);
    if (!this.#origins.has(url.origin)) throw new TypeError(`${url.origin} is not in origins`);
    const original = new Request(request, init);
    /** @param {string | null} token */
    const send = (token) => {
      const copy = original.clone();
      if (token) copy.headers.set("authorization", `Bearer ${token}`);
      return this.#api.send(copy);
    };
    const token = await this.token();
    const answer = await send(token);
    if (answer.status !== 401 || !token) return answer;
    const renewed = await this.refresh(token);
    return renewed ? send(renewed) : answer;
  }

  /** Stops listening to other tabs. */
  close() {
    this.#channel?.close();
    this.#listeners.clear();
  }

  /** @param {State} state */
  #proof(state) {
    return this.#cookie ? {} : { refresh_token: state.refresh };
  }

  /** @returns {State | null} */
  #read() {
    /** @type {Kept | undefined} */
    let kept;
    try {
      kept = JSON.parse(this.#store.getItem(this.#key) ?? "null") ?? undefined;
    } catch {
      // Not ours.
    }
    // What another tab stored shows late, and in no order with its messages: the newest counts.
    if (!this.#shared) this.#kept = kept ?? NOTHING;
    else if (kept && kept.n > this.#kept.n) this.#kept = kept;
    return this.#kept.state;
  }

  /** @param {State | null} state @param {Kept} [told] What another tab said. */
  #save(state, told) {
    const kept = told ?? { n: Math.max(Date.now(), this.#kept.n + 1), state };
    const id = state?.id ?? this.#seen;
    this.#kept = kept;
    // With the cookie, a store says only that there is a session.
    const open = this.#cookie && state ? { ...kept, state: { ...state, token: "" } } : kept;
    if (state || this.#shared) this.#store.setItem(this.#key, JSON.stringify(open));
    else this.#store.removeItem(this.#key);
    if (!told) this.#channel?.postMessage({ id, kept });
    this.#notice();
  }

  /** Tells the page who logged in or out, in whatever tab. */
  #notice() {
    const state = this.#read();
    if (this.#seen === state?.id) return;
    this.#seen = state?.id;
    const listeners = this.#listeners.get(state ? "login" : "logout") ?? [];
    for (const listener of listeners) listener(this.session);
  }
}

/** @param {{ token: string, expires_in: number, refresh_token?: string }} answer */
const tokens = ({ token, expires_in, refresh_token }) => ({
  token,
  // Ahead of time by 30 seconds, or by a tenth of a short life.
  renewAt: Date.now() + expires_in * 1000 - Math.min(30_000, expires_in * 100),
  ...(refresh_token && { refresh: refresh_token }),
});
