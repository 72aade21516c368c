/**
 * Takes the link of an e-mail out of the address bar. It stands in the fragment: alone, or behind
 * the address of a router that uses the fragment, such as `#/login`, which stays.
 *
 * @param {string[]} names What the link must have.
 * @returns {string[] | undefined} Their values.
 */
const take = (...names) => {
  const { hash, pathname, search } = location;
  const at = hash.search(new RegExp(`[#?&](?:${names.join("|")})=`));
  const parts = new URLSearchParams(hash.slice(at + 1));
  const values = names.map((name) => parts.get(name) ?? "");
  if (at < 0 || !values.every(Boolean)) return undefined;
  for (const name of names) parts.delete(name);
  const rest = parts.size ? hash.charAt(at) + parts : "";
  history.replaceState(history.state, "", pathname + search + hash.slice(0, at) + rest);
  return values;
};

/** The challenge and the code of a link that logs in. */
export const takeLink = () => {
  const [id, otp] = take("challenge_id", "otp") ?? [];
  return id && otp ? { id, otp } : undefined;
};

/** The token of a link that undoes the removal of a destination. */
export const takeUndo = () => take("undo")?.[0];
