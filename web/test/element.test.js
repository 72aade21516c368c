// The element's ways from state to state, in a document without a browser. What it looks like, its
// focus and its languages are tested in browsers.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { ShadowRoot, Window } from "happy-dom";

import { CODE, LOGIN, LOGOUT, NO_NETWORK, REFRESH, START, VALIDATE, browser, later, pass, problem, settle, standIn, stopClock, store } from "./stand-in.js";

const API = "https://api.example";
const UNDO = "/api/me/destinations/undo/";
const PAGE = "https://page.example/login?from=here";
const KEPT = `login-with-otp:challenges:${API}`;
const AWAITED = `login-with-otp:awaited:${API}`;

const window = new Window({ url: PAGE });
for (const name of ["HTMLElement", "customElements", "document", "CSSStyleSheet", "CustomEvent", "location", "history", "navigator"])
  Object.defineProperty(globalThis, name, { value: window[name], configurable: true, writable: true });
for (const name of ["addEventListener", "removeEventListener"]) globalThis[name] = window[name].bind(window);
globalThis.window = globalThis;
// happy-dom 21 fails while another element has the focus.
const { get: activeElement } = Object.getOwnPropertyDescriptor(ShadowRoot.prototype, "activeElement");
const get = function () {
  return document.activeElement === this.host ? activeElement.call(this) : null;
};
Object.defineProperty(ShadowRoot.prototype, "activeElement", { get });
const { Client, OtpSignIn } = await import("../sign-in.js");

let api;
beforeEach(() => {
  stopClock();
  api = standIn();
  globalThis.fetch = api.fetch;
  globalThis.localStorage = store();
  globalThis.BroadcastChannel = browser().Channel;
  otherTab();
  history.replaceState(null, "", PAGE);
});
afterEach(() => {
  document.body.replaceChildren();
  mock.timers.reset();
});

/** From now on, elements are in another tab. */
const otherTab = () => void (globalThis.sessionStorage = store());
const follow = (fragment) => {
  location.hash = fragment;
};

/** An element on a page, and what a person and the page see of it. */
async function open(attributes = {}, prepare = () => {}) {
  const element = document.createElement("otp-sign-in");
  for (const [name, value] of Object.entries({ api: API, storage: "local", ...attributes })) element.setAttribute(name, value);
  const events = [];
  for (const name of ["login", "logout", "challenge", "problem"]) element.addEventListener(name, (event) => events.push(event));
  prepare(element);
  document.body.append(element);
  await pass(0);
  const root = element.shadowRoot;
  const text = (query) => root.querySelector(query)?.textContent;
  const seen = {
    element,
    root,
    events,
    told: () => events.map(({ type }) => type),
    title: () => text("h2"),
    alert: () => text("[role=alert]"),
    status: () => text("[role=status]"),
    all: () => root.textContent,
    field: () => root.querySelector("#field"),
    button: (label) => [...root.querySelectorAll("button")].find(({ textContent }) => textContent.startsWith(label)),
    async press(label) {
      seen.button(label).click();
      await pass(0);
    },
    async type(typed) {
      seen.field().value = typed;
      seen.field().dispatchEvent(new window.Event("input", { bubbles: true }));
      await pass(0);
    },
    async ask(address = "a@example.com") {
      await seen.type(address);
      await seen.press("Send code");
    },
    async login(address) {
      await seen.ask(address);
      await seen.type(CODE);
    },
    async reload() {
      element.remove();
      return open(attributes, prepare);
    },
  };
  return seen;
}

test("a code logs in as soon as it is complete, and once", async () => {
  const page = await open();
  assert.equal(page.title(), "Sign in");
  assert.equal(page.field().value, "");
  await page.ask();
  assert.equal(page.title(), "Enter the code");
  assert.match(page.all(), /We sent a 6-digit code to a@example.com\./);
  await page.type("12345");
  assert.equal(api.to(VALIDATE).length, 0);
  await page.type(CODE);
  assert.equal(page.title(), "You are signed in");
  assert.deepEqual(api.to(VALIDATE).map(({ body }) => body), [{ email: "a@example.com", otp: CODE, challenge_id: "challenge-1" }]);
  assert.deepEqual(page.told(), ["challenge", "login"]);
  const [{ detail: challenge, bubbles, composed }, { detail: session }] = page.events;
  assert.deepEqual([challenge.id, challenge.destination, bubbles, composed], ["challenge-1", { email: "a@example.com" }, true, true]);
  assert.deepEqual(session, page.element.client.session);
});

test("after a login nothing of its code is kept", async () => {
  const page = await open();
  await page.ask();
  assert.ok(sessionStorage.getItem(AWAITED) && localStorage.getItem(KEPT));
  await page.type(CODE);
  assert.deepEqual([sessionStorage.getItem(AWAITED), localStorage.getItem(KEPT)], [null, null]);
});

test("a code that is awaited survives a reload, with the tries that it has left", async () => {
  let page = await open();
  await page.ask();
  await page.type("000000");
  assert.match(page.alert(), /^This code is incorrect/);
  page = await page.reload();
  assert.equal(page.title(), "Enter the code");
  assert.match(page.all(), /a@example\.com/);
  await page.type("000001");
  assert.match(page.alert(), /^This code is incorrect/);
  assert.equal(page.button("The code expires"), undefined);
  await page.type("000002");
  assert.match(page.alert(), /^That was the last try/);
  assert.equal(page.root.querySelector("small").hidden, true);
  assert.deepEqual(page.told(), ["problem", "problem"]);
  api.next(VALIDATE, problem(400, "invalid-otp"));
  await page.type(CODE);
  assert.match(page.alert(), /^That was the last try/);
});

test("a code that has expired is not asked for after a reload, and one that has not is", async () => {
  let page = await open();
  await page.ask();
  await pass(299.999);
  page = await page.reload();
  assert.equal(page.title(), "Enter the code");
  await pass(0.001);
  page = await page.reload();
  assert.equal(page.title(), "Sign in");
});

test("what storage holds that is no challenge starts from the beginning", async () => {
  for (const text of ["{", "null", "7", "{}", "[null]", '[{"id":"id"}]']) {
    sessionStorage.setItem(AWAITED, "id");
    localStorage.setItem(KEPT, text);
    sessionStorage.setItem(`login-with-otp:keys:${API}`, text);
    const page = await open();
    assert.equal(page.title(), "Sign in", text);
    page.element.remove();
  }
});

