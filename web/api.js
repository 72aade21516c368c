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

export const random = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => (n + 256).toString(16).slice(1)).join("");

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
   * Until an answer came, the same body goes under the same key: the server does it once.
   *
   * @param {string} path
   * @param {object} body
   */
  async once(path, body) {
    const intent = path + JSON.stringify(body);
    const key = this.#keys.get(intent) ?? random();
    this.#keys.set(intent, key);
    try {
      const answer = await this.post(path, body, { "idempotency-key": key });
      this.#keys.delete(intent);
      return answer;
    } catch (problem) {
      if (!(/** @type {Problem} */ (problem).lost)) this.#keys.delete(intent);
      throw problem;
    }
  }

  /**
   * Three tries, if answers get lost.
   *
   * @param {string} path
   * @param {object} body
   * @param {Record<string, string>} [headers]
   * @returns {Promise<any>}
   */
  async post(path, body, headers) {
    for (const wait of [1000, 3000, 0]) {
      try {
        return await this.#try(path, body, headers);
      } catch (error) {
        const problem = /** @type {Problem} */ (error);
        if (!wait || !problem.lost || globalThis.navigator?.onLine === false) throw problem;
        await new Promise((done) => setTimeout(done, Math.min((problem.retryAfter ?? 0) * 1000 || wait, 5000)));
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
