// login-with-otp/testing, first against this repository, then as npm installs the packages of a release.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";

import { Client } from "../client.js";
import { codeFor, start } from "../testing/index.js";
import { executablePath } from "./browser.js";

const web = new URL("..", import.meta.url).pathname;
const repository = process.env.REPOSITORY ?? new URL("../..", import.meta.url).pathname;
const binary = `${process.env.CARGO_TARGET_DIR ?? `${repository}/target`}/debug/local`;
const { NODE_TEST_CONTEXT: _, ...env } = process.env;
const run = async (directory, program, ...args) => (await promisify(execFile)(program, args, { cwd: directory, env })).stdout;

test("codeFor waits for the next code, and never returns one twice", async () => {
  const stack = await start({ binary });
  const client = new Client({ api: stack.api });
  const awaited = codeFor("next@example.com");
  const first = await client.requestCode({ email: "next@example.com" });
  const code = await awaited;
  await assert.rejects(stack.codeFor("next@example.com", { timeout: 50 }), /no new code for next@example.com/);
  await client.validate(first, code);
  await client.requestCode({ email: "Next@example.com" });
  assert.match(await codeFor("NEXT@example.com"), /^\d{6,10}$/);
  await client.requestCode({ phone_number: "+14165550123" });
  assert.match(await codeFor("+14165550123"), /^\d{6,10}$/);
  await stack.stop();
  await assert.rejects(codeFor("next@example.com"), /call start\(\) first/);
});

test("reset empties the inbox and forgets limits, and advance moves the clock", async () => {
  const stack = await start({ binary, settings: { RESEND_COOLDOWN_SECONDS: 30 } });
  const ask = () => new Client({ api: stack.api }).requestCode({ email: "often@example.com" });
  await ask();
  await assert.rejects(ask(), { type: "/problems/too-many-requests" });
  await stack.advance(30);
  await ask();
  await stack.reset();
  assert.deepEqual(await stack.messages(), []);
  await ask();
  await assert.rejects(stack.advance(-1), /400 Send/);
  await stack.stop();
});

test("a stack that cannot start says why", async () => {
  await assert.rejects(start({ binary, settings: { OTP_LENGTH: 3 } }), /OTP_LENGTH/);
  await assert.rejects(start({ binary: "/nowhere/local" }), /ENOENT/);
  await assert.rejects(start(), /npm install --save-dev login-with-otp-local/);
});

for (const [how, end] of [["forgets to stop its stack", ""], ["is killed", "process.kill(process.pid, 'SIGKILL');"]]) test(`a process that ${how} ends, and the stack with it`, async () => {
  const script = `import { start } from ${JSON.stringify(`${web}testing/index.js`)};
    const stack = await start({ binary: ${JSON.stringify(binary)} }); console.log(stack.api); ${end}`;
  const told = run(web, process.execPath, "--input-type=module", "--eval", script);
  const api = (await told.catch(({ signal, stdout }) => (assert.equal(signal, "SIGKILL"), stdout))).trim();
  const gone = async () => fetch(`${api}/api/me/`).then(() => false, () => true);
  for (const end = Date.now() + 5000; !(await gone()); ) assert.ok(Date.now() < end, "the stack goes on");
});

const project = mkdtempSync(join(tmpdir(), "otp-testing-"));
after(() => rmSync(project, { recursive: true }));
const inProject = (...path) => join(project, ...path);

const withPackages = { skip: existsSync(join(repository, "tools/npm")) ? false : "not in the repository" };

test("two suites run beside each other from the installed packages of a release", withPackages, async () => {
  const dist = inProject("dist");
  const platform = `${process.platform}-${process.arch}`;
  await run(repository, "strip", "-o", inProject("local"), binary);
  await run(repository, "tools/npm", dist, `${platform}=${inProject("local")}`);
  cpSync(join(web, "examples/testing"), project, { recursive: true });
  writeFileSync(inProject("package.json"), JSON.stringify({ type: "module" }));
  const archives = readdirSync(dist).map((archive) => join(dist, archive));
  await run(project, "npm", "install", "--offline", "--no-audit", "--no-fund", "--loglevel", "error", ...archives);
  mkdirSync(inProject("node_modules/@playwright"));
  for (const name of ["@playwright/test", "playwright", "playwright-core"]) symlinkSync(join(web, "node_modules", name), inProject("node_modules", name));
  const use = { launchOptions: { executablePath } };
  writeFileSync(inProject("playwright.config.js"), `export default ${JSON.stringify({ use, reporter: "line" })}`);

  const [suite, pages, version] = await Promise.all([
    run(project, process.execPath, "--test", "login.test.js"),
    run(project, process.execPath, "node_modules/@playwright/test/cli.js", "test", "login.spec.js"),
    run(project, "npx", "--offline", "login-with-otp-local", "--version"),
  ]);
  assert.match(suite, /(#|ℹ) pass 1\b/);
  assert.match(pages, /1 passed/);
  assert.match(version, /^local \d/);
  for (const name of ["login-with-otp", "login-with-otp-local", `login-with-otp-local-${platform}`]) {
    assert.ok(existsSync(inProject("node_modules", name, "LICENSE-MIT")), name);
  }
  for (const name of ["login.test.js", "login.spec.js"]) {
    assert.ok(readFileSync(join(web, "examples/testing", name), "utf8").split("\n").length <= 16, name);
  }
});

test("the page shows the test that runs here", () => {
  const [readme, example] = ["README.md", "examples/testing/login.test.js"].map((name) => readFileSync(join(web, name), "utf8"));
  assert.ok(readme.includes(`\`\`\`js\n${example}\`\`\``));
});