test("a browser that forbids storage still logs in", async () => {
  const forbid = () => {
    throw new Error("SecurityError");
  };
  globalThis.sessionStorage = globalThis.localStorage = { getItem: forbid, setItem: forbid, removeItem: forbid };
  const page = await open({ storage: "memory" });
  await page.login();
  assert.equal(page.title(), "You are signed in");
});

test("a challenge of another API is not asked for", async () => {
  await (await open()).ask();
  const page = await open({ api: "https://other.example" });
  assert.equal(page.title(), "Sign in");
});

test("another tab does not ask for the code of this one", async () => {
  await (await open()).ask();
  otherTab();
  assert.equal((await open()).title(), "Sign in");
});

test("who changes the address is asked again, and the code is forgotten once another is sent", async () => {
  let page = await open();
  await page.ask();
  await page.press("Change the address");
  assert.equal(page.title(), "Sign in");
  assert.equal(page.field().value, "a@example.com");
  await page.press("Send code");
  assert.equal(page.title(), "Enter the code");
  assert.equal(api.to(LOGIN).length, 1);
  await page.press("Change the address");
  await page.ask("b@example.com");
  assert.equal(api.to(LOGIN).length, 2);
  assert.doesNotMatch(localStorage.getItem(KEPT), /a@example\.com/);
  await page.press("Change the address");
  page = await page.reload();
  assert.equal(page.title(), "Sign in");
});

test("a code that was just sent is asked for in another tab, and no other is sent before its time", async () => {
  await (await open()).ask();
  for (let tabs = 0; tabs < 2; tabs++) {
    otherTab();
    const page = await open();
    await page.ask(" A@example.com");
    assert.equal(page.title(), "Enter the code");
    assert.equal(page.button("Send a new code").textContent, "Send a new code in 0:30");
    assert.deepEqual(page.told(), []);
  }
  assert.equal(api.to(LOGIN).length, 1);
  otherTab();
  const last = await open();
  last.root.querySelector("#shared").click();
  await last.ask();
  assert.equal(localStorage.getItem(KEPT), null, "the address stays on a device that others use");
  await last.type(CODE);
  assert.equal(api.to(VALIDATE)[0].body.challenge_id, "challenge-1");
  assert.equal(last.title(), "You are signed in");
});

test("a request whose answer a reload lost is the same one after it, and no store has its code", async () => {
  const keys = (path) => api.to(path).map(({ headers }) => headers.get("idempotency-key"));
  api.next(LOGIN, later().promise);
  api.next(VALIDATE, later().promise);
  let page = await open();
  await page.ask();
  page = await page.reload();
  await page.ask();
  assert.equal(page.title(), "Enter the code");
  await page.type(CODE);
  assert.doesNotMatch(JSON.stringify([...sessionStorage.kept, ...localStorage.kept]), new RegExp(CODE));
  page = await page.reload();
  await page.type(CODE);
  assert.equal(page.title(), "You are signed in");
  for (const path of [LOGIN, VALIDATE]) {
    const [first, ...others] = keys(path);
    assert.deepEqual(others, [first], path);
  }
  assert.doesNotMatch(JSON.stringify([...sessionStorage.kept]), /a@example/);
  await page.press("Sign out");
  await page.login();
  for (const path of [LOGIN, VALIDATE]) assert.notEqual(keys(path)[2], keys(path)[0], path);
});

test("a person who is logged in stays so after a reload, and the page is told", async () => {
  let page = await open();
  await page.login();
  page = await page.reload();
  assert.equal(page.title(), "You are signed in");
  assert.deepEqual(page.told(), ["login"]);
  await page.press("Sign out");
  assert.equal(page.title(), "Sign in");
  assert.deepEqual(page.told(), ["login", "logout"]);
  assert.equal(page.events[1].detail, null);
  assert.equal(api.to(LOGOUT).length, 1);
  page = await page.reload();
  assert.equal(page.title(), "Sign in");
});

test("a login in another tab ends the wait for a code here, and a logout shows at once", async () => {
  const page = await open();
  await page.ask();
  otherTab();
  const other = await open();
  await other.login("b@example.com");
  assert.equal(page.title(), "You are signed in");
  assert.equal(page.element.client.session.userId, "b@example.com");
  assert.deepEqual(page.told(), ["challenge", "login"]);
  await other.press("Sign out");
  assert.deepEqual([page.title(), other.title()], ["Sign in", "Sign in"]);
  assert.equal(localStorage.getItem(KEPT), null);
});

test("a sign-out that the server does not hear is told, and nobody is signed in", async () => {
  const page = await open();
  await page.login();
  api.next(LOGOUT, problem(400, "odd"));
  await page.press("Sign out");
  assert.equal(page.title(), "Sign in");
  assert.deepEqual([page.alert(), page.status()], ["", "This device is signed out. The service did not confirm it: the session may stay open there."]);
  assert.equal(page.element.client.session, null);
  assert.deepEqual(page.told(), ["challenge", "login", "logout", "problem"]);
});

test("a sign-out that is not confirmed says nothing to who is signed in since", async () => {
  const page = await open();
  await page.login();
  api.next(LOGOUT, NO_NETWORK, NO_NETWORK, NO_NETWORK);
  await page.press("Sign out");
  otherTab();
  const other = await open();
  await other.login("b@example.com");
  await pass(1);
  await pass(3);
  assert.deepEqual([page.title(), page.status()], ["You are signed in", ""]);
});

test("a request that takes long is said to be under way, until it is answered", async () => {
  const page = await open();
  for (const [path, act, title] of [[LOGIN, () => page.ask(), "Enter the code"], [VALIDATE, () => page.type(CODE), "You are signed in"]]) {
    const answer = later();
    api.next(path, problem(400, "odd"), answer.promise);
    await act();
    assert.deepEqual([page.alert(), page.status()], ["Something went wrong. Try again in a moment.", ""]);
    await act();
    await pass(0.999);
    assert.equal(page.status(), "");
    await pass(0.001);
    assert.equal(page.status(), "One moment…");
    answer.answer(problem(400, "odd"));
    await pass(0);
    assert.equal(page.status(), "");
    await act();
    assert.equal(page.title(), title);
    await pass(1);
    assert.equal(page.status(), "");
  }
});

test("a code has the digits of the challenge, whatever stands around them", async () => {
  for (const typed of ["123 456", ` ${CODE}\n`, `${CODE} is your code. It expires in 5 minutes, at 12:45.`, "order 7654321: 123456", "١٢٣٤٥٦", "1234567"]) {
    const page = await open({ storage: "memory" });
    await page.ask();
    await page.type(typed);
    assert.equal(page.title(), "You are signed in", typed);
    page.element.remove();
  }
  assert.ok(api.to(VALIDATE).every(({ body }) => body.otp === CODE));
});

