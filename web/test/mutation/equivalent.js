// Slips that no test can notice, because nothing that anybody sees changes. `original` is how the
// place starts, `on` a part of its line; white space counts once.

/** @param {string} file @param {string} why @param {[original: string, replacement: string, on?: string][]} slips */
const none = (file, why, ...slips) =>
  slips.map(([original, replacement, on = ""]) => ({ file, why, original, replacement, on }));

export const EQUIVALENT = [
  ...none("code-entry.js", "The view for the code always has its field",
    ["stage.field?.value", "stage.field.value"], ['""', '"Stryker was here!"'],
  ),
  ...none("code-entry.js", "The same text again changes nothing", ["otp !== field.value", "true"]),
  ...none("code-entry.js", "What goes wrong while the browser reads a message is no problem of the person",
    ["!got || !field || signal.aborted", "(!got || !field) && signal.aborted"],
    ["!got || !field", "false"], ["!got || !field", "!got && !field"],
    ['"OTPCredential"', '""'],
  ),
  ...none("stage.js", "Before the first view nothing of the element has the focus, and nothing runs",
    ['""', '"Stryker was here!"'],
    ["this.view && (this.#root.activeElement || this.#running)", "this.view || this.#root.activeElement || this.#running"],
  ),
  ...none("stage.js", "Where no action waits for a question, the last action of its answer is ending", ["waits", "true", "if (waits)"]),
  ...none("sentences.js", "No type is as good as one that has no sentence", ['""', '"Stryker was here!"']),
  ...none("client.js", "No other answer than a 401 has this type", ["answer.status !== 401", "false", "if (answer.status !== 401) return false"]),
  ...none("client.js", "Nothing is read of what stands for no answer", ["() => null", "() => undefined"]),
  ...none("client.js", "Who is logged out asks nobody, and the mistake is caught", ["before?.id", "before.id", "this.#prove"]),
  ...none("stage.js", "Looks: browsers judge them", ["[style]", "[]"]),
  ...none("stage.js", "A language that cannot be loaded is English: nothing here refuses to load",
    ["texts === english", "false"],
  ),
  ...none("sign-in.js", "An element that is not on a page does not start", ["this.isConnected", "true"]),
  ...none("sign-in.js", "The second of two starts at once is the one that counts", ["this.#stage.view", "true"]),
  ...none("sign-in.js", "Each start has another number, up or down", ["++this.#starts", "--this.#starts"]),
  ...none("sign-in.js", "Browsers ignore the title of a state of the history", ['""', '"Stryker was here!"', "history.replaceState"]),
  ...none("destination-field.js", "Words between separators are filtered", ["/[\\s,]+/", "/[\\s,]/"]),
  ...none("destination-field.js", "Browsers trim an e-mail address, and a number has its digits alone", [
    "field.value.trim()", "field.value",
  ]),
  ...none("sign-in.js", "A link that is shown is there", ["this.#link?.otp", "this.#link.otp"]),
];
