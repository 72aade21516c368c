// The element in Chromium, on the page of the local stack, under its policy.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ask, assertAccessible, assertFits, launch, login, seen, visitor } from "./browser.js";
import { someone, startStack, wrong } from "./stack.js";

const VALIDATE = "**/api/validate-otp/";
const LOGIN = "**/api/login-with-otp/";
const REFRESH = "**/api/token/refresh/";

let browser;
/** Codes may be requested again at once. */
let quick;
/** The cooldown is that of a deployment. */
let slow;
before(async () => {
  [browser, quick, slow] = await Promise.all([launch(), startStack({ RESEND_COOLDOWN_SECONDS: "0" }), startStack()]);
});
after(async () => {
  await browser.close();
  quick.stop();
  slow.stop();
});

/** A test with a fresh visitor, whose pages must be without errors. */
function visit(name, { stack = () => quick, path = "/", ...options }, story) {
  test(name, async () => {
    const who = await visitor(browser, options);
    const page = await who.open(stack().web + path);
    await story({ ...seen(page), context: who.context, stack: stack(), email: someone(), open: who.open });
    await who.leave();
  });
}

/** Lets the request through and loses its answer, once. */
const loseOnce = (page, path) =>
  page.route(
    path,
    async (route) => {
      await route.fetch();
      await route.abort("connectionreset");
    },
    { times: 1 },
  );

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
    assert.deepEqual(countries, ["Canada (\u200e+1)", "United States (\u200e+1)"]);
    await page.getByRole("combobox", { name: "Country" }).selectOption("CA");
    await field("Phone number").fill("12");
    await button("Send code").click();
    await seen(page).alert("Enter a whole phone number.");
    await field("Phone number").fill("(416) 555-0123");
    await button("Send code").click();
    await title("Enter the code");
    await page.getByText("+14165550123").waitFor();
    await field("Code").fill(await stack.code("+14165550123"));
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
    await alert("We cannot send a code there.");
  });

  visit("for a wrong code, which may be corrected", {}, async ({ page, email, stack, field, alert, title, focus }) => {
    await ask(page, email);
    const code = await stack.code(email);
    await field("Code").fill(wrong(code));
    await alert("This code is not right.");
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
    for (const sentence of ["is not right", "is not right", "That was the last try"]) {
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
    await page.clock.fastForward("00:03");
    await alert("This code has expired. Request a new one.");
    await button("Send a new code").click();
    await status("A new code is on its way.");
    assert.equal((await stack.messages(email)).length, 2);
    await field("Code").fill(await stack.code(email));
    await title("You are signed in");
  });

  visit("for a code that is requested too early", { stack: () => slow }, async ({ page, email, stack, button, alert, open }) => {
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
    ["/problems/destination-refused", 400, "We cannot send a code there."],
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
    page.evaluate(() => JSON.parse(Object.entries(localStorage).find(([key]) => key.includes("challenge"))[1]).id);

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

  visit("asks another browser for the address", {}, async ({ page, email, stack }) => {
    await ask(page, email);
    const fragment = link(await challengeOf(page), await stack.code(email));
    const who = await visitor(browser);
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

describe("everybody can use it", { concurrency: 2 }, () => {
  const looks = {
    "in light": {},
    "in dark": { colorScheme: "dark" },
    "at 320 pixels": { viewport: { width: 320, height: 640 } },
    "from right to left": { path: "/?lang=ar", viewport: { width: 320, height: 640 } },
    "with forced colours": { forcedColors: "active" },
  };
  for (const [name, look] of Object.entries(looks)) {
    visit(name, { bypassCSP: true, ...look }, async ({ page, email, stack }) => {
      const check = async (what) => {
        await assertAccessible(page, what);
        await assertFits(page, what);
      };
      const inside = page.locator("otp-sign-in");
      const field = inside.locator("#field");
      const submit = inside.locator("form button");
      await field.waitFor();
      if (name === "from right to left") {
        await page.getByRole("heading", { name: "تسجيل الدخول" }).waitFor();
        assert.equal(await inside.locator("section").getAttribute("dir"), "rtl");
        assert.equal(await inside.evaluate((node) => getComputedStyle(node.shadowRoot.querySelector("label")).direction), "rtl");
      }
      await check("the destination");
      await submit.click();
      await inside.getByRole("alert").filter({ hasText: /./ }).waitFor();
      await check("a problem");
      await inside.locator("button.plain").click();
      await inside.locator("select").waitFor();
      await check("the phone number");
      await inside.locator("button.plain").click();
      await field.fill(email);
      await submit.click();
      await inside.locator(".code").waitFor();
      await check("the code");
      await inside.locator(".code").fill(await stack.code(email));
      await page.getByText("200 {").waitFor();
      await check("logged in");
    });
  }

  visit("in 17 languages", {}, async ({ page }) => {
    const tags = {
      "en-GB": "en", "de-AT": "de", "fr-CA": "fr", "es-MX": "es", pt: "pt-BR", it: "it", nl: "nl", pl: "pl",
      "sv-FI": "sv", tr: "tr", uk: "uk", ja: "ja", ko: "ko", "zh-CN": "zh-Hans", "zh-TW": "zh-Hant", hi: "hi",
      "ar-EG": "ar", tlh: "en",
    };
    const titles = {};
    for (const [tag, language] of Object.entries(tags)) {
      await page.evaluate((tag) => (document.querySelector("otp-sign-in").lang = tag), tag);
      await page.locator(`section[lang="${language}"]`).waitFor();
      titles[language] = await page.locator("otp-sign-in h2").textContent();
    }
    assert.equal(Object.keys(titles).length, 17);
    assert.equal(new Set(Object.values(titles)).size, 17, JSON.stringify(titles));
    assert.equal(titles["zh-Hant"], "登入");
  });
});
