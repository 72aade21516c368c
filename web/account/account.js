/** The account element of Login with OTP: `<otp-account>`, inside an `<otp-sign-in>` or beside it. */
import { Client, Problem } from "../client.js";
import { CodeEntry } from "../code-entry.js";
import { duration, fill, h, ltr } from "../dom.js";
import { messages, nearest } from "../messages.js";
import { Stage } from "../stage.js";

export { Client, Problem };

/** @typedef {import("../client.js").Challenge} Challenge */
/** @typedef {import("../client.js").Destination} Destination */
/** @typedef {{ id: string, current: boolean, device: string | null, refreshed_at: string }} Listed */

const STALE = "/problems/stale-login";
const ME = "/api/me/";
const SESSIONS = "/api/me/sessions/";

/** Of a problem, which may be another module's; empty for any other error. @param {any} error @returns {string} */
const typeOf = (error) => (error?.name === "Problem" ? error.type : "");

// Node, which renders pages on a server, may import this module, too.
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (/** @type {unknown} */ (class {}));

/** Shows nothing while nobody is logged in. Events: `deleted` when the account was, and `problem`. */
export class OtpAccount extends Base {
  static observedAttributes = ["api", "lang", "storage"];

  /** @type {Client | undefined} */ #client;
  /** @type {(() => void)[]} */ #off = [];
  /** @type {CodeEntry | undefined} */ #entry;
  /** @type {Destination | undefined} */ #own;
  /** @type {() => Challenge | undefined} */ #latest = () => undefined;
  #starts = 0;
  #stage = new Stage(this, (error) => this.#fail(error));

