// A session in one tab: how long a token serves, what ends a session, and where a token goes.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Client, Problem } from "../client.js";
import { CODE, LOGIN, LOGOUT, NO_NETWORK, REFRESH, START, VALIDATE, browser, later, pass, problem, settle, standIn, stopClock, store } from "./stand-in.js";

const API = "https://api.example";
const KEY = `login-with-otp:${API}`;
const ME = "/api/me/";

let api;
let kept;
let client;
beforeEach(async () => {
  stopClock();
  api = standIn();
  kept = store();
  client = new Client({ api: API, fetch: api.fetch, storage: kept });
});
afterEach(() => mock.timers.reset());

const login = (into = client, email = "a@example.com") => into.validate({ destination: { email }, id: "id" }, CODE);
const restarted = () => new Client({ api: API, fetch: api.fetch, storage: kept });
const authorizations = () => api.to(ME).map(({ headers }) => headers.get("authorization"));

test("a login is told once, with who it is, and outlives the program where its storage does", async () => {
  const told = [];
  client.on("login", (session) => told.push(session));
  client.on("logout", () => told.push("logout"));
  assert.equal(client.session, null);
  const session = await login();
  assert.deepEqual(session, { userId: "a@example.com", newUser: true, id: session.id });
  assert.match(session.id, /^[0-9a-f]{32}$/);
  assert.deepEqual(client.session, session);
  assert.deepEqual(restarted().session, session);
  assert.deepEqual(told, [session]);
});

test("each login has an identifier of its own, and the next user is told, too", async () => {
  const told = [];
  client.on("login", ({ userId }) => told.push(userId));
  const first = await login();
  const second = await login(client, "b@example.com");
  assert.notEqual(first.id, second.id);
  assert.deepEqual(told, ["a@example.com", "b@example.com"]);
  assert.equal(client.session.userId, "b@example.com");
});

test("a renewal is no login", async () => {
  const told = [];
  client.on("login", () => told.push("login"));
  const session = await login();
  await client.refresh();
  assert.deepEqual(told, ["login"]);
  assert.deepEqual(client.session, session);
});

test("a wrong code changes nothing", async () => {
  const session = await login();
  await assert.rejects(client.validate({ destination: { email: "b@example.com" } }, "654321"), { type: "/problems/invalid-otp" });
  assert.deepEqual(client.session, session);
});

test("who stopped listening hears no more, and others do", async () => {
  const told = [];
  const stop = client.on("login", () => told.push("first"));
  client.on("login", () => told.push("second"));
  assert.equal(stop(), undefined);
  await login();
  assert.deepEqual(told, ["second"]);
  client.close();
  await client.logout();
  await login();
  assert.deepEqual(told, ["second"]);
});

for (const [life, early] of [[3600, 30], [300, 30], [60, 6]]) {
  test(`a token of ${life} seconds is renewed ${early} seconds before its end, and not a millisecond earlier`, async () => {
    api.next(VALIDATE, { token: "first", expires_in: life, refresh_token: "secret", user_id: "u", new_user: false });
    await login();
    await pass(life - early - 0.001);
    assert.equal(await client.token(), "first");
    assert.equal(api.to(REFRESH).length, 0);
    await pass(0.001);
    assert.notEqual(await client.token(), "first");
    assert.deepEqual(api.to(REFRESH).map(({ body }) => body), [{ refresh_token: "secret" }]);
  });
}

test("each renewal sends the newest refresh token, and keeps the old one where no other comes", async () => {
  await login();
  api.next(REFRESH, { token: "t", expires_in: 3600, refresh_token: "next" }, { token: "u", expires_in: 3600 });
  assert.equal(await client.refresh(), "t");
  assert.equal(await client.token(), "t");
  assert.equal(await client.refresh(), "u");
  await client.refresh();
  assert.deepEqual(api.to(REFRESH).map(({ body }) => body.refresh_token), ["refresh-1", "next", "next"]);
});

test("nobody logged in means no token, no request and nothing to end", async () => {
  assert.equal(await client.token(), null);
  assert.equal(await client.refresh(), null);
  await client.logout();
  assert.deepEqual(api.calls, []);
});

