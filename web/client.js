/**
 * The client of Login with OTP, for browsers and Node.
 *
 * @typedef {import("./types.js").Destination} Destination
 * @typedef {import("./types.js").Challenge} Challenge
 * @typedef {import("./types.js").Session} Session
 * @typedef {import("./types.js").Options} Options
 * @typedef {import("./types.js").State} State
 */

import { Api, random } from "./api.js";
import { Challenges, challengeOf, destinationOf, waitOf } from "./challenges.js";
import { Devices } from "./devices.js";
import { Login } from "./login.js";
import { Problem } from "./problem.js";
import { browserStore, memory, steady } from "./storage.js";
import { isFresh, sessionOf, tokensOf } from "./token.js";
import { Turns } from "./turns.js";

export { Problem };

/** Refusals after which a session cannot go on in this browser. */
const OVER = ["/problems/invalid-refresh-token", "/problems/session-mismatch"];

/** The origin of an address, also of one whose scheme browsers do not know, such as `tauri:`. @param {string} address */
const originOf = (address) => {
  const { origin, protocol, host } = new URL(address);
  return origin === "null" ? `${protocol}//${host}` : origin;
};

/** Whether an answer says that a login is too old (RFC 9470). @param {Response} answer */
const isStale = async (answer) => {
  if (answer.status !== 401) return false;
  const problem = await answer.clone().json().catch(() => null);
  return problem?.type === "/problems/stale-login";
};

export class Client {
  /** @type {Map<string, Set<(detail: any) => void>>} */ #listeners = new Map();
  /** @type {{ id: string, refresh: string | undefined } | undefined} */ #renewed;
  /** @type {((own: Destination[]) => Promise<void>) | undefined} */ #prove;
  /** Of sessions whose login was too old: the session after it. @type {Map<string, Promise<string | undefined>>} */ #proofs = new Map();
  #api;
  #challenges;
  #cookie;
  #devices;
  #key;
  #login;
  #origins;
  #shared;
  #turns;

