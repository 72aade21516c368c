// The program of the local stack, and its process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

/** @typedef {ReturnType<typeof run>} Program */

/** @param {string | undefined} told */
function path(told) {
  const chosen = told ?? process.env["LOGIN_WITH_OTP_LOCAL"];
  if (chosen) return chosen;
  /** @type {() => string} */
  let program;
  try {
    program = createRequire(import.meta.url)("login-with-otp-local");
  } catch (cause) {
    const why = "The local stack is a package of its own: npm install --save-dev login-with-otp-local. Or tell its program by the option `binary` or by $LOGIN_WITH_OTP_LOCAL.";
    throw new Error(why, { cause });
  }
  return program();
}

/**
 * @param {string | undefined} binary
 * @param {Record<string, string>} variables
 */
export function run(binary, variables) {
  // Its input ends with this process, however that ends, and the program with its input.
  const child = spawn(path(binary), ["--until-stdin-ends"], { env: { ...process.env, ...variables }, stdio: "pipe" });
  const ended = once(child, "close").catch((error) => [error]);
  const handles = /** @type {any[]} */ ([child, child.stdin, child.stdout, child.stderr]);
  return {
    child,
    ended,
    /** Lets this process end before the program. */
    detach: () => handles.forEach((handle) => handle.unref()),
    async stop() {
      for (const handle of handles) handle.ref();
      child.kill();
      await ended;
    },
  };
}

/** The addresses that the program prints, each once it serves. @param {Program} program */
export async function served({ child, ended, detach }) {
  /** @type {Record<string, string>} */
  const addresses = {};
  let told = "";
  const listen = (/** @type {Buffer} */ chunk) => void (told += chunk);
  child.stderr.on("data", listen);
  const lines = createInterface(child.stdout);
  await new Promise((ready) => {
    lines.on("line", (line) => {
      const [name = "", address = ""] = line.split(" ");
      addresses[name] = address;
      if (name === "web") ready(undefined);
    });
    void ended.then(ready);
  });
  if (!addresses["web"]) {
    const [why] = await ended;
    throw new Error(`the local stack did not start: ${told || why}`);
  }
  child.stderr.off("data", listen).resume();
  detach(); // a test that forgets to stop it does not hang
  return addresses;
}
