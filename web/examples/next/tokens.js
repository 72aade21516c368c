// The tokens of a visitor, in two cookies that no script can read. No framework is needed for this file.
const api = process.env.API_URL ?? "http://127.0.0.1:3000";
const secure = process.env.NODE_ENV === "production"; // behind HTTPS

export const ACCESS = secure ? "__Host-access" : "access";
export const REFRESH = secure ? "__Host-refresh" : "refresh";

/** The cookies for an answer of the API: `[name, value, options]`. @param {any} answer */
export const cookiesOf = (answer) => {
  const options = { path: "/", httpOnly: true, sameSite: "lax", secure };
  return [
    [ACCESS, answer.token, { ...options, maxAge: answer.expires_in }],
    [REFRESH, answer.refresh_token, { ...options, maxAge: answer.refresh_expires_in }],
  ];
};

/** Whether an access token serves for another half minute. @param {string | undefined} token */
export const isFresh = (token) => {
  try {
    const { exp } = JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    return exp * 1000 - Date.now() > 30_000;
  } catch {
    return false;
  }
};

/** Renewals that are under way or were a moment ago, by the refresh token that they replace. */
const renewals = new Map();
const REMEMBERED = 60_000;

/**
 * Renews tokens. A browser sends many requests at once with the same old cookies, and some of them
 * late: all get the result of one renewal. Another process that renews with the same token at the
 * same time gets the same successor from the API.
 *
 * @param {string} refreshToken
 * @returns {Promise<any>} The answer of the API, or `null`: the session is over.
 */
export function renew(refreshToken) {
  const known = renewals.get(refreshToken);
  if (known) return known;
  const renewal = post("/api/token/refresh/", { refresh_token: refreshToken });
  renewals.set(refreshToken, renewal);
  renewal.catch(() => renewals.delete(refreshToken)); // no answer: the next request tries again
  setTimeout(() => renewals.delete(refreshToken), REMEMBERED).unref?.();
  return renewal;
}

async function post(path, body) {
  const answer = await fetch(api + path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  if (answer.ok) return answer.json();
  if (answer.status === 400) return null;
  throw new Error(`the API answered ${answer.status}`);
}