test("a code of another length is taken at that length", async () => {
  api.next(LOGIN, { challenge_id: "id", channel: "email", code_length: 8, max_attempts: 3, expires_in: 300, resend_in: 30 });
  const page = await open();
  await page.ask();
  await page.type(CODE);
  assert.equal(api.to(VALIDATE).length, 0);
  await page.press("Continue");
  assert.equal(page.alert(), "Enter all 8 digits.");
  assert.equal(api.to(VALIDATE).length, 0);
  await page.type("12345678");
  assert.equal(api.to(VALIDATE)[0].body.otp, "12345678");
});

test("the button checks the code that stands in the field", async () => {
  const page = await open();
  await page.ask();
  page.field().value = "123 456";
  await page.press("Continue");
  assert.equal(page.title(), "You are signed in");
});

test("what runs is not started twice", async () => {
  const page = await open();
  const answer = later();
  api.next(LOGIN, answer.promise);
  await page.ask();
  await page.press("Send code");
  assert.equal(api.to(LOGIN).length, 1);
  assert.equal(page.root.querySelector("[role=alert] + div").ariaBusy, "true");
  answer.answer(problem(404, "user-not-found"));
  await settle();
  assert.equal(page.root.querySelector("[role=alert] + div").ariaBusy, "false");
  assert.equal(page.alert(), "There is no account for this address or number.");
  await page.press("Send code");
  assert.equal(page.title(), "Enter the code");
});

test("another code is sent when its time has come, and takes the place of the first", async () => {
  let page = await open();
  await page.ask();
  await page.type("000000");
  assert.equal(page.button("Send a new code").textContent, "Send a new code in 0:30");
  await pass(29);
  assert.equal(page.button("Send a new code").textContent, "Send a new code in 0:01");
  await page.press("Send a new code");
  assert.equal(api.to(LOGIN).length, 1);
  await pass(1);
  assert.equal(page.button("Send a new code").textContent, "Send a new code");
  await page.press("Send a new code");
  assert.equal(api.to(LOGIN).length, 2);
  assert.equal(page.status(), "A new code is on its way.");
  assert.equal(page.field().hasAttribute("aria-invalid"), false);
  assert.equal(page.alert(), "");
  assert.deepEqual(page.told(), ["challenge", "problem", "challenge"]);
  page = await page.reload();
  await page.type("000000");
  await page.type("000001");
  assert.match(page.alert(), /^This code is incorrect/, "the new code has as many tries as the first had");
  await page.type(CODE);
  assert.equal(api.to(VALIDATE).at(-1).body.challenge_id, "challenge-2");
});

test("a code that expires is said to have, and its time is shown until then", async () => {
  const page = await open();
  await page.ask();
  assert.match(page.all(), /The code expires in 5:00\./);
  for (let i = 0; i < 299; i++) mock.timers.tick(1000);
  assert.match(page.all(), /The code expires in 0:01\./);
  assert.equal(page.alert(), "");
  await pass(1);
  assert.equal(page.alert(), "This code has expired. Request a new one.");
  assert.equal(page.root.querySelector("small").hidden, true);
  await page.press("Send a new code");
  assert.equal(page.alert(), "");
  assert.equal(page.root.querySelector("small").hidden, false);
});

test("a code whose last try failed does not expire as well", async () => {
  const page = await open();
  await page.ask();
  for (const code of ["000000", "000001", "000002"]) await page.type(code);
  await pass(300);
  assert.match(page.alert(), /^That was the last try/);
});

test("a view that is left does nothing more", async () => {
  const page = await open();
  await page.ask();
  await page.press("Change the address");
  await pass(301);
  assert.equal(page.alert(), "");
  await page.ask("b@example.com");
  page.element.remove();
  await pass(301);
  assert.equal(page.alert(), "");
});

test("an element that was removed hears no more of logins", async () => {
  const page = await open();
  const { client } = page.element;
  page.element.remove();
  await client.validate({ destination: { email: "a@example.com" } }, CODE);
  assert.deepEqual(page.told(), []);
  assert.equal(page.title(), "Sign in");
});

test("an element that is removed before it starts, or while it does, tells nothing", async () => {
  const page = await open();
  await page.login();
  page.element.remove();
  const second = document.createElement("otp-sign-in");
  second.setAttribute("api", API);
  second.setAttribute("storage", "local");
  const told = [];
  second.addEventListener("login", () => told.push("login"));
  document.body.append(second);
  second.remove();
  await pass(0);
  assert.deepEqual(told, []);
});

test("a page is told of a login once, however often the element starts", async () => {
  const page = await open();
  for (const countries of ["US", "CA"]) page.element.setAttribute("countries", countries);
  await pass(0);
  page.element.setAttribute("countries", "DE");
  await pass(0);
  await page.login();
  assert.deepEqual(page.told(), ["challenge", "login"]);
  page.element.setAttribute("countries", "US");
  page.element.setAttribute("countries", "CA");
  await pass(0);
  assert.deepEqual(page.told(), ["challenge", "login", "login"]);
  page.element.setAttribute("countries", "DE");
  await settle();
  page.element.setAttribute("countries", "US");
  await pass(0);
  assert.deepEqual(page.told(), ["challenge", "login", "login", "login"]);
});

test("another API means another client, and the old one is closed", async () => {
  const page = await open();
  await page.login();
  const before = page.element.client;
  page.element.setAttribute("api", "https://other.example");
  await pass(0);
  assert.equal(page.title(), "Sign in");
  assert.equal(page.element.client.api, "https://other.example");
  await before.logout();
  assert.deepEqual(page.told(), ["challenge", "login"]);
});

test("a client outlives a change of what has nothing to do with it", async () => {
  const page = await open({ storage: "memory" });
  await page.login();
  for (const [name, value] of [["countries", "US"], ["channels", "email"], ["lang", "en"]]) page.element.setAttribute(name, value);
  await pass(0);
  assert.equal(page.title(), "You are signed in");
});

test("the storage is that of the attribute, and without one that of the client", async () => {
  let page = await open({ storage: "session" });
  await page.login();
  assert.deepEqual([...sessionStorage.kept.keys()], [`login-with-otp:${API}`]);
  assert.equal(localStorage.kept.size, 0);
  page.element.setAttribute("storage", "local");
  await pass(0);
  assert.equal(page.title(), "Sign in");
  page.element.removeAttribute("storage");
  await pass(0);
  assert.equal(page.title(), "You are signed in");
});

