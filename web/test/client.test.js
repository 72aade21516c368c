// The client in Node, against the local stack.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";

import { Client, Problem } from "../client.js";
import { someone, startStack, wrong } from "./stack.js";

let stack;
before(async () => {
  stack = await startStack({ RESEND_COOLDOWN_SECONDS: "30" });
});
after(() => stack.stop());

/** A fetch that remembers requests, and loses the answers that `lose` names. */
function wire() {
  const calls = [];
  const wire = { calls, lose: () => false, refuse: () => false };
  wire.fetch = async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const call = { path: url.pathname, headers: request.headers, body: await request.clone().text() };
    calls.push(call);
    if (wire.refuse(call)) throw new TypeError("no network");
    const answer = await fetch(request);
    if (wire.lose(call)) throw new TypeError("the answer got lost");
    return answer;
  };
  wire.to = (path) => calls.filter((call) => call.path === path);
  return wire;
}

const LOGIN = "/api/login-with-otp/";
const VALIDATE = "/api/validate-otp/";
const REFRESH = "/api/token/refresh/";

function storage() {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
    /** Changes what is stored, as time or another program would. */
    change(change) {
      for (const [key, value] of kept) {
        const { n, state } = JSON.parse(value);
        kept.set(key, JSON.stringify({ n, state: { ...state, ...change } }));
      }
    },
    get state() {
      return [...kept.values()].map((value) => JSON.parse(value).state)[0];
    },
  };
}

async function loggedIn(options = {}) {
  const client = new Client({ api: stack.api, ...options });
  const email = someone();
  const challenge = await client.requestCode({ email });
  await client.validate(challenge, await stack.code(email));
  return client;
}

const lostOnce = (path) => {
  let lost = false;
  return (call) => call.path === path && !lost && (lost = true);
};

