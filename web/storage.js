/**
 * @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Store
 * @typedef {"memory" | "session" | "local" | "cookie" | Store} Place
 */

/** @returns {Store} */
export const memory = () => {
  const map = new Map();
  return {
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value),
    removeItem: (key) => void map.delete(key),
  };
};

/**
 * A store that never throws. What it refuses to keep or to forget, because it is full or forbidden,
 * now or from some moment on, lives in memory until the next write. An older value must not come back
 * after a reload, so the store loses what it cannot replace.
 *
 * @param {Store} store
 * @returns {Store}
 */
export const steady = (store) => {
  /** @type {Map<string, string>} */
  const copy = new Map();
  /** @type {Set<string>} */
  const refused = new Set();

  /** Makes the store have what the copy has. @param {string} key */
  const write = (key) => {
    const value = copy.get(key);
    refused.add(key);
    try {
      if (value === undefined) store.removeItem(key);
      else store.setItem(key, value);
      refused.delete(key);
    } catch {
      lose(key);
    }
  };
  /** @param {string} key */
  const lose = (key) => {
    try {
      store.removeItem(key);
    } catch {
      // Then it keeps what it had.
    }
  };
  return {
    getItem(key) {
      if (refused.has(key)) return copy.get(key) ?? null;
      try {
        return store.getItem(key);
      } catch {
        return copy.get(key) ?? null; // forbidden since
      }
    },
    setItem(key, value) {
      copy.set(key, value);
      write(key);
    },
    removeItem(key) {
      copy.delete(key);
      write(key);
    },
  };
};

/** A store of the browser, or memory where there is none. @param {"localStorage" | "sessionStorage"} name */
export const browserStore = (name) => {
  try {
    const store = globalThis[name];
    return store ? steady(store) : memory();
  } catch {
    return memory(); // the browser forbids storage
  }
};
