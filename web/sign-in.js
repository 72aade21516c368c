/** The sign-in element of Login with OTP: `<otp-sign-in api="https://api.example.com">`. */
import { Client, Problem } from "./client.js";
import { awaited, awaits } from "./awaited.js";
import { keyOf } from "./challenges.js";
import { CodeEntry, written } from "./code-entry.js";
import { DestinationField, words } from "./destination-field.js";
import { fill, h, ltr } from "./dom.js";
import { freshLogin } from "./fresh-login.js";
import { takeLink, takeUndo } from "./link.js";
import { messages, nearest } from "./messages.js";
import { Stage } from "./stage.js";

export { Client, Problem };

/** @typedef {import("./client.js").Session} Session */
/** @typedef {import("./client.js").Challenge} Challenge */

/** Attributes that a client cannot change later. */
const OF_CLIENT = ["api", "origins", "remember-device", "storage"];

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
  /** @type {{ id: string, otp: string } | undefined} */ #link;
  /** @type {string | undefined} */ #undo;
  #own = false;
  #starts = 0;
  #stage = new Stage(this, (error) => this.#fail(error));
  #field = new DestinationField(this.#stage);

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
    this.#stage.answered();
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
    this.#stage.answered();
    const client = this.client;
    if (!this.#own) client.locale = tag;
    for (const off of this.#off.splice(0)) off();
    this.#off = [client.on("login", this.#in), client.on("logout", this.#out)];
    client.onStaleLogin((own) => this.#again(own));
    this.#field.offer(this.getAttribute("channels"), this.getAttribute("countries"));
    this.#challenge = this.#withId(awaited(client.api));
    if (this.#challenge?.shared) client.rememberDevice = false;
    const { session } = client;
    if (this.#undo) this.#showUndo(this.#undo);
    else if (this.#link) this.#showLink(this.#link.id);
    else if (session) setTimeout(() => start === this.#starts && this.#in(session), 0);
    else if (this.#challenge) this.#showEntry(this.#challenge);
    else this.#showAsk();
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
    this.#stage.answered();
    this.#link = undefined;
    if (this.#challenge) this.client.abandon(this.#challenge);
    this.#await(undefined);
    this.#field.forget();
    this.#showDone();
    this.#tell("login", session);
  };

  #out = () => {
    this.#stage.answered();
    this.#showAsk();
    this.#tell("logout", null);
  };

  /** A call of the page takes a fresh login. @param {import("./client.js").Destination[]} own */
  async #again(own) {
    await freshLogin(this.#stage, this.client, own);
    if (this.client.session && this.#stage.view !== "done") this.#showDone();
  }

  /** @param {string} event @param {unknown} detail */
  #tell(event, detail) {
    this.dispatchEvent(new CustomEvent(event, { detail, bubbles: true, composed: true }));
  }

  /** @param {Challenge | undefined} challenge */
  #await(challenge) {
    this.#challenge = challenge;
    awaits(this.client.api, challenge?.id);
  }

  #showDone() {
    const stage = this.#stage;
    const out = stage.plain("out", () => stage.run(() => this.#logout()));
    stage.show("done", stage.t.done, h("slot", {}), out);
  }

  async #logout() {
    try {
      await this.client.logout();
    } catch (error) {
      if (!this.client.session) this.#stage.announce("outHere");
      this.#tell("problem", error);
    }
  }

  #showAsk() {
    const stage = this.#stage;
    const field = this.#field;
    const link = this.#link;
    const channel = link ? "email" : field.channel;
    const send = async () => {
      const to = field.read(channel);
      if (!to) stage.complain(field.wrong(channel));
      else if (link) await this.client.validate({ destination: to, id: link.id }, link.otp);
      else await this.#ask(to);
    };
    const forget = () => {
      field.read(channel);
      this.#link = undefined;
      this.#showAsk();
    };
    stage.show(
      "ask",
      stage.t.title,
      ...(link ? [h("p", { id: "hint" }, stage.t.linkTo)] : []),
      stage.form(send, ...field.parts(channel), ...this.#sharedDevice(), stage.button(link ? "title" : "send")),
      ...(link ? [stage.plain("resend", forget)] : field.switches(() => this.#showAsk())),
    );
    stage.onProblem({ "/problems/invalid-request": field.wrong(channel), ...(link && { "/problems/invalid-otp": "linkOther" }) });
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

  /** Asks for the code that was just sent there, or sends one. @param {import("./client.js").Destination} to */
  async #ask(to) {
    const pending = this.client.pending(to);
    if (pending) this.#enter(pending);
    else this.#sent(await this.client.requestCode(to));
  }

  /** @param {Challenge} challenge */
  #sent(challenge) {
    this.#enter(challenge);
    this.#tell("challenge", challenge);
  }

  /** Asks for a code, and for that of another destination no longer. @param {Challenge} challenge */
  #enter(challenge) {
    const before = this.#challenge;
    if (before && keyOf(before.destination) !== keyOf(challenge.destination)) this.client.abandon(before);
    this.#await(challenge);
    this.#showEntry(challenge);
  }

  /** @param {Challenge} challenge */
  #showEntry(challenge) {
    new CodeEntry(this.#stage, challenge, {
      // Another tab may have prolonged it.
      latest: () => this.#withId(challenge.id),
      check: async (otp) => void (await this.client.validate(challenge, otp)),
      resend: async (via) => {
        this.#sent(await this.client.resend(challenge, via ? { via } : {}));
        this.#stage.announce("resent");
      },
      change: () => {
        awaits(this.client.api, undefined);
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
    stage.onProblem({ "/problems/invalid-otp": this.#linkOver });
  }

  #linkOver = () => {
    this.#link = undefined;
    this.#showAsk();
    this.#stage.complain("linkOver");
  };

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
    this.#stage.explain(error);
    this.#tell("problem", error);
  }
}

if (globalThis.customElements && !customElements.get("otp-sign-in")) customElements.define("otp-sign-in", OtpSignIn);
