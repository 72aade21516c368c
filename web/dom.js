// Without HTML in strings: a page may require Trusted Types.

/** @typedef {Record<string, string | boolean | ((event: any) => void)>} Attributes */

/**
 * @param {string} tag
 * @param {Attributes} attributes
 * @param {(Node | string)[]} children
 */
export const h = (tag, attributes, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
};

/** A sentence whose `{name}`s are replaced. @param {string} text @param {Record<string, any>} values */
export const fill = (text, values) => text.split(/\{(\w+)\}/).map((part, i) => (i % 2 ? values[part] : part));

/** @param {string} text */
export const ltr = (text) => h("bdi", { dir: "ltr" }, text);

/** The seconds until a time. They never grow, and are never more than the service said, whatever happens to the clock. */
export class Countdown {
  /** @param {number} end In milliseconds, like `Date.now()`. @param {number} seconds */
  constructor(end, seconds) {
    this.end = end;
    this.seconds = seconds;
  }

  get left() {
    const now = Date.now();
    const left = Math.max(0, Math.ceil((this.end - now) / 1000));
    if (left > this.seconds) this.end = now + this.seconds * 1000; // the clock was set back
    else this.seconds = left;
    return this.seconds;
  }

  /** Minutes and seconds. */
  get clock() {
    const { left } = this;
    return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  }
}

/** Seconds in words, rounded up. @param {number} seconds @param {string} language */
export const duration = (seconds, language) => {
  const [unit, size] = seconds < 90 ? ["second", 1] : seconds < 5400 ? ["minute", 60] : ["hour", 3600];
  const format = { style: "unit", unit, unitDisplay: "long" };
  const words = new Intl.NumberFormat(language, /** @type {Intl.NumberFormatOptions} */ (format));
  return words.format(Math.ceil(seconds / Number(size)));
};
