// The refresh token in a cookie: a page on another origin of the API's site.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ask, launch, seen, visitor } from "./browser.js";
import { servePages } from "./pages.js";
import { someone, startStack } from "./stack.js";

let browser;
let pages;
let stack;
before(async () => {
  pages = await servePages((text) => text.replaceAll("http://127.0.0.1:3000", stack.api).replace('storage="local"', 'storage="cookie"'));
  const settings = { ALLOWED_ORIGINS: pages.origin, REFRESH_COOKIE: "on" };
  [browser, stack] = await Promise.all([launch(), startStack(settings)]);
});
after(async () => {
  await browser.close();
  pages.stop();
  stack.stop();
});

test("with the cookie, a page survives reloads in all tabs, and no script finds the refresh token", async () => {
  const url = `${pages.origin}/examples/plain/`;
  const who = await visitor(browser);
  const page = await who.open(url);
  const other = await who.open(url);
  const { button, title, field } = seen(page);
  const email = someone();
  const answers = [];
  who.context.on("response", async (answer) => {
    if (/validate|refresh/.test(answer.url()) && answer.request().method() === "POST") answers.push(await answer.text());
  });
  await ask(page, email);
  await field("Code").fill(await stack.code(email));
  await title("You are signed in");
  await seen(other).title("You are signed in");

  const cookies = (await who.context.cookies(stack.api)).filter(({ name }) => name === "__Host-refresh_token");
  assert.equal(cookies.length, 1);
  const [{ httpOnly, secure, sameSite, path, value }] = cookies;
  assert.deepEqual({ httpOnly, secure, sameSite, path }, { httpOnly: true, secure: true, sameSite: "Strict", path: "/" });
  const found = await page.evaluate(() => JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie);
  assert.ok(!found.includes(value) && !/eyJ/.test(found), "a token is in storage");

  await Promise.all([page.reload(), other.reload()]);
  for (const tab of [page, other]) {
    await seen(tab).button("Who am I?").click();
    await seen(tab).status(/^[\w-]{22}$/);
  }
  assert.ok(answers.length >= 2, "nobody refreshed");
  assert.ok(answers.every((body) => !body.includes('"refresh_token":')), "an answer showed the refresh token");

  await button("Sign out").click();
  await seen(other).title("Sign in");
  await page.waitForFunction(() => navigator.locks.query().then(({ held, pending }) => !held.concat(pending).some(({ name }) => !/ \d+$/.test(name))));
  const left = (await who.context.cookies(stack.api)).filter(({ name }) => name === "__Host-refresh_token");
  assert.deepEqual(left, []);
  const late = await who.open(url);
  await seen(late).title("Sign in");
  await who.leave();
});
