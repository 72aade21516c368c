// The local stack of this repository, with the cooldown of a deployment.
import { start } from "../testing/index.js";

const target = process.env.CARGO_TARGET_DIR ?? new URL("../../target", import.meta.url).pathname;

/** Starts a stack on free ports. */
export async function startStack(settings = {}) {
  const limits = { REQUESTS_PER_IP_PER_HOUR: 10000, SENDS_PER_HOUR: 1000, SENDS_PER_DAY: 1000, RESEND_COOLDOWN_SECONDS: 30 };
  const stack = await start({ binary: `${target}/debug/local`, settings: { ...limits, ...settings } });
  stack.code = async (to) => (await stack.messages(to))[0].code;
  return stack;
}

let people = 0;
/** An address that nobody used before. */
export const someone = () => `person${++people}@example.com`;
/** A code of the same length that is not this one. */
export const wrong = (code) => String((Number(code[0]) + 1) % 10) + code.slice(1);
