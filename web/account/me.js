import { challengeOf, destinationOf } from "../challenges.js";
import { Problem } from "../problem.js";
import { typeOf } from "../sentences.js";

/** @typedef {import("../client.js").Challenge} Challenge */
/** @typedef {import("../client.js").Client} Client */
/** @typedef {import("../client.js").Destination} Destination */
/** @typedef {{ id: string, current: boolean, device: string | null, refreshed_at: string }} Session */

const ME = "/api/me/";
const DESTINATIONS = "/api/me/destinations/";
const SESSIONS = "/api/me/sessions/";

/** What people do with their own account. A call whose answer got lost may be repeated. */
export class Me {
  #client;

  /** @param {Client} client */
  constructor(client) {
    this.#client = client;
  }

  /** What logs the user in. @returns {Promise<Destination[]>} */
  async destinations() {
    const { destinations } = await this.#call("GET", ME);
    return destinations.map(destinationOf);
  }

  /** @returns {Promise<Session[]>} */
  async sessions() {
    return (await this.#call("GET", SESSIONS)).sessions;
  }

  /** @param {string} id */
  async end(id) {
    await this.#call("DELETE", `${SESSIONS}${id}/`);
  }

  async endOthers() {
    await this.#call("DELETE", SESSIONS);
  }

  async remove() {
    await this.#call("DELETE", ME);
  }

  /** Sends a code that adds a destination, or the same one again. @param {Destination} destination @param {Challenge} [before] @returns {Promise<Challenge>} */
  async sendCode(destination, before) {
    const asked = Date.now();
    const sent = await this.#call("POST", DESTINATIONS, { ...destination, ...(before && { challenge_id: before.id }) });
    // A code of another way would be a new one.
    const { ways, ...challenge } = challengeOf(destination, sent, asked);
    return { ...challenge, tries: before?.id === challenge.id ? before.tries : 0 };
  }

  /** Adds the destination of a challenge, which counts wrong codes. @param {Challenge} challenge @param {string} otp */
  async verify(challenge, otp) {
    try {
      await this.#call("POST", `${DESTINATIONS}verify/`, { ...challenge.destination, otp, challenge_id: challenge.id });
    } catch (error) {
      if (typeOf(error) === "/problems/invalid-otp") challenge.tries++;
      throw error;
    }
  }

  /** @param {Destination} destination */
  async removeDestination(destination) {
    await this.#call("POST", `${DESTINATIONS}remove/`, destination);
  }

  /** @param {string} method @param {string} path @param {object} [body] @returns {Promise<any>} */
  async #call(method, path, body) {
    const { locale } = this.#client;
    const headers = { ...(body && { "content-type": "application/json" }), ...(locale && { "accept-language": locale }) };
    let answer;
    let read;
    try {
      answer = await this.#client.fetch(path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
      read = answer.status === 204 ? null : await answer.json();
    } catch (cause) {
      throw typeOf(cause) ? cause : new Problem(0, {}, cause);
    }
    if (!answer.ok) throw new Problem(answer.status, read);
    return read;
  }
}
