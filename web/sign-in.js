/** The sign-in element of Login with OTP: `<otp-sign-in api="https://api.example.com">`. */
import { Client, Problem } from "./client.js";
import { countries, digits, e164 } from "./countries.js";

export { Client, Problem };

/** @typedef {import("./client.js").Destination} Destination */
/** @typedef {import("./client.js").Challenge & { tries: number }} Pending */
/** @typedef {typeof english} Messages */

const english = {
  title: "Sign in",
  email: "E-mail address",
  phone: "Phone number",
  country: "Country",
  send: "Send code",
  useEmail: "Use an e-mail address",
  usePhone: "Use a phone number",
  enter: "Enter the code",
  sent: "We sent a {n}-digit code to {to}. It is checked when it is complete.",
  code: "Code",
  check: "Continue",
  expires: "The code expires in {time}.",
  resend: "Send a new code",
  resendIn: "Send a new code in {time}",
  change: "Change the address or number",
  resent: "A new code is on its way.",
  link: "Sign in as {to}?",
  linkTo: "Enter the e-mail address that the link was sent to.",
  done: "You are signed in",
  out: "Sign out",
  emailWrong: "Enter an e-mail address, such as name@example.com.",
  phoneWrong: "Enter a whole phone number.",
  codeShort: "Enter all {n} digits.",
  codeWrong: "This code is not right. Check it, or request a new one.",
  codeSpent: "That was the last try for this code. Request a new one.",
  codeOver: "This code has expired. Request a new one.",
  linkOver: "This link has expired or was used before. Request a new code.",
  refused: "We cannot send a code there. Use another address or number.",
  unknown: "There is no account for this address or number.",
  wait: "Too many requests. Try again in {time}.",
  delivery: "The code could not be sent. Try again.",
  offline: "No connection. Check your network and try again.",
  failed: "Something went wrong. Try again in a moment.",
};

const LANGUAGES = "en de fr es pt-BR it nl pl sv tr uk ja ko zh-Hans zh-Hant hi ar".split(" ");

/** @type {Record<string, Promise<Messages>>} */
const loaded = { en: Promise.resolve(english) };

/** The supported language nearest to a BCP 47 tag. @param {string} tag */
const nearest = (tag) => {
  try {
    const { language, script } = new Intl.Locale(tag).maximize();
    return (
      LANGUAGES.find((known) => known === `${language}-${script}`) ??
      LANGUAGES.find((known) => known.split("-")[0] === language && language !== "zh") ??
      "en"
    );
  } catch {
    return "en";
  }
};

/** @param {string} language */
const messages = (language) =>
  (loaded[language] ??= import(`./languages/${language}.js`).then(
    (module) => module.default,
    () => {
      delete loaded[language]; // the next element tries again
      return english;
    },
  ));

/** @type {Record<string, keyof Messages>} */
const SENTENCES = {
  network: "offline",
  "/problems/destination-not-allowed": "refused",
  "/problems/destination-refused": "refused",
  "/problems/user-not-found": "unknown",
  "/problems/delivery-failed": "delivery",
};

const STYLE = `
:host { --a: var(--otp-accent, #3946b8); --on: var(--otp-on-accent, #fff); --t: var(--otp-text, #1c1d22);
  --s: var(--otp-soft, #5b5d67); --b: var(--otp-background, #fff); --l: var(--otp-border, #80838f);
  --e: var(--otp-error, #a12a1c); --r: var(--otp-radius, .5rem);
  display: block; max-inline-size: 24rem; color: var(--t); background: var(--b);
  font: var(--otp-font, 1rem/1.5 system-ui, sans-serif); }
@supports (color: light-dark(red, red)) { :host {
  --a: var(--otp-accent, light-dark(#3946b8, #b3bcff)); --on: var(--otp-on-accent, light-dark(#fff, #14162b));
  --t: var(--otp-text, light-dark(#1c1d22, #ececef)); --s: var(--otp-soft, light-dark(#5b5d67, #b0b3be));
  --b: var(--otp-background, light-dark(#fff, #1c1e24)); --l: var(--otp-border, light-dark(#80838f, #8a8d99));
  --e: var(--otp-error, light-dark(#a12a1c, #ffa08f)); } }
:host([hidden]), [hidden] { display: none; }
* { box-sizing: border-box; }
h2 { margin: 0 0 .5rem; font-size: 1.375rem; line-height: 1.3; outline: 0; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
[role=alert] { color: var(--e); font-weight: 600; }
[role=alert]:empty, [role=status]:empty { display: none; }
small { display: block; margin-block: .75rem; font-size: .875rem; color: var(--s); }
label { display: block; margin-block-end: .25rem; font-weight: 600; }
input, select, button { inline-size: 100%; min-block-size: 2.75rem; font: inherit; border-radius: var(--r); }
input, select { margin-block-end: 1rem; padding: .5rem .75rem; color: inherit; background: var(--b);
  border: 1px solid var(--l); }
input[dir=ltr] { text-align: start; }
input[aria-invalid] { border: 2px solid var(--e); }
.code { font-size: 1.5rem; letter-spacing: .25em; font-variant-numeric: tabular-nums; }
button { cursor: pointer; border: 1px solid var(--a); color: var(--on); background: var(--a); font-weight: 600; }
.plain { margin-block-start: .5rem; border-color: transparent; color: var(--a); background: none; }
[aria-disabled=true] { cursor: default; color: var(--s); text-decoration: none; }
:not(.plain)[aria-disabled=true] { border-color: var(--l); background: var(--b); }
:focus-visible { outline: 3px solid var(--a); outline-offset: 2px; }
`;

