/**
 * @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Store
 * @typedef {"memory" | "session" | "local" | "cookie" | Store} Place
 */

const NAMES = { session: "sessionStorage", local: "localStorage", cookie: "localStorage" };

/** @returns {Store} */
const memory = () => {
  const map = new Map();
  return {
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value),
    removeItem: (key) => void map.delete(key),
  };
};

/** @param {Place} place @returns {Store} */
export const storeOf = (place) => {
  if (typeof place === "object") return place;
  try {
    return (place !== "memory" && globalThis[/** @type {"localStorage"} */ (NAMES[place])]) || memory();
  } catch {
    return memory(); // the browser forbids storage
  }
};
