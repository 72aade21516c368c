import { CodeEntry } from "./code-entry.js";
import { fill, h, ltr } from "./dom.js";

/** @typedef {import("./client.js").Challenge} Challenge */
/** @typedef {import("./client.js").Client} Client */
/** @typedef {import("./client.js").Destination} Destination */
/** @typedef {import("./stage.js").Stage} Stage */

/** @param {Destination} to */
const named = (to) => ("email" in to ? to.email : to.phone_number);

/**
 * Lets the person who is logged in log in again, by one of their own destinations. Resolves once they
 * did, or went back.
 *
 * @param {Stage} stage
 * @param {Client} client
 * @param {Destination[]} own
 */
export const freshLogin = (stage, client, own) => stage.ask(() => choose(stage, client, own));

/** @param {Stage} stage @param {Client} client @param {Destination[]} own */
const choose = (stage, client, own) => {
  const { t } = stage;
  const options = own.map((to) => h("option", { dir: "ltr" }, named(to)));
  const choice = h("select", { id: "own", part: "input" }, ...options);
  const send = async () => {
    const to = own[/** @type {HTMLSelectElement} */ (choice).selectedIndex] ?? own[0];
    if (to) enter(stage, client, client.pending(to) ?? (await client.requestCode(to)));
  };
  const sole = own.length < 2 && own[0];
  stage.show(
    "prove",
    t.prove,
    ...(sole ? [h("p", {}, ...fill(t.proveBy, { to: ltr(named(sole)) }))] : []),
    stage.form(send, ...(sole ? [] : [h("label", { for: "own" }, t.destinations), choice]), stage.button("send")),
    stage.plain("back", () => stage.answered()),
  );
};

/** @param {Stage} stage @param {Client} client @param {Challenge} challenge */
const enter = (stage, client, challenge) => {
  new CodeEntry(stage, challenge, {
    away: "back",
    latest: () => client.challenges.find(({ id }) => id === challenge.id),
    check: async (otp) => {
      await client.validate(challenge, otp);
      stage.answered();
    },
    resend: async (via) => {
      enter(stage, client, await client.resend(challenge, via ? { via } : {}));
      stage.announce("resent");
    },
    change: () => stage.answered(),
  });
};
