import { keyOf } from "./challenges.js";

/** @typedef {import("./storage.js").Store} Store */
/** @typedef {import("./types.js").Destination} Destination */
/** @typedef {{ to: string, userId: string, token: string }} Device */

const MOST = 5;

/**
 * What tells the service that a person logged in with this device before: a token for each of the
 * last five destinations. It logs nobody in.
 */
export class Devices {
  /** @param {string} key @param {Store} store */
  constructor(key, store) {
    this.key = key;
    this.store = store;
  }

  /** @param {Destination} to */
  tokenFor(to) {
    return this.#read().find((device) => device.to === keyOf(to))?.token;
  }

  /** @param {Destination} to @param {string} userId @param {string} token */
  put(to, userId, token) {
    const others = this.#read().filter((device) => device.to !== keyOf(to));
    this.#save([{ to: keyOf(to), userId, token }, ...others].slice(0, MOST));
  }

  /** @param {string} userId */
  forget(userId) {
    this.#save(this.#read().filter((device) => device.userId !== userId));
  }

  /** @returns {Device[]} */
  #read() {
    try {
      const all = JSON.parse(this.store.getItem(this.key) ?? "[]");
      return all.filter((/** @type {Device} */ device) => device.to && device.token);
    } catch {
      return []; // not ours
    }
  }

  /** @param {Device[]} all */
  #save(all) {
    if (all.length) this.store.setItem(this.key, JSON.stringify(all));
    else this.store.removeItem(this.key);
  }
}
