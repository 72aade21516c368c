// docs/quickstarts.md shows files of the repository, and these run.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { build } from "esbuild";

import { ask, launch, seen, visitor } from "./browser.js";
import { servePages } from "./pages.js";
import { someone, startStack } from "./stack.js";

const repository = process.env.REPOSITORY ?? new URL("../..", import.meta.url).pathname;
const path = (name) => new URL(`../examples/quick/${name}`, import.meta.url).pathname;

let browser;
let pages;
let stack;
before(async () => {
  const options = { bundle: true, format: "esm", jsx: "automatic", define: { "process.env.NODE_ENV": '"production"' } };
  await build({ entryPoints: [path("react.jsx")], outfile: path("react.js"), ...options });
  pages = await servePages((text) => text.replaceAll("http://127.0.0.1:3000", stack.api));
  [browser, stack] = await Promise.all([launch(), startStack({ ALLOWED_ORIGINS: pages.origin })]);
});
after(async () => {
  await browser.close();
  pages.stop();
  await stack.stop();
});

test("the page shows files that exist, each on one screen", { skip: !existsSync(`${repository}/docs/quickstarts.md`) }, () => {
  const page = readFileSync(`${repository}/docs/quickstarts.md`, "utf8");
  const shown = [...page.matchAll(/\[`(.*)`\]\(\.\.\/\1\):\n\n```\w+\n(.*?)```\n/gs)];
  assert.equal(shown.length, page.split("\n## ").length - 1);
  for (const [, file, text] of shown) {
    assert.equal(text, readFileSync(`${repository}/${file}`, "utf8"), file);
    assert.ok(text.split("\n").length <= 40, file);
  }
});

test("React", async () => {
  const who = await visitor(browser);
  const page = await who.open(`${pages.origin}/examples/quick/`);
  const email = someone();
  await ask(page, email);
  await seen(page).field("Code").fill(await stack.code(email));
  await page.getByText(/^Hello, [\w-]{22}$/).waitFor();
  await who.leave();
});

test("a server", async () => {
  const program = spawn(process.execPath, [path("server.mjs")], { env: { ...process.env, API_URL: stack.api, PORT: "0" }, stdio: ["ignore", "pipe", "inherit"] });
  after(() => program.kill());
  const address = await new Promise((done) => createInterface(program.stdout).once("line", done));
  let cookie = "";
  const call = async (typed) => {
    const body = typed && new URLSearchParams(typed);
    const answer = await fetch(address, { method: body ? "POST" : "GET", headers: { cookie }, redirect: "manual", body });
    cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? cookie;
    return `${answer.status} ${await answer.text()}`;
  };
  const email = someone();
  const other = someone();
  assert.match(await call(), /name="email"/);
  assert.match(await call({ email: "nobody" }), /^400 /);
  assert.match(await call({ email }), /^303 /);
  assert.match(await call(), /name="code"/);
  assert.match(await call({ code: "1" }), /^400 This did not work/);
  assert.match(await call({ again: "1" }), /^303 /);
  assert.match(await call({ email: other }), /^303 /);
  const before = cookie;
  assert.match(await call({ code: await stack.code(other) }), /^303 /);
  assert.notEqual(cookie, before);
  assert.match(await call(), /^200 Hello, [\w-]{22}$/);
});

test("the API alone", async () => {
  const shell = spawn("bash", [path("api.sh")], { env: { ...process.env, API_URL: stack.api }, stdio: ["pipe", "pipe", "inherit"] });
  let told = "";
  shell.stdout.on("data", (chunk) => (told += chunk));
  shell.stdin.end(`${await stack.codeFor("ada@example.com")}\n`);
  await new Promise((done) => shell.on("close", done));
  assert.match(told, /"user_id":"[\w-]{22}"/);
});
