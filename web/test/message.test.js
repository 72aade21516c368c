// The page and its messages: one language, and a link that leads back to the page.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";

import { launch, seen, visitor } from "./browser.js";
import { someone, startStack } from "./stack.js";

/** A port for the page, which a setting must name before the stack starts. */
const freePort = () =>
  new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

let browser;
let page;
let stack;
before(async () => {
  const port = await freePort();
  page = `http://localhost:${port}/`;
  const settings = { WEB_ADDR: `127.0.0.1:${port}`, SIGN_IN_URL: page };
  [browser, stack] = await Promise.all([launch(), startStack(settings)]);
});
after(async () => {
  await browser.close();
  stack.stop();
});

test("the link of an e-mail signs in on the page that asked, in the language of the page", async () => {
  const who = await visitor(browser, { locale: "de-AT" });
  const tab = await who.open(page);
  const email = someone();
  await seen(tab).field("E-Mail-Adresse").fill(email);
  await seen(tab).button("Code senden").click();
  await seen(tab).title("Code eingeben");
  const [message] = await stack.messages(email);
  assert.equal(message.locale, "de");
  const [link] = message.text.match(/http:\/\/localhost:\S+#challenge_id=\S+/);
  const opened = await who.open(link);
  await opened.getByText(`Als ${email} anmelden?`).waitFor();
  assert.equal(opened.url(), page);
  await seen(opened).button("Anmelden").click();
  await seen(opened).title("Sie sind angemeldet");
  await seen(tab).title("Sie sind angemeldet");
  await who.leave();
});
