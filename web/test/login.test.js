// The way through: both channels, keyboard, paste, WebOTP.
import assert from "node:assert/strict";
import { describe } from "node:test";

import { ask, seen } from "./browser.js";
import { LOGIN, visits } from "./visits.js";

const visit = visits();

describe("a login", { concurrency: 2 }, () => {
  visit("by e-mail submits itself, shows who is logged in, survives a reload and ends", {}, async ({ page, email, stack, title, field, button, focus }) => {
    await ask(page, email);
    assert.equal(await focus(), "field");
    const code = field("Code");
    assert.equal(await code.getAttribute("autocomplete"), "one-time-code");
    assert.equal(await code.getAttribute("inputmode"), "numeric");
    await code.pressSequentially(await stack.code(email));
    await title("You are signed in");
    assert.equal(await focus(), "title");
    await page.getByText(`"email": "${email}"`).waitFor();
    await page.reload();
    await title("You are signed in");
    await button("Sign out").click();
    await title("Sign in");
    await page.reload();
    await title("Sign in");
    await field("E-mail address").waitFor();
  });

  visit("by text message offers the countries of the page", {}, async ({ page, stack, field, button, title }) => {
    await button("Use a phone number").click();
    const countries = await page.getByRole("combobox", { name: "Country" }).locator("option").allTextContents();
    assert.deepEqual(countries, ["Canada", "United States"]);
    await page.getByRole("combobox", { name: "Country" }).selectOption("CA");
    await field("Phone number").fill("12");
    await button("Send code").click();
    await seen(page).alert("Enter a complete phone number.");
    await field("Phone number").fill("(416) 555-0123");
    await button("Send code").click();
    await title("Enter the code");
    await page.getByText("+14165550123").waitFor();
    await field("Code").fill(await stack.code("+14165550123"));
    await title("You are signed in");
  });

  visit("does not say that a code was sent if that is not certain", {}, async ({ page, email, stack, field, title }) => {
    await page.route(LOGIN, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), delivery: "unconfirmed" } });
    });
    await ask(page, email);
    await page.getByText(`If we can send a code to ${email}, it will arrive soon.`).waitFor();
    await field("Code").fill(await stack.code(email));
    await title("You are signed in");
  });

  visit("works with the keyboard alone", {}, async ({ page, email, stack, title, focus }) => {
    const press = async (key, times = 1) => {
      for (let i = 0; i < times; i++) await page.keyboard.press(key);
    };
    await title("Sign in");
    await press("Tab");
    assert.equal(await focus(), "field");
    await page.keyboard.type(email);
    await press("Enter");
    await title("Enter the code");
    assert.equal(await focus(), "field");
    await press("Tab", 3);
    assert.equal(await focus(), "Change the address or number");
    await press("Enter");
    await title("Sign in");
    await press("Enter"); // the address is still there
    await title("Enter the code");
    await page.keyboard.type(await stack.code(email));
    await title("You are signed in");
    await page.getByText("200 {").waitFor();
    await press("Tab", 2);
    assert.equal(await focus(), "again");
    await press("Tab");
    assert.equal(await focus(), "Sign out");
    await press("Enter");
    await title("Sign in");
  });

  for (const [what, text] of [["with a space", (code) => ` ${code.slice(0, 3)} ${code.slice(3)} `], ["inside its message", (code) => `${code} is your Example code. It expires in 5 minutes.`], ["in other digits", (code) => code.replace(/\d/g, (n) => String.fromCodePoint(0x660 + Number(n)))]]) {
    visit(`takes a code that is pasted ${what}`, { permissions: ["clipboard-read", "clipboard-write"] }, async ({ page, email, stack, title }) => {
      await ask(page, email);
      await page.evaluate((text) => navigator.clipboard.writeText(text), text(await stack.code(email)));
      await page.keyboard.press("Control+V");
      await title("You are signed in");
    });
  }

  visit("takes the code of a text message from the browser", {}, async ({ page, stack, button, field, title, context }) => {
    await context.addInitScript(() => {
      globalThis.OTPCredential = class {};
      navigator.credentials.get = ({ otp, signal }) =>
        new Promise((resolve, reject) => {
          globalThis.webOtp = { otp, resolve, signal };
          signal.addEventListener("abort", () => reject(signal.reason));
        });
    });
    await page.reload();
    await button("Use a phone number").click();
    await field("Phone number").fill("+14165550124");
    await button("Send code").click();
    await title("Enter the code");
    assert.deepEqual(await page.evaluate(() => globalThis.webOtp.otp), { transport: ["sms"] });
    const first = await page.evaluateHandle(() => globalThis.webOtp);
    await button("Change").click();
    assert.equal(await first.evaluate(({ signal }) => signal.aborted), true);
    await button("Send code").click();
    await title("Enter the code");
    await page.evaluate((code) => globalThis.webOtp.resolve({ code }), await stack.code("+14165550124"));
    await title("You are signed in");
  });
});
