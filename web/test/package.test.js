// The package in an empty TypeScript project, as npm installs it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const web = new URL("..", import.meta.url).pathname;
const project = mkdtempSync(join(tmpdir(), "otp-package-"));
after(() => rmSync(project, { recursive: true }));

const run = (directory, program, ...args) =>
  execFileSync(program, args, { cwd: directory, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

const SCRIPT = `
import { Client, Problem, type Challenge, type Session } from "login-with-otp";
import { OtpSignIn } from "login-with-otp/sign-in";
import german from "login-with-otp/languages/de";
import { codeFor, fixture, start, type Message, type Stack } from "login-with-otp/testing";

const client = new Client({ api: "https://api.example.com", storage: "local", locale: "de" });
const off: () => void = client.on("login", (session) => session.userId.length);
const challenge: Challenge = await client.requestCode({ email: "user@example.com" });
const session: Session = await client.validate(challenge, "123456");
const answer: Response = await client.fetch("/api/me/");
const token: string | null = await client.token();
try { await client.resend(challenge); } catch (error) {
  if (error instanceof Problem) { const wait: number | undefined = error.retryAfter; void wait; }
}
const element = document.querySelector("otp-sign-in") as OtpSignIn;
element.client = client;
const title: string = german.title;
const stack: Stack = await start({ settings: { OTP_LENGTH: 8, BRAND: "Shop" }, binary: "/opt/local" });
const code: string = await codeFor("user@example.com", { timeout: 1000 });
const messages: Message[] = await stack.messages();
const scope: "worker" = fixture().otp[1].scope;
await stack.advance(60);
void [off, session, answer, token, title, code, messages, scope, stack.reset, stack.stop];

// @ts-expect-error one destination, by its name in the API
await client.requestCode({ mail: "user@example.com" });
// @ts-expect-error seconds
await stack.advance("60");
// @ts-expect-error not a place
new Client({ api: "https://api.example.com", storage: "disk" });
`;

test("npm pack works on a clean clone", () => {
  const clone = join(project, "clone");
  cpSync(web, clone, { recursive: true, filter: (path) => !/node_modules|\/types$/.test(path) });
  run(clone, "npm", "pack", "--loglevel", "error");
  const archive = readdirSync(clone).find((name) => name.endsWith(".tgz"));
  assert.match(run(clone, "tar", "tzf", archive), /package\/types\/client\.d\.ts/);
  rmSync(clone, { recursive: true });
});

test("the package type-checks in an empty TypeScript project, and runs in Node", () => {
  run(web, "npm", "pack", "--pack-destination", project, "--loglevel", "error");
  const [archive] = readdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
  run(project, "npm", "install", "--offline", "--no-audit", "--no-fund", "--loglevel", "error", `./${archive}`);
  writeFileSync(join(project, "script.ts"), SCRIPT);
  const compilerOptions = {
    strict: true, target: "es2022", module: "nodenext", lib: ["es2022", "dom"], types: [], noEmit: true,
    exactOptionalPropertyTypes: true,
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["script.ts"] }));
  run(project, join(web, "node_modules/.bin/tsc"), "--project", ".");
  const printed = run(project, "node", "--input-type=module", "--eval", 'import { Client } from "login-with-otp"; import "login-with-otp/sign-in"; console.log(typeof Client)');
  assert.equal(printed.trim(), "function");
  const shipped = readdirSync(join(project, "node_modules/login-with-otp")).sort();
  assert.ok(!shipped.includes("test") && !shipped.includes("examples") && !shipped.includes("node_modules"), shipped.join());
});
