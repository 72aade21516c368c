// Each problem is a sentence, and there is a way on.
import assert from "node:assert/strict";
import { describe } from "node:test";

import { ask, seen } from "./browser.js";
import { wrong } from "./stack.js";
import { LOGIN, visits } from "./visits.js";

const visit = visits();

describe("a problem is a sentence", { concurrency: 2 }, () => {
  visit("for a destination that is none", {}, async ({ page, field, button, alert, focus }) => {
    await button("Send code").click();
    await alert("Enter an e-mail address, such as name@example.com.");
    assert.equal(await focus(), "field");
    assert.equal(await field("E-mail address").getAttribute("aria-invalid"), "true");
    await field("E-mail address").fill("two@example.com,three@example.com");
    await button("Send code").click();
    await alert("Enter an e-mail address");
    await button("Use a phone number").click();
    await field("Phone number").fill("+4930123456");
    await button("Send code").click();
    await alert("We cannot send a code to this address or number.");
  });

  visit("for a wrong code, which may be corrected", {}, async ({ page, email, stack, field, alert, title, focus }) => {
    await ask(page, email);
    const code = await stack.code(email);
    await field("Code").fill(wrong(code));
    await alert("This code is incorrect.");
    assert.equal(await focus(), "field");
    await page.keyboard.type(code); // replaces the selected text
    await title("You are signed in");
  });

  visit("for an incomplete code", {}, async ({ page, email, field, button, alert }) => {
    await ask(page, email);
    await field("Code").fill("123");
    await button("Continue").click();
    await alert("Enter all 6 digits.");
  });

  visit("for the third wrong code", {}, async ({ page, email, stack, field, button, alert, status, title }) => {
    await ask(page, email);
    const code = await stack.code(email);
    for (const sentence of ["is incorrect", "is incorrect", "That was the last try"]) {
      await field("Code").fill(wrong(code));
      await alert(sentence);
    }
    await button("Send a new code").click();
    await status("A new code is on its way.");
    await field("Code").fill(await stack.code(email));
    await title("You are signed in");
  });

  visit("for a code that has expired", {}, async ({ page, email, stack, field, button, alert, status, title }) => {
    await page.clock.install();
    await page.reload();
    await ask(page, email);
    await page.clock.fastForward("04:58");
    await page.getByText(/expires in 0:0[12]/).waitFor();
    await page.evaluate(() => document.activeElement.blur());
    await page.clock.fastForward("00:03");
    await alert("This code has expired. Request a new one.");
    assert.equal(await page.evaluate(() => document.activeElement.tagName), "BODY", "a clock moved the focus");
    await button("Send a new code").click();
    await status("A new code is on its way.");
    assert.equal((await stack.messages(email)).length, 2);
    await field("Code").fill(await stack.code(email));
    await title("You are signed in");
  });

  visit("for a code that is requested too early", { cooldown: true }, async ({ page, email, stack, button, alert, open }) => {
    await page.clock.install();
    await page.reload();
    await ask(page, email);
    await button(/^Send a new code in 0:(30|29)$/).waitFor();
    await button("Send a new code").click({ force: true }); // not yet: nothing happens
    await page.clock.runFor(10_000);
    await button(/^Send a new code in 0:(20|19)$/).waitFor();
    assert.equal((await stack.messages(email)).length, 1);
    await page.clock.fastForward("00:20"); // faster than the server's clock
    await button(/^Send a new code$/).click();
    await alert(/^Too many requests. Try again in (29|30|2\d) seconds.$/);
    await page.evaluate(() => sessionStorage.clear());
    const other = await open(stack.web);
    await seen(other).field("E-mail address").fill(email);
    await seen(other).button("Send code").click();
    await seen(other).alert("Too many requests. Try again in");
    assert.equal((await stack.messages(email)).length, 1);
  });

  visit("without a network, and the same code does later", {}, async ({ page, email, stack, context, field, button, alert, title }) => {
    await field("E-mail address").fill(email);
    await context.setOffline(true);
    await button("Send code").click();
    await alert("No connection.");
    await context.setOffline(false);
    await button("Send code").click();
    await title("Enter the code");
    await context.setOffline(true);
    await field("Code").fill(await stack.code(email));
    await alert("No connection.");
    await context.setOffline(false);
    await button("Continue").click();
    await title("You are signed in");
    assert.equal((await stack.messages(email)).length, 1);
  });

  for (const [type, status, sentence] of [
    ["/problems/destination-refused", 400, "We cannot send a code to this address or number."],
    ["/problems/destination-undeliverable", 409, "We cannot send a code to this address or number."],
    ["/problems/user-not-found", 404, "There is no account for this address or number."],
    ["/problems/delivery-failed", 502, "The code could not be sent. Try again."],
    ["/problems/too-many-requests", 429, "Too many requests. Try again in 2 hours."],
    ["/problems/of-tomorrow", 418, "Something went wrong. Try again in a moment."],
  ]) {
    visit(`when the API answers ${type}`, {}, async ({ page, field, button, alert }) => {
      const headers = { "access-control-allow-origin": "*" };
      const body = JSON.stringify({ type, status, title: "", detail: "not for people", retry_after: 5500 });
      await page.route(LOGIN, (route) => route.fulfill({ status, headers, body }));
      await field("E-mail address").fill("a@example.com");
      await button("Send code").click();
      await alert(sentence);
    });
  }
});