test("without an address, the API is the page's own origin", async () => {
  const page = await open({}, (element) => element.removeAttribute("api"));
  assert.equal(page.element.client.api, "https://page.example");
});

test("a page's own client is used, with its language, whatever the attributes say", async () => {
  const own = new Client({ api: "https://own.example", storage: "memory", fetch: api.fetch, locale: "sv" });
  const page = await open({}, (element) => (element.client = own));
  assert.equal(page.element.client, own);
  page.element.setAttribute("api", "https://other.example");
  await pass(0);
  assert.equal(page.element.client, own);
  await page.login();
  assert.equal(page.title(), "You are signed in");
  assert.deepEqual(api.calls.map(({ origin, headers }) => [origin, headers.get("accept-language")]), Array(2).fill(["https://own.example", "sv"]));
  const next = new Client({ api: API, storage: "memory", fetch: api.fetch });
  page.element.client = next;
  await pass(0);
  assert.equal(page.title(), "Sign in");
});

test("messages are in the language of the page", async () => {
  document.documentElement.lang = "en-AU";
  for (const attributes of [{}, { lang: "en-GB" }, { lang: "" }]) {
    otherTab();
    await (await open(attributes)).ask();
    await pass(30);
  }
  document.documentElement.removeAttribute("lang");
  assert.deepEqual(api.calls.map(({ headers }) => headers.get("accept-language")), ["en-AU", "en-GB", navigator.language]);
});

for (const [type, status, sentence] of [
  ["destination-not-allowed", 400, "We cannot send a code to this address or number."],
  ["destination-refused", 400, "We cannot send a code to this address or number."],
  ["destination-undeliverable", 409, "We cannot send a code to this address or number."],
  ["user-not-found", 404, "There is no account for this address or number."],
  ["delivery-failed", 502, "The code could not be sent."],
  ["invalid-request", 400, "Enter an e-mail address, such as"],
  ["of-tomorrow", 418, "Something went wrong."],
  ["invalid-otp", 400, "Something went wrong."],
]) {
  test(`${type} is a sentence for the person and an event for the page`, async () => {
    const page = await open();
    api.next(LOGIN, problem(status, type));
    await page.ask();
    assert.ok(page.alert().startsWith(sentence), page.alert());
    assert.equal(page.title(), "Sign in");
    assert.deepEqual([page.told(), page.events[0].detail.type], [["problem"], `/problems/${type}`]);
  });
}

test("no network is said after three tries", async () => {
  const page = await open();
  api.next(LOGIN, NO_NETWORK, NO_NETWORK, NO_NETWORK);
  await page.ask();
  await pass(1);
  await pass(3);
  assert.match(page.alert(), /^No connection/);
});

test("a wait is said in words", async () => {
  const page = await open();
  for (const [retry_after, words] of [[45, "45 seconds"], [90, "2 minutes"], [5400, "2 hours"], [undefined, "60 seconds"]]) {
    api.next(LOGIN, problem(429, "too-many-requests", { retry_after }));
    await page.ask();
    assert.equal(page.alert(), `Too many requests. Try again in ${words}.`);
  }
});

test("an invalid request while a code is entered blames no address", async () => {
  const page = await open();
  await page.ask();
  api.next(VALIDATE, problem(400, "invalid-request"));
  await page.type(CODE);
  assert.match(page.alert(), /^Something went wrong/);
});

test("an error of the page's own is no problem of the person", async () => {
  const page = await open();
  page.element.client.requestCode = async () => {
    throw new RangeError("a mistake");
  };
  await page.ask();
  assert.match(page.alert(), /^Something went wrong/);
  assert.ok(page.events[0].detail instanceof RangeError);
});

test("a sentence goes when the next action starts", async () => {
  const page = await open();
  api.next(LOGIN, problem(400, "invalid-request"));
  for (const address of ["nobody", ""]) {
    await page.ask(address);
    assert.match(page.alert(), /^Enter an e-mail address/);
  }
  assert.equal(api.calls.length, 1);
  assert.equal(page.field().getAttribute("aria-invalid"), "true");
  const answer = later();
  api.next(LOGIN, answer.promise);
  await page.ask();
  assert.equal(page.alert(), "");
  assert.equal(page.field().hasAttribute("aria-invalid"), false);
});

test("a number is one of its country, and what was typed stays with its channel", async () => {
  const page = await open({ countries: "US,CA" });
  await page.type("a@exam");
  await page.press("Use a phone number");
  const select = page.root.querySelector("select");
  assert.deepEqual([...select.options].map(({ value }) => value), ["CA", "US"]);
  assert.equal(select.value, "US");
  assert.equal(page.field().value, "");
  await page.ask(" ");
  assert.match(page.alert(), /^Enter a complete phone number/);
  assert.equal(api.calls.length, 0);
  await page.type("(416) 555-0123");
  await page.press("Use an e-mail address");
  assert.equal(page.field().value, "a@exam");
  await page.press("Use a phone number");
  page.element.setAttribute("countries", "CA,US,GB");
  await pass(0);
  assert.equal(page.field().value, "(416) 555-0123");
  api.next(LOGIN, Response.json({ challenge_id: "x", channel: "sms", destination: "+14165550123", code_length: 6, expires_in: 300, resend_in: 30 }));
  await page.press("Send code");
  assert.deepEqual(api.to(LOGIN).map(({ body }) => body), [{ phone_number: "(416) 555-0123", country: "US" }]);
  assert.match(page.all(), /\+14165550123/);
});

test("the country that a person chose is that of the number, and stays chosen", async () => {
  const page = await open({ countries: "US,GB", channels: "phone" });
  const select = page.root.querySelector("select");
  select.selectedIndex = [...select.options].findIndex(({ value }) => value === "GB");
  select.dispatchEvent(new window.Event("change", { bubbles: true }));
  api.next(LOGIN, problem(400, "invalid-request"));
  await page.ask("07400 123456");
  assert.match(page.alert(), /^Enter a complete phone number/);
  await page.press("Send code");
  await page.press("Change the address");
  assert.equal(page.root.querySelector("select").value, "GB");
  assert.deepEqual(api.to(LOGIN).map(({ body }) => body), Array(2).fill({ phone_number: "07400 123456", country: "GB" }));
});

