// The account element, on the page of the local stack.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Client } from "../client.js";
import { assertAccessible, ask, launch, seen, visitor } from "./browser.js";
import { someone, startStack } from "./stack.js";
import { loseOnce } from "./visits.js";

let browser;
let stack;
before(async () => {
  [browser, stack] = await Promise.all([launch(), startStack({ RESEND_COOLDOWN_SECONDS: 0 })]);
});
after(async () => {
  await browser.close();
  await stack.stop();
});

/** Somebody who is logged in here and in another place, which has a name. */
async function open(lang = "en") {
  const who = await visitor(browser);
  const page = await who.open(`${stack.web}/account?lang=${lang}`);
  const email = someone();
  const elsewhere = new Client({ api: stack.api });
  const device = `${stack.api}/api/validate-otp/`;
  const challenge = await elsewhere.requestCode({ email });
  const body = JSON.stringify({ email, otp: await stack.codeFor(email), challenge_id: challenge.id, device: "My Tablet" });
  const answer = await fetch(device, { method: "POST", headers: { "content-type": "application/json" }, body });
  const { refresh_token } = await answer.json();
  const renew = async () => {
    const headers = { "content-type": "application/json" };
    return (await fetch(`${stack.api}/api/token/refresh/`, { method: "POST", headers, body: JSON.stringify({ refresh_token }) })).status;
  };
  return { who, page, email, renew, ...seen(page) };
}

async function login({ page, email, field }) {
  await ask(page, email);
  await field("Code").fill(await stack.code(email));
  await page.getByRole("heading", { name: "Your account" }).waitFor();
}

describe("the account element", () => {
  test("shows nothing before a login, then the destinations and the sessions, and ends one", async () => {
    const it = await open();
    const { page, who } = it;
    assert.equal(await page.locator("otp-account").isVisible(), false);
    await login(it);
    await page.getByRole("listitem").filter({ hasText: it.email }).waitFor();
    await page.getByRole("listitem").filter({ hasText: "My Tablet" }).waitFor();
    await page.getByText("(this device)").waitFor();
    await assertAccessible(page, "the account");
    assert.equal(await it.renew(), 200);
    await loseOnce(page, "**/api/me/sessions/*/");
    const end = page.getByRole("button", { name: "End", exact: true });
    await end.click();
    await it.alert("No connection.");
    await end.click();
    await it.status("The session has ended.");
    assert.equal(await it.renew(), 400);
    assert.equal(await page.getByText("My Tablet").count(), 0);
    await it.button("Sign out").click();
    await page.locator("otp-account").waitFor({ state: "hidden" });
    await who.leave();
  });

  test("ends all other sessions, after a fresh login where the last one is old", async () => {
    const it = await open();
    const { page, who, email, field, button, title } = it;
    await login(it);
    await stack.advance(601);
    await button("End all other sessions").click();
    await title("Confirm that it is you");
    await page.getByText(`We send a code to ${email}.`).waitFor();
    await button("Send code").click();
    await title("Enter the code");
    await assertAccessible(page, "the code");
    await field("Code").fill(await stack.code(email));
    await it.status("The session has ended.");
    assert.equal(await it.renew(), 400);
    assert.equal(await page.getByRole("listitem").count(), 2, "a destination and this session");
    await who.leave();
  });

  test("deletes the account when the person is sure", async () => {
    const it = await open();
    const { page, who, button, title, alert } = it;
    await login(it);
    await button("Delete account").click();
    await title("Delete account");
    await button("Keep the account").click();
    await title("Your account");
    await button("Delete account").click();
    await loseOnce(page, "**/api/me/");
    await button("Delete account").click();
    await alert("No connection.");
    await button("Delete account").click();
    await title("Sign in");
    assert.equal(await it.renew(), 400);
    await who.leave();
  });

  test("speaks the language of the sign-in element", async () => {
    const it = await open("de");
    await it.page.getByRole("textbox", { name: "E-Mail-Adresse" }).fill(it.email);
    await it.button("Code senden").click();
    await it.page.getByRole("textbox", { name: "Code" }).fill(await stack.codeFor(it.email));
    await it.title("Ihr Konto");
    await it.who.leave();
  });
});