describe("the client", { concurrency: 8 }, () => {
  for (const [member, to] of [["email", "both@example.com"], ["phone_number", "+14155550177"]]) {
    test(`a login by ${member}, a guarded call and a logout`, async () => {
      const client = new Client({ api: `${stack.api}/` });
      const events = [];
      client.on("login", (session) => events.push(session.userId));
      client.on("logout", (session) => events.push(session));
      assert.equal(client.session, null);
      const challenge = await client.requestCode({ [member]: to });
      assert.equal(challenge.codeLength, 6);
      assert.ok(Math.abs(challenge.expiresAt - Date.now() - 300_000) < 5000);
      assert.ok(Math.abs(challenge.resendAt - Date.now() - 30_000) < 5000);
      const session = await client.validate(challenge, await stack.code(to));
      assert.equal(session.newUser, true);
      assert.deepEqual(client.session, session);
      const me = await (await client.fetch("/api/me/")).json();
      assert.equal(me.user_id, session.userId);
      await client.logout();
      assert.equal(client.session, null);
      assert.equal(await client.token(), null);
      assert.equal((await client.fetch("/api/me/")).status, 401);
      assert.deepEqual(events, [session.userId, null]);
    });
  }

  test("problems have a type, a status, a sentence and a wait", async () => {
    const client = new Client({ api: stack.api });
    const email = someone();
    const challenge = await client.requestCode({ email });
    await assert.rejects(client.validate(challenge, wrong(await stack.code(email))), {
      name: "Problem", type: "/problems/invalid-otp", status: 400, detail: "Invalid OTP.", lost: false,
    });
    const again = await client.requestCode({ email }).catch((problem) => problem);
    assert.ok(again instanceof Problem);
    assert.equal(again.type, "/problems/too-many-requests");
    assert.ok(again.retryAfter > 0 && again.retryAfter <= 30);
    await assert.rejects(client.requestCode({ email: "nobody" }), { type: "/problems/invalid-request" });
    await assert.rejects(client.requestCode({ phone_number: "+4930123456" }), {
      type: "/problems/destination-not-allowed",
    });
  });

  test("a code is not requested again before its time", async () => {
    const w = wire();
    const client = new Client({ api: stack.api, fetch: w.fetch });
    const challenge = await client.requestCode({ email: someone() });
    await assert.rejects(client.resend(challenge), { status: 429, retryAfter: 30 });
    assert.equal(w.calls.length, 1);
  });

  test("a lost answer of a login is repeated under its key and sends one message", async () => {
    const w = wire();
    w.lose = lostOnce(LOGIN);
    const client = new Client({ api: stack.api, fetch: w.fetch, locale: "pt-BR" });
    const email = someone();
    await client.requestCode({ email });
    const [first, second] = w.to(LOGIN).map(({ headers }) => headers);
    assert.equal(first.get("idempotency-key"), second.get("idempotency-key"));
    assert.equal(first.get("accept-language"), "pt-BR");
    assert.equal((await stack.messages(email)).length, 1);
  });

  test("who asks again after lost answers gets the first challenge", async () => {
    const w = wire();
    w.lose = () => true;
    const client = new Client({ api: stack.api, fetch: w.fetch });
    const email = someone();
    await assert.rejects(client.requestCode({ email }), { type: "network", status: 0, lost: true });
    assert.equal(w.calls.length, 3);
    w.lose = () => false;
    const challenge = await client.requestCode({ email });
    assert.equal((await stack.messages(email)).length, 1);
    await client.validate(challenge, await stack.code(email));
  });

  test("a lost answer of a validation is repeated with the same body under the same key", async () => {
    const w = wire();
    w.lose = lostOnce(VALIDATE);
    const client = await loggedIn({ fetch: w.fetch });
    const [first, second] = w.to(VALIDATE);
    assert.equal(first.body, second.body);
    assert.match(first.headers.get("idempotency-key"), /^[!-~]{16,128}$/);
    assert.equal(first.headers.get("idempotency-key"), second.headers.get("idempotency-key"));
    assert.ok(await client.refresh());
  });

  test("a lost answer of a refresh is repeated with the same token", async () => {
    const w = wire();
    const store = storage();
    const client = await loggedIn({ fetch: w.fetch, storage: store });
    w.lose = lostOnce(REFRESH);
    assert.ok(await client.refresh());
    const [first, second] = w.to(REFRESH);
    assert.equal(first.body, second.body);
    w.lose = () => true;
    await assert.rejects(client.refresh(), { type: "network" });
    assert.ok(client.session, "a lost answer ended the session");
    w.lose = () => false;
    assert.ok(await client.refresh());
    assert.ok(await client.refresh());
  });

  test("fifty callers at once share one refresh", async () => {
    const w = wire();
    const store = storage();
    const client = await loggedIn({ fetch: w.fetch, storage: store });
    store.change({ renewAt: 0 });
    const found = await Promise.all(Array.from({ length: 50 }, () => client.token()));
    assert.equal(new Set(found).size, 1);
    assert.equal(w.to(REFRESH).length, 1);
  });

  test("a token that the API refuses is renewed once, and the request goes again whole", async () => {
    const w = wire();
    const store = storage();
    const client = await loggedIn({ fetch: w.fetch, storage: store });
    store.change({ token: "old" });
    const answer = await client.fetch(new URL("/api/me/", stack.api), { headers: { "x-own": "kept" } });
    assert.equal(answer.status, 200);
    assert.equal(w.to(REFRESH).length, 1);
    assert.deepEqual(w.to("/api/me/").map(({ headers }) => headers.get("x-own")), ["kept", "kept"]);
  });

  test("the token goes to no other origin", async () => {
    const client = await loggedIn();
    await assert.rejects(client.fetch("https://other.example/api/"), TypeError);
    await assert.rejects(client.fetch(new Request("https://other.example/api/")), TypeError);
    await assert.rejects(client.fetch("//other.example/api/"), TypeError);
  });

  test("a session that ended on the server ends here, too", async () => {
    const store = storage();
    const client = await loggedIn({ storage: store });
    let ended = 0;
    client.on("logout", () => ended++);
    const elsewhere = new Client({ api: stack.api, storage: { ...store } });
    await elsewhere.fetch("/api/me/");
    const { refresh } = store.state;
    const body = JSON.stringify({ refresh_token: refresh });
    await fetch(`${stack.api}/api/logout/`, { method: "POST", headers: { "content-type": "application/json" }, body });
    assert.equal(await client.refresh(), null);
    assert.equal(client.session, null);
    assert.equal(ended, 1);
  });

  test("a logout without a network ends the session here, and says that the server does not know", async () => {
    const w = wire();
    const client = await loggedIn({ fetch: w.fetch });
    w.refuse = () => true;
    await assert.rejects(client.logout(), { type: "network" });
    assert.equal(client.session, null);
  });

  test("a logout during a refresh is not undone by it", async () => {
    const store = storage();
    const client = await loggedIn({ storage: store });
    const [, ended] = await Promise.all([client.refresh(), client.logout()]);
    assert.equal(ended, undefined);
    assert.equal(client.session, null);
    assert.equal(store.state, undefined);
  });
});

const size = (file) => gzipSync(readFileSync(new URL(`../${file}`, import.meta.url)), { level: 9 }).length;

test("the client stays under 8 kB, and the element with it under 20 kB", () => {
  const sizes = { "client.min.js": size("client.min.js"), "sign-in.min.js": size("sign-in.min.js") };
  assert.ok(sizes["client.min.js"] < 8000 && sizes["sign-in.min.js"] < 20_000, JSON.stringify(sizes));
});