test("one country alone is no choice", async () => {
  const page = await open({ countries: "DE", channels: "phone" });
  assert.equal(page.root.querySelector("select"), null);
  await page.ask("030 123456");
  assert.deepEqual(api.to(LOGIN)[0].body, { phone_number: "030 123456", country: "DE" });
});

test("a page that offers no country takes no number", async () => {
  const page = await open({ countries: "ZZ", channels: "phone" });
  await page.ask("+14165550123");
  assert.match(page.alert(), /^Enter a complete phone number/);
  assert.equal(api.calls.length, 0);
});

for (const [channels, fieldType, other] of [["email", "email", undefined], ["phone", "tel", undefined], ["email, phone", "email", "Use a phone number"], ["fax", "email", undefined]]) {
  test(`channels="${channels}" starts with the first and offers the others`, async () => {
    const page = await open({ channels });
    assert.deepEqual([page.field().type, page.field().getAttribute("autocomplete")], [fieldType, fieldType]);
    assert.equal(page.button("Use ")?.textContent, other);
  });
}

test("it is not said that a code was sent if that is not certain", async () => {
  api.next(LOGIN, { challenge_id: "id", channel: "email", code_length: 6, max_attempts: 3, delivery: "unconfirmed", expires_in: 300, resend_in: 30 });
  const page = await open();
  await page.ask();
  assert.match(page.all(), /If we can send a code to a@example\.com/);
});

test("the link of an e-mail leaves the address bar and waits for a press of the button", async () => {
  await (await open()).ask("a@example.com");
  otherTab();
  follow(`#challenge_id=challenge-1&otp=${CODE}`);
  history.replaceState({ of: "the page" }, "", location.href);
  const tab = await open();
  assert.equal(location.href, PAGE);
  assert.deepEqual(history.state, { of: "the page" });
  assert.equal(tab.title(), "Sign in");
  assert.match(tab.all(), /Sign in as a@example\.com\?/);
  assert.equal(api.to(VALIDATE).length, 0);
  await tab.press("Sign in");
  assert.deepEqual(api.to(VALIDATE).map(({ body }) => body), [{ email: "a@example.com", otp: CODE, challenge_id: "challenge-1" }]);
  assert.equal(tab.title(), "You are signed in");
  assert.equal((await tab.reload()).title(), "You are signed in");
});

for (const [what, prepare] of [
  ["another challenge", () => ({ id: "challenge-9" })],
  ["a challenge that has expired here", () => (mock.timers.tick(300_000), { id: "challenge-1" })],
  ["another browser's challenge", () => (localStorage.removeItem(KEPT), { id: "challenge-1" })],
]) {
  test(`the link of ${what} asks for the address, and logs nobody else in`, async () => {
    await (await open()).ask("a@example.com");
    otherTab();
    const { id } = prepare();
    follow(`#challenge_id=${id}&otp=${CODE}`);
    const tab = await open({ channels: "phone email" });
    assert.match(tab.all(), /Enter the e-mail address that the link was sent to\./);
    assert.equal(tab.field().type, "email");
    assert.equal(tab.button("Use a phone number"), undefined);
    assert.equal(tab.button("Send code"), undefined);
    await tab.press("Sign in");
    assert.match(tab.alert(), /^Enter an e-mail address/);
    await tab.type("b@example.com");
    await tab.press("Sign in");
    assert.deepEqual(api.to(VALIDATE).map(({ body }) => body), [{ email: "b@example.com", otp: CODE, challenge_id: id }]);
    assert.equal(tab.title(), "You are signed in");
    await tab.press("Sign out");
    assert.ok(tab.button("Send code"), "the link is still there");
  });
}

test("an address that the API does not take for a link's is an e-mail address, whatever the page offers", async () => {
  follow(`#challenge_id=x&otp=${CODE}`);
  const tab = await open({ channels: "phone" });
  api.next(VALIDATE, problem(400, "invalid-request"));
  await tab.type("b@example.com");
  await tab.press("Sign in");
  assert.match(tab.alert(), /^Enter an e-mail address/);
});

test("a link that is over leads to a new code", async () => {
  await (await open()).ask("a@example.com");
  otherTab();
  follow("#challenge_id=challenge-1&otp=000000");
  const tab = await open();
  await tab.press("Sign in");
  assert.match(tab.alert(), /^This link has expired or was used before/);
  await pass(30);
  await tab.ask("a@example.com");
  assert.equal(tab.title(), "Enter the code");
  assert.equal(api.to(LOGIN).length, 2);
});

test("a link whose address is mistyped is kept, and a new code is a press away", async () => {
  follow(`#challenge_id=x&otp=${CODE}`);
  const tab = await open();
  api.next(VALIDATE, problem(400, "invalid-otp"));
  await tab.type("b@exmaple.com");
  await tab.press("Sign in");
  assert.match(tab.alert(), /^The link was not sent to this address, or it has expired\./);
  await tab.type("b@example.com");
  await tab.press("Send a new code");
  assert.equal(tab.field().value, "b@example.com");
  assert.ok(tab.button("Send code"));
  follow(`#challenge_id=x&otp=${CODE}`);
  window.dispatchEvent(new window.Event("hashchange"));
  await pass(0);
  api.next(VALIDATE, problem(400, "invalid-otp"));
  await tab.press("Sign in");
  await tab.type("c@example.com");
  await tab.press("Sign in");
  assert.equal(tab.title(), "You are signed in");
  assert.deepEqual(api.to(VALIDATE).map(({ body }) => body.challenge_id), ["x", "x", "x"]);
});

test("a link that cannot be tried yet says why, and can be tried again", async () => {
  await (await open()).ask("a@example.com");
  otherTab();
  follow(`#challenge_id=challenge-1&otp=${CODE}`);
  const tab = await open();
  api.next(VALIDATE, problem(429, "too-many-requests", { retry_after: 5 }));
  await tab.press("Sign in");
  assert.equal(tab.alert(), "Too many requests. Try again in 5 seconds.");
  assert.deepEqual(tab.told(), ["problem"]);
  await tab.press("Sign in");
  assert.equal(tab.title(), "You are signed in");
});

test("a link that is opened while somebody is logged in asks before it logs another in", async () => {
  const page = await open();
  await page.login("b@example.com");
  page.element.remove();
  follow(`#challenge_id=x&otp=${CODE}`);
  const tab = await open();
  assert.match(tab.all(), /Enter the e-mail address that the link was sent to\./);
  assert.equal(api.to(VALIDATE).length, 1);
  assert.equal(tab.element.client.session.userId, "b@example.com");
});

