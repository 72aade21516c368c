import { explain } from "./explain.js";
import { Problem } from "./problem.js";

/** Waits between three tries, in milliseconds. */
const WAITS = [1000, 3000];
const LONGEST_WAIT = 5000;
const TIMEOUT = 30_000;

/** What a request has that no store needs to know. */
const SECRETS = ["otp", "device_token"];

/** 128 random bits, in hexadecimal digits. */
export const random = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {number} ms */
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** The requests to the API. Each of them may be repeated when its answer got lost. */
export class Api {
  /** @type {Map<string, string>} */ #keys = new Map();
  /** The keys of requests that a reload left without an answer. @type {Record<string, string>} */ #left;
  #store;

  /**
   * @param {string} address
   * @param {(input: any, init?: RequestInit) => Promise<Response>} send
   * @param {boolean} cookie
   * @param {import("./storage.js").Store} store That of a tab, for what a reload comes back to.
   */
  constructor(address, send, cookie, store) {
    this.address = address;
    this.send = send;
    this.cookie = cookie;
    this.#store = store;
    this.#left = this.#stored();
    /** @type {string | undefined} */
    this.locale = undefined;
  }

  get #place() {
    return `login-with-otp:keys:${this.address}`;
  }

  /** @returns {Record<string, string>} */
  #stored() {
    try {
      return { ...JSON.parse(this.#store.getItem(this.#place) ?? "{}") };
    } catch {
      return {}; // not ours
    }
  }

  /** @param {string} name @param {string} [key] None: it was answered. */
  #keep(name, key) {
    const { [name]: _, ...others } = this.#stored();
    const all = { ...others, ...(key && { [name]: key }) };
    if (Object.keys(all).length) this.#store.setItem(this.#place, JSON.stringify(all));
    else this.#store.removeItem(this.#place);
  }

  /**
   * Until an answer was kept, the same body goes under the same key, also after a reload: the server
   * does it once.
   *
   * @template T
   * @param {string} path
   * @param {object} body
   * @param {(answer: any) => T} keep
   * @returns {Promise<T>}
   */
  async once(path, body, keep) {
    const intent = path + JSON.stringify(body);
    // The same key with another code is another guess.
    const name = path + JSON.stringify(body, (field, value) => (SECRETS.includes(field) ? undefined : value));
    const key = this.#keys.get(intent) ?? this.#left[name] ?? random();
    const answered = () => {
      this.#keys.delete(intent);
      delete this.#left[name];
      this.#keep(name);
    };
    this.#keys.set(intent, key);
    this.#keep(name, key);
    try {
      const kept = keep(await this.post(path, body, { headers: { "idempotency-key": key } }));
      answered();
      return kept;
    } catch (error) {
      if (error instanceof Problem && !error.lost) answered();
      throw error;
    }
  }

  /**
   * Three tries, if answers get lost.
   *
   * @param {string} path
   * @param {object} body
   * @param {{ headers?: Record<string, string>, goOn?: () => boolean }} [how] `goOn`: whether another try makes sense.
   * @returns {Promise<any>}
   */
  async post(path, body, { headers = {}, goOn = () => true } = {}) {
    for (let tries = 0; ; tries++) {
      try {
        return await this.#post(path, body, headers);
      } catch (error) {
        const problem = /** @type {Problem} */ (error);
        const wait = WAITS[tries];
        if (!problem.lost) throw problem;
        if (!wait || globalThis.navigator?.onLine === false) {
          if (!problem.status) void explain(this.address, this.send);
          throw problem;
        }
        const asked = (problem.retryAfter ?? 0) * 1000;
        await sleep(Math.min(asked || wait, LONGEST_WAIT));
        if (!goOn()) throw problem;
      }
    }
  }

  /**
   * @param {string} path
   * @param {object} body
   * @param {Record<string, string>} headers
   */
  async #post(path, body, headers) {
    let status = 0;
    let answer;
    try {
      const response = await this.send(this.address + path, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(this.locale && { "accept-language": this.locale }),
          ...headers,
        },
        body: JSON.stringify(body),
        credentials: this.cookie ? "include" : "omit",
        keepalive: path === "/api/logout/", // outlives the page
        signal: AbortSignal.timeout(TIMEOUT),
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
