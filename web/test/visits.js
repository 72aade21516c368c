// Visits to the page of the local stack in Chromium, under its policy.
import { after, before, test } from "node:test";

import { launch, seen, visitor } from "./browser.js";
import { someone, startStack } from "./stack.js";

export const VALIDATE = "**/api/validate-otp/";
export const LOGIN = "**/api/login-with-otp/";
export const REFRESH = "**/api/token/refresh/";

/** @returns A function that makes tests. Each has a fresh visitor, whose pages must be without errors. */
export function visits() {
  let browser;
  let quick;
  let slow;
  before(async () => {
    const stacks = ["0", "30"].map((seconds) => startStack({ RESEND_COOLDOWN_SECONDS: seconds }));
    [browser, quick, slow] = await Promise.all([launch(), ...stacks]);
  });
  after(async () => {
    await browser.close();
    quick.stop();
    slow.stop();
  });
  /** `cooldown`: that of a deployment, instead of none. */
  return (name, { cooldown = false, path = "/", ...options }, story) =>
    test(name, async () => {
      const stack = cooldown ? slow : quick;
      const who = await visitor(browser, options);
      const page = await who.open(stack.web + path);
      const another = () => visitor(browser);
      await story({ ...seen(page), context: who.context, stack, email: someone(), open: who.open, another });
      await who.leave();
    });
}

/** Lets the request through and loses its answer, once. */
export const loseOnce = (page, path) =>
  page.route(
    path,
    async (route) => {
      await route.fetch();
      await route.abort("connectionreset");
    },
    { times: 1 },
  );

/** Lets the request through, and reloads the page before it has the answer, once. */
export const loseByReload = (page, path) =>
  new Promise((done) =>
    page.route(
      path,
      async (route) => {
        await route.fetch();
        done(page.reload());
      },
      { times: 1 },
    ),
  );
