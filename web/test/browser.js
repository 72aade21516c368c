// Chromium with one page per test, and what every page must hold.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const names = ["chromium", "chromium-browser", "google-chrome"].map((name) => `/usr/bin/${name}`);
export const executablePath = [process.env.CHROMIUM, ...names].find((path) => path && existsSync(path));

export const launch = () => chromium.launch({ executablePath });

/** A browser of its own, as far as storage goes. */
export async function visitor(browser, options = {}) {
  const context = await browser.newContext({ locale: "en-US", ...options });
  context.setDefaultTimeout(10_000);
  const wrongs = [];
  await context.exposeBinding("reportViolation", (_, text) => wrongs.push(text));
  await context.addInitScript(() => {
    const report = (event) => globalThis.reportViolation(`${event.violatedDirective} ${event.blockedURI}`);
    document.addEventListener("securitypolicyviolation", report);
  });
  context.on("weberror", (error) => wrongs.push(String(error.error())));
  return {
    context,
    async open(url) {
      const page = await context.newPage();
      await page.goto(url);
      return page;
    },
    /** Nothing violated the policy, and no script failed. */
    async leave() {
      await context.close();
      assert.deepEqual(wrongs, []);
    },
  };
}

/** What is visible and focused, by roles, as a screen reader finds it. */
export const seen = (page) => ({
  page,
  field: (name) => page.getByRole("textbox", { name, exact: true }),
  button: (name) => page.getByRole("button", { name }),
  title: (name) => page.getByRole("heading", { name, exact: true }).waitFor(),
  alert: (text) => page.getByRole("alert").filter({ hasText: text }).waitFor(),
  status: (text) => page.getByRole("status").filter({ hasText: text }).waitFor(),
  /** The element that has the focus, in the shadow tree, too. */
  focus: () =>
    page.evaluate(() => {
      const { activeElement } = document;
      const inner = activeElement?.shadowRoot?.activeElement ?? activeElement;
      return inner?.id || inner?.textContent;
    }),
});

export async function ask(page, email) {
  const { field, button, title } = seen(page);
  await field("E-mail address").fill(email);
  await button("Send code").click();
  await title("Enter the code");
}

export async function login(page, stack, email) {
  await ask(page, email);
  await seen(page).field("Code").fill(await stack.code(email));
  await seen(page).title("You are signed in");
}

/** WCAG 2.2 AA and good practice, as far as a program can tell. */
export async function assertAccessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(" ")}`);
  assert.deepEqual(found, [], what);
}

/** Nothing sticks out, and everything to press is big enough (WCAG 2.5.8). */
export async function assertFits(page, what, element = "otp-sign-in") {
  const { wide, small } = await page.evaluate((element) => {
    const root = document.querySelector(element).shadowRoot;
    const size = (node) => node.getBoundingClientRect();
    const small = [...root.querySelectorAll("button, input, select")].filter((node) => size(node).height < 24);
    return { wide: document.documentElement.scrollWidth > innerWidth, small: small.length };
  }, element);
  assert.deepEqual({ wide, small }, { wide: false, small: 0 }, what);
}