test("a link that undoes a removal waits for a press, and then asks who is there", async () => {
  follow("#/login?undo=token-1");
  const page = await open();
  assert.equal(location.href, `${PAGE}#/login`);
  assert.equal(page.title(), "Undo the change");
  assert.equal(api.to(UNDO).length, 0);
  api.next(UNDO, problem(429, "too-many-requests", { retry_after: 5 }));
  await page.press("Continue");
  assert.equal(page.alert(), "Too many requests. Try again in 5 seconds.");
  api.next(UNDO, null);
  await page.press("Continue");
  assert.deepEqual(api.to(UNDO).map(({ body }) => body), [{ token: "token-1" }, { token: "token-1" }]);
  assert.equal(page.title(), "Sign in");
  assert.match(page.all(), /The change is undone, and all sessions have ended\. Sign in\./);
});

test("an undo ends the session of the page, and one that is over says so", async () => {
  const page = await open();
  await page.login();
  page.element.remove();
  follow("#undo=token-1");
  const tab = await open();
  api.next(UNDO, null);
  api.next("/api/token/refresh/", problem(400, "invalid-refresh-token"));
  await tab.press("Continue");
  assert.equal(tab.element.client.session, null);
  assert.equal(tab.title(), "Sign in");
  follow("#undo=token-1");
  window.dispatchEvent(new window.Event("hashchange"));
  await pass(0);
  api.next(UNDO, problem(400, "invalid-undo"));
  await tab.press("Continue");
  assert.equal(tab.alert(), "This link has expired or was used before.");
  await tab.press("Back");
  assert.equal(tab.title(), "Sign in");
});

test("a link that is followed on the page shows at once", async () => {
  const page = await open();
  await page.ask("a@example.com");
  follow(`#challenge_id=challenge-1&otp=${CODE}`);
  window.dispatchEvent(new window.Event("hashchange"));
  await pass(0);
  assert.match(page.all(), /Sign in as a@example\.com\?/);
  assert.equal(location.href, PAGE);
  page.element.remove();
  follow(`#challenge_id=challenge-1&otp=${CODE}`);
  window.dispatchEvent(new window.Event("hashchange"));
  assert.notEqual(location.hash, "", "an element that was removed took a link");
});

for (const fragment of ["#section", "#challenge_id=challenge-1", `#otp=${CODE}`, "#challenge_id=&otp="]) {
  test(`${fragment} is no link of ours and stays`, async () => {
    follow(fragment);
    const page = await open();
    assert.equal(location.hash, fragment);
    assert.ok(page.button("Send code"));
  });
}

test("a code that was asked for again is the same one: its tries go on, and the first message is right", async () => {
  let page = await open();
  await page.ask();
  await page.type("000000");
  await page.type("000001");
  await pass(30);
  api.next(LOGIN, ({ body }) => ({ challenge_id: body.challenge_id, channel: "email", code_length: 6, max_attempts: 3, expires_in: 290, resend_in: 30 }));
  await page.press("Send a new code");
  assert.equal(api.to(LOGIN)[1].body.challenge_id, "challenge-1");
  assert.match(page.all(), /expires in 4:50/);
  await page.type("000002");
  assert.match(page.alert(), /^That was the last try/);
  page = await page.reload();
  await page.type(CODE);
  assert.equal(api.to(VALIDATE).at(-1).body.challenge_id, "challenge-1");
});

test("a code can take another way, if there is one and the wait is over", async () => {
  const page = await open();
  await page.ask();
  assert.equal(page.button("Send it another way"), undefined);
  await pass(30);
  const sent = ({ body }) => ({ challenge_id: body.challenge_id, channel: "email", ways: ["email", "smtp"], code_length: 6, max_attempts: 3, expires_in: 300, resend_in: 30 });
  api.next(LOGIN, sent, sent, sent);
  await page.press("Send a new code");
  assert.equal(page.button("Send it another way").textContent, "Send it another way: smtp");
  await page.press("Send it another way");
  assert.equal(api.to(LOGIN).length, 2, "the wait is not over");
  await pass(30);
  await page.press("Send it another way");
  assert.equal(page.button("Send it another way").textContent, "Send it another way: email");
  await pass(30);
  await page.press("Send it another way");
  assert.deepEqual(api.to(LOGIN).map(({ body }) => body.via), [undefined, undefined, "smtp", "email"]);
});

test("a second tab that asks for the same address shares its code, its tries and its time", async () => {
  const first = await open();
  await first.ask();
  await first.type("000000");
  otherTab();
  const second = await open();
  await pass(60);
  const same = ({ body }) => ({ challenge_id: body.challenge_id, channel: "email", code_length: 6, max_attempts: 3, expires_in: 300, resend_in: 30 });
  api.next(LOGIN, same);
  await second.ask(" A@example.com");
  assert.equal(api.to(LOGIN)[1].body.challenge_id, "challenge-1");
  await second.type("000001");
  await first.type("000002");
  assert.match(first.alert(), /^That was the last try/);
  otherTab();
  const third = await open();
  await third.ask("b@example.com");
  assert.equal(api.to(LOGIN)[2].body.challenge_id, undefined);
  await pass(250);
  assert.doesNotMatch(first.all(), /has expired/, "the time that another tab got is not known");
});

test("a clock that is set right shows no time that is longer than the server said", async () => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: START + 86_400_000 });
  const page = await open();
  await page.ask();
  const { now } = Date;
  Date.now = () => now() - 86_400_000;
  try {
    await pass(1);
    assert.match(page.all(), /Send a new code in 0:(30|29)/);
    assert.match(page.all(), /expires in (5:00|4:59)/);
    for (let i = 0; i < 30; i++) await pass(1);
    assert.equal(page.button("Send a new code").textContent, "Send a new code");
    await page.press("Send a new code");
    assert.equal(api.to(LOGIN).length, 2);
  } finally {
    Date.now = now;
  }
});

test("a right code after its end is over, and not wrong", async () => {
  const page = await open();
  await page.ask();
  await pass(300);
  assert.match(page.alert(), /^This code has expired/);
  api.next(VALIDATE, problem(400, "invalid-otp"));
  await page.type(CODE);
  assert.match(page.alert(), /^This code has expired/);
});