/**
 * @param {string} tag
 * @param {Record<string, string | boolean | ((event: any) => void)>} attributes
 * @param {(Node | string)[]} children
 */
const h = (tag, attributes, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
};

/** A sentence whose `{name}`s are replaced. @param {string} text @param {Record<string, any>} values */
const fill = (text, values) => text.split(/\{(\w+)\}/).map((part, i) => (i % 2 ? values[part] : part));

/** @param {string} text */
const ltr = (text) => h("bdi", { dir: "ltr" }, text);

/** Minutes and seconds until a time. @param {number} time */
const clock = (time) => {
  const left = Math.max(0, Math.ceil((time - Date.now()) / 1000));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
};

/** @param {Destination} to */
const written = (to) => ("email" in to ? to.email : to.phone_number);

// Node, which renders pages on a server, may import this module, too.
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (/** @type {unknown} */ (class {}));

/**
 * Events: `login` with the session as its `detail` (also at the start, if somebody is logged in),
 * `logout`, `challenge` when a code was sent, `problem`.
 */
export class OtpSignIn extends Base {
  static observedAttributes = ["api", "channels", "countries", "lang", "storage"];

  /** @type {Client | undefined} */ #client;
  /** @type {(() => void)[]} */ #off = [];
  /** @type {Messages} */ #t = english;
  /** @type {Pending | undefined} */ #pending;
  /** @type {URLSearchParams | undefined} */ #link;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #ticker;
  /** @type {AbortController | undefined} */ #webOtp;
  /** @type {"ask" | "enter" | "link" | "done" | ""} */ #view = "";
  /** @type {"email" | "phone"} */ #channel = "email";
  #typed = { email: "", phone: "" };
  #own = false;
  /** @type {string | undefined} */ #country;
  /** @type {(key: keyof Messages) => void} */ #over = () => {};
  #busy = false;
  #starts = 0;
  #box;
  #title;
  #alert;
  #main;
  #news;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const style = new CSSStyleSheet();
    style.replaceSync(STYLE);
    root.adoptedStyleSheets = [style];
    this.#title = h("h2", { tabindex: "-1", part: "title", id: "title" });
    this.#alert = h("p", { role: "alert", id: "alert", part: "alert" });
    this.#main = h("div", {});
    this.#news = h("p", { role: "status", part: "status" });
    this.#box = h("section", { "aria-labelledby": "title" }, this.#title, this.#alert, this.#main, this.#news);
    root.append(this.#box);
  }