test("one renewal serves all who wait for it", async () => {
  await login();
  const answer = later();
  api.next(REFRESH, answer.promise);
  const waiting = [client.refresh(), client.refresh(), client.refresh("token-1")];
  await settle();
  assert.equal(api.to(REFRESH).length, 1);
  answer.answer({ token: "renewed", expires_in: 3600, refresh_token: "next" });
  assert.deepEqual(await Promise.all(waiting), ["renewed", "renewed", "renewed"]);
  assert.equal(await client.refresh("token-1"), "renewed", "a token that was replaced is no reason to renew");
  assert.equal(api.to(REFRESH).length, 1);
});

test("a renewal that fails for now keeps the session, and the next one works", async () => {
  const session = await login();
  const ended = [];
  client.on("logout", () => ended.push("logout"));
  for (const failure of [problem(429, "too-many-requests"), problem(400, "invalid-request"), new Response("", { status: 403 })]) {
    api.next(REFRESH, failure);
    await assert.rejects(client.refresh(), { name: "Problem" });
    assert.deepEqual(client.session, session);
  }
  api.next(REFRESH, NO_NETWORK, NO_NETWORK, NO_NETWORK);
  const lost = assert.rejects(client.refresh(), { type: "network" });
  await pass(1);
  await pass(3);
  await lost;
  assert.deepEqual(client.session, session);
  assert.deepEqual(ended, []);
  assert.equal(await client.refresh(), "token-2");
});

test("a session that the API ended ends here, is forgotten and is told once", async () => {
  await login();
  const told = [];
  client.on("logout", (session) => told.push(session));
  api.next(REFRESH, problem(401, "invalid-refresh-token"));
  assert.equal(await client.refresh(), null);
  assert.equal(client.session, null);
  assert.equal(await client.token(), null);
  assert.deepEqual(told, [null]);
  assert.equal(kept.kept.size, 0);
  assert.equal(api.to(REFRESH).length, 1);
});

for (const [what, change] of [
  ["renewed the session", (state) => ({ ...state, n: state.n + 1, token: "newer", refresh: "newer" })],
  ["logged in again", (state) => ({ ...state, token: "newer", id: "another" })],
]) {
  test(`a refresh token that is refused because another program ${what} ends nothing`, async () => {
    await login();
    const told = [];
    client.on("logout", () => told.push("logout"));
    api.next(REFRESH, () => {
      const { n, state } = JSON.parse(kept.getItem(KEY));
      kept.setItem(KEY, JSON.stringify({ n: n + 1, state: change(state) }));
      return problem(401, "invalid-refresh-token");
    });
    assert.equal(await client.refresh(), "newer");
    assert.ok(client.session);
    assert.deepEqual(told, []);
  });
}

test("a session that another program ended during a renewal that is refused stays ended", async () => {
  await login();
  api.next(REFRESH, () => {
    kept.removeItem(KEY);
    return problem(401, "invalid-refresh-token");
  });
  assert.equal(await client.refresh(), null);
  assert.equal(client.session, null);
});

test("a logout ends the session here at once and on the server with its refresh token", async () => {
  await login();
  const told = [];
  client.on("logout", (session) => told.push(session));
  const answer = later();
  api.next(LOGOUT, answer.promise);
  const leaving = client.logout();
  await settle();
  assert.equal(client.session, null);
  assert.equal(kept.kept.size, 0);
  assert.deepEqual(told, [null]);
  answer.answer(new Response(null, { status: 204 }));
  assert.equal(await leaving, undefined);
  await login();
  await client.logout({ all: true });
  assert.deepEqual(api.to(LOGOUT).map(({ body }) => body), [{ refresh_token: "refresh-1", all: false }, { refresh_token: "refresh-2", all: true }]);
});

test("a logout that the server does not hear ends the session here, and says so", async () => {
  await login();
  api.next(LOGOUT, problem(400, "invalid-request"));
  await assert.rejects(client.logout(), { type: "/problems/invalid-request" });
  assert.equal(client.session, null);
  assert.equal(kept.kept.size, 0);
});

