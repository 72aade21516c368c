// What the client sends, and what it makes of each answer. Nothing waits: the clock is moved.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Client, Problem } from "../client.js";
import { CODE, LOGIN, LOGOUT, NO_NETWORK, START, VALIDATE, pass, problem, settle, standIn, stopClock } from "./stand-in.js";

let api;
let client;
beforeEach(() => {
  stopClock();
  api = standIn();
  client = new Client({ api: "https://api.example", fetch: api.fetch });
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

const to = { email: "a@example.com" };
const keyOf = ({ headers }) => headers.get("idempotency-key");
/** The problem that a promise ends in. */
const ending = (promise) => promise.then(() => assert.fail("no problem"), (error) => error);

test("a request is a POST of JSON without credentials, in no language unless one is set", async () => {
  await client.requestCode(to);
  const [{ origin, method, text, headers, init }] = api.calls;
  assert.equal(origin, "https://api.example");
  assert.equal(method, "POST");
  assert.equal(text, JSON.stringify(to));
  assert.equal(headers.get("content-type"), "application/json");
  assert.equal(headers.has("accept-language"), false);
  assert.equal(init.credentials, "omit");
  assert.equal(init.keepalive, false);
});

test("the language of messages may change", async () => {
  client = new Client({ api: "https://api.example", fetch: api.fetch, locale: "pt-BR" });
  assert.equal(client.locale, "pt-BR");
  await client.requestCode(to);
  client.locale = "de";
  await client.requestCode(to);
  assert.deepEqual(api.calls.map(({ headers }) => headers.get("accept-language")), ["pt-BR", "de"]);
});

test("a request has half a minute", async () => {
  const asked = mock.method(AbortSignal, "timeout");
  await client.requestCode(to);
  assert.deepEqual(asked.mock.calls.map((call) => call.arguments), [[30_000]]);
  assert.equal(api.calls[0].init.signal, asked.mock.calls[0].result);
});

test("a challenge says when its code expires, by the time of the request, and when another may be asked for, by the time of the answer", async () => {
  api.next(LOGIN, () => {
    mock.timers.tick(2000);
    return { challenge_id: "id", channel: "sms", code_length: 8, max_attempts: 5, delivery: "unconfirmed", expires_in: 100, resend_in: 7 };
  });
  assert.deepEqual(await client.requestCode({ phone_number: "+1" }), {
    destination: { phone_number: "+1" }, id: "id", channel: "sms", codeLength: 8, maxAttempts: 5, delivery: "unconfirmed",
    expiresAt: START + 100_000, resendAt: START + 9000, expiresIn: 100, resendIn: 7, tries: 0,
  });
});

test("another code is asked for when its time has come, and not a millisecond earlier", async () => {
  const challenge = await client.requestCode(to);
  await pass(28.001);
  const early = await ending(client.resend(challenge));
  assert.deepEqual([early.status, early.type, early.retryAfter, early.detail], [429, "/problems/too-many-requests", 2, "Wait 2 seconds."]);
  await pass(1.998);
  assert.equal((await ending(client.resend(challenge))).retryAfter, 1);
  assert.equal(api.calls.length, 1);
  await pass(0.001);
  assert.notEqual((await client.resend(challenge)).id, challenge.id);
  assert.deepEqual(api.calls[1].body, { ...to, challenge_id: challenge.id });
});

test("a code takes the way that was asked for, also when it is sent again", async () => {
  const ways = ["sms", "whatsapp"];
  const sent = { challenge_id: "id", channel: "sms", ways, code_length: 6, max_attempts: 3, expires_in: 300, resend_in: 0 };
  api.next(LOGIN, sent, sent, sent, sent);
  const number = { phone_number: "+1" };
  const first = await client.requestCode(number);
  assert.deepEqual([first.ways, first.via], [ways, undefined]);
  const second = await client.resend(first, { via: "whatsapp" });
  assert.deepEqual([second.ways, second.via], [ways, "whatsapp"]);
  await client.resend(second);
  await client.requestCode(number, { via: "sms" });
  assert.deepEqual(api.to(LOGIN).map(({ body }) => body.via), [undefined, "whatsapp", "whatsapp", "sms"]);
});

test("a code goes with the challenge that it belongs to, or with none", async () => {
  await client.validate({ destination: to, id: "of-this" }, CODE);
  await client.validate({ destination: to }, CODE);
  assert.deepEqual(api.to(VALIDATE).map(({ body }) => body), [{ ...to, otp: CODE, challenge_id: "of-this" }, { ...to, otp: CODE }]);
});

test("a lost answer is asked for again after one second and after three, under the same key, and then given up", async () => {
  api.next(LOGIN, NO_NETWORK, NO_NETWORK, NO_NETWORK);
  const asking = ending(client.requestCode(to));
  const after = [];
  for (const seconds of [0, 0.999, 0.001, 2.999, 0.001]) {
    await pass(seconds);
    after.push(api.calls.length);
  }
  assert.deepEqual(after, [1, 1, 2, 2, 3]);
  const lost = await asking;
  assert.deepEqual([lost.type, lost.status, lost.lost, lost.cause, lost.detail], ["network", 0, true, NO_NETWORK, "No valid answer (0)"]);
  assert.equal(new Set(api.calls.map(keyOf)).size, 1);
});

test("a server that says how long to wait is obeyed, for five seconds at most", async () => {
  api.next(LOGIN, problem(503, "unavailable", { retry_after: 2 }), problem(503, "unavailable", { retry_after: 60 }));
  const asking = client.requestCode(to);
  const after = [];
  for (const seconds of [1.999, 0.001, 4.999, 0.001]) {
    await pass(seconds);
    after.push(api.calls.length);
  }
  assert.deepEqual(after, [1, 2, 2, 3]);
  await asking;
});

for (const [what, answer, expected] of [
  ["a refusal", () => problem(400, "invalid-request"), { type: "/problems/invalid-request", status: 400, lost: false }],
  ["a message that cannot be delivered", () => problem(502, "delivery-failed"), { type: "/problems/delivery-failed", status: 502, lost: false }],
  ["a refusal by something else than the API", () => new Response("<html>", { status: 403 }), { type: "about:blank", status: 403, lost: false }],
  ["the last status of a client's mistake", () => problem(499, "odd"), { type: "/problems/odd", status: 499, lost: false }],
  ["a refusal without text", () => new Response("", { status: 400 }), { type: "about:blank", status: 400, lost: false }],
]) {
  test(`${what} is not asked for again, and the next request is another one`, async () => {
    api.next(LOGIN, answer());
    const { type, status, lost } = await ending(client.requestCode(to));
    assert.deepEqual({ type, status, lost }, expected);
    assert.equal(api.calls.length, 1);
    await client.requestCode(to);
    assert.notEqual(keyOf(api.calls[0]), keyOf(api.calls[1]));
  });
}

for (const [what, answer] of [
  ["an internal error", () => problem(500, "internal")],
  ["a gateway's time-out", () => new Response("<html>", { status: 504 })],
  ["the login page of a network", () => new Response("<html>", { status: 200 })],
  ["a redirection that is no JSON", () => new Response("<html>", { status: 399 })],
]) {
  test(`${what} counts as a lost answer`, async () => {
    api.next(LOGIN, answer());
    const asking = client.requestCode(to);
    await pass(1);
    assert.equal((await asking).codeLength, 6);
    assert.equal(keyOf(api.calls[0]), keyOf(api.calls[1]));
  });
}

test("a gateway's time-out keeps its status when the client gives up", async () => {
  const answer = () => new Response("<html>", { status: 504 });
  api.next(LOGIN, answer, answer, answer);
  const asking = ending(client.requestCode(to));
  await pass(1);
  await pass(3);
  const { type, status, lost } = await asking;
  assert.deepEqual({ type, status, lost }, { type: "about:blank", status: 504, lost: true });
});

test("a machine without a network does not try again", async (t) => {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator") ?? { value: undefined, configurable: true };
  const navigator = { onLine: false };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  t.after(() => Object.defineProperty(globalThis, "navigator", before));
  api.next(LOGIN, NO_NETWORK);
  assert.equal((await ending(client.requestCode(to))).type, "network");
  assert.equal(api.calls.length, 1);
  navigator.onLine = true;
  api.next(LOGIN, NO_NETWORK);
  const asking = client.requestCode(to);
  await pass(1);
  await asking;
});

test("who asks again after lost answers asks under the same key, until an answer came", async () => {
  api.next(LOGIN, NO_NETWORK, NO_NETWORK, NO_NETWORK);
  const asking = ending(client.requestCode(to));
  await pass(1);
  await pass(3);
  await asking;
  await client.requestCode({ email: "b@example.com" });
  await client.requestCode(to);
  await client.requestCode(to);
  const keys = api.calls.map(keyOf);
  assert.deepEqual(keys.map((key) => keys.indexOf(key)), [0, 0, 0, 3, 0, 5]);
});

test("a code and the request for one have keys of their own", async () => {
  const held = { destination: to };
  api.next(LOGIN, NO_NETWORK);
  const asking = client.requestCode({ ...to, otp: CODE });
  await settle();
  await client.validate(held, CODE);
  await pass(1);
  await asking;
  assert.notEqual(keyOf(api.to(VALIDATE)[0]), keyOf(api.to(LOGIN)[0]));
});

test("a key has 128 random bits, two digits for each byte", async () => {
  const drawn = mock.method(crypto, "getRandomValues", (bytes) => bytes.map((_, i) => i * 17));
  await client.requestCode(to);
  assert.equal(keyOf(api.calls[0]), "00112233445566778899aabbccddeeff");
  assert.equal(drawn.mock.callCount(), 1);
});

test("a problem has its sentence, or its title, or its status", async () => {
  const answers = [{ title: "Title", detail: "Sentence.", limit: "sends_per_day", retry_after: 9 }, { title: "Title" }, {}];
  const found = [];
  for (const body of answers) {
    api.next(LOGIN, Response.json(body, { status: 429 }));
    const { name, message, detail, type, limit, retryAfter } = await ending(client.requestCode(to));
    assert.equal(detail, message);
    found.push([name, detail, type, limit, retryAfter]);
  }
  assert.deepEqual(found, [
    ["Problem", "Sentence.", "about:blank", "sends_per_day", 9],
    ["Problem", "Title", "about:blank", undefined, undefined],
    ["Problem", "No valid answer (429)", "about:blank", undefined, undefined],
  ]);
  const nothing = new Problem(0);
  assert.deepEqual([nothing.type, nothing.lost, nothing.detail], ["network", true, "No valid answer (0)"]);
});

test("a logout may outlive the page and takes an empty answer for what it is", async () => {
  await client.validate({ destination: to }, CODE);
  await client.logout();
  const [call, ...more] = api.to(LOGOUT);
  assert.equal(call.init.keepalive, true);
  assert.deepEqual(more, []);
  assert.deepEqual(api.to(VALIDATE).map(({ init }) => init.keepalive), [false]);
});