  /** That of the sign-in element around it, unless a page sets its own. @returns {Client} */
  get client() {
    const around = /** @type {{ client?: Client } | null} */ (this.closest("otp-sign-in"))?.client;
    return (this.#client ??= around ?? new Client({
      api: this.getAttribute("api") ?? location.origin,
      .../** @type {any} */ (this.hasAttribute("storage") && { storage: this.getAttribute("storage") }),
    }));
  }

  set client(client) {
    this.#client = client;
    if (this.isConnected) this.#start();
  }

  connectedCallback() {
    this.#start();
  }

  disconnectedCallback() {
    this.#stage.leave();
    for (const off of this.#off.splice(0)) off();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#start();
  }

  async #start() {
    const start = ++this.#starts;
    this.hidden = true;
    if (this.closest("otp-sign-in")) await customElements.whenDefined("otp-sign-in"); // whose client this is
    if (start !== this.#starts || !this.isConnected) return;
    for (const off of this.#off.splice(0)) off();
    const { client } = this;
    const look = () => {
      if (client.session) this.#stage.run(() => this.#list());
      else this.hidden = true;
    };
    this.#off = [client.on("login", look), client.on("logout", look)];
    look();
  }

  /** @param {string} method @param {string} path @returns {Promise<any>} */
  async #call(method, path) {
    let answer;
    let body;
    try {
      answer = await this.client.fetch(path, { method });
      body = answer.status === 204 ? null : await answer.json();
    } catch (cause) {
      throw typeOf(cause) ? cause : new Problem(0, {}, cause);
    }
    if (!answer.ok) throw new Problem(answer.status, body);
    return body;
  }

  async #list() {
    const [me, { sessions }] = await Promise.all([this.#call("GET", ME), this.#call("GET", SESSIONS)]);
    const stage = this.#stage;
    const language = nearest(this.closest("[lang]")?.getAttribute("lang") || navigator.language);
    stage.speak(await messages(language), language);
    const { t } = stage;
    const to = me.destinations.map((/** @type {any} */ it) => it.email ?? it.phone_number);
    const [{ email, phone_number }] = me.destinations;
    this.#own = email ? { email } : { phone_number };
    this.hidden = false;
    stage.show(
      "account",
      t.account,
      h("h3", {}, t.destinations),
      h("ul", {}, ...to.map((/** @type {string} */ text) => h("li", {}, ltr(text)))),
      h("h3", {}, t.sessions),
      h("ul", {}, ...sessions.map((/** @type {Listed} */ it) => this.#session(it))),
      ...(sessions.length > 1 ? [stage.plain("endOthers", () => this.#end(""))] : []),
      stage.plain("remove", () => this.#sure()),
    );
  }

  /** @param {Listed} session */
  #session({ id, current, device, refreshed_at }) {
    const stage = this.#stage;
    const when = new Intl.DateTimeFormat(stage.language, { dateStyle: "medium" }).format(new Date(refreshed_at));
    const named = h("span", { id: `s-${id}` }, h("bdi", {}, device ?? stage.t.device), ` (${current ? stage.t.current : when}) `);
    if (current) return h("li", {}, named);
    const end = stage.plain("end", () => this.#end(id));
    end.setAttribute("aria-describedby", named.id);
    return h("li", {}, named, end);
  }

  /** @param {string} id Of a session, or empty: all others. */
  #end(id) {
    const end = async () => {
      await this.#call("DELETE", SESSIONS + (id && `${id}/`));
      await this.#list();
      this.#stage.announce("ended");
    };
    this.#stage.run(() => this.#fresh(end));
  }

  #sure() {
    const stage = this.#stage;
    const remove = async () => {
      await this.#call("DELETE", ME);
      this.dispatchEvent(new CustomEvent("deleted", { bubbles: true, composed: true }));
      await this.client.logout({ forget: true });
    };
    stage.show(
      "sure",
      stage.t.remove,
      h("p", {}, stage.t.removeSure),
      stage.form(() => this.#fresh(remove), stage.button("remove")),
      stage.plain("keep", () => stage.run(() => this.#list())),
    );
  }

  /** Does what takes a fresh login: lets the person log in again if it must. @param {() => Promise<void>} action */
  async #fresh(action) {
    try {
      await action();
    } catch (error) {
      if (typeOf(error) !== STALE || !this.#own) throw error;
      this.#prove(this.#own, action);
    }
  }

  /** @param {Destination} own @param {() => Promise<void>} action */
  #prove(own, action) {
    const stage = this.#stage;
    const to = ltr("email" in own ? own.email : own.phone_number);
    stage.show(
      "prove",
      stage.t.prove,
      h("p", {}, ...fill(stage.t.proveBy, { to })),
      stage.form(async () => this.#enter(await this.client.requestCode(own), action), stage.button("send")),
      stage.plain("back", () => stage.run(() => this.#list())),
    );
  }

  /** @param {Challenge} challenge @param {() => Promise<void>} action */
  #enter(challenge, action) {
    this.#latest = () => this.client.challenges.find(({ id }) => id === challenge.id);
    this.#entry = new CodeEntry(this.#stage, challenge, {
      away: "back",
      latest: this.#latest,
      check: async (otp) => {
        const before = this.client.session?.id;
        await this.client.validate(challenge, otp);
        // The session that this one replaces here.
        if (before) await this.#call("DELETE", `${SESSIONS + before}/`);
        await action();
      },
      resend: async (via) => {
        this.#enter(await this.client.resend(challenge, via ? { via } : {}), action);
        this.#stage.announce("resent");
      },
      change: () => {
        this.client.abandon(challenge);
        this.#stage.run(() => this.#list());
      },
    });
  }

  /** @param {unknown} error */
  #fail(error) {
    const stage = this.#stage;
    const type = typeOf(error);
    if (type === "/problems/invalid-otp") this.#entry?.refused(this.#latest());
    else if (type === "/problems/too-many-requests") stage.complain("wait", { time: duration(/** @type {any} */ (error).retryAfter ?? 60, stage.language) });
    else stage.complain(type === "network" ? "offline" : "failed");
    this.dispatchEvent(new CustomEvent("problem", { detail: error, bubbles: true, composed: true }));
  }
}

if (globalThis.customElements && !customElements.get("otp-account")) customElements.define("otp-account", OtpAccount);