test("a logout waits for a renewal, and ends what it brought", async () => {
  await login();
  const answer = later();
  api.next(REFRESH, answer.promise);
  const renewing = client.refresh();
  await settle();
  const leaving = client.logout();
  await settle();
  assert.equal(client.session, null);
  assert.equal(api.to(LOGOUT).length, 0);
  answer.answer({ token: "t", expires_in: 3600, refresh_token: "last" });
  await Promise.all([renewing, leaving]);
  assert.equal(client.session, null);
  assert.deepEqual(api.to(LOGOUT).map(({ body }) => body.refresh_token), ["last"]);
});

test("a login waits for a renewal, and is not undone by it", async () => {
  await login();
  const answer = later();
  api.next(REFRESH, answer.promise);
  const renewing = client.refresh();
  await settle();
  const next = login(client, "b@example.com");
  await settle();
  answer.answer({ token: "of-a", expires_in: 3600, refresh_token: "of-a" });
  await Promise.all([renewing, next]);
  assert.equal(client.session.userId, "b@example.com");
  await client.refresh();
  assert.notEqual(api.to(REFRESH).at(-1).body.refresh_token, "of-a");
});

test("what failed holds nobody up", async () => {
  await login();
  api.next(REFRESH, problem(400, "invalid-request"));
  const failing = assert.rejects(client.refresh(), { type: "/problems/invalid-request" });
  const next = client.refresh();
  await failing;
  assert.equal(await next, "token-2");
});

test("storage that is not ours means that nobody is logged in", async () => {
  for (const text of ["", "{", "null", '"text"']) {
    kept.setItem(KEY, text);
    assert.equal(restarted().session ?? null, null, text);
  }
  kept.setItem(KEY, "{");
  const session = await login();
  assert.deepEqual(restarted().session, session);
});

test("two APIs in one storage have a session each", async () => {
  const other = new Client({ api: "https://other.example", fetch: api.fetch, storage: kept });
  await login();
  assert.equal(other.session, null);
  await login(other, "b@example.com");
  assert.equal(client.session.userId, "a@example.com");
  await other.logout();
  assert.equal(client.session.userId, "a@example.com");
});

test("without a page, a session lives in memory and is nobody else's", async () => {
  const [first, second] = [new Client({ api: API, fetch: api.fetch }), new Client({ api: API, fetch: api.fetch })];
  await login(first);
  assert.ok(first.session);
  assert.equal(second.session, null);
  await first.logout();
  assert.equal(first.session, null);
});

test("a page's fetch is taken when it is used", async (t) => {
  client = new Client({ api: API });
  t.mock.method(globalThis, "fetch", api.fetch);
  await client.requestCode({ email: "a@example.com" });
  assert.equal(api.to(LOGIN).length, 1);
});

test("the address of the API may end in a slash, or be one of the page", () => {
  assert.equal(new Client({ api: `${API}/` }).api, API);
  assert.equal(new Client({ api: `${API}/auth/` }).api, `${API}/auth`);
  assert.equal(browser().open(() => new Client({ api: "/auth", fetch: api.fetch })).client.api, "https://page.example/auth");
});

test("a guarded call carries the token, what the caller gave and a relative address of the API", async () => {
  await login();
  const given = { method: "PUT", body: "text", headers: { "x-own": "kept" } };
  for (const [input, init] of [[ME, given], [new URL(ME, API), given], [new Request(API + ME, given), undefined]]) await client.fetch(input, init);
  for (const { origin, method, text, headers } of api.to(ME)) {
    assert.deepEqual([origin, method, text, headers.get("x-own"), headers.get("authorization")], [API, "PUT", "text", "kept", "Bearer token-1"]);
  }
  assert.equal(api.to(ME).length, 3);
});

test("a call by nobody carries no token, and its refusal is the answer", async () => {
  api.next(ME, new Response(null, { status: 401 }));
  assert.equal((await client.fetch(ME)).status, 401);
  assert.deepEqual(authorizations(), [null]);
  assert.equal(api.calls.length, 1);
});

test("a call by nobody is not repeated for who logged in meanwhile", async () => {
  const refused = later();
  api.next(ME, refused.promise);
  const calling = client.fetch(ME, { method: "POST", body: "of nobody" });
  await settle();
  await login();
  refused.answer(new Response(null, { status: 401 }));
  assert.equal((await calling).status, 401);
  assert.deepEqual(authorizations(), [null]);
});

