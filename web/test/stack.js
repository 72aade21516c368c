// The local stack, as `cargo run -p local` starts it.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const target = process.env.CARGO_TARGET_DIR ?? new URL("../../target", import.meta.url).pathname;

/** Starts a stack on free ports. */
export async function startStack(settings = {}) {
  const addresses = { API_ADDR: "127.0.0.1:0", INBOX_ADDR: "127.0.0.1:0", AWS_ADDR: "127.0.0.1:0", WEB_ADDR: "127.0.0.1:0" };
  const limits = { REQUESTS_PER_IP_PER_HOUR: "10000", SENDS_PER_HOUR: "1000", SENDS_PER_DAY: "1000" };
  const env = { ...process.env, ...addresses, ...limits, ...settings };
  const program = spawn(`${target}/debug/local`, { env, stdio: ["ignore", "pipe", "ignore"] });
  const stack = { stop: () => program.kill() };
  for await (const line of createInterface(program.stdout)) {
    const [name, address] = line.split(" ");
    stack[name] = address;
    if (name === "web") break;
  }
  if (!stack.web) throw new Error("the local stack did not start");

  /** The messages to a destination, newest first. */
  stack.messages = async (to) => {
    const answer = await fetch(`${stack.inbox}/api/messages?to=${encodeURIComponent(to)}`);
    return answer.json();
  };
  stack.code = async (to) => (await stack.messages(to))[0].code;
  return stack;
}

let people = 0;
/** An address that nobody used before. */
export const someone = () => `person${++people}@example.com`;
/** A code of the same length that is not this one. */
export const wrong = (code) => String((Number(code[0]) + 1) % 10) + code.slice(1);
