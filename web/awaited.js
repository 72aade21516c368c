// Which code this tab asks for, so that a reload comes back to it. What was sent where is the
// client's to keep.

/** @param {string} api */
const key = (api) => `login-with-otp:awaited:${api}`;

/** @param {string} api @param {string | undefined} id Of the challenge; none: the tab asks for no code. */
export const awaits = (api, id) => {
  try {
    if (id) sessionStorage.setItem(key(api), id);
    else sessionStorage.removeItem(key(api));
  } catch {
    // The browser forbids storage, or it is full: a reload starts again.
  }
};

/** @param {string} api */
export const awaited = (api) => {
  try {
    return sessionStorage.getItem(key(api));
  } catch {
    return null;
  }
};
