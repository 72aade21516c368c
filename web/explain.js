/** @type {Set<string>} */
const explained = new Set();

/**
 * Tells a developer why a page gets no answer from an API that is there. A browser hides the reason
 * from scripts, so this asks in a way that needs no permission and shows nothing of the answer.
 *
 * @param {string} api
 * @param {(input: any, init?: RequestInit) => Promise<Response>} send
 */
export const explain = async (api, send) => {
  const origin = globalThis.location?.origin;
  if (!origin || origin === new URL(api).origin || explained.has(api)) return;
  explained.add(api);
  try {
    await send(`${api}/.well-known/jwks.json`, { mode: "no-cors", credentials: "omit" });
  } catch {
    explained.delete(api); // there is no network, or the page's policy forbids it
    return;
  }
  console.error(
    `Login with OTP: ${api} is there, but the browser does not let this page read its answers (CORS). ` +
      `Is ${origin} in the setting ALLOWED_ORIGINS? ` +
      "Does something add headers to the page's requests, such as traceparent, that the API does not allow?",
  );
};
