/** The sign-in element of Login with OTP: `<otp-sign-in api="https://api.example.com">`. */
import { Client, Problem } from "./client.js";
import { awaited, awaits } from "./awaited.js";
import { CodeEntry, written } from "./code-entry.js";
import { offered } from "./countries.js";
import { duration, fill, h, ltr } from "./dom.js";
import { takeLink, takeUndo } from "./link.js";
import { messages, nearest } from "./messages.js";
import { Stage } from "./stage.js";

export { Client, Problem };

/** @typedef {import("./client.js").Destination} Destination */
/** @typedef {import("./client.js").Session} Session */
/** @typedef {import("./client.js").Challenge} Challenge */
/** @typedef {import("./messages.js").Messages} Messages */
/** @typedef {"email" | "phone"} Channel */

/** @type {Record<string, keyof Messages>} */
const SENTENCES = {
  network: "offline",
  "/problems/destination-not-allowed": "refused",
  "/problems/destination-refused": "refused",
  "/problems/destination-undeliverable": "refused",
  "/problems/user-not-found": "unknown",
  "/problems/delivery-failed": "delivery",
  "/problems/invalid-undo": "undoOver",
};

/** Attributes that a client cannot change later. */
const OF_CLIENT = ["api", "origins", "remember-device", "storage"];

/** @param {string} list */
const words = (list) => list.split(/[\s,]+/).filter(Boolean);

// Node, which renders pages on a server, may import this module, too.
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (/** @type {unknown} */ (class {}));

/**
 * Events: `login` with the session as its `detail` (also at the start, if somebody is logged in),
 * `logout`, `challenge` when a code was sent, `problem`.
 */
export class OtpSignIn extends Base {
  static observedAttributes = ["api", "channels", "countries", "lang", "origins", "remember-device", "storage"];

  /** @type {Client | undefined} */ #client;
  /** @type {(() => void)[]} */ #off = [];
  /** @type {Challenge | undefined} */ #challenge;
  /** @type {CodeEntry | undefined} */ #entry;
  /** @type {{ id: string, otp: string } | undefined} */ #link;
  /** @type {string | undefined} */ #undo;
  /** @type {Channel | undefined} */ #channel;
  /** @type {import("./countries.js").Country | undefined} */ #country;
  #typed = { email: "", phone: "" };
  #own = false;
  #starts = 0;
  #stage = new Stage(this, (error) => this.#fail(error));

