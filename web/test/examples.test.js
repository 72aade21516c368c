// The examples, as they stand in the repository.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { build } from "esbuild";

import { ask, launch, seen, visitor } from "./browser.js";
import { servePages } from "./pages.js";
import { someone, startStack, wrong } from "./stack.js";

const read = (path) => readFileSync(new URL(`../examples/${path}`, import.meta.url), "utf8");

let browser;
let pages;
let stack;
before(async () => {
  const bundled = { entryPoints: [new URL("../examples/react/app.jsx", import.meta.url).pathname], jsx: "automatic" };
  const outfile = new URL("../examples/react/app.js", import.meta.url).pathname;
  await build({ ...bundled, outfile, bundle: true, format: "esm", define: { "process.env.NODE_ENV": '"production"' } });
  pages = await servePages((text) => text.replaceAll("http://127.0.0.1:3000", stack.api));
  [browser, stack] = await Promise.all([launch(), startStack({ ALLOWED_ORIGINS: pages.origin })]);
});
after(async () => {
  await browser.close();
  pages.stop();
  stack.stop();
});

test("the plain page has at most 30 lines and logs in, calls and logs out", async () => {
  const lines = read("plain/index.html").trimEnd().split("\n").length + read("plain/page.js").trimEnd().split("\n").length;
  assert.ok(lines <= 30, `${lines} lines`);
  const who = await visitor(browser);
  const page = await who.open(`${pages.origin}/examples/plain/`);
  const { button, status, title, field } = seen(page);
  assert.equal(await page.getByRole("button", { name: "Use a phone number" }).count(), 0);
  const email = someone();
  await ask(page, email);
  await field("Code").fill(await stack.code(email));
  await title("You are signed in");
  await button("Who am I?").click();
  await status(/^[\w-]{22}$/);
  await button("Sign out").click();
  await title("Sign in");
  await who.leave();
});

test("the plain page hides what is for who is logged in while its module loads", async () => {
  const who = await visitor(browser);
  await who.context.route("**/page.js", (route) => route.abort());
  const page = await who.open(`${pages.origin}/examples/plain/`);
  await page.getByRole("heading", { name: "My page" }).waitFor();
  assert.equal(await page.locator("#call").isVisible(), false);
  await who.leave();
});

test("the React page logs in, calls and logs out, in all tabs", async () => {
  const who = await visitor(browser);
  const page = await who.open(`${pages.origin}/examples/react/`);
  const other = await who.open(`${pages.origin}/examples/react/`);
  const { button, alert } = seen(page);
  const email = someone();
  await page.getByLabel("E-mail address").fill(email);
  await button("Send code").click();
  await page.getByLabel("Code").waitFor();
  await page.getByLabel("Code").fill(wrong(await stack.code(email)));
  await button("Continue").click();
  await alert("Invalid OTP.");
  await page.getByLabel("Code").fill(await stack.code(email));
  await button("Continue").click();
  await page.getByText(email).waitFor();
  await other.getByText(email).waitFor();
  await seen(other).button("Sign out").click();
  await page.getByLabel("E-mail address").waitFor();
  await who.leave();
});

test("the Node server keeps the tokens to itself", async () => {
  const path = new URL("../examples/node-server/server.mjs", import.meta.url).pathname;
  const env = { ...process.env, API_URL: stack.api, PORT: "0" };
  const program = spawn(process.execPath, [path], { env, stdio: ["ignore", "pipe", "inherit"] });
  after(() => program.kill());
  const [address] = await new Promise((done) => createInterface(program.stdout).once("line", (line) => done([line])));
  let cookie = "";
  const seenBodies = [];
  const call = async (method, route, body, type = "application/json") => {
    const answer = await fetch(address + route, { method, headers: { cookie, ...(body && { "content-type": type }) }, body: body && JSON.stringify(body) });
    cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? cookie;
    const text = await answer.text();
    seenBodies.push(text);
    return { status: answer.status, ...JSON.parse(text || "{}") };
  };
  const email = someone();
  assert.equal((await call("GET", "/me")).status, 401, "a visitor");
  assert.equal(cookie, "", "a visitor who only looks gets a cookie");
  assert.equal((await call("POST", "/login", { otp: "123456" })).status, 409);
  assert.equal((await call("POST", "/code", { email }, "application/json; charset=utf-8")).code_length, 6);
  assert.equal((await call("GET", "/me")).status, 401, "who has not yet entered the code");
  const before = cookie;
  assert.equal((await call("POST", "/login", { otp: wrong(await stack.code(email)) })).type, "/problems/invalid-otp");
  const { user_id } = await call("POST", "/login", { otp: await stack.code(email) }, "application/vnd.api+json");
  assert.notEqual(cookie, before, "the identifier outlived the login");
  assert.equal((await call("GET", "/me")).user_id, user_id);
  const kept = cookie;
  assert.equal((await call("POST", "/logout", {})).status, 204);
  cookie = kept;
  assert.equal((await call("GET", "/me")).status, 401);
  assert.equal((await call("POST", "/logout", {})).status, 204);
  assert.ok(!seenBodies.some((body) => /eyJ|refresh_token/.test(body)), "a token left the server");
  const form = await fetch(`${address}/logout`, { method: "POST", body: new URLSearchParams({ a: "b" }) });
  assert.equal(form.status, 415);
  assert.equal((await call("GET", "/none")).status, 404);
});

test("the middleware of the Next.js example renews once for all requests of a page, and for late ones", async () => {
  process.env.API_URL = stack.api;
  const { NextRequest } = await import("../examples/next/node_modules/next/server.js");
  const { middleware } = await import("../examples/next/middleware.js");
  const email = someone();
  const post = async (path, body) => (await fetch(stack.api + path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json();
  const { challenge_id } = await post("/api/login-with-otp/", { email });
  const { refresh_token, user_id } = await post("/api/validate-otp/", { email, challenge_id, otp: await stack.code(email) });
  const visit = (refresh, access = "old") => middleware(new NextRequest("http://localhost/page", { headers: { cookie: `access=${access}; refresh=${refresh}` } }));
  const answers = await Promise.all(Array.from({ length: 20 }, () => visit(refresh_token)));
  const [access] = new Set(answers.map((answer) => answer.cookies.get("access").value));
  assert.equal(new Set(answers.map((answer) => answer.cookies.get("refresh").value)).size, 1);
  assert.match(answers[0].headers.get("x-middleware-request-cookie"), /access=eyJ/, "the page does not see the new token");
  const me = await fetch(`${stack.api}/api/me/`, { headers: { authorization: `Bearer ${access}` } });
  assert.equal((await me.json()).user_id, user_id);

  const next = answers[0].cookies.get("refresh").value;
  const later = (await visit(next)).cookies.get("refresh").value;
  assert.equal((await visit(refresh_token)).cookies.get("refresh").value, next, "a late request ends the session");
  assert.equal((await visit(later, access)).cookies.get("refresh"), undefined, "a fresh token is renewed");
  await post("/api/token/refresh/", { refresh_token: "none" });
  const over = await visit("none");
  assert.equal(over.cookies.get("refresh").value, "");
});
