/**
 * Takes the link of an e-mail out of the address bar. It stands in the fragment: alone, or behind
 * the address of a router that uses the fragment, such as `#/login`, which stays.
 *
 * @returns {{ id: string, otp: string } | undefined}
 */
export const takeLink = () => {
  const { hash, pathname, search } = location;
  const at = hash.search(/[#?&](?:challenge_id|otp)=/);
  const parts = new URLSearchParams(hash.slice(at + 1));
  const [id, otp] = [parts.get("challenge_id"), parts.get("otp")];
  if (at < 0 || !id || !otp) return undefined;
  parts.delete("challenge_id");
  parts.delete("otp");
  const rest = parts.size ? hash.charAt(at) + parts : "";
  history.replaceState(history.state, "", pathname + search + hash.slice(0, at) + rest);
  return { id, otp };
};
