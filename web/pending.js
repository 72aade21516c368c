// What was sent survives a reload in this tab. The link of an e-mail opens another tab, so a
// second copy lies where all tabs see it.

/** @typedef {import("./code-entry.js").Pending} Pending */

/** @param {string} api */
const key = (api) => `login-with-otp:challenge:${api}`;

/** @param {string} api @param {Pending | undefined} pending */
export const keep = (api, pending) => {
  for (const store of /** @type {const} */ (["sessionStorage", "localStorage"])) {
    try {
      if (pending) window[store].setItem(key(api), JSON.stringify(pending));
      else window[store].removeItem(key(api));
    } catch {
      // The browser forbids storage: a reload starts again.
    }
  }
};

/** @param {string} api @param {"sessionStorage" | "localStorage"} store @returns {Pending | undefined} */
export const kept = (api, store) => {
  try {
    const pending = JSON.parse(window[store].getItem(key(api)) ?? "null");
    return pending?.expiresAt > Date.now() ? pending : undefined;
  } catch {
    return undefined;
  }
};