  /** @param {Options} options */
  constructor({ api, storage, locale, origins = [], rememberDevice = true, fetch }) {
    const page = /** @type {Location | undefined} */ (globalThis.location);
    const place = storage ?? (page ? "session" : "memory");
    const inBrowser = page && typeof place === "string" && place !== "memory";
    /** The address of the API. */
    this.api = new URL(api, page?.href).href.replace(/\/$/, "");
    /** Whether the service may know this device again. A person may say no. */
    this.rememberDevice = rememberDevice;
    this.#key = `login-with-otp:${this.api}`;
    this.#origins = new Set([this.api, ...(page ? [page.href] : []), ...origins].map(originOf));
    this.#cookie = place === "cookie";
    this.#shared = place === "local" || place === "cookie";
    const tab = inBrowser ? browserStore("sessionStorage") : memory();
    const lasting = inBrowser ? browserStore("localStorage") : memory();
    this.#api = new Api(this.api, fetch ?? ((input, init) => globalThis.fetch(input, init)), this.#cookie, tab);
    this.#api.locale = locale;
    this.#challenges = new Challenges(`login-with-otp:challenges:${this.api}`, lasting, tab);
    this.#devices = new Devices(`login-with-otp:devices:${this.api}`, lasting);
    this.#login = new Login({
      key: this.#key,
      store: typeof place === "object" ? steady(place) : this.#shared ? lasting : tab,
      tab: this.#shared ? tab : memory(),
      shared: this.#shared,
      hidden: this.#cookie,
      tabs: Boolean(inBrowser),
      changed: () => this.#tell(),
    });
    // A tab that has just opened learns by storage what it was not told. A page that comes back from
    // the back-forward cache has missed messages.
    if (inBrowser) for (const event of ["storage", "pageshow"]) addEventListener(event, this.#look);
    this.#turns = new Turns(() => this.#login.version, inBrowser ? globalThis.navigator?.locks : undefined);
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
    const state = this.#login.state;
    return state && { userId: state.userId, newUser: state.newUser, id: state.id };
  }

  /** The codes that are awaited in this browser. @returns {Challenge[]} */
  get challenges() {
    return this.#challenges.all();
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

  /**
   * Sends a code. If one to the same destination is awaited in this browser, the service sends the
   * same one again, or says with another `id` that it is a new one.
   *
   * @param {Destination} destination
   * @param {{ via?: string | undefined }} [options] `via` is one of the `ways` of an earlier challenge.
   * @returns {Promise<Challenge>}
   */
  async requestCode(destination, { via } = {}) {
    const before = this.#challenges.to(destination);
    const device = this.rememberDevice && !this.#cookie ? this.#devices.tokenFor(destination) : undefined;
    const body = {
      ...destination,
      ...(via && { via }),
      ...(before && { challenge_id: before.id }),
      ...(device && { device_token: device }),
    };
    const asked = Date.now();
    return this.#api.once("/api/login-with-otp/", body, (sent) => {
      const challenge = {
        ...challengeOf(destination, sent, asked),
        ...(via && { via }),
        tries: before?.id === sent.challenge_id ? (this.#challenges.withId(before?.id)?.tries ?? 0) : 0,
        ...(!this.rememberDevice && { shared: true }),
      };
      this.#challenges.put(challenge);
      return challenge;
    });
  }

  /**
   * The challenge of a code that went there so recently that the service would refuse to send another.
   * Where it is kept from now on, `rememberDevice` says.
   *
   * @param {Destination} destination
   * @returns {Challenge | undefined}
   */
  pending(destination) {
    const challenge = this.#challenges.to(destination);
    if (!challenge || !waitOf(challenge)) return undefined;
    const { shared, ...rest } = challenge;
    const kept = { ...rest, ...(!this.rememberDevice && { shared: true }) };
    this.#challenges.put(kept);
    return kept;
  }

  /**
   * Sends the code again, as soon as the server permits.
   *
   * @param {Challenge} challenge
   * @param {{ via?: string | undefined }} [options] Without `via`, it takes the same way.
   */
  async resend(challenge, { via = challenge.via } = {}) {
    const wait = waitOf(challenge);
    if (wait) {
      const detail = `Wait ${wait} seconds.`;
      throw new Problem(429, { type: "/problems/too-many-requests", detail, retry_after: wait });
    }
    return this.requestCode(challenge.destination, { via });
  }

  /** Awaits the code no longer. @param {Challenge} challenge */
  abandon(challenge) {
    this.#challenges.drop(challenge.destination);
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
    // The turn includes the request: a cookie that a refresh brings late must not replace this one.
    return this.#turn(async () => {
      try {
        return await this.#api.once("/api/validate-otp/", body, (answer) => this.#begin(destination, answer));
      } catch (error) {
        if (error instanceof Problem && error.type === "/problems/invalid-otp") this.#countTry(id);
        throw error;
      }
    });
  }

  /** @param {Destination} destination @param {any} answer @returns {Session} */
  #begin(destination, answer) {
    const sid = sessionOf(answer.token);
    const session = { userId: answer.user_id, newUser: answer.new_user, id: sid ?? random() };
    if (answer.device_token && this.rememberDevice) this.#devices.put(destination, answer.user_id, answer.device_token);
    this.#challenges.drop(destination);
    this.#login.put({ ...session, ...tokensOf(answer), ...(sid && { sid }), ...(!this.rememberDevice && { forget: true }) });
    return session;
  }

  /** @param {string | undefined} id */
  #countTry(id) {
    const challenge = this.#challenges.withId(id);
    if (challenge) this.#challenges.put({ ...challenge, tries: challenge.tries + 1 });
  }

  /** An access token, renewed if it is about to expire; `null` if nobody is logged in. */
  async token() {
    const state = this.#login.state;
    if (!state) return null;
    return isFresh(state) ? state.token : this.refresh();
  }

  /**
   * Renews the tokens now, one request at a time in all tabs. Who waits for a renewal gets its
   * result. `null`: nobody is logged in any more.
   *
   * @param {string | undefined} [stale] The token to replace; by default, the present one.
   * @returns {Promise<string | null>}
   */
  async refresh(stale = this.#login.state?.token) {
    const renewed = await this.#turn(() => this.#refresh(stale));
    // Before the turn was over, somebody may have logged out or in.
    const now = this.#login.state;
    return now && (now.id === renewed?.id ? renewed.token : now.token);
  }

  /**
   * @param {string | undefined} stale
   * @returns {Promise<{ id: string, token: string } | null>}
   */
  async #refresh(stale) {
    const state = this.#login.state;
    if (!state || (state.token && state.token !== stale)) return state;
    /** Whether nobody else logged in or out or renewed this session. */
    const unchanged = () => this.#login.state?.n === state.n && this.#login.state.id === state.id;
    try {
      const answer = await this.#api.post("/api/token/refresh/", this.#proof(state), { goOn: unchanged });
      return this.#renew(state, answer);
    } catch (error) {
      const problem = /** @type {Problem} */ (error);
      // Without Web Locks, another tab may have been faster.
      if (!unchanged() && (problem.lost || OVER.includes(problem.type))) return this.#login.state;
      if (!OVER.includes(problem.type)) throw problem;
      this.#login.end(state.id);
      return this.#login.state;
    }
  }

  /** @param {State} state @param {any} answer @returns {{ id: string, token: string } | null} */
  #renew(state, answer) {
    const sid = sessionOf(answer.token);
    const another = (state.sid && sid && state.sid !== sid) || (answer.user_id && answer.user_id !== state.userId);
    if (another) this.#login.end(state.id); // the cookie is another login's
    const now = this.#login.state;
    if (now?.id !== state.id) {
      this.#renewed = { id: state.id, refresh: answer.refresh_token }; // a logout waits for it
      return now;
    }
    // While this page was frozen, another renewed further.
    if (now.n !== state.n) return { id: now.id, token: now.token || answer.token };
    this.#login.put({ ...now, ...tokensOf(answer) });
    return { id: now.id, token: answer.token };
  }

  /**
   * Ends the session here at once, then on the server.
   *
   * @param {object} [options]
   * @param {boolean} [options.all] Ends every session of the user.
   * @param {boolean} [options.forget] Makes the service forget this device.
   */
  async logout({ all = false, forget } = {}) {
    const state = this.#login.state;
    if (!state) return;
    const forgets = forget ?? state.forget ?? false;
    if (forgets) this.#devices.forget(state.userId);
    this.#login.end(state.id);
    await this.#turn(async () => {
      // The cookie is that of who logged in since.
      if (this.#cookie && this.#login.state) return;
      const refresh = this.#renewed?.id === state.id ? this.#renewed.refresh : undefined;
      const body = { ...this.#proof(refresh ? { ...state, refresh } : state), all, ...(forgets && { forget: true }) };
      await this.#api.post("/api/logout/", body);
    }, state.id);
  }

  /**
   * Undoes the removal of a destination, by the token of the link that told of it. It ends the
   * user's sessions, also one of this page.
   *
   * @param {string} token
   */
  async undoRemoval(token) {
    await this.#api.post("/api/me/destinations/undo/", { token });
    await this.refresh().catch(() => null);
  }

  /**
   * What lets the person log in again when a call takes a fresh login: it sends a code to one of
   * `own`, and validates it. The elements set it.
   *
   * @param {((own: Destination[]) => Promise<void>) | undefined} prove Resolves once they did, or do not want to.
   */
  onStaleLogin(prove) {
    this.#prove = prove;
  }

  /**
   * Like `fetch`, with the access token. A relative address is one of the API. The token goes to
   * the API, to the page's own origin and to `origins`, and nowhere else. A request belongs to who
   * is logged in when it is made: it goes under no other user's token. If it takes a fresh login,
   * the person logs in again first.
   *
   * @param {string | URL | Request} input
   * @param {RequestInit} [init]
   */
  async fetch(input, init) {
    const url = new URL(input instanceof Request ? input.url : String(input), this.api);
    if (!this.#origins.has(originOf(url.href))) throw new TypeError(`${originOf(url.href)} is not in origins`);
    const original = new Request(input instanceof Request ? input : url, init);
    const user = this.#login.state?.id;
    /** @param {string | null} token */
    const send = (token) => {
      const copy = original.clone();
      if (token) copy.headers.set("authorization", `Bearer ${token}`);
      return this.#api.send(copy);
    };
    /** @param {string | null} token */
    const own = (token) => (this.#login.state?.id === user ? token : null);
    const token = own(await this.token());
    let answer = await send(token);
    if (answer.status !== 401 || !token || !user) return answer;
    if (!(await isStale(answer))) {
      const renewed = own(token) && own(await this.refresh(token));
      if (!renewed) return answer;
      answer = await send(renewed);
    }
    if (!(await isStale(answer))) return answer;
    const next = await this.#proven(user);
    const fresh = await this.token();
    return next && this.#login.state?.id === next ? send(fresh) : answer;
  }

  /** The session of the same user after a session whose login is too old. @param {string} id */
  #proven(id) {
    const proof = this.#proofs.get(id) ?? this.#proveAgain(id).catch(() => undefined);
    this.#proofs.set(id, proof);
    void proof.then((next) => next || this.#proofs.delete(id));
    return proof;
  }

  /** @param {string} id */
  async #proveAgain(id) {
    const before = this.#login.state;
    if (!this.#prove || before?.id !== id) return undefined;
    const answer = await this.#mine("GET", "/api/me/");
    const { destinations } = await answer.json();
    if (before.forget) this.rememberDevice = false;
    await this.#prove(destinations.map(destinationOf));
    const { id: next, userId } = this.#login.state ?? {};
    if (!next || next === id || userId !== before.userId) return undefined;
    // The new session replaces the old one here. If that call is lost, the list of sessions shows the old one.
    if (before.sid) await this.#mine("DELETE", `/api/me/sessions/${before.sid}/`).catch(() => {});
    return next;
  }

  /** A call that takes no fresh login, or just had one. @param {string} method @param {string} path */
  async #mine(method, path) {
    const headers = { authorization: `Bearer ${await this.token()}` };
    return this.#api.send(new Request(this.api + path, { method, headers }));
  }

  /** Stops listening to other tabs. */
  close() {
    globalThis.removeEventListener?.("storage", this.#look);
    globalThis.removeEventListener?.("pageshow", this.#look);
    this.#login.close();
    this.#challenges.close();
    this.#listeners.clear();
  }

  /**
   * @template T
   * @param {() => Promise<T>} action
   * @param {string} [id] The session that it is about.
   */
  #turn(action, id = this.#login.state?.id ?? "") {
    return this.#turns.take(this.#key + (this.#shared ? "" : id), action);
  }

  /** What shows the server which session is meant. @param {State} state */
  #proof({ refresh, sid }) {
    if (!this.#cookie) return { refresh_token: refresh };
    return sid ? { session_id: sid } : {};
  }

  /** Sees what other tabs stored. */
  #look = () => {
    this.#login.look();
    this.#challenges.all();
  };

  /** Tells the page who logged in or out, in whatever tab. */
  #tell() {
    const session = this.session;
    for (const listener of this.#listeners.get(session ? "login" : "logout") ?? []) {
      try {
        listener(session);
      } catch (error) {
        console.error(error); // a mistake of the page's does not undo a login
      }
    }
  }
}