  /** The client. A page may set its own. @returns {Client} */
  get client() {
    return (this.#client ??= new Client({
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
    addEventListener("hashchange", this.#hash);
    this.#hash();
    this.#start();
  }

  disconnectedCallback() {
    removeEventListener("hashchange", this.#hash);
    this.#stop();
    for (const off of this.#off.splice(0)) off();
  }

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (!this.isConnected || !this.#view) return;
    if (!this.#own && (name === "api" || name === "storage")) {
      this.#client?.close();
      this.#client = undefined;
    }
    this.#start();
  }

  /** The link of an e-mail. Its code leaves the address bar and waits for a press of the button. */
  #hash = () => {
    const link = new URLSearchParams(location.hash.slice(1));
    if (!link.get("challenge_id") || !link.get("otp")) return;
    history.replaceState(history.state, "", location.pathname + location.search);
    this.#link = link;
    if (this.#view) this.#start();
  };

  async #start() {
    const start = ++this.#starts;
    const tag = this.closest("[lang]")?.getAttribute("lang") || navigator.language;
    const language = nearest(tag);
    const texts = await messages(language);
    if (start !== this.#starts || !this.isConnected) return;
    this.#t = texts;
    this.#box.lang = texts === english ? "en" : language;
    this.#box.dir = texts !== english && language === "ar" ? "rtl" : "ltr";
    const client = this.client;
    if (!this.#own) client.locale = tag;
    for (const off of this.#off.splice(0)) off();
    this.#off = [client.on("login", this.#in), client.on("logout", () => this.#out())];
    const channels = this.#channels();
    if (!channels.includes(this.#channel)) this.#channel = channels[0] ?? "email";
    this.#pending = this.#kept("sessionStorage");
    if (this.#link) this.#showLink();
    else if (client.session) setTimeout(() => this.#in(client.session));
    else if (this.#pending) this.#showEnter();
    else this.#showAsk();
  }

  #channels() {
    const words = (this.getAttribute("channels") ?? "email phone").split(/[\s,]+/);
    return /** @type {("email" | "phone")[]} */ (words.filter((word) => word === "email" || word === "phone"));
  }

  #countries() {
    const ids = this.getAttribute("countries")?.toUpperCase().match(/[A-Z]{2}/g);
    const allowed = countries.filter(({ id }) => !ids || ids.includes(id));
    const names = new Intl.DisplayNames(this.#box.lang, { type: "region" });
    const named = allowed.map((country) => ({ ...country, name: names.of(country.id) ?? country.id }));
    return named.sort((a, b) => a.name.localeCompare(b.name, this.#box.lang));
  }

  /** @param {any} session */
  #in = (session) => {
    this.#keep(undefined);
    this.#showDone();
    this.#tell("login", session);
  };

  #out() {
    this.#showAsk();
    this.#tell("logout", null);
  }

  /** @param {string} event @param {unknown} detail */
  #tell(event, detail) {
    this.dispatchEvent(new CustomEvent(event, { detail, bubbles: true, composed: true }));
  }

  /* What was sent survives a reload in this tab; the link of an e-mail opens another tab. */

  /** @param {Pending | undefined} pending */
  #keep(pending) {
    this.#pending = pending;
    for (const store of ["sessionStorage", "localStorage"]) {
      try {
        const place = /** @type {Storage} */ (/** @type {any} */ (window)[store]);
        if (pending) place.setItem(this.#place, JSON.stringify(pending));
        else place.removeItem(this.#place);
      } catch {
        // The browser forbids storage: a reload starts again.
      }
    }
  }

  /** @param {"sessionStorage" | "localStorage"} store @returns {Pending | undefined} */
  #kept(store) {
    try {
      const pending = JSON.parse(window[store].getItem(this.#place) ?? "null");
      return pending?.expiresAt > Date.now() ? pending : undefined;
    } catch {
      return undefined;
    }
  }

  get #place() {
    return `login-with-otp:challenge:${this.client.api}`;
  }

  /* Views */

  /**
   * @param {"ask" | "enter" | "link" | "done"} view
   * @param {string} title
   * @param {(Node | string)[]} content
   */
  #show(view, title, ...content) {
    clearInterval(this.#ticker);
    this.#webOtp?.abort();
    // Whoever was at work in the element goes on there; a page that loads keeps its focus.
    const move = this.#view && (this.shadowRoot?.activeElement || this.#busy);
    this.#view = view;
    this.#title.textContent = title;
    this.#say(this.#alert);
    this.#say(this.#news);
    this.#main.replaceChildren(...content);
    if (move) (this.#field() ?? this.#title).focus();
  }

  /** @returns {HTMLInputElement | null} */
  #field() {
    return this.#main.querySelector("input");
  }

  /** @param {HTMLElement} place @param {keyof Messages} [key] @param {Record<string, any>} [values] */
  #say(place, key, values = {}) {
    place.replaceChildren(...(key ? fill(this.#t[key], values) : []));
    const field = this.#field();
    if (place === this.#alert && field) {
      if (key) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  }

  /** @param {keyof Messages} key @param {Record<string, any>} [values] */
  #complain(key, values) {
    this.#say(this.#alert, key, values);
    this.#field()?.focus();
    this.#field()?.select();
  }

  #stop() {
    clearInterval(this.#ticker);
    this.#webOtp?.abort();
  }

  /** @param {keyof Messages} key @param {() => void} act */
  #plain(key, act) {
    return h("button", { type: "button", class: "plain", part: "link", click: act }, this.#t[key]);
  }

  /** @param {() => Promise<void>} submit @param {(Node | string)[]} content */
  #form(submit, ...content) {
    /** @param {Event} event */
    const onsubmit = (event) => {
      event.preventDefault();
      this.#run(submit);
    };
    return h("form", { novalidate: true, submit: onsubmit }, ...content);
  }

  /** @param {keyof Messages} label @param {Record<string, any>} attributes */
  #input(label, attributes) {
    const input = h("input", {
      id: "field", part: "input", dir: "ltr", required: true, "aria-describedby": "alert hint", ...attributes,
    });
    return [h("label", { for: "field" }, this.#t[label]), input];
  }

  /** @param {keyof Messages} label */
  #button(label) {
    return h("button", { part: "button" }, this.#t[label]);
  }

  #showAsk() {
    const t = this.#t;
    const channel = this.#link ? "email" : this.#channel;
    const others = this.#channels().filter((other) => other !== channel && !this.#link);
    const field =
      channel === "email"
        ? this.#input("email", { type: "email", autocomplete: "email", value: this.#typed.email })
        : [...this.#chooser(), ...this.#input("phone", { type: "tel", autocomplete: "tel", value: this.#typed.phone })];
    const send = async () => {
      const to = this.#destination(channel);
      if (!to) return this.#complain(channel === "email" ? "emailWrong" : "phoneWrong");
      if (this.#link) await this.#submitLink(to);
      else this.#sent(await this.client.requestCode(to));
    };
    this.#show(
      "ask",
      t.title,
      ...(this.#link ? [h("p", { id: "hint" }, t.linkTo)] : []),
      this.#form(send, ...field, this.#button(this.#link ? "title" : "send")),
      ...others.map((other) =>
        this.#plain(other === "email" ? "useEmail" : "usePhone", () => {
          this.#destination(channel);
          this.#channel = other;
          this.#showAsk();
        }),
      ),
    );
  }

  /** The countries that a number may be of; one alone is no choice. */
  #chooser() {
    const all = this.#countries();
    const region = new Intl.Locale(navigator.language).maximize().region;
    const here = all.find(({ id }) => id === this.#country) ?? all.find(({ id }) => id === region) ?? all[0];
    this.#country = here?.id;
    if (all.length < 2) return [];
    const options = all.map(({ id, name, code }) =>
      h("option", { value: id, selected: id === this.#country }, `${name} (\u200e+${code})`),
    );
    /** @param {{ target: HTMLSelectElement }} event */
    const change = ({ target }) => {
      this.#country = target.value;
    };
    return [
      h("label", { for: "country" }, this.#t.country),
      h("select", { id: "country", part: "input", autocomplete: "country", change }, ...options),
    ];
  }

  /** What the field says. @param {"email" | "phone"} channel @returns {Destination | undefined} */
  #destination(channel) {
    const field = this.#field();
    if (!field) return undefined;
    const typed = (this.#typed[channel] = field.value.trim());
    if (channel === "email") return typed && field.checkValidity() ? { email: typed } : undefined;
    const country = countries.find(({ id }) => id === this.#country);
    const phone_number = country && e164(typed, country);
    return phone_number ? { phone_number } : undefined;
  }

  /** @param {import("./client.js").Challenge} challenge @param {boolean} [again] */
  #sent(challenge, again) {
    this.#keep({ ...challenge, tries: 0 });
    this.#showEnter();
    if (again) this.#say(this.#news, "resent");
    this.#tell("challenge", challenge);
  }

  #showEnter() {
    const t = this.#t;
    const pending = /** @type {Pending} */ (this.#pending);
    const n = pending.codeLength;
    const check = async () => {
      const otp = digits(this.#field()?.value ?? "");
      if (otp.length !== n) return this.#complain("codeShort", { n });
      await this.client.validate(pending, otp);
    };
    /** @param {{ target: HTMLInputElement }} event */
    const input = ({ target }) => {
      // A pasted message has a run of so many digits; a pasted code may have spaces.
      const otp = new RegExp(`\\d{${n}}`).exec(target.value)?.[0] ?? digits(target.value).slice(0, n);
      if (otp !== target.value) target.value = otp;
      if (otp.length === n) this.#run(check);
    };
    const attributes = {
      class: "code", inputmode: "numeric", autocomplete: "one-time-code", autocapitalize: "off", input,
    };
    const expiry = h("bdi", {});
    const left = h("small", { role: "timer", "aria-live": "off" }, ...fill(t.expires, { time: expiry }));
    const resend = this.#plain("resend", () => {
      if (resend.ariaDisabled !== "true") this.#run(async () => this.#sent(await this.client.resend(pending), true));
    });
    const change = this.#plain("change", () => {
      this.#keep(undefined);
      this.#showAsk();
    });
    const hint = fill(t.sent, { n, to: ltr(written(pending.destination)) });
    this.#show(
      "enter",
      t.enter,
      h("p", { id: "hint" }, ...hint),
      this.#form(check, ...this.#input("code", attributes), this.#button("check")),
      left,
      resend,
      change,
    );
    const tick = () => {
      const early = Date.now() < pending.resendAt;
      resend.ariaDisabled = String(early);
      resend.replaceChildren(...fill(early ? t.resendIn : t.resend, { time: clock(pending.resendAt) }));
      expiry.textContent = clock(pending.expiresAt);
      if (Date.now() >= pending.expiresAt && !left.hidden) this.#over("codeOver");
    };
    this.#over = (key) => {
      left.hidden = true;
      this.#complain(key);
    };
    this.#ticker = setInterval(tick, 1000);
    tick();
    if (pending.channel === "sms" && "OTPCredential" in window) {
      this.#webOtp = new AbortController();
      const asked = { otp: { transport: ["sms"] }, signal: this.#webOtp.signal };
      navigator.credentials.get(/** @type {any} */ (asked)).then(
        (/** @type {any} */ got) => {
          const field = this.#field();
          if (!got || !field) return;
          field.value = got.code;
          field.dispatchEvent(new Event("input"));
        },
        () => {}, // Aborted, or the person said no.
      );
    }
  }

  #showLink() {
    const id = this.#link?.get("challenge_id");
    const pending = this.#kept("localStorage");
    if (pending?.id !== id || !pending) return this.#showAsk();
    const to = ltr(written(pending.destination));
    this.#show(
      "link",
      this.#t.title,
      h("p", {}, ...fill(this.#t.link, { to })),
      this.#form(() => this.#submitLink(pending.destination), this.#button("title")),
    );
  }

  /** @param {Destination} destination */
  async #submitLink(destination) {
    const link = /** @type {URLSearchParams} */ (this.#link);
    const id = /** @type {string} */ (link.get("challenge_id"));
    await this.client.validate({ destination, id }, /** @type {string} */ (link.get("otp")));
    this.#link = undefined;
  }

  #showDone() {
    this.#link = undefined;
    this.#show("done", this.#t.done, h("slot", {}), this.#plain("out", () => this.#run(() => this.client.logout())));
  }

  /* Problems */

  /** @param {() => Promise<void>} action */
  async #run(action) {
    if (this.#busy) return;
    this.#busy = true;
    this.#say(this.#alert);
    this.#main.ariaBusy = "true";
    try {
      await action();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#busy = false;
      this.#main.ariaBusy = "false";
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    const problem = error instanceof Problem ? error : undefined;
    const type = problem?.type ?? "";
    const pending = this.#pending;
    if (type === "/problems/invalid-otp" && this.#link) {
      this.#link = undefined;
      this.#showAsk();
      this.#complain("linkOver");
    } else if (type === "/problems/invalid-otp" && pending) {
      pending.tries++;
      this.#keep(pending);
      if (pending.tries === pending.maxAttempts) this.#over("codeSpent");
      else this.#complain("codeWrong");
    } else if (type === "/problems/too-many-requests") {
      this.#complain("wait", { time: this.#duration(problem?.retryAfter ?? 60) });
    } else if (type === "/problems/invalid-request" && this.#view === "ask") {
      this.#complain(this.#channel === "email" ? "emailWrong" : "phoneWrong");
    } else {
      this.#complain(SENTENCES[type] ?? "failed");
    }
    this.#tell("problem", error);
  }

  /** In words, rounded up. @param {number} seconds */
  #duration(seconds) {
    const [unit, size] = seconds < 90 ? ["second", 1] : seconds < 5400 ? ["minute", 60] : ["hour", 3600];
    const format = { style: "unit", unit, unitDisplay: "long" };
    const words = new Intl.NumberFormat(this.#box.lang, /** @type {Intl.NumberFormatOptions} */ (format));
    return words.format(Math.ceil(seconds / Number(size)));
  }
}

if (globalThis.customElements && !customElements.get("otp-sign-in")) customElements.define("otp-sign-in", OtpSignIn);
