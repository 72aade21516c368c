// Lost answers, reloads, several tabs, and the link of an e-mail.
import assert from "node:assert/strict";
import { describe } from "node:test";

import { ask, login, seen } from "./browser.js";
import { wrong } from "./stack.js";
import { LOGIN, REFRESH, VALIDATE, loseByReload, loseOnce, visits } from "./visits.js";

const visit = visits();

describe("nothing is lost", { concurrency: 2 }, () => {
  visit("when the answer of a login is", {}, async ({ page, email, stack, field, title }) => {
    await loseOnce(page, LOGIN);
    await ask(page, email);
    assert.equal((await stack.messages(email)).length, 1);
    await field("Code").fill(await stack.code(email));
    await title("You are signed in");
  });

  visit("when the answer of a validation is", {}, async ({ page, email, stack, field, title }) => {
    await ask(page, email);
    await loseOnce(page, VALIDATE);
    await field("Code").fill(await stack.code(email));
    await title("You are signed in");
    await page.getByText("200 {").waitFor();
  });

  visit("when the answer of a refresh is", {}, async ({ page, email, stack }) => {
    await login(page, stack, email);
    await loseOnce(page, REFRESH);
    const renew = () => page.evaluate(async () => Boolean(await document.querySelector("otp-sign-in").client.refresh()));
    assert.equal(await renew(), true);
    assert.equal(await renew(), true);
  });

  visit("when a reload loses the answers of a login and of a validation", { cooldown: true }, async ({ page, email, stack, field, title, button }) => {
    const asked = loseByReload(page, LOGIN);
    await field("E-mail address").fill(email);
    await button("Send code").click();
    await asked;
    await ask(page, email);
    const [{ code }, ...others] = await stack.messages(email);
    assert.deepEqual(others, []);
    const checked = loseByReload(page, VALIDATE);
    await field("Code").fill(code);
    await checked;
    await title("Enter the code");
    await field("Code").fill(code);
    await title("You are signed in");
  });

  visit("by another tab, or a second thought, before another code may be sent", { cooldown: true }, async ({ page, email, stack, open, button }) => {
    await ask(page, email);
    await button("Change the address").click();
    await ask(page, email);
    await page.close();
    const tab = await open(stack.web);
    await ask(tab, email);
    const [{ code }, ...others] = await stack.messages(email);
    assert.deepEqual(others, []);
    await seen(tab).field("Code").fill(code);
    await seen(tab).title("You are signed in");
  });

  visit("by a reload or the back button while the code is awaited", {}, async ({ page, email, stack, field, title }) => {
    await ask(page, email);
    await page.reload();
    await title("Enter the code");
    await page.goto(stack.inbox);
    await page.goBack();
    await title("Enter the code");
    await page.getByText(email).waitFor();
    await field("Code").fill(await stack.code(email));
    await title("You are signed in");
    await page.goto(stack.inbox);
    await page.goBack();
    await title("You are signed in");
  });

  visit("by two tabs, which log in and out together", {}, async ({ page, email, stack, open, title, button }) => {
    const other = await open(stack.web);
    await login(page, stack, email);
    await seen(other).title("You are signed in");
    await other.getByText(`"email": "${email}"`).waitFor();
    await seen(other).button("Sign out").click();
    await title("Sign in");
    await button("Send code").waitFor();
  });

  visit("by two tabs that refresh a hundred times at once", {}, async ({ page, email, stack, open, context }) => {
    await login(page, stack, email);
    const other = await open(stack.web);
    await seen(other).title("You are signed in");
    const sent = [];
    let running = 0;
    let most = 0;
    const isRefresh = (request) => request.method() === "POST" && request.url().endsWith("/api/token/refresh/");
    context.on("request", (request) => {
      if (!isRefresh(request)) return;
      sent.push(request.postData());
      most = Math.max(most, ++running);
    });
    context.on("requestfinished", (request) => isRefresh(request) && running--);
    const race = (tab) =>
      tab.evaluate(async () => {
        const { client } = document.querySelector("otp-sign-in");
        const tokens = [];
        for (let i = 0; i < 50; i++) tokens.push(await client.refresh());
        return tokens;
      });
    const tokens = (await Promise.all([race(page), race(other)])).flat();
    assert.equal(tokens.length, 100);
    assert.ok(tokens.every(Boolean), "a session was lost");
    assert.ok(sent.length >= 50, `only ${sent.length} refreshes`);
    assert.equal(new Set(sent).size, sent.length, "a refresh token was sent twice");
    assert.equal(most, 1, "two refreshes ran at once");
    const status = () => document.querySelector("otp-sign-in").client.fetch("/api/me/").then((answer) => answer.status);
    assert.deepEqual([await page.evaluate(status), await other.evaluate(status)], [200, 200]);
  });
});

describe("the link of an e-mail", { concurrency: 2 }, () => {
  const link = (challenge, code) => `#challenge_id=${challenge}&otp=${code}`;
  const challengeOf = (page) =>
    page.evaluate(() => JSON.parse(Object.entries(localStorage).find(([key]) => key.includes("challenges"))[1])[0].id);

  visit("waits for a press of the button, and its code leaves the address bar", {}, async ({ page, email, stack, open, title, button }) => {
    await ask(page, email);
    const fragment = link(await challengeOf(page), await stack.code(email));
    const validations = [];
    const tab = await page.context().newPage();
    tab.on("request", (request) => request.url().includes("validate") && validations.push(request.method()));
    await tab.goto(stack.web + "/?lang=en" + fragment);
    await tab.getByText(`Sign in as ${email}?`).waitFor();
    assert.equal(tab.url(), stack.web + "/?lang=en");
    assert.deepEqual(validations, [], "opening the page spent the code");
    await seen(tab).button("Sign in").click();
    await seen(tab).title("You are signed in");
    await title("You are signed in");
    const again = await open(stack.web + fragment);
    await seen(again).button("Sign in").waitFor();
    assert.equal(again.url(), stack.web + "/");
    await button("Sign out").click();
  });

  visit("asks another browser for the address", {}, async ({ page, email, stack, another }) => {
    await ask(page, email);
    const fragment = link(await challengeOf(page), await stack.code(email));
    const who = await another();
    const tab = await who.open(stack.web + fragment);
    await tab.getByText("Enter the e-mail address that the link was sent to.").waitFor();
    await seen(tab).field("E-mail address").fill(email);
    await seen(tab).button("Sign in").click();
    await seen(tab).title("You are signed in");
    await who.leave();
  });

  visit("that is over leads to a new code", {}, async ({ page, email, stack, open }) => {
    await ask(page, email);
    const fragment = link(await challengeOf(page), wrong(await stack.code(email)));
    const tab = await open(stack.web + fragment);
    await seen(tab).button("Sign in").click();
    await seen(tab).alert("This link has expired or was used before.");
    await seen(tab).button("Send code").waitFor();
  });
});