test("nothing of an abandoned login is kept after its end, in a tab that is open or opened later", async () => {
  const page = await open();
  await page.ask("a@example.com");
  page.element.remove();
  await pass(299);
  assert.match(localStorage.getItem(KEPT), /a@example\.com/);
  await pass(1);
  assert.equal(localStorage.getItem(KEPT), null);
  const next = await open();
  await next.ask("b@example.com");
  const left = localStorage.getItem(KEPT);
  next.element.client.close();
  await pass(300);
  localStorage.setItem(KEPT, left); // as if no tab had been open
  otherTab();
  await open();
  assert.equal(localStorage.getItem(KEPT), null);
});

test("origins that a page names get the token", async () => {
  const page = await open({ origins: "https://own.example, https://other.example/any" });
  await page.login();
  await page.element.client.fetch("https://own.example/orders");
  await page.element.client.fetch("https://other.example/orders");
  assert.deepEqual(api.to("/orders").map(({ headers }) => headers.get("authorization")), Array(2).fill("Bearer token-2"));
  await assert.rejects(page.element.client.fetch("https://third.example/"), { message: /origins/ });
});

test("what names the view is not in the way of what names the field", async () => {
  const page = await open();
  await page.ask();
  assert.equal(page.root.querySelector("section").hasAttribute("aria-labelledby"), false);
  assert.equal(page.root.querySelectorAll("label").length, 1);
});

test('channels="phone email" starts with the phone', async () => {
  const page = await open({ channels: "phone email" });
  assert.equal(page.field().type, "tel");
  assert.ok(page.button("Use an e-mail address"));
});

for (const [fragment, left] of [
  ["#/login?challenge_id=challenge-1&otp=123456", "#/login"],
  ["#/login?next=%2Fa&challenge_id=challenge-1&otp=123456", "#/login?next=%2Fa"],
  ["#/login?challenge_id=challenge-1&otp=123456&next=%2Fa", "#/login?next=%2Fa"],
  ["#/login#challenge_id=challenge-1&otp=123456", "#/login"],
  ["#challenge_id=challenge-1&otp=123456", ""],
]) {
  test(`the link ${fragment} leaves the address of a hash router`, async () => {
    await (await open()).ask("a@example.com");
    otherTab();
    follow(fragment);
    const tab = await open();
    assert.match(tab.all(), /Sign in as a@example\.com\?/);
    assert.equal(location.href, PAGE + left);
    await tab.press("Sign in");
    assert.equal(api.to(VALIDATE)[0].body.otp, CODE);
  });
}

test("on a device that others use, nothing stays but the login, and that ends with its tab and makes the service forget", async () => {
  api.next(VALIDATE, () => ({ token: "token", expires_in: 3600, refresh_token: "refresh", user_id: "a@example.com", new_user: false, device_token: "device" }));
  let page = await open();
  const box = () => page.root.querySelector("#shared");
  assert.equal(box().checked, false);
  box().checked = true;
  box().dispatchEvent(new window.Event("change", { bubbles: true }));
  await page.ask("a@example.com");
  page = await page.reload();
  assert.equal(page.title(), "Enter the code");
  await page.type(CODE);
  assert.equal(page.title(), "You are signed in");
  assert.doesNotMatch(JSON.stringify([...localStorage.kept]), /@|refresh|device/);
  page = await page.reload();
  assert.equal(page.title(), "You are signed in");
  const { sessionStorage: tab } = globalThis;
  otherTab();
  assert.equal((await open()).title(), "Sign in", "another tab is logged in");
  globalThis.sessionStorage = tab;
  await page.press("Sign out");
  assert.equal(api.to(LOGOUT)[0].body.forget, true);
  assert.equal(page.field().value, "");
});

test("a page that remembers no device asks nobody about it", async () => {
  const page = await open({ "remember-device": "false" });
  assert.equal(page.root.querySelector("#shared"), null);
  await page.login();
  await page.press("Sign out");
  assert.equal(api.to(LOGOUT)[0].body.forget, true);
});

test("a browser that reads the text message logs in", async () => {
  globalThis.OTPCredential = class {};
  const asked = [];
  Object.defineProperty(navigator, "credentials", { configurable: true, value: { get: (options) => (asked.push(options), (asked.at(-1).got = later()).promise) } });
  try {
    const page = await open({ countries: "US" });
    await page.press("Use a phone number");
    await page.ask("4165550123");
    assert.deepEqual(asked[0].otp, { transport: ["sms"] });
    assert.equal(asked[0].signal.aborted, false);
    await page.press("Change the address");
    assert.equal(asked[0].signal.aborted, true);
    await page.press("Send code");
    asked[0].got.answer({ code: "000000" });
    await pass(0);
    assert.equal(page.field().value, "");
    asked[1].got.answer({ code: CODE });
    await pass(0);
    assert.equal(page.title(), "You are signed in");
    await page.press("Sign out");
    await page.press("Use an e-mail address");
    await page.ask("a@example.com");
    assert.equal(asked.length, 2, "the browser was asked for the code of an e-mail");
    assert.equal(api.to(REFRESH).length, 0);
  } finally {
    delete globalThis.OTPCredential;
  }
});

test("a page that loads the element twice has one", async () => {
  await import("../sign-in.js?again");
  assert.equal(customElements.get("otp-sign-in"), OtpSignIn);
});

test("the focus goes on where a person was at work, and a page that loads keeps its own", async () => {
  const page = await open();
  const focus = () => page.root.activeElement?.id;
  assert.equal(focus(), undefined);
  await page.type(" ");
  let selected = 0;
  page.field().select = () => selected++;
  await page.press("Send code");
  assert.equal(focus(), "field");
  assert.equal(selected, 1, "what is wrong is not selected");
  await page.ask();
  assert.equal(focus(), "field");
  page.button("Change").focus();
  await page.press("Change");
  assert.equal(focus(), "field");
  await page.press("Send code");
  page.field().blur();
  await pass(300);
  assert.match(page.alert(), /^This code has expired/);
  assert.equal(focus(), undefined, "a clock moved the focus");
  await page.type(CODE);
  assert.equal(page.title(), "You are signed in");
  assert.equal(focus(), "title");
  page.root.activeElement.blur();
  await page.element.client.logout();
  assert.equal(page.title(), "Sign in");
  assert.equal(focus(), undefined, "another tab's logout moved the focus");
});

test("a language may change, and is written from its side", async () => {
  await import("../languages/ar.js");
  const page = await open({ lang: "en" });
  const box = page.root.querySelector("section");
  assert.deepEqual([box.lang, box.dir], ["en", "ltr"]);
  page.element.setAttribute("lang", "ar");
  await pass(0);
  assert.deepEqual([box.lang, box.dir], ["ar", "rtl"]);
  page.element.setAttribute("channels", "phone");
  await pass(0);
  assert.equal(page.field().type, "tel");
});

