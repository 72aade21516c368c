import { explain } from "./explain.js";
import { Problem } from "./problem.js";

/** Waits between three tries, in milliseconds. */
const WAITS = [1000, 3000];
const LONGEST_WAIT = 5000;
const TIMEOUT = 30_000;

/** 128 random bits, in hexadecimal digits. */
export const random = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {number} ms */
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** The requests to the API. Each of them may be repeated when its answer got lost. */
export class Api {
  /** @type {Map<string, string>} */ #keys = new Map();

  /**
   * @param {string} address
   * @param {(input: any, init?: RequestInit) => Promise<Response>} send
   * @param {boolean} cookie
   */
  constructor(address, send, cookie) {
    this.address = address;
    this.send = send;
    this.cookie = cookie;
    /** @type {string | undefined} */
    this.locale = undefined;
  }

  /**
   * Until an answer was kept, the same body goes under the same key: the server does it once.
   *
   * @template T
   * @param {string} path
   * @param {object} body
   * @param {(answer: any) => T} keep
   * @returns {Promise<T>}
   */
  async once(path, body, keep) {
    const intent = path + JSON.stringify(body);
    const key = this.#keys.get(intent) ?? random();
    this.#keys.set(intent, key);
    try {
      const kept = keep(await this.post(path, body, { headers: { "idempotency-key": key } }));
      this.#keys.delete(intent);
      return kept;
    } catch (error) {
      if (error instanceof Problem && !error.lost) this.#keys.delete(intent);
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
