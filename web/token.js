/** The session that an access token names: its claim `sid`. @param {string} token @returns {string | undefined} */
export const sessionOf = (token) => {
  try {
    const [, claims = ""] = token.split(".");
    return JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))).sid;
  } catch {
    return undefined; // no JWT
  }
};

/**
 * What an answer says of tokens. They are renewed ahead of their end by 30 seconds, or by a tenth of
 * a short life.
 *
 * @param {{ token: string, expires_in: number, refresh_token?: string }} answer
 */
export const tokensOf = ({ token, expires_in, refresh_token }) => {
  const got = Date.now();
  const early = Math.min(30_000, expires_in * 100);
  return { token, got, renewAt: got + expires_in * 1000 - early, ...(refresh_token && { refresh: refresh_token }) };
};

/** Whether a token serves. One that was got in the future has seen the clock jump. @param {import("./types.js").State} state */
export const isFresh = ({ token, got, renewAt }) => token !== "" && got <= Date.now() && Date.now() < renewAt;
