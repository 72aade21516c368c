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

  const ended = page.waitForResponse((answer) => answer.url().endsWith("/api/logout/") && answer.status() === 204);
  await button("Sign out").click();
  await seen(other).title("Sign in");
  await ended;
  const left = (await who.context.cookies(stack.api)).filter(({ name }) => name === "__Host-refresh_token");
  assert.deepEqual(left, []);
  const late = await who.open(url);
  await seen(late).title("Sign in");
  await who.leave();
});

/** The access token's claims. */
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());

test("with the cookie and two users in two tabs, the page shows who it acts as, also after a slow refresh", async () => {
  const url = `${pages.origin}/examples/plain/`;
  const who = await visitor(browser);
  const page = await who.open(url);
  const other = await who.open(url);
  const [first, second] = [someone(), someone()];
  await ask(page, first);
  await seen(page).field("Code").fill(await stack.code(first));
  await seen(other).title("You are signed in");
  // A refresh whose answer takes two seconds, and a login in the other tab meanwhile.
  await page.route("**/api/token/refresh/", async (route) => {
    const response = await route.fetch();
    await new Promise((done) => setTimeout(done, 2000));
    await route.fulfill({ response });
  });
  const client = (tab, action) => tab.evaluate(`(async () => { const { client } = document.querySelector("otp-sign-in"); ${action} })()`);
  const renewing = client(page, "return client.refresh();");
  await client(other, `const sent = await client.requestCode({ email: "${second}" }); globalThis.sent = sent;`);
  const code = await stack.code(second);
  await client(other, `await client.validate(globalThis.sent, "${code}");`);
  await renewing;
  for (const tab of [page, other]) {
    const { session, token, me } = await client(tab, 'return { token: await client.refresh(), session: client.session, me: await (await client.fetch("/api/me/")).json() };');
    assert.equal(claims(token).sub, session.userId);
    assert.equal(me.user_id, session.userId);
    assert.equal(me.destinations[0].email, second);
  }
  await who.leave();
});

test("a full storage, and then a reload, show who is logged in or nobody, and end no session on the server", async () => {
  const url = `${pages.origin}/examples/plain/`;
  const who = await visitor(browser);
  const page = await who.open(url);
  const email = someone();
  await page.evaluate(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  });
  await ask(page, email);
  await seen(page).field("Code").fill(await stack.code(email));
  await seen(page).title("You are signed in");
  const status = () => page.evaluate(async () => {
    const { client } = document.querySelector("otp-sign-in");
    await client.refresh();
    return (await client.fetch("/api/me/")).status;
  });
  assert.deepEqual([await status(), await status()], [200, 200]);
  await page.reload();
  await seen(page).title("Sign in");
  await who.leave();
});
