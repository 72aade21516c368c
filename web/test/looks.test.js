// Accessibility, sizes, colours, directions and languages.
import assert from "node:assert/strict";
import { describe } from "node:test";

import { ask, assertAccessible, assertFits } from "./browser.js";
import { PAGES } from "./backgrounds.js";
import { visits } from "./visits.js";

const visit = visits();

visit("the element stands on the page's own background, and after a login nothing has a ring that nobody asked for", {}, async ({ page, email, stack }) => {
  const looks = (query, name) => page.evaluate(([query, name]) => {
    const host = document.querySelector("otp-sign-in");
    return getComputedStyle(query ? host.shadowRoot.querySelector(query) : host)[name];
  }, [query, name]);
  await page.locator("otp-sign-in #field").waitFor();
  assert.equal(await looks("", "backgroundColor"), "rgba(0, 0, 0, 0)");
  assert.equal(await looks("h2", "color"), await page.evaluate(() => getComputedStyle(document.querySelector("main")).color));
  await ask(page, email);
  assert.equal(await page.getByLabel("Code").count(), 1, "what a test finds by the label");
  await page.getByLabel("Code").pressSequentially(await stack.code(email));
  await page.getByRole("heading", { name: "You are signed in" }).waitFor();
  assert.equal(await page.evaluate(() => document.querySelector("otp-sign-in").shadowRoot.activeElement.id), "title");
  assert.equal(await looks("h2", "outlineStyle"), "none");
});

describe("everybody can use it", { concurrency: 2 }, () => {
  const looks = {
    "in light": {},
    "in dark": { colorScheme: "dark" },
    "at 320 pixels": { viewport: { width: 320, height: 640 } },
    "from right to left": { path: "/?lang=ar", viewport: { width: 320, height: 640 } },
    "with forced colours": { forcedColors: "active" },
    "on a dark page that says nothing of it": { style: PAGES.dark },
    "on a coloured page": { style: PAGES.coloured },
    "with text of 200 %": { style: PAGES.large, viewport: { width: 640, height: 900 } },
  };
  for (const [name, { style = "", ...look }] of Object.entries(looks)) {
    visit(name, { bypassCSP: true, ...look }, async ({ page, email, stack }) => {
      if (style) await page.addStyleTag({ content: style });
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
