/** The account element of Login with OTP: `<otp-account>`, inside an `<otp-sign-in>` or beside it. */
import { Client, Problem } from "../client.js";
import { CodeEntry } from "../code-entry.js";
import { DestinationField } from "../destination-field.js";
import { fill, h, ltr } from "../dom.js";
import { freshLogin } from "../fresh-login.js";
import { messages, nearest } from "../messages.js";
import { typeOf } from "../sentences.js";
import { Stage } from "../stage.js";
import { Me } from "./me.js";

export { Client, Problem };

/** @typedef {import("../client.js").Challenge} Challenge */
/** @typedef {import("../client.js").Destination} Destination */
/** @typedef {import("../messages.js").Messages} Messages */

// Node, which renders pages on a server, may import this module, too.
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (/** @type {unknown} */ (class {}));

/** Shows nothing while nobody is logged in. Events: `deleted` when the account was, and `problem`. */
export class OtpAccount extends Base {
  static observedAttributes = ["api", "channels", "countries", "lang", "storage"];

  /** @type {Client | undefined} */ #client;
  /** @type {(() => void)[]} */ #off = [];
  #own = false;
  #starts = 0;
  #stage = new Stage(this, (error) => this.#fail(error));
  #field = new DestinationField(this.#stage);

  /** That of the sign-in element around it, unless a page sets its own. @returns {Client} */
  get client() {
    const around = /** @type {{ client?: Client } | null} */ (this.#around)?.client;
    return (this.#client ??= around ?? new Client({
      api: this.getAttribute("api") ?? location.origin,
      .../** @type {any} */ (this.hasAttribute("storage") && { storage: this.getAttribute("storage") }),
    }));
  }

  set client(client) {
    this.#own = true;
    this.#client = client;
    if (this.isConnected) this.#start();
  }

  connectedCallback() {
    this.#start();
  }

  disconnectedCallback() {
    this.#stage.leave();
    this.#stage.answered();
    for (const off of this.#off.splice(0)) off();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#start();
  }

  get #around() {
    return this.closest("otp-sign-in");
  }

  get #me() {
    return new Me(this.client);
  }

  /** An attribute of its own, or of the sign-in element around it. @param {string} name */
  #told(name) {
    return this.getAttribute(name) ?? this.#around?.getAttribute(name) ?? null;
  }

  async #start() {
    const start = ++this.#starts;
    this.hidden = true;
    if (this.#around) await customElements.whenDefined("otp-sign-in"); // whose client this is
    if (start !== this.#starts || !this.isConnected) return;
    for (const off of this.#off.splice(0)) off();
    this.#stage.answered();
    this.#field.offer(this.#told("channels"), this.#told("countries"));
    const { client } = this;
    // A sign-in element around it asks for a fresh login itself.
    if (!this.#around) client.onStaleLogin((own) => freshLogin(this.#stage, client, own));
    const look = () => {
      this.#stage.answered();
      if (client.session) this.#stage.run(() => this.#list());
      else this.#hide();
    };
    this.#off = [client.on("login", look), client.on("logout", look)];
    look();
  }

  #hide() {
    this.hidden = true;
    this.#field.forget();
    this.#stage.show("", "");
  }

  async #list() {
    const [own, sessions] = await Promise.all([this.#me.destinations(), this.#me.sessions()]);
    const stage = this.#stage;
    const tag = this.closest("[lang]")?.getAttribute("lang") || navigator.language;
    const language = nearest(tag);
    stage.speak(await messages(language), language);
    if (!this.#own && !this.#around) this.client.locale = tag;
    if (!this.client.session) return; // logged out meanwhile
    const { t } = stage;
    this.hidden = false;
    stage.show(
      "account",
      t.account,
      h("h3", {}, t.destinations),
      h("ul", { role: "list" }, ...own.map((to, i) => this.#destination(to, i, own.length > 1))),
      ...(own.length > 1 ? [] : [h("p", {}, t.lastOne)]),
      stage.plain("addOne", () => this.#add()),
      h("h3", {}, t.sessions),
      h("ul", { role: "list" }, ...sessions.map((it) => this.#session(it))),
      ...(sessions.length > 1 ? [stage.plain("endOthers", () => this.#change(() => this.#me.endOthers(), "ended"))] : []),
      stage.plain("outAll", () => this.#change(() => this.#outAll())),
      stage.plain("remove", () => this.#sure()),
    );
  }

  /** @param {Destination} to @param {number} i @param {boolean} removable */
  #destination(to, i, removable) {
    const named = ltr("email" in to ? to.email : to.phone_number);
    if (!removable) return h("li", {}, named);
    named.id = `d-${i}`;
    const off = this.#stage.plain("takeOff", () => this.#takeOff(to, named.textContent ?? ""));
    off.setAttribute("aria-describedby", named.id);
    return h("li", {}, named, off);
  }

  /** @param {import("./me.js").Session} session */
  #session({ id, current, device, refreshed_at }) {
    const stage = this.#stage;
    const when = new Intl.DateTimeFormat(stage.language, { dateStyle: "medium" }).format(new Date(refreshed_at));
    const named = h("span", { id: `s-${id}` }, h("bdi", {}, device ?? stage.t.device), ` (${current ? stage.t.current : when}) `);
    if (current) return h("li", {}, named);
    const end = stage.plain("end", () => this.#change(() => this.#me.end(id), "ended"));
    end.setAttribute("aria-describedby", named.id);
    return h("li", {}, named, end);
  }

  /** @param {() => Promise<void>} action @param {keyof Messages} [news] */
  #change(action, news) {
    return this.#stage.run(() => this.#changed(action, news));
  }

  /** Changes the account, and shows it and what is new. @param {() => Promise<void>} action @param {keyof Messages} [news] */
  #changed(action, news) {
    return this.#fresh(async () => {
      await action();
      if (!this.client.session) return;
      await this.#list();
      if (news) this.#stage.announce(news);
    });
  }

  /** Does what takes a fresh login. Who does not want one comes back to the account. @param {() => Promise<void>} action */
  async #fresh(action) {
    try {
      await action();
    } catch (error) {
      if (typeOf(error) !== "/problems/stale-login") throw error;
      await this.#list();
    }
  }

  /** The others first: if that fails, the person still knows, and can try again. */
  async #outAll() {
    await this.#me.endOthers();
    await this.client.logout({ all: true });
  }

  #sure() {
    const stage = this.#stage;
    const remove = async () => {
      await this.#me.remove();
      this.dispatchEvent(new CustomEvent("deleted", { bubbles: true, composed: true }));
      await this.client.logout({ forget: true });
    };
    stage.show(
      "sure",
      stage.t.remove,
      h("p", {}, stage.t.removeSure),
      stage.form(() => this.#changed(remove), stage.button("remove")),
      stage.plain("keep", () => this.#back()),
    );
  }

  #back() {
    return this.#stage.run(() => this.#list());
  }

  /** @param {Destination} to @param {string} named */
  #takeOff(to, named) {
    const stage = this.#stage;
    stage.show(
      "takeOff",
      stage.t.takeOff,
      h("p", {}, ...fill(stage.t.takeOffSure, { to: ltr(named) })),
      stage.form(() => this.#changed(() => this.#me.removeDestination(to), "takenOff"), stage.button("takeOff")),
      stage.plain("back", () => this.#back()),
    );
  }

  #add() {
    const stage = this.#stage;
    const field = this.#field;
    const send = async () => {
      const to = field.read();
      if (!to) return stage.complain(field.wrong());
      await this.#fresh(async () => this.#enter(await this.#me.sendCode(to)));
    };
    stage.show(
      "add",
      stage.t.addOne,
      stage.form(send, ...field.parts(), stage.button("send")),
      ...field.switches(() => this.#add()),
      stage.plain("back", () => this.#back()),
    );
    stage.onProblem({ "/problems/invalid-request": field.wrong() });
  }

  /** @param {Challenge} challenge */
  #enter(challenge) {
    new CodeEntry(this.#stage, challenge, {
      away: "back",
      latest: () => (Date.now() < challenge.expiresAt ? challenge : undefined),
      check: (otp) => this.#changed(async () => {
        await this.#me.verify(challenge, otp);
        this.#field.forget();
      }, "added"),
      resend: () => this.#fresh(async () => {
        this.#enter(await this.#me.sendCode(challenge.destination, challenge));
        this.#stage.announce("resent");
      }),
      change: () => void this.#back(),
    });
  }

  /** @param {unknown} error */
  #fail(error) {
    this.#stage.explain(error);
    this.dispatchEvent(new CustomEvent("problem", { detail: error, bubbles: true, composed: true }));
  }
}

if (globalThis.customElements && !customElements.get("otp-account")) customElements.define("otp-account", OtpAccount);
