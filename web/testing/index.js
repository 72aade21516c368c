/**
 * The local stack in tests: `const stack = await start()`, then `await codeFor("ada@example.com")`.
 *
 * @typedef {object} StartOptions
 * @property {Record<string, string | number>} [settings] Settings of the service and addresses of the stack, by name.
 * @property {string} [binary] The stack's program. By default, that of `$LOGIN_WITH_OTP_LOCAL`, or of the package `login-with-otp-local`.
 *
 * @typedef {object} Message A message that the stack "sent".
 * @property {string} id
 * @property {"email" | "sms"} channel
 * @property {string} way How it travelled: `email` by SES, `sms` by SNS, or the name of an own sender.
 * @property {string | null} from
 * @property {string} state What became of it, such as `delivered`.
 * @property {string} to
 * @property {string | null} subject
 * @property {string | null} text
 * @property {string | null} html
 * @property {string | null} code
 * @property {string | null} locale
 * @property {string} sent_at
 */

import { run, served } from "./program.js";

const ADDRESSES = ["API_ADDR", "INBOX_ADDR", "AWS_ADDR", "WEB_ADDR"].map((name) => [name, "127.0.0.1:0"]);

/** @param {number} ms */
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** A stack that serves. */
export class Stack {
  /** @type {Set<string>} The messages whose codes were given out. */ #read = new Set();
  #program;

  /**
   * @param {{ stop(): Promise<void> }} program
   * @param {Record<string, string>} addresses
   */
  constructor(program, { api = "", inbox = "", aws = "", web = "" }) {
    this.#program = program;
    /** The address of the API. */
    this.api = api;
    /** The address of the inbox. */
    this.inbox = inbox;
    /** The address of DynamoDB, SES, SNS and KMS. */
    this.aws = aws;
    /** The address of a page with the sign-in element. */
    this.web = web;
  }

  /**
   * The newest code to an address or a number that this has not returned before. Waits until there
   * is one.
   *
   * @param {string} address
   * @param {{ timeout?: number }} [options] `timeout`: in milliseconds.
   */
  async codeFor(address, { timeout = 10_000 } = {}) {
    for (const end = Date.now() + timeout; ; await sleep(25)) {
      const fresh = (await this.messages(address)).filter(({ id, code }) => code && !this.#read.has(id));
      for (const { id } of fresh) this.#read.add(id);
      if (fresh[0]?.code) return fresh[0].code;
      if (Date.now() > end) throw new Error(`no new code for ${address} came within ${timeout} ms`);
    }
  }

  /**
   * The messages to an address or a number, or all, newest first.
   *
   * @param {string} [address]
   * @returns {Promise<Message[]>}
   */
  async messages(address = "") {
    const answer = await this.#ask("GET", `/api/messages?to=${encodeURIComponent(address)}`);
    return answer.json();
  }

  /** Empties the inbox, and forgets every cooldown, wrong guess and count. Users and sessions stay. */
  async reset() {
    await this.#ask("DELETE", "/api/messages");
    await this.#ask("DELETE", "/api/limits");
  }

  /** Moves the stack's clock forward. @param {number} seconds */
  async advance(seconds) {
    await this.#ask("POST", "/api/clock", { advance: seconds });
  }

  /** Ends the stack. */
  async stop() {
    if (last === this) last = undefined;
    await this.#program.stop();
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async #ask(method, path, body) {
    const json = body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch(this.inbox + path, { method, ...json });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }
}

/** @type {Stack | undefined} */
let last;

/**
 * Starts a stack on free ports. It serves when this resolves, and ends with this process at the latest.
 * Unlike a deployment, it has no cooldown between two codes: `settings: { RESEND_COOLDOWN_SECONDS: 30 }`.
 *
 * @param {StartOptions} [options]
 */
export async function start({ settings = {}, binary } = {}) {
  const told = Object.entries(settings).map(([name, value]) => [name, String(value)]);
  const program = run(binary, { ...Object.fromEntries(ADDRESSES), RESEND_COOLDOWN_SECONDS: "0", ...Object.fromEntries(told) });
  last = new Stack(program, await served(program));
  return last;
}

/**
 * `codeFor` of the stack that was started last.
 *
 * @param {string} address
 * @param {{ timeout?: number }} [options]
 */
export async function codeFor(address, options) {
  if (!last) throw new Error("no stack runs: call start() first");
  return last.codeFor(address, options);
}

/**
 * For Playwright: `const test = base.extend(fixture())` gives each worker a stack, as `otp`.
 *
 * @param {StartOptions} [options]
 * @returns {{ otp: [(none: {}, use: (stack: Stack) => Promise<void>) => Promise<void>, { scope: "worker" }] }}
 */
export const fixture = (options) => ({
  otp: [
    async ({}, use) => {
      const stack = await start(options);
      await use(stack);
      await stack.stop();
    },
    { scope: "worker" },
  ],
});
