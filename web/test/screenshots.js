// Makes the pictures in docs/: the states of the element, and the sign-in page beside the inbox.
import { PAGES } from "./backgrounds.js";
import { ask, launch, seen } from "./browser.js";
import { startStack, wrong } from "./stack.js";

const docs = new URL("../../docs/", import.meta.url).pathname;
const [browser, stack] = await Promise.all([launch(), startStack({ RESEND_COOLDOWN_SECONDS: "30" })]);
const email = "ada@example.com";

/** One state of the page, as a picture. */
async function shot(story, { path = "/", size = [384, 660], ...options } = {}) {
  const viewport = { width: size[0], height: size[1] };
  const page = await browser.newPage({ viewport, locale: "en-US", deviceScaleFactor: 1.25, ...options });
  await page.clock.install();
  await page.goto(stack.web + path);
  await page.locator("otp-sign-in #field").waitFor();
  await story(page, seen(page));
  const picture = await page.screenshot({ caret: "initial" });
  await page.context().close();
  return `data:image/png;base64,${picture.toString("base64")}`;
}

let people = 0;
/** The field for the code, for somebody new. */
const code = async (page) => ask(page, `ada${++people || ""}@example.com`);

/** Several pictures in one. */
async function sheet(file, pictures, columns, width) {
  const page = await browser.newPage({ viewport: { width: width * columns + 12 * (columns + 1), height: 100 } });
  const images = pictures.map((picture) => `<img src="${picture}" width="${width}">`).join("");
  await page.setContent(`<style>body { margin: 12px; display: grid; gap: 12px; grid-template-columns: repeat(${columns}, ${width}px); background: #d9d9d4 } img { display: block }</style>${images}`);
  await page.locator("img").last().evaluate((image) => image.decode());
  await page.screenshot({ path: docs + file, fullPage: true });
  await page.context().close();
}

const states = [
  await shot(async () => {}),
  await shot(async (_, { button, field }) => {
    await button("Use a phone number").click();
    await field("Phone number").fill("(415) 555-0123");
  }),
  await shot(code),
  await shot(async (page, { field, alert }) => {
    await code(page);
    await field("Code").fill(wrong(await stack.code(`ada${people}@example.com`)));
    await alert("incorrect");
  }),
  await shot(async (page, { alert }) => {
    await code(page);
    await page.clock.fastForward("05:01");
    await alert("expired");
  }),
  await shot(async (page, { alert, field, button }) => {
    await page.context().setOffline(true);
    await field("E-mail address").fill(email);
    await button("Send code").click();
    await alert("No connection");
  }),
  await shot(
    async (page) => {
      await page.locator("#field").fill("layla@example.com");
      await page.locator("form button").click();
      await page.locator(".code").waitFor();
    },
    { path: "/?lang=ar" },
  ),
  await shot(
    async (page, { field, title }) => {
      await code(page);
      await field("Code").fill(await stack.code(`ada${people}@example.com`));
      await title("You are signed in");
      await page.getByText("200 {").waitFor();
    },
    { colorScheme: "dark" },
  ),
];
await sheet("screens.png", states, 4, 300);

/** A wrong code on a page with a style of its own. */
const styled = (style) => async (page, { field, alert }) => {
  if (style) await page.addStyleTag({ content: style });
  await code(page);
  await field("Code").fill(wrong(await stack.code(`ada${people}@example.com`)));
  await alert("incorrect");
};
const own = { bypassCSP: true, size: [384, 660] };
await sheet("looks.png", [
  await shot(styled(""), { size: [320, 660] }),
  await shot(styled(PAGES.dark), own),
  await shot(styled(PAGES.coloured), own),
  await shot(async (page) => page.locator("#shared").check(), { path: "/?lang=ar" }),
  await shot(async (page) => page.addStyleTag({ content: PAGES.large }), { ...own, size: [640, 1100] }),
], 5, 300);

await fetch(`${stack.inbox}/api/messages`, { method: "DELETE" });
const login = await shot(async (page) => ask(page, email), { size: [440, 580], deviceScaleFactor: 1 });
const inbox = await browser.newPage({ viewport: { width: 440, height: 580 } });
await inbox.goto(stack.inbox);
await inbox.getByText(email).first().waitFor();
const letter = `data:image/png;base64,${(await inbox.screenshot()).toString("base64")}`;
await sheet("sign-in.png", [login, letter], 2, 440);

await browser.close();
stack.stop();
