/** An answer that is an error (RFC 9457), or no answer: then `type` is `network`. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {{ type?: string, title?: string, detail?: string, retry_after?: number, limit?: string, max_age?: number }} [body]
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
    /** How old a login may be, in seconds, where this one is too old. */
    this.maxAge = body.max_age;
    /** Which limit refused. */
    this.limit = body.limit;
  }

  /** Whether the request may have taken effect although there was no proper answer. */
  get lost() {
    return !this.status || (this.status > 499 && this.type !== "/problems/delivery-failed");
  }
}
