// The element in Firefox, driven by WebDriver BiDi: what differs between browsers.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import puppeteer from "puppeteer-core";

import { someone, startStack, wrong } from "./stack.js";

const paths = [process.env.FIREFOX, "/usr/bin/firefox-esr", "/usr/bin/firefox"];
const executablePath = paths.find((path) => path && existsSync(path));

describe("in Firefox", { skip: !executablePath && "there is no Firefox" }, () => {
  let browser;
  let stack;
  before(async () => {
    [browser, stack] = await Promise.all([puppeteer.launch({ browser: "firefox", executablePath }), startStack()]);
  });
  after(async () => {
    await browser?.close();
    stack?.stop();
  });

  // Firefox paints the window in front only, and the driver's own waits need a frame.
  const inside = (page, part, action = "", element = "otp-sign-in") =>
    page.evaluate(`(() => { const part = document.querySelector("${element}").shadowRoot.querySelector(${JSON.stringify(part)}); ${action}; return part && !part.hidden ? part.textContent + part.value : null; })()`);

  async function until(page, part, expected = "", element) {
    for (let i = 0; i < 150; i++) {
      const found = await inside(page, part, "", element);
      if (found?.includes(expected)) return;
      await new Promise((done) => setTimeout(done, 100));
    }
    assert.fail(`${part} has ${await inside(page, part, "", element)}, not ${expected}`);
  }

  async function fill(page, part, value, element) {
    await until(page, part, "", element);
    await inside(page, part, `part.value = ${JSON.stringify(value)}; part.dispatchEvent(new InputEvent("input", { bubbles: true }))`, element);
  }

  async function click(page, part, element) {
    await until(page, part, "", element);
    await inside(page, part, "part.click()", element);
  }

  /** The next request of the page reaches the service, and its answer does not reach the page. */
  const loseNext = (page) =>
    page.evaluate(`{ const { fetch } = globalThis; globalThis.fetch = async (...given) => { globalThis.fetch = fetch; await fetch(...given); throw new TypeError("lost"); }; }`);

  const client = (page, action) => page.evaluate(`(async () => { const { client } = document.querySelector("otp-sign-in"); ${action} })()`);

  /** The page's own guarded call, which a reload would break off. */
  const answered = (page) =>
    client(page, 'while (!document.getElementById("answer").textContent) await new Promise((done) => setTimeout(done, 50));');

  async function visitor() {
    const context = await browser.createBrowserContext();
    const wrongs = [];
    return {
      async open(path = "/?lang=en") {
        const page = await context.newPage();
        page.on("pageerror", (error) => wrongs.push(error.message));
        page.on("console", (message) => /Content-Security/.test(message.text()) && wrongs.push(message.text()));
        await page.goto(stack.web + path);
        return page;
      },
      async leave() {
        await context.close();
        assert.deepEqual(wrongs, []);
      },
    };
  }

  async function ask(page, email) {
    await fill(page, "input[type=email]", email);
    await click(page, "form button");
    await until(page, ".code");
  }

  test("a login with a wrong code, a reload and a logout", async () => {
    const who = await visitor();
    const page = await who.open();
    const email = someone();
    await ask(page, email);
    await page.reload();
    const code = await stack.code(email);
    await fill(page, ".code", wrong(code));
    await until(page, "#alert", "This code is incorrect.");
    await fill(page, ".code", code);
    await until(page, "#title", "You are signed in");
    await answered(page);
    await page.reload();
    await until(page, "#title", "You are signed in");
    assert.equal(await client(page, 'return (await client.fetch("/api/me/")).status;'), 200);
    await answered(page);
    await click(page, "button.plain");
    await until(page, "input[type=email]");
    await who.leave();
  });

  test("a login by text message, from right to left", async () => {
    const who = await visitor();
    const page = await who.open("/?lang=ar");
    await until(page, "#title", "تسجيل الدخول");
    await click(page, "button.plain");
    await fill(page, "input[type=tel]", "(416) 555-0187");
    await click(page, "form button");
    await until(page, ".code");
    await fill(page, ".code", await stack.code("+14165550187"));
    await until(page, "#title", "تم تسجيل دخولك");
    await who.leave();
  });

  test("two tabs that refresh a hundred times at once keep their session", async () => {
    const who = await visitor();
    const page = await who.open();
    const other = await who.open();
    const email = someone();
    await ask(page, email);
    await fill(page, ".code", await stack.code(email));
    await until(page, "#title", "You are signed in");
    await until(other, "#title", "You are signed in");
    const race = (tab) =>
      client(tab, "let renewed = 0; for (let i = 0; i < 50; i++) renewed += Boolean(await client.refresh()); return renewed;");
    assert.deepEqual(await Promise.all([race(page), race(other)]), [50, 50]);
    const status = (tab) => client(tab, 'return (await client.fetch("/api/me/")).status;');
    assert.deepEqual([await status(page), await status(other)], [200, 200]);
    await client(other, "await client.logout();");
    await until(page, "input[type=email]");
    await who.leave();
  });

  test("a changed number, an ended session of another browser and a deleted account, each after a lost answer", async () => {
    const email = someone();
    const [here, there] = [await visitor(), await visitor()];
    const page = await here.open("/account?lang=en");
    const other = await there.open();
    for (const tab of [other, page]) {
      await ask(tab, email);
      await fill(tab, ".code", await stack.code(email));
      await until(tab, "#title", "You are signed in");
      await stack.reset();
    }
    await answered(other);
    const account = "otp-account";
    const news = "[role=status]";
    const press = async (part) => {
      await until(page, part, "", account);
      await loseNext(page);
      await click(page, part, account);
      await until(page, "#alert", "No connection.", account);
      await stack.reset(); // the cooldown between two codes
      await click(page, part, account);
    };

    // After the two lists, a button each: add, end others, sign out everywhere, delete.
    await click(page, "div > button", account);
    await click(page, ".plain", account);
    await fill(page, "input[type=tel]", "(416) 555-0142", account);
    await press("form button");
    await until(page, ".code", "", account);
    await loseNext(page);
    await fill(page, ".code", await stack.code("+14165550142"), account);
    await until(page, "#alert", "No connection.", account);
    await click(page, "form button", account);
    await until(page, news, "Added.", account);
    await click(page, "li button", account);
    await until(page, "div > p", email, account);
    await press("form button");
    await until(page, news, "The address or number is removed.", account);
    await until(page, "ul", "+14165550142", account);

    const elsewhere = await someoneElse("+14165550142");
    await page.reload();
    await press("ul:nth-of-type(2) button");
    await until(page, news, "The session has ended.", account);
    await client(elsewhere.page, "await client.refresh();");
    await until(elsewhere.page, "input[type=tel]");
    assert.equal(await client(other, "await client.refresh(); return client.session;"), null, "it began with the removed address");

    await click(page, "div > button:last-child", account);
    await press("form button");
    await until(page, "input[type=email]");
    for (const who of [here, there, elsewhere.who]) await who.leave();
  });

  /** Another browser, logged in by a number. */
  async function someoneElse(number) {
    const who = await visitor();
    const page = await who.open();
    await stack.reset();
    await click(page, "button.plain");
    await fill(page, "input[type=tel]", number);
    await click(page, "form button");
    await until(page, ".code");
    await fill(page, ".code", await stack.code(number));
    await until(page, "#title", "You are signed in");
    await answered(page);
    return { who, page };
  }
});