test("a refused token is renewed, and the call goes once more, whole", async () => {
  await login();
  api.next(ME, new Response(null, { status: 401 }), new Response(null, { status: 401 }));
  const answer = await client.fetch(ME, { method: "POST", body: "whole" });
  assert.equal(answer.status, 401);
  assert.deepEqual(authorizations(), ["Bearer token-1", "Bearer token-2"]);
  assert.deepEqual(api.to(ME).map(({ text }) => text), ["whole", "whole"]);
  assert.equal(api.to(REFRESH).length, 1);
});

test("another refusal renews nothing", async () => {
  await login();
  api.next(ME, new Response(null, { status: 403 }));
  assert.equal((await client.fetch(ME)).status, 403);
  assert.equal(api.to(REFRESH).length, 0);
  assert.equal(api.to(ME).length, 1);
});

test("a call whose session has ended gets the refusal, and goes no second time", async () => {
  await login();
  api.next(ME, new Response(null, { status: 401 }));
  api.next(REFRESH, problem(401, "invalid-refresh-token"));
  assert.equal((await client.fetch(ME)).status, 401);
  assert.equal(api.to(ME).length, 1);
  assert.equal(client.session, null);
});

test("a token that somebody else renewed meanwhile is used, not renewed again", async () => {
  await login();
  const refused = later();
  api.next(ME, refused.promise);
  const calling = client.fetch(ME);
  await settle();
  await client.refresh();
  refused.answer(new Response(null, { status: 401 }));
  assert.equal((await calling).status, 200);
  assert.deepEqual(authorizations(), ["Bearer token-1", "Bearer token-2"]);
  assert.equal(api.to(REFRESH).length, 1);
});

test("the token goes to the API, the page's own origin and those that are named, and nowhere else", async () => {
  const { client: own } = browser().open(() => new Client({ api: API, fetch: api.fetch, storage: kept, origins: ["https://named.example/any"] }), { href: "https://page.example/login" });
  await login(own);
  for (const url of ["https://api.example/api/me/", "https://page.example/api/me/", "https://named.example/api/me/"]) {
    await own.fetch(url);
    await own.fetch(new Request(url));
  }
  assert.deepEqual(authorizations(), Array(6).fill("Bearer token-1"));
  for (const url of ["https://other.example/api/me/", "//other.example/api/me/", "http://page.example/api/me/", "https://sub.named.example/api/me/"]) {
    await assert.rejects(own.fetch(url), TypeError);
    await assert.rejects(own.fetch(new Request(new URL(url, API))), { name: "TypeError", message: /example is not in origins$/ });
  }
  assert.equal(api.to(ME).length, 6);
});

for (const [what, refuse] of [
  ["full", (kept) => (kept.setItem = () => { throw new Error("QuotaExceededError"); })],
  ["forbidden", (kept) => (kept.setItem = kept.getItem = kept.removeItem = () => { throw new Error("SecurityError"); })],
]) {
  test(`storage that is ${what}, from the start or later, loses no login while the page lives`, async () => {
    for (const later of [false, true]) {
      kept = store();
      client = new Client({ api: API, fetch: api.fetch, storage: kept });
      if (!later) refuse(kept);
      const session = await login();
      if (later) refuse(kept);
      assert.deepEqual(client.session, session);
      const token = await client.refresh();
      await client.refresh();
      const sent = api.to(REFRESH).map(({ body }) => body.refresh_token);
      assert.equal(new Set(sent).size, sent.length, "a refresh token was sent twice");
      assert.notEqual(await client.token(), token);
      await client.logout();
      assert.equal(client.session, null);
    }
  });
}

test("a full storage does not keep a refresh token that was used", async () => {
  await login();
  const { setItem } = kept;
  kept.setItem = () => {
    throw new Error("QuotaExceededError");
  };
  await client.refresh();
  assert.equal(restarted().session, null, "a reload would send the old token");
  kept.setItem = setItem;
  await client.refresh();
  assert.ok(restarted().session);
});

test("a token that was got in the future is renewed, and so is one of the past", async () => {
  await login();
  const { now } = Date;
  Date.now = () => now() - 86_400_000;
  try {
    assert.equal(await client.token(), "token-2");
    assert.equal(await client.token(), "token-2");
  } finally {
    Date.now = now;
  }
});

