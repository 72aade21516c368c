import { offered } from "./countries.js";
import { h } from "./dom.js";

/** @typedef {import("./client.js").Destination} Destination */
/** @typedef {"email" | "phone"} Channel */

/** @type {Record<Channel, "emailWrong" | "phoneWrong">} */
const WRONG = { email: "emailWrong", phone: "phoneWrong" };

/** @param {string} list */
export const words = (list) => list.split(/[\s,]+/).filter(Boolean);

/** The field for an e-mail address or a phone number. It keeps what was typed in each. */
export class DestinationField {
  /** What a person may enter, at least one. @type {Channel[]} */ #channels = ["email"];
  /** @type {import("./countries.js").Country | undefined} */ #country;
  /** @type {string | null} */ #countries = null;
  #typed = { email: "", phone: "" };
  #stage;
  /** What the person enters. @type {Channel | undefined} */ channel;

  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.#stage = stage;
  }

  /** The words of an element's attributes `channels` and `countries`. @param {string | null} channels @param {string | null} countries */
  offer(channels, countries) {
    const known = words(channels ?? "email phone").filter((word) => word === "email" || word === "phone");
    this.#channels = known.length ? /** @type {Channel[]} */ (known) : ["email"];
    this.#countries = countries;
    if (!this.channel || !this.#channels.includes(this.channel)) this.channel = this.#channels[0];
  }

  /** What a form has of it. Says what is wrong if the service does not understand it. */
  parts(channel = this.channel ?? "email") {
    const value = this.#typed[channel];
    const type = channel === "email" ? "email" : "tel";
    return [...(channel === "phone" ? this.#choice() : []), ...this.#stage.input(channel, { type, autocomplete: type, value })];
  }

  /** A button for each other channel. @param {() => void} show Shows the field again. */
  switches(show) {
    const others = this.#channels.filter((other) => other !== this.channel);
    return others.map((other) =>
      this.#stage.plain(other === "email" ? "useEmail" : "usePhone", () => {
        this.read();
        this.channel = other;
        show();
      }),
    );
  }

  /** What to say where nothing is entered, or nothing that the service understands. */
  wrong(channel = this.channel ?? "email") {
    return WRONG[channel];
  }

  /** What the field says: the service understands it, or refuses it. @returns {Destination | undefined} */
  read(channel = this.channel ?? "email") {
    const field = /** @type {HTMLInputElement} */ (this.#stage.field);
    const typed = (this.#typed[channel] = field.value.trim());
    if (!typed) return undefined;
    if (channel === "email") return { email: typed };
    return this.#country && { phone_number: typed, country: this.#country.id };
  }

  forget() {
    this.#typed = { email: "", phone: "" };
  }

  /** The countries that a number may be of; one alone is no choice. */
  #choice() {
    const stage = this.#stage;
    const all = offered(this.#countries, stage.language);
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
}