  /** The client. A page may set its own. @returns {Client} */
  get client() {
    return (this.#client ??= new Client({
      api: this.getAttribute("api") ?? location.origin,
      origins: words(this.getAttribute("origins") ?? ""),
      rememberDevice: this.#offersMemory,
      .../** @type {any} */ (this.hasAttribute("storage") && { storage: this.getAttribute("storage") }),
    }));
  }

  set client(client) {
    this.#own = true;
    this.#client = client;
    if (this.isConnected) this.#start();
  }

  connectedCallback() {
    addEventListener("hashchange", this.#readLink);
    this.#readLink();
    this.#start();
  }

  disconnectedCallback() {
    removeEventListener("hashchange", this.#readLink);
    this.#stage.leave();
    for (const off of this.#off.splice(0)) off();
  }

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (!this.#own && OF_CLIENT.includes(name)) {
      this.#client?.close();
      this.#client = undefined;
    }
    if (this.isConnected) this.#start();
  }

  /** The link of an e-mail. What it carries leaves the address bar and waits for a press of the button. */
  #readLink = () => {
    const link = takeLink();
    const undo = link ? undefined : takeUndo();
    if (!link && !undo) return;
    this.#link = link;
    this.#undo = undo;
    if (this.#stage.view) this.#start();
  };

  async #start() {
    const start = ++this.#starts;
    const tag = this.closest("[lang]")?.getAttribute("lang") || navigator.language;
    const language = nearest(tag);
    const texts = await messages(language);
    if (start !== this.#starts || !this.isConnected) return;
    this.#stage.speak(texts, language);
    const client = this.client;
    if (!this.#own) client.locale = tag;
    for (const off of this.#off.splice(0)) off();
    this.#off = [client.on("login", this.#in), client.on("logout", this.#out)];
    if (!this.#channel || !this.#channels.includes(this.#channel)) this.#channel = this.#channels[0];
    this.#challenge = this.#withId(awaited(client.api));
    if (this.#challenge?.shared) client.rememberDevice = false;
    const { session } = client;
    if (this.#undo) this.#showUndo(this.#undo);
    else if (this.#link) this.#showLink(this.#link.id);
    else if (session) setTimeout(() => start === this.#starts && this.#in(session), 0);
    else if (this.#challenge) this.#showEntry(this.#challenge);
    else this.#showAsk();
  }

  /** What the page offers, at least one. @returns {Channel[]} */
  get #channels() {
    const known = words(this.getAttribute("channels") ?? "email phone").filter((word) => word === "email" || word === "phone");
    return known.length ? /** @type {Channel[]} */ (known) : ["email"];
  }

  /** Whether the page lets the service know devices again. */
  get #offersMemory() {
    return this.getAttribute("remember-device") !== "false";
  }

  /** @param {string | null | undefined} id @returns {Challenge | undefined} */
  #withId(id) {
    return this.client.challenges.find((challenge) => challenge.id === id);
  }

  /** @param {Session} session */
  #in = (session) => {
    this.#link = undefined;
    if (this.#challenge) this.client.abandon(this.#challenge);
    this.#await(undefined);
    this.#typed = { email: "", phone: "" };
    const { t } = this.#stage;
    const out = this.#stage.plain("out", () => this.#stage.run(() => this.client.logout()));
    this.#stage.show("done", t.done, h("slot", {}), out);
    this.#tell("login", session);
  };

  #out = () => {
    this.#showAsk();
    this.#tell("logout", null);
  };

  /** @param {string} event @param {unknown} detail */
  #tell(event, detail) {
    this.dispatchEvent(new CustomEvent(event, { detail, bubbles: true, composed: true }));
  }

  /** @param {Challenge | undefined} challenge */
  #await(challenge) {
    this.#challenge = challenge;
    awaits(this.client.api, challenge?.id);
  }

  #showAsk() {
    const stage = this.#stage;
    const link = this.#link;
    const channel = link ? "email" : (this.#channel ?? "email");
    const send = async () => {
      const to = this.#destination(channel);
      if (!to) stage.complain(channel === "email" ? "emailWrong" : "phoneWrong");
      else if (link) await this.client.validate({ destination: to, id: link.id }, link.otp);
      else this.#sent(await this.client.requestCode(to));
    };
    const others = link ? [] : this.#channels.filter((other) => other !== channel);
    const value = this.#typed[channel];
    stage.show(
      "ask",
      stage.t.title,
      ...(link ? [h("p", { id: "hint" }, stage.t.linkTo)] : []),
      stage.form(
        send,
        ...(channel === "phone" ? this.#countries() : []),
        ...stage.input(channel, { type: channel === "email" ? "email" : "tel", autocomplete: channel === "email" ? "email" : "tel", value }),
        ...this.#sharedDevice(),
        stage.button(link ? "title" : "send"),
      ),
      ...others.map((other) =>
        stage.plain(other === "email" ? "useEmail" : "usePhone", () => {
          this.#destination(channel);
          this.#channel = other;
          this.#showAsk();
        }),
      ),
    );
  }

  /** A person may say that others use the device. */
  #sharedDevice() {
    if (!this.#offersMemory) return [];
    /** @param {{ target: HTMLInputElement }} event */
    const change = ({ target }) => {
      this.client.rememberDevice = !target.checked;
    };
    const box = h("input", { id: "shared", type: "checkbox", checked: !this.client.rememberDevice, change });
    return [h("label", { class: "check", for: "shared" }, box, this.#stage.t.shared)];
  }

  /** The countries that a number may be of; one alone is no choice. */
  #countries() {
    const stage = this.#stage;
    const all = offered(this.getAttribute("countries"), stage.language);
    const { region } = new Intl.Locale(navigator.language).maximize();
    const wanted = this.#country?.id ?? region;
    this.#country = all.find(({ id }) => id === wanted) ?? all[0];
    if (all.length < 2) return [];
    const options = all.map((country) =>
      h("option", { value: country.id, selected: country === this.#country }, country.name),
    );
    /** @param {{ target: HTMLSelectElement }} event */
    const change = ({ target }) => {
      this.#country = all[target.selectedIndex];
    };
    return [
      h("label", { for: "country" }, stage.t.country),
      h("select", { id: "country", part: "input", autocomplete: "country", change }, ...options),
    ];
  }

  /** What the field says: the service understands it, or refuses it. @param {Channel} channel @returns {Destination | undefined} */
  #destination(channel) {
    const field = /** @type {HTMLInputElement} */ (this.#stage.field);
    const typed = (this.#typed[channel] = field.value.trim());
    if (!typed) return undefined;
    if (channel === "email") return { email: typed };
    return this.#country && { phone_number: typed, country: this.#country.id };
  }

  /** @param {Challenge} challenge */
  #sent(challenge) {
    this.#await(challenge);
    this.#showEntry(challenge);
    this.#tell("challenge", challenge);
  }

  /** @param {Challenge} challenge */
  #showEntry(challenge) {
    this.#entry = new CodeEntry(this.#stage, challenge, {
      // Another tab may have prolonged it.
      latest: () => this.#withId(challenge.id),
      check: async (otp) => void (await this.client.validate(challenge, otp)),
      resend: async (via) => {
        this.#sent(await this.client.resend(challenge, via ? { via } : {}));
        this.#stage.announce("resent");
      },
      change: () => {
        this.client.abandon(challenge);
        this.#await(undefined);
        this.#showAsk();
      },
    });
  }

  /** @param {string} id */
  #showLink(id) {
    const stage = this.#stage;
    const challenge = this.#withId(id);
    // Another browser asked for the code: only its owner knows the address.
    if (!challenge) return this.#showAsk();
    const submit = async () => void (await this.client.validate(challenge, this.#link?.otp ?? ""));
    const to = ltr(written(challenge));
    stage.show("link", stage.t.title, h("p", {}, ...fill(stage.t.link, { to })), stage.form(submit, stage.button("title")));
  }

  /** @param {string} token */
  #showUndo(token) {
    const stage = this.#stage;
    const submit = async () => {
      await this.client.undoRemoval(token);
      this.#undo = undefined;
      this.#showAsk();
      stage.announce("undone");
    };
    const back = () => {
      this.#undo = undefined;
      void this.#start();
    };
    stage.show("undo", stage.t.undo, h("p", {}, stage.t.undoHint), stage.form(submit, stage.button("check")), stage.plain("back", back));
  }

  /** @param {unknown} error */
  #fail(error) {
    const stage = this.#stage;
    const problem = error instanceof Problem ? error : undefined;
    const type = problem?.type ?? "";
    const challenge = this.#challenge;
    if (type === "/problems/invalid-otp" && this.#link) {
      this.#link = undefined;
      this.#showAsk();
      stage.complain("linkOver");
    } else if (type === "/problems/invalid-otp" && challenge) {
      this.#entry?.refused(this.#withId(challenge.id));
    } else if (type === "/problems/too-many-requests") {
      stage.complain("wait", { time: duration(problem?.retryAfter ?? 60, stage.language) });
    } else if (type === "/problems/invalid-request" && stage.view === "ask") {
      stage.complain(this.#link || this.#channel === "email" ? "emailWrong" : "phoneWrong");
    } else {
      stage.complain(SENTENCES[type] ?? "failed");
    }
    this.#tell("problem", error);
  }
}

if (globalThis.customElements && !customElements.get("otp-sign-in")) customElements.define("otp-sign-in", OtpSignIn);