test("a call is not repeated under the next user's token", async () => {
  await login();
  const refused = later();
  api.next(ME, refused.promise);
  const calling = client.fetch(ME);
  await settle();
  await login(client, "b@example.com");
  refused.answer(new Response(null, { status: 401 }));
  assert.equal((await calling).status, 401);
  assert.deepEqual(authorizations(), ["Bearer token-1"]);
  assert.equal(api.to(REFRESH).length, 0);
});

test("a call whose user changed while its token was renewed goes as nobody", async () => {
  await login();
  await pass(3600);
  const renewed = later();
  api.next(REFRESH, renewed.promise);
  const calling = client.fetch(ME);
  await settle();
  const next = login(client, "b@example.com");
  renewed.answer({ token: "of-a", expires_in: 3600, refresh_token: "x", user_id: "a@example.com" });
  await Promise.all([calling, next]);
  assert.ok(!authorizations().includes("Bearer token-2"));
});

test("a mistake of a page's listener does not undo a login", async () => {
  mock.method(console, "error", () => {});
  client.on("login", () => {
    throw new Error("a mistake");
  });
  const told = [];
  client.on("login", () => told.push("second"));
  await login();
  assert.ok(client.session);
  assert.deepEqual(told, ["second"]);
  mock.restoreAll();
});

test("a device is known again by its token: the last five destinations, until it is forgotten", async () => {
  let n = 0;
  const asUser = (email) => api.next(VALIDATE, { token: `t${++n}`, expires_in: 3600, refresh_token: "r", user_id: email, new_user: false, device_token: `device-${n}` });
  const to = (i) => `${i}@example.com`;
  for (let i = 1; i <= 6; i++) {
    asUser(to(i));
    await login(client, to(i));
  }
  for (let i = 1; i <= 6; i++) await client.requestCode({ email: to(i) });
  assert.deepEqual(api.to(LOGIN).map(({ body }) => body.device_token), [undefined, "device-2", "device-3", "device-4", "device-5", "device-6"]);
  await client.logout({ forget: true });
  assert.equal(api.to(LOGOUT)[0].body.forget, true);
  await client.requestCode({ email: to(6) });
  await client.requestCode({ email: to(5) });
  assert.deepEqual(api.to(LOGIN).slice(6).map(({ body }) => body.device_token), [undefined, "device-5"]);
});

test("a client that remembers no device keeps and sends no token of one", async () => {
  client = new Client({ api: API, fetch: api.fetch, storage: kept, rememberDevice: false });
  api.next(VALIDATE, { token: "t", expires_in: 3600, refresh_token: "r", user_id: "u", new_user: false, device_token: "device" });
  await login();
  await client.requestCode({ email: "a@example.com" });
  assert.ok(!("device_token" in api.to(LOGIN)[0].body));
  await client.logout();
  assert.equal(api.to(LOGOUT)[0].body.forget, true);
});

const stale = () => problem(401, "stale-login", { max_age: 600 });
const mine = () => ({ user_id: "a@example.com", destinations: [{ channel: "email", email: "a@example.com" }, { channel: "sms", phone_number: "+14155550100" }] });
const DELETION = { method: "DELETE", body: "whole" };
const deletions = () => api.to(ME).filter(({ method }) => method === "DELETE");

test("a call that takes a fresh login goes again, whole, once the person has logged in again", async () => {
  await login();
  const asked = [];
  client.onStaleLogin(async (own) => {
    asked.push(own);
    await login();
  });
  api.next(ME, stale(), mine());
  assert.equal((await client.fetch(ME, DELETION)).status, 200);
  assert.deepEqual(asked, [[{ email: "a@example.com" }, { phone_number: "+14155550100" }]]);
  assert.deepEqual(deletions().map(({ text, headers }) => [text, headers.get("authorization")]), [["whole", "Bearer token-1"], ["whole", "Bearer token-2"]]);
  assert.equal(api.to(REFRESH).length, 0, "a renewal makes no login younger");
  assert.equal(client.rememberDevice, true);
});

