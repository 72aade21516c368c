/**
 * What the client takes and gives. Nothing here runs.
 *
 * @typedef {{ email: string } | { phone_number: string }} Destination
 *
 * @typedef {object} Challenge What was sent where. Plain data: a page may keep it across a reload.
 * @property {Destination} destination
 * @property {string} id
 * @property {"email" | "sms"} channel
 * @property {number} codeLength
 * @property {number} [maxAttempts]
 * @property {"confirmed" | "unconfirmed"} [delivery] Whether the provider took the message.
 * @property {number} expiresAt In milliseconds, by the clock of this machine, like `Date.now()`.
 * @property {number} resendAt When another code may be requested.
 *
 * @typedef {object} Session
 * @property {string} userId
 * @property {boolean} newUser Whether this login created the user.
 * @property {string} id Differs for each login.
 *
 * @typedef {object} Options
 * @property {string} api The address of the API.
 * @property {import("./storage.js").Place} [storage] Where tokens live. The
 *   default is `session` in a browser and `memory` elsewhere.
 * @property {string} [locale] The language of messages, such as `pt-BR`.
 * @property {string[]} [origins] Other origins that `fetch` may send the token to.
 * @property {typeof globalThis.fetch} [fetch]
 *
 * @typedef {Session & { token: string, renewAt: number, refresh?: string }} State
 *
 * @typedef {{ n: number, state: State | null }} Kept The greater `n` is the newer one.
 */

export {};
