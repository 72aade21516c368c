// What a person reads of a problem, whatever they were doing.

/** @type {Record<string, keyof import("./messages.js").Messages>} */
export const SENTENCES = {
  network: "offline",
  "/problems/delivery-failed": "delivery",
  "/problems/destination-not-allowed": "refused",
  "/problems/destination-refused": "refused",
  "/problems/destination-taken": "ofAnother",
  "/problems/destination-too-new": "tooNew",
  "/problems/destination-undeliverable": "refused",
  "/problems/invalid-undo": "undoOver",
  "/problems/last-destination": "lastOne",
  "/problems/too-many-destinations": "tooMany",
  "/problems/user-not-found": "unknown",
};

/** Of a problem, which may be another module's; empty for any other error. @param {any} error @returns {string} */
export const typeOf = (error) => (error?.name === "Problem" ? error.type : "");