test("a call that takes a fresh login is refused where nobody asks for one, and where the person does not want to", async () => {
  await login();
  api.next(ME, stale(), stale(), mine(), stale(), NO_NETWORK);
  assert.equal((await client.fetch(ME, DELETION)).status, 401);
  client.onStaleLogin(async () => {});
  const refused = await client.fetch(ME, DELETION);
  assert.deepEqual([refused.status, (await refused.json()).type], [401, "/problems/stale-login"]);
  assert.equal((await client.fetch(ME, DELETION)).status, 401, "without a network");
  assert.equal(deletions().length, 3);
});

test("a call that takes a fresh login does not go on for another user", async () => {
  await login();
  client.onStaleLogin(() => login(client, "b@example.com"));
  api.next(ME, stale(), mine());
  assert.equal((await client.fetch(ME, DELETION)).status, 401);
  assert.deepEqual(authorizations(), ["Bearer token-1", "Bearer token-1"]);
});

test("one fresh login is for all calls that need it, also for those that are refused after it", async () => {
  await login();
  let asked = 0;
  client.onStaleLogin(async () => {
    asked++;
    await login();
  });
  const late = later();
  api.next(ME, stale(), stale(), late.promise, mine());
  const calls = [1, 2, 3].map(() => client.fetch(ME, DELETION));
  assert.deepEqual((await Promise.all(calls.slice(0, 2))).map(({ status }) => status), [200, 200]);
  late.answer(stale());
  assert.equal((await calls[2]).status, 200);
  assert.equal(asked, 1);
});

test("a call that was refused for another reason asks nobody to log in", async () => {
  await login();
  let asked = 0;
  client.onStaleLogin(async () => void asked++);
  api.next(ME, problem(401, "unauthorized"), {}, problem(401, "unauthorized"), problem(401, "unauthorized"));
  assert.equal((await client.fetch(ME)).status, 200);
  assert.equal((await client.fetch(ME)).status, 401);
  assert.equal(asked, 0);
});

test("a call that takes a fresh login asks only who made it", async () => {
  await login();
  let asked = 0;
  client.onStaleLogin(async () => void asked++);
  const refused = later();
  api.next(ME, refused.promise, mine());
  const calling = client.fetch(ME, DELETION);
  await settle();
  await login(client, "b@example.com");
  refused.answer(stale());
  assert.equal((await calling).status, 401);
  assert.equal(asked, 0);
});

test("a token that was renewed first may still be of a login that is too old", async () => {
  await login();
  client.onStaleLogin(() => login());
  api.next(ME, new Response(null, { status: 401 }), stale(), mine());
  assert.equal((await client.fetch(ME, DELETION)).status, 200);
  assert.deepEqual(deletions().map(({ headers }) => headers.get("authorization")), ["Bearer token-1", "Bearer token-2", "Bearer token-3"]);
});

test("a fresh login ends the session before it, and one on a device of many people stays so", async () => {
  const named = (sid) => `h.${btoa(JSON.stringify({ sid }))}.s`;
  client = new Client({ api: API, fetch: api.fetch, storage: kept, rememberDevice: false });
  api.next(VALIDATE, { token: named("one"), expires_in: 3600, refresh_token: "r", user_id: "a@example.com", new_user: false });
  await login();
  const again = restarted();
  again.onStaleLogin(() => login(again));
  api.next(ME, stale(), mine());
  api.next("/api/me/sessions/one/", NO_NETWORK);
  assert.equal((await again.fetch(ME, DELETION)).status, 200);
  const [ended] = api.to("/api/me/sessions/one/");
  assert.deepEqual([ended.method, ended.headers.get("authorization")], ["DELETE", "Bearer token-1"]);
  assert.equal(again.rememberDevice, false);
});

test("a call does not go again for who logged out after the fresh login", async () => {
  const named = `h.${btoa(JSON.stringify({ sid: "one" }))}.s`;
  api.next(VALIDATE, { token: named, expires_in: 3600, refresh_token: "r", user_id: "a@example.com", new_user: false });
  await login();
  client.onStaleLogin(() => login());
  api.next(ME, stale(), mine());
  api.next("/api/me/sessions/one/", async () => {
    await client.logout();
    return new Response(null, { status: 204 });
  });
  assert.equal((await client.fetch(ME, DELETION)).status, 401);
  assert.equal(deletions().length, 1);
});

test("a problem says how old a login may be", () => {
  assert.equal(new Problem(401, { type: "/problems/stale-login", max_age: 600 }).maxAge, 600);
});
