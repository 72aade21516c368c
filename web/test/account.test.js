// The account element, on the page of the local stack.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Client } from "../client.js";
import { PAGES } from "./backgrounds.js";
import { assertAccessible, assertFits, ask, launch, seen, visitor } from "./browser.js";
import { someone, startStack, wrong } from "./stack.js";
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
async function open(lang = "en", options = {}) {
  const who = await visitor(browser, options);
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

/** The button beside a destination or a session. */
const beside = (page, text) => page.getByRole("listitem").filter({ hasText: text }).getByRole("button");

/** Who has a token of the page's session, as the service knows them. */
const me = (page) => page.evaluate(async () => (await document.querySelector("otp-sign-in").client.fetch("/api/me/")).json());

/** Enters an address and its code. */
async function add({ page, field, button, title, status }, email) {
  await button("Add an address or number").click();
  await title("Add an address or number");
  await field("E-mail address").fill(email);
  await button("Send code").click();
  await title("Enter the code");
  await field("Code").fill(await stack.code(email));
  await status("Added.");
  await page.getByRole("listitem").filter({ hasText: email }).waitFor();
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
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.locator("otp-account").waitFor({ state: "hidden" });
    await who.leave();
  });

  test("ends the session of another browser, whose page asks for a login again", async () => {
    const it = await open();
    const { page, who, email } = it;
    await login(it);
    await beside(page, "My Tablet").click();
    await it.status("The session has ended.");
    const another = await visitor(browser);
    const there = await another.open(`${stack.web}/?lang=en`);
    await ask(there, email);
    await seen(there).field("Code").fill(await stack.code(email));
    await there.getByText("200 {").waitFor();
    await page.reload();
    await loseOnce(page, "**/api/me/sessions/*/");
    await beside(page, "A device").click();
    await it.alert("No connection.");
    await beside(page, "A device").click();
    await it.status("The session has ended.");
    await there.evaluate(() => document.querySelector("otp-sign-in").client.refresh());
    await seen(there).title("Sign in");
    await another.leave();
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

  test("changes an address into a number, whatever answer is lost", async () => {
    const it = await open();
    const { page, who, email, field, button, title, alert, status } = it;
    await login(it);
    const { user_id } = await me(page);
    await page.getByText("You cannot remove your only address or number.").waitFor();
    assert.equal(await beside(page, email).count(), 0);

    await button("Add an address or number").click();
    await button("Use a phone number").click();
    await page.getByRole("combobox", { name: "Country" }).selectOption("US");
    await field("Phone number").fill("(415) 555-0161");
    await loseOnce(page, "**/api/me/destinations/");
    await button("Send code").click();
    await alert("No connection.");
    assert.equal(await field("Phone number").inputValue(), "(415) 555-0161");
    await button("Send code").click();
    await title("Enter the code");
    await page.getByText("+14155550161").waitFor();
    await loseOnce(page, "**/api/me/destinations/verify/");
    await field("Code").fill(await stack.code("+14155550161"));
    await alert("No connection.");
    await button("Continue").click();
    await status("Added.");

    await beside(page, email).click();
    await page.getByText(`You will no longer sign in with ${email}.`).waitFor();
    await assertAccessible(page, "the removal");
    await loseOnce(page, "**/api/me/destinations/remove/");
    await button("Remove").click();
    await alert("No connection.");
    await button("Remove").click();
    await status("The address or number is removed.");
    const now = await me(page);
    assert.deepEqual([now.user_id, now.destinations], [user_id, [{ channel: "sms", phone_number: "+14155550161" }]]);
    await who.leave();
  });

  test("says what is wrong with a new address, a code and a destination of somebody else", async () => {
    const it = await open();
    const { page, who, field, button, title, alert, status } = it;
    await login(it);
    await button("Add an address or number").click();
    await button("Send code").click();
    await alert("Enter an e-mail address, such as name@example.com.");
    await field("E-mail address").fill("nobody");
    await button("Send code").click();
    await alert("Enter an e-mail address, such as name@example.com.");
    await button("Use a phone number").click();
    await field("Phone number").fill("+4930123456");
    await button("Send code").click();
    await alert("We cannot send a code to this address or number.");
    await button("Use an e-mail address").click();
    const taken = someone();
    const other = new Client({ api: stack.api });
    await other.validate(await other.requestCode({ email: taken }), await stack.codeFor(taken));
    await field("E-mail address").fill(taken);
    await button("Send code").click();
    await title("Enter the code");
    await field("Code").fill(wrong(await stack.code(taken)));
    await alert("This code is incorrect.");
    await button("Send a new code").click();
    await status("A new code is on its way.");
    await field("Code").fill(await stack.code(taken));
    await alert("This address or number belongs to another account.");
    await button("Back").click();
    await title("Your account");
    assert.equal((await me(page)).destinations.length, 1);
    await who.leave();
  });

  test("says why an only and an older address stay", async () => {
    const it = await open();
    const { page, who, email, field, button, alert, title } = it;
    await login(it);
    const newer = someone();
    await add(it, newer);
    await beside(page, newer).click();
    const removed = await page.evaluate(async (email) => {
      const how = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ email }) };
      return (await document.querySelector("otp-sign-in").client.fetch("/api/me/destinations/remove/", how)).status;
    }, email);
    assert.equal(removed, 204);
    await button("Remove").click();
    await alert("You cannot remove your only address or number. Add another one first.");
    await button("Back").click();
    await title("Your account");

    const another = someone();
    await add(it, another);
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await title("Sign in");
    await ask(page, another);
    await field("Code").fill(await stack.code(another));
    await beside(page, newer).click();
    await button("Remove").click();
    await alert("An address or number removes no older one in its first three days.");
    await who.leave();
  });

  test("signs out everywhere, or nowhere", async () => {
    const it = await open();
    const { page, who, button, title, alert } = it;
    await login(it);
    await loseOnce(page, "**/api/me/sessions/");
    await button("Sign out everywhere").click();
    await alert("No connection.");
    await button("Sign out everywhere").click();
    await title("Sign in");
    assert.equal(await it.renew(), 400);
    assert.equal(await page.locator("otp-account").isVisible(), false);
    assert.doesNotMatch(await page.locator("otp-account").evaluate((it) => it.shadowRoot.textContent), /example\.com/);
    await who.leave();
  });

  test("outside a sign-in element it asks for the code of a fresh login itself, by the address that the person has", async () => {
    const it = await open();
    const { page, who, email, field, button, title, status } = it;
    await login(it);
    const second = someone();
    await add(it, second);
    await page.evaluate(() => document.querySelector("main").append(document.querySelector("otp-account")));
    await title("Your account");
    await stack.advance(601);
    await button("End all other sessions").click();
    await title("Confirm that it is you");
    await button("Back").click();
    await title("Your account");
    assert.equal(await it.renew(), 200);
    await button("End all other sessions").click();
    await page.getByRole("combobox", { name: "You sign in with" }).selectOption(email);
    await assertAccessible(page, "the choice of a destination");
    await loseOnce(page, "**/api/login-with-otp/");
    await button("Send code").click();
    await title("Enter the code");
    await field("Code").fill(wrong(await stack.code(email)));
    await it.alert("This code is incorrect.");
    await loseOnce(page, "**/api/validate-otp/");
    await field("Code").fill(await stack.code(email));
    await status("The session has ended.");
    assert.equal(await it.renew(), 400);
    const sessions = page.locator("otp-account").getByText("(this device)");
    assert.equal(await sessions.count(), 1);
    assert.equal(await page.getByRole("listitem").count(), 3, "two destinations and this session");
    await who.leave();
  });

  test("a call of the page's own takes a fresh login, too", async () => {
    const who = await visitor(browser);
    const page = await who.open(`${stack.web}/?lang=en`);
    const { field, button, title, focus } = seen(page);
    const email = someone();
    await ask(page, email);
    await field("Code").fill(await stack.code(email));
    await title("You are signed in");
    await stack.advance(601);
    const call = () => page.evaluate(async () => (await document.querySelector("otp-sign-in").client.fetch("/api/me/", { method: "DELETE" })).status);
    const refused = call();
    await title("Confirm that it is you");
    assert.equal(await focus(), "title");
    await button("Back").click();
    assert.equal(await refused, 401);
    await title("You are signed in");
    const deleted = call();
    await button("Send code").click();
    await title("Enter the code");
    await field("Code").fill(await stack.code(email));
    assert.equal(await deleted, 204);
    await title("You are signed in");
    await who.leave();
  });

  describe("everybody can use it", () => {
    const looks = {
      "in light": {},
      "in dark": { colorScheme: "dark" },
      "at 320 pixels": { viewport: { width: 320, height: 640 } },
      "from right to left": { lang: "ar", viewport: { width: 320, height: 640 } },
      "with forced colours": { forcedColors: "active" },
      "on a dark page that says nothing of it": { style: PAGES.dark },
      "on a coloured page": { style: PAGES.coloured },
      "with text of 200 %": { style: PAGES.large, viewport: { width: 640, height: 900 } },
    };
    for (const [name, { style = "", lang = "en", ...look }] of Object.entries(looks)) {
      test(name, async () => {
        const { page, who, email } = await open(lang, { bypassCSP: true, ...look });
        if (style) await page.addStyleTag({ content: style });
        const signIn = page.locator("otp-sign-in");
        const account = page.locator("otp-account");
        const check = async (what) => {
          await assertAccessible(page, what);
          await assertFits(page, what, "otp-account");
        };
        const press = (n) => account.locator("button.plain").nth(n).click();
        const enter = async (to) => {
          await account.locator("#field").fill(to);
          await account.locator("form button").click();
          await account.locator(".code").waitFor();
        };
        await signIn.locator("#field").fill(email);
        await signIn.locator("form button").click();
        await signIn.locator(".code").fill(await stack.codeFor(email));
        await account.locator("li").nth(2).waitFor();
        await check("the account");
        await press(0);
        await account.locator("#field").waitFor();
        await check("a new destination");
        await account.locator("form button").click();
        await account.getByRole("alert").filter({ hasText: /./ }).waitFor();
        await check("a problem");
        const second = someone();
        await enter(second);
        await check("its code");
        await account.locator(".code").fill(await stack.codeFor(second));
        await account.locator("li").nth(3).waitFor();
        await check("two destinations");
        await press(0);
        await account.locator("form button").waitFor();
        await check("a removal");
        await who.leave();
      });
    }
  });
});
