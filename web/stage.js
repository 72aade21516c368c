import { duration, fill, h } from "./dom.js";
import { english } from "./messages.js";
import { SENTENCES, typeOf } from "./sentences.js";
import { STYLE } from "./style.js";

/** @typedef {import("./messages.js").Messages} Messages */
/** @typedef {Record<string, any>} Values */
/** What to say, by the type of a problem. @typedef {Record<string, keyof Messages | (() => void)>} Complaints */

/** After so many milliseconds, a person reads that something is under way. */
const SLOW = 1000;

/** The surface of the element: one view at a time, what is said beside it, and the focus. */
export class Stage {
  /** @type {Messages} */ t = english;
  /** The view that is shown. */
  view = "";
  /** @type {() => void} */ #leave = () => {};
  /** What a person waits for. @type {(() => Promise<void>) | undefined} */ #running;
  /** What the view makes of problems. @type {Complaints} */ #complaints = {};
  /** Ends the question that an action waits for, however it was answered. @type {() => void} */ answered = () => {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #slow;
  #title = h("h2", { tabindex: "-1", part: "title", id: "title" });
  #alert = h("p", { role: "alert", id: "alert", part: "alert" });
  #main = h("div", {});
  #news = h("p", { role: "status", part: "status" });
  // Without a name of its own: it would hold the words of the field's.
  #box = h("section", {}, this.#title, this.#alert, this.#main, this.#news);
  #root;

  /** @param {HTMLElement} host @param {(error: unknown) => void} fail */
  constructor(host, fail) {
    this.fail = fail;
    const style = new CSSStyleSheet();
    style.replaceSync(STYLE);
    this.#root = host.attachShadow({ mode: "open" });
    this.#root.adoptedStyleSheets = [style];
    this.#root.append(this.#box);
  }

  get language() {
    return this.#box.lang;
  }

  /** @param {Messages} texts @param {string} language */
  speak(texts, language) {
    this.t = texts;
    this.#box.lang = texts === english ? "en" : language;
    this.#box.dir = this.#box.lang === "ar" ? "rtl" : "ltr";
  }

  /**
   * @param {string} view
   * @param {string} title
   * @param {(Node | string)[]} content
   */
  show(view, title, ...content) {
    this.leave();
    // Whoever was at work in the element goes on there; a page that loads keeps its focus.
    const move = this.view && (this.#root.activeElement || this.#running);
    this.view = view;
    this.#complaints = {};
    this.#title.textContent = title;
    this.#say(this.#alert);
    this.#say(this.#news);
    this.#main.replaceChildren(...content);
    if (move) this.focus();
  }

  /** To where a person goes on. */
  focus() {
    (this.field ?? this.#title).focus();
  }

  /** What to end when the view does. @param {() => void} end */
  onLeave(end) {
    this.#leave = end;
  }

  leave() {
    this.#leave();
    this.#leave = () => {};
  }

  /** @returns {HTMLInputElement | null} */
  get field() {
    return this.#main.querySelector("#field");
  }

  /** @param {HTMLElement} place @param {keyof Messages} [key] @param {Values} [values] */
  #say(place, key, values = {}) {
    place.replaceChildren(...(key ? fill(this.t[key], values) : []));
    if (place === this.#alert && key) this.field?.setAttribute("aria-invalid", "true");
    else if (place === this.#alert) this.field?.removeAttribute("aria-invalid");
  }

  /** @param {keyof Messages} key */
  announce(key) {
    this.#say(this.#news, key);
  }

  /** Says what time did, and leaves the focus where it is. @param {keyof Messages} key */
  warn(key) {
    this.#say(this.#alert, key);
  }

  /** Says what became of a person's action. @param {keyof Messages} key @param {Values} [values] */
  complain(key, values) {
    this.#say(this.#alert, key, values);
    this.field?.focus();
    this.field?.select();
  }

  /** What the view that is shown says of problems, where it is not the usual. @param {Complaints} complaints */
  onProblem(complaints) {
    this.#complaints = complaints;
  }

  /** Says what went wrong. @param {unknown} error */
  explain(error) {
    const type = typeOf(error);
    const say = this.#complaints[type] ?? SENTENCES[type];
    if (typeof say === "function") say();
    else if (type === "/problems/too-many-requests") {
      this.complain("wait", { time: duration(/** @type {any} */ (error).retryAfter ?? 60, this.language) });
    } else this.complain(say ?? "failed");
  }

  /** Does one thing at a time. @param {() => Promise<void>} action */
  async run(action) {
    if (this.#running) return;
    this.#runs(action);
    this.#say(this.#alert);
    this.#say(this.#news);
    try {
      await action();
    } catch (error) {
      this.fail(error);
    } finally {
      if (this.#running === action) this.#runs(undefined);
    }
  }

  /** Lets a person answer a question, also in the middle of an action. Resolves when `answered` is called. @param {() => void} show */
  async ask(show) {
    const waits = this.#running;
    this.answered();
    this.#runs(undefined);
    await new Promise((done) => {
      this.answered = () => done(undefined);
      show();
      this.focus();
    });
    if (waits) this.#runs(waits);
  }

  /** @param {(() => Promise<void>) | undefined} action */
  #runs(action) {
    this.#running = action;
    this.#main.ariaBusy = String(Boolean(action));
    clearTimeout(this.#slow);
    if (action) this.#slow = setTimeout(() => this.announce("busy"), SLOW);
    else if (this.#news.textContent === this.t.busy) this.#say(this.#news);
  }

  /** @param {() => Promise<void>} submit @param {(Node | string)[]} content */
  form(submit, ...content) {
    /** @param {Event} event */
    const onsubmit = (event) => {
      event.preventDefault();
      this.run(submit);
    };
    return h("form", { novalidate: true, submit: onsubmit }, ...content);
  }

  /** @param {keyof Messages} label @param {import("./dom.js").Attributes} attributes */
  input(label, attributes) {
    const own = { id: "field", part: "input", dir: "ltr", required: true, "aria-describedby": "alert hint" };
    return [h("label", { for: "field" }, this.t[label]), h("input", { ...own, ...attributes })];
  }

  /** The button that submits. @param {keyof Messages} label */
  button(label) {
    return h("button", { part: "button" }, this.t[label]);
  }

  /** @param {keyof Messages} label @param {() => void} click */
  plain(label, click) {
    return h("button", { type: "button", class: "plain", part: "link", click }, this.t[label]);
  }
}