const ME = "/api/me/";
const SESSIONS = "/api/me/sessions/";
const stale = () => problem(401, "stale-login", { max_age: 600 });
const profile = (...destinations) => ({ user_id: "a@example.com", destinations });
const EMAIL = { channel: "email", email: "a@example.com" };
const PHONE = { channel: "sms", phone_number: "+14155550100" };

/** Somebody who is logged in, and a call of the page that takes a fresh login. */
async function refused(...destinations) {
  const page = await open();
  await page.login();
  api.next(ME, stale(), profile(...destinations));
  const call = page.element.client.fetch(ME, { method: "DELETE" }).then(({ status }) => status);
  await pass(0);
  assert.equal(page.title(), "Confirm that it is you");
  assert.equal(page.root.activeElement?.id, "title");
  return { ...page, call };
}

test("a call that takes a fresh login asks for a code to the person's own address, and goes again", async () => {
  const page = await refused(EMAIL);
  assert.match(page.all(), /We send a code to a@example\.com\./);
  assert.equal(page.root.querySelector("select"), null);
  await page.press("Send code");
  assert.equal(api.to(LOGIN).at(-1).body.email, "a@example.com");
  await page.type("654321");
  assert.match(page.alert(), /^This code is incorrect/);
  await page.press("Send a new code");
  await pass(30);
  await page.press("Send a new code");
  assert.match(page.status(), /^A new code is on its way/);
  await page.type(CODE);
  assert.equal(await page.call, 200);
  assert.equal(page.title(), "You are signed in");
  assert.equal(api.to(ME).length, 3);
});

test("who has several addresses and numbers says where the code goes", async () => {
  const page = await refused(EMAIL, PHONE);
  const choice = page.root.querySelector("select");
  assert.deepEqual([...choice.options].map(({ textContent }) => textContent), ["a@example.com", "+14155550100"]);
  assert.doesNotMatch(page.all(), /We send a code/);
  choice.selectedIndex = 1;
  await page.press("Send code");
  assert.deepEqual(api.to(LOGIN).at(-1).body, { phone_number: "+14155550100" });
  assert.match(page.all(), /\+14155550100/);
});

for (const [how, leave] of [
  ["goes back", (page) => page.press("Back")],
  ["goes back from the code", async (page) => {
    await page.press("Send code");
    await page.press("Back");
  }],
  ["changes the language", async (page) => {
    page.element.setAttribute("lang", "en-GB");
    await pass(0);
  }],
]) {
  test(`who ${how} is where they were, and the call is refused`, async () => {
    const page = await refused(EMAIL);
    await leave(page);
    assert.equal(await page.call, 401);
    assert.equal(page.title(), "You are signed in");
    assert.equal(api.to(ME).length, 2);
  });
}

test("who went back from the code of a fresh login comes back to its field", async () => {
  const page = await refused(EMAIL);
  await page.press("Send code");
  await page.press("Back");
  assert.equal(await page.call, 401);
  const sent = api.to(LOGIN).length;
  api.next(ME, stale(), profile(EMAIL));
  const again = page.element.client.fetch(ME, { method: "DELETE" });
  await pass(0);
  await page.press("Send code");
  assert.equal(page.title(), "Enter the code");
  assert.equal(api.to(LOGIN).length, sent);
  await page.type(CODE);
  assert.equal((await again).status, 200);
});

test("a call that waits for a fresh login ends when the person logs out, and when the element goes", async () => {
  const page = await refused(EMAIL);
  await page.element.client.logout();
  assert.equal(await page.call, 401);
  assert.equal(page.title(), "Sign in");
  const other = await refused(EMAIL);
  other.element.remove();
  assert.equal(await other.call, 401);
});

test("an action that waits for a fresh login goes on after it, one at a time", async () => {
  await import("../account/account.js");
  const client = new Client({ api: API, storage: "local", fetch: api.fetch });
  await client.validate({ destination: { email: "a@example.com" }, id: "id" }, CODE);
  const sessions = () => ({ sessions: ["one", "two"].map((id) => ({ id, current: id === "one", device: null, refreshed_at: "2026-01-31T12:00:00Z" })) });
  const account = document.createElement("otp-account");
  account.client = client;
  account.lang = "en";
  api.next(ME, profile(EMAIL));
  api.next(SESSIONS, sessions());
  document.body.append(account);
  await pass(0);
  const root = account.shadowRoot;
  const press = async (label) => {
    [...root.querySelectorAll("button")].find(({ textContent }) => textContent === label).click();
    await pass(0);
  };
  assert.equal(root.querySelector("h2").textContent, "Your account");
  api.next(SESSIONS, stale());
  api.next(ME, profile(EMAIL));
  await press("End all other sessions");
  assert.equal(root.querySelector("div").ariaBusy, "false", "the person cannot answer");
  await press("Send code");
  const ended = later();
  api.next(SESSIONS, ended.promise);
  root.querySelector("#field").value = CODE;
  await press("Continue");
  assert.equal(root.querySelector("div").ariaBusy, "true", "the action does not wait for its answer");
  const calls = api.calls.length;
  await press("Continue");
  assert.equal(api.calls.length, calls, "two actions at a time");
  api.next(ME, profile(EMAIL));
  api.next(SESSIONS, { sessions: sessions().sessions.slice(0, 1) });
  ended.answer(new Response(null, { status: 204 }));
  await pass(0);
  assert.equal(root.querySelector("[role=status]").textContent, "The session has ended.");
  assert.equal(root.querySelector("div").ariaBusy, "false");
});

test("each problem has a sentence, and any other mistake has one", async () => {
  const page = await open();
  const sentences = {
    "destination-taken": /^This address or number belongs to another account\./,
    "destination-too-new": /^An address or number removes no older one/,
    "last-destination": /^You cannot remove your only address or number\./,
    "too-many-destinations": /^An account has ten addresses and numbers at most\./,
    "no-such-type": /^Something went wrong\./,
  };
  for (const [type, sentence] of Object.entries(sentences)) {
    api.next(LOGIN, problem(409, type));
    await page.ask();
    assert.match(page.alert(), sentence);
  }
  for (const thrown of [Object.assign(new Error("a page's own"), { type: "network" }), undefined]) {
    page.element.client.requestCode = () => Promise.reject(thrown);
    await page.ask();
    assert.match(page.alert(), /^Something went wrong\./);
  }
});
