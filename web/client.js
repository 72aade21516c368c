/**
 * The client of Login with OTP, for browsers and Node.
 *
 * @typedef {{ email: string } | { phone_number: string }} Destination
 *
 * @typedef {object} Challenge What was sent where. Plain data: a page may keep it across a reload.
 * @property {Destination} destination
 * @property {string} id
 * @property {"email" | "sms"} channel
 * @property {number} codeLength
 * @property {number} [maxAttempts]
 * @property {number} expiresAt In milliseconds, by the clock of this machine, like `Date.now()`.
 * @property {number} resendAt When another code may be requested.
 *
 * @typedef {object} Session
 * @property {string} userId
 * @property {boolean} newUser Whether this login created the user.
 * @property {string} id Differs for each login.
 *
 * @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Store
 *
 * @typedef {object} Options
 * @property {string} api The address of the API.
 * @property {"memory" | "session" | "local" | "cookie" | Store} [storage] Where tokens live. The
 *   default is `session` in a browser and `memory` elsewhere.
 * @property {string} [locale] The language of messages, such as `pt-BR`.
 * @property {string[]} [origins] Other origins that `fetch` may send the token to.
 * @property {typeof globalThis.fetch} [fetch]
 *
 * @typedef {Session & { token: string, renewAt: number, refresh?: string }} State
 */

/** An answer that is an error (RFC 9457), or no answer: then `type` is `network`. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {{ type?: string, title?: string, detail?: string, retry_after?: number, limit?: string }} [body]
   * @param {unknown} [cause]
   */
  constructor(status, body = {}, cause) {
    super(body.detail ?? body.title ?? `No valid answer (${status})`, { cause });
    this.name = "Problem";
    this.status = status;
    /** Such as `/problems/invalid-otp`. Switch on this. */
    this.type = body.type ?? (status ? "about:blank" : "network");
    this.detail = this.message;
    /** Seconds to wait. */
    this.retryAfter = body.retry_after;
    /** Which limit refused. */
    this.limit = body.limit;
  }

  /** Whether the request may have taken effect although there was no proper answer. */
  get lost() {
    return !this.status || (this.status > 499 && this.type !== "/problems/delivery-failed");
  }
}

const STORES = { session: "sessionStorage", local: "localStorage", cookie: "localStorage" };

/** @returns {Store} */
const memory = () => {
  const map = new Map();
  return {
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value),
    removeItem: (key) => void map.delete(key),
  };
};

/** @param {string} name @returns {Store} */
const browserStore = (name) => {
  try {
    return /** @type {any} */ (globalThis)[name] ?? memory();
  } catch {
    return memory(); // the browser forbids storage
  }
};

const random = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => (n + 256).toString(16).slice(1)).join("");

