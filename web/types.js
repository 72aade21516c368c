/**
 * What the client takes and gives. Nothing here runs.
 *
 * @typedef {{ email: string } | { phone_number: string, country?: string }} Destination
 *
 * @typedef {object} Challenge What was sent where. Plain data: a page may keep it across a reload.
 * @property {Destination} destination As it was asked for.
 * @property {string} [sentTo] As the service understood it, if it says so.
 * @property {string} id
 * @property {"email" | "sms"} channel
 * @property {string[]} [ways] How the service sends codes there, in order, if it says so.
 * @property {string} [via] The way that was asked for.
 * @property {number} codeLength
 * @property {number} [maxAttempts]
 * @property {"confirmed" | "unconfirmed"} [delivery] Whether the provider took the message.
 * @property {number} expiresAt In milliseconds, by the clock of this machine, like `Date.now()`.
 * @property {number} resendAt When another code may be requested.
 * @property {number} expiresIn What the service said, in seconds.
 * @property {number} resendIn What the service said, in seconds.
 * @property {number} tries How many wrong codes were entered in this browser.
 * @property {boolean} [shared] Whether others use this device.
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
 * @property {boolean} [rememberDevice] Whether the service may know this device again. The default is `true`.
 * @property {typeof globalThis.fetch} [fetch]
 *
 * @typedef {object} Tokens
 * @property {number} n Grows with each write.
 * @property {number} since The `n` of its login.
 * @property {string} [sid] The session's name at the service.
 * @property {string} token Empty if another tab or the time before a reload has it.
 * @property {number} got When.
 * @property {number} renewAt
 * @property {string} [refresh]
 * @property {boolean} [forget] Whether a logout makes the service forget the device, and the login ends with its tab.
 *
 * @typedef {Session & Tokens} State
 *
 * @typedef {object} Kept
 * @property {number} n The greatest of all tabs.
 * @property {State | null} state
 * @property {string[]} over Sessions that are over in this browser.
 */

export {};