/** @param {number} ms */
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export class Client {
  /** @type {(input: any, init?: RequestInit) => Promise<Response>} */ #send;
  /** @type {Store} */ #store;
  /** @type {State | null} */ #live = null;
  /** @type {string | undefined} */ #seen;
  /** @type {BroadcastChannel | undefined} */ #channel;
  /** @type {Map<string, string>} */ #keys = new Map();
  /** @type {Map<string, Set<(detail: any) => void>>} */ #listeners = new Map();
  /** @type {Promise<unknown>} */ #last = Promise.resolve();
  #key;
  #origins;
  #cookie;
  #shared;

  /** @param {Options} options */
  constructor({ api, storage, locale, origins = [], fetch }) {
    const page = /** @type {Location | undefined} */ (globalThis.location);
    const where = storage ?? (page ? "session" : "memory");
    this.api = new URL(api, page?.href).href.replace(/\/$/, "");
    this.locale = locale;
    this.#send = fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#key = `login-with-otp:${this.api}`;
    this.#origins = new Set([this.api, page?.href, ...origins].map((url) => url && new URL(url).origin));
    this.#cookie = where === "cookie";
    this.#shared = where === "local" || where === "cookie";
    this.#store =
      typeof where === "object" ? where : where === "memory" ? memory() : browserStore(STORES[where]);
    this.#seen = this.#read()?.id;
    if (page && typeof where === "string" && where !== "memory") {
      this.#channel = new BroadcastChannel(this.#key);
      this.#channel.onmessage = ({ data }) => {
        const mine = this.#read();
        if (this.#shared) {
          this.#live = data.state;
          this.#notice(this.#read());
        } else if (mine && mine.id === data.id) this.#save(data.state, true);
      };
      // A page that comes back from the back-forward cache has missed messages.
      addEventListener("pageshow", () => this.#notice(this.#read()));
    }
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
    const sent = await this.#once("/api/login-with-otp/", destination);
    return {
      destination,
      id: sent.challenge_id,
      channel: sent.channel,
      codeLength: sent.code_length,
      maxAttempts: sent.max_attempts,
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
    const answer = await this.#once("/api/validate-otp/", body);
    const user = { userId: answer.user_id, newUser: answer.new_user, id: random() };
    await this.#alone(() => this.#save({ ...user, ...tokens(answer) }));
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
    return this.#alone(async () => {
      const state = this.#read();
      if (!state || (state.token && state.token !== stale)) return state && state.token;
      try {
        const answer = await this.#post("/api/token/refresh/", this.#proof(state));
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
    await this.#alone(async () => {
      const state = this.#read();
      this.#save(null);
      if (state) await this.#post("/api/logout/", { ...this.#proof(state), all });
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
      return this.#send(copy);
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
    /** @type {State | null} */
    let state = null;
    try {
      state = JSON.parse(this.#store.getItem(this.#key) ?? "null");
    } catch {
      // Not ours.
    }
    // With the cookie, a store says only that there is a session.
    return state && this.#cookie && this.#live?.id === state.id ? this.#live : state;
  }

  /** @param {State | null} state @param {boolean} [told] Another tab said so. */
  #save(state, told) {
    const id = state?.id ?? this.#seen;
    if (state) {
      const kept = this.#cookie ? { ...state, token: "" } : state;
      this.#store.setItem(this.#key, JSON.stringify(kept));
    } else this.#store.removeItem(this.#key);
    this.#notice(state);
    if (!told) this.#channel?.postMessage({ id, state });
  }

  /** @param {State | null} state */
  #notice(state) {
    this.#live = state;
    if (this.#seen === state?.id) return;
    this.#seen = state?.id;
    const listeners = this.#listeners.get(state ? "login" : "logout") ?? [];
    for (const listener of listeners) listener(this.session);
  }

  /**
   * Runs one at a time, in all tabs that share a store.
   *
   * @template T
   * @param {() => T | Promise<T>} action
   * @returns {Promise<T>}
   */
  #alone(action) {
    const locks = this.#channel && globalThis.navigator?.locks;
    if (locks) return /** @type {Promise<any>} */ (locks.request(this.#key, action));
    const next = this.#last.then(action, action);
    this.#last = next.catch(() => {});
    return next;
  }

  /**
   * Until an answer came, the same body goes under the same key: the server does it once.
   *
   * @param {string} path
   * @param {object} body
   */
  async #once(path, body) {
    const intent = path + JSON.stringify(body);
    const key = this.#keys.get(intent) ?? random();
    this.#keys.set(intent, key);
    try {
      const answer = await this.#post(path, body, { "idempotency-key": key });
      this.#keys.delete(intent);
      return answer;
    } catch (problem) {
      if (!(/** @type {Problem} */ (problem).lost)) this.#keys.delete(intent);
      throw problem;
    }
  }

  /**
   * Three tries, if answers get lost. Each request of this client may be repeated.
   *
   * @param {string} path
   * @param {object} body
   * @param {Record<string, string>} [headers]
   * @returns {Promise<any>}
   */
  async #post(path, body, headers) {
    for (const wait of [1000, 3000, 0]) {
      try {
        return await this.#try(path, body, headers);
      } catch (error) {
        const problem = /** @type {Problem} */ (error);
        if (!wait || !problem.lost || globalThis.navigator?.onLine === false) throw problem;
        await sleep(Math.min((problem.retryAfter ?? 0) * 1000 || wait, 5000));
      }
    }
  }

  /**
   * @param {string} path
   * @param {object} body
   * @param {Record<string, string>} [headers]
   */
  async #try(path, body, headers) {
    let status = 0;
    let answer;
    try {
      const response = await this.#send(this.api + path, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(this.locale && { "accept-language": this.locale }),
          ...headers,
        },
        body: JSON.stringify(body),
        credentials: this.#cookie ? "include" : "omit",
        keepalive: path === "/api/logout/", // outlives the page
        signal: AbortSignal.timeout(30_000),
      });
      const text = await response.text();
      if (response.status === 204) return null;
      status = response.status;
      answer = JSON.parse(text);
      if (response.ok) return answer;
    } catch (cause) {
      // A gateway's timeout is no JSON; a 200 that is none comes from a network's login page.
      throw new Problem(status < 400 ? 0 : status, {}, cause);
    }
    throw new Problem(status, answer);
  }
}

/** @param {{ token: string, expires_in: number, refresh_token?: string }} answer */
const tokens = ({ token, expires_in, refresh_token }) => ({
  token,
  // Ahead of time by 30 seconds, or by a tenth of a short life.
  renewAt: Date.now() + expires_in * 1000 - Math.min(30_000, expires_in * 100),
  ...(refresh_token && { refresh: refresh_token }),
});
