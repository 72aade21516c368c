// Several tabs of one browser, which tell each other who is logged in. A tab's storage of its own is
// copied when the tab is, as browsers do.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Client } from "../client.js";
import { together } from "../login.js";
import { CODE, LOGOUT, REFRESH, VALIDATE, browser, later, pass, problem, settle, standIn, stopClock, store } from "./stand-in.js";

const API = "https://api.example";
const KEY = `login-with-otp:${API}`;

let api;
let world;
beforeEach(() => {
  stopClock();
  api = standIn();
  world = browser();
});
afterEach(() => mock.timers.reset());

/** A tab, and what its page was told. */
function tab(options = {}, where = {}) {
  const told = [];
  const made = world.open(() => new Client({ api: API, fetch: api.fetch, ...options }), where);
  made.client.on("login", ({ userId }) => told.push(userId));
  made.client.on("logout", (session) => told.push(session));
  return { ...made, told };
}
const login = ({ client }, email = "a@example.com") => client.validate({ destination: { email }, id: "id" }, CODE);
const who = ({ client }) => client.session?.userId;
/** A tab that was duplicated: the copy of its storage. */
const copy = ({ session }) => {
  const copied = store();
  for (const [key, value] of session.kept) copied.setItem(key, value);
  return copied;
};

for (const storage of ["local", "cookie"]) {
  test(`with ${storage}, all tabs log in and out together, and each page is told once`, async () => {
    const [first, second] = [tab({ storage }), tab({ storage })];
    await login(first);
    assert.deepEqual([who(first), who(second)], ["a@example.com", "a@example.com"]);
    assert.equal(await second.client.token(), "token-1");
    assert.equal(who(tab({ storage })), "a@example.com", "a later tab does not know");
    await second.client.logout();
    assert.deepEqual([who(first), who(second)], [undefined, undefined]);
    assert.equal(await first.client.token(), null);
    assert.deepEqual([first.told, second.told], [["a@example.com", null], ["a@example.com", null]]);
    assert.equal(who(tab({ storage })), undefined);
  });
}

test("a page keeps its session in its own tab, unless it says otherwise", async () => {
  const first = tab();
  const second = tab();
  await login(first);
  assert.equal(who(second), undefined);
  assert.deepEqual(second.told, []);
  assert.equal(world.local.kept.size, 0);
  assert.equal(first.session.kept.size, 1);
  assert.equal(who(tab({}, { session: first.session })), "a@example.com", "a reload lost the login");
  await first.client.logout();
  assert.equal(first.session.kept.size, 0);
});

test("two tabs with a user each do not touch each other", async () => {
  const [first, second] = [tab(), tab()];
  await login(first, "a@example.com");
  await login(second, "b@example.com");
  await first.client.refresh();
  assert.deepEqual([who(first), who(second)], ["a@example.com", "b@example.com"]);
  await pass(1);
  await first.client.logout();
  assert.deepEqual([who(first), who(second)], [undefined, "b@example.com"]);
  assert.deepEqual(second.told, ["b@example.com"]);
  await second.client.refresh();
  assert.equal(api.to(REFRESH).at(-1).body.refresh_token, "refresh-2");
});

test("a duplicated tab has the same session: it renews and ends with the first", async () => {
  const first = tab();
  await login(first);
  const second = tab({}, { session: copy(first) });
  assert.equal(who(second), "a@example.com");
  await first.client.refresh();
  assert.equal(await second.client.token(), "token-2");
  await second.client.refresh();
  assert.deepEqual(api.to(REFRESH).map(({ body }) => body.refresh_token), ["refresh-1", "refresh-2"], "a refresh token was sent twice");
  await first.client.logout();
  assert.deepEqual([who(first), who(second)], [undefined, undefined]);
  assert.deepEqual(second.told, [null]);
  assert.equal(second.session.kept.size, 0);
});

test("a message that is older than what a tab knows changes nothing", async () => {
  for (const storage of ["local", "session"]) {
    world = browser();
    const first = tab({ storage });
    await login(first);
    const second = tab({ storage }, storage === "session" ? { session: copy(first) } : {});
    world.holdMessages();
    await first.client.refresh();
    const old = world.told.at(-1);
    world.deliverMessages();
    await pass(1);
    await first.client.refresh();
    const newest = await second.client.token();
    assert.equal(newest, await first.client.token());
    for (const channel of world.channels) channel.onmessage({ data: JSON.parse(old) });
    assert.equal(await second.client.token(), newest, storage);
    assert.equal(await first.client.token(), newest, storage);
  }
});

test("a message that comes before what was stored counts, and what is stored later is not believed if it is older", async () => {
  const [first, second] = [tab({ storage: "local" }), tab({ storage: "local" })];
  await login(first);
  const before = world.local.getItem(KEY);
  await first.client.refresh();
  world.local.setItem(KEY, before); // not there yet
  assert.equal(await second.client.token(), "token-2");
  world.local.removeItem(KEY);
  assert.equal(who(second), "a@example.com");
});

test("what another tab stored counts before its message comes", async () => {
  const [first, second] = [tab({ storage: "local" }), tab({ storage: "local" })];
  world.holdMessages();
  await login(first);
  assert.equal(who(second), "a@example.com");
  assert.deepEqual(second.told, []);
  world.deliverMessages();
  assert.deepEqual(second.told, ["a@example.com"]);
  world.holdMessages();
  await second.client.logout();
  assert.equal(who(first), undefined);
  world.deliverMessages();
  assert.deepEqual(first.told, ["a@example.com", null]);
});

test("two writes in one millisecond have an order", async () => {
  const [first, second] = [tab({ storage: "local" }), tab({ storage: "local" })];
  await login(first);
  await login(second, "b@example.com");
  await second.client.logout();
  assert.deepEqual([who(first), who(second)], [undefined, undefined]);
  await login(first, "c@example.com");
  assert.deepEqual([who(first), who(second)], ["c@example.com", "c@example.com"]);
});

test("what two tabs know together is the same in either order, and one of two live sessions stays", () => {
  const state = (id, since, n) => ({ id, since, n, token: "", userId: id, newUser: false, got: 0, renewAt: 0 });
  for (const since of [{ a: 1, b: 1 }, { a: 1, b: 2 }]) {
    const records = ["a", "b"].flatMap((id) => [2, 3].map((n) => ({ n, state: state(id, since[id], n), over: [] })));
    for (const mine of [...records, { n: 4, state: null, over: ["a"] }]) {
      for (const theirs of records) {
        const [one, other] = [together(mine, theirs), together(theirs, mine)];
        assert.deepEqual([one.state, one.n, [...one.over].sort()], [other.state, other.n, [...other.over].sort()]);
        assert.deepEqual(together(one, theirs).state, one.state);
        assert.ok(one.state || mine.over.includes(theirs.state.id));
      }
    }
  }
});

test("a login after somebody emptied the storage reaches the tabs that were open", async () => {
  const [first, second] = [tab({ storage: "local" }), tab({ storage: "local" })];
  await login(first);
  await first.client.refresh();
  await first.client.logout();
  world.local.kept.clear();
  await pass(1);
  await login(tab({ storage: "local" }), "b@example.com");
  assert.deepEqual([who(first), who(second)], ["b@example.com", "b@example.com"]);
});

test("a clock that goes back does not make the newest login an old one", async () => {
  const first = tab({ storage: "local" });
  await login(first);
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_700_000_000_000 });
  const second = tab({ storage: "local" });
  await login(second, "b@example.com");
  assert.deepEqual([who(first), who(second)], ["b@example.com", "b@example.com"]);
});

test("a page that comes back from the back-forward cache learns what it missed", async () => {
  const [first, second] = [tab({ storage: "local" }), tab({ storage: "local" })];
  world.holdMessages();
  await login(first);
  second.show();
  assert.deepEqual(second.told, ["a@example.com"]);
  second.show();
  assert.deepEqual(second.told, ["a@example.com"]);
  await first.client.logout();
  second.show();
  assert.deepEqual(second.told, ["a@example.com", null]);
});

test("a client that was closed hears nothing from other tabs", async () => {
  const [first, second] = [tab({ storage: "local" }), tab({ storage: "local" })];
  second.client.close();
  await login(first);
  assert.deepEqual(second.told, []);
  assert.equal(world.channels.size, 1);
});

test("two APIs on one page do not hear each other", async () => {
  const [first, second] = [tab({ storage: "local" }), tab({ storage: "local", api: "https://other.example" })];
  await login(first);
  assert.deepEqual([who(second), second.told], [undefined, []]);
});

test("memory and a storage of the page's own are told to no tab", async () => {
  for (const storage of ["memory", store()]) {
    const made = tab({ storage });
    await login(made);
    assert.equal(who(made), "a@example.com");
    await made.client.logout();
  }
  assert.deepEqual(world.told, []);
  assert.equal(world.channels.size, 0);
  assert.equal(world.local.kept.size, 0);
});

test("with the cookie, nothing that lasts has a token, and nothing has the refresh token", async () => {
  api.next(VALIDATE, { token: "access", expires_in: 3600, user_id: "u", new_user: false });
  api.next(REFRESH, { token: "renewed", expires_in: 3600 });
  const first = tab({ storage: "cookie" });
  await login(first);
  assert.ok(!/access/.test(world.local.getItem(KEY)));
  assert.equal(await first.client.token(), "access");
  const later = tab({ storage: "cookie" });
  assert.equal(who(later), "u");
  assert.equal(await later.client.token(), "renewed");
  assert.equal(await first.client.token(), "renewed", "the first tab renewed again");
  assert.ok(!/renewed/.test(world.local.getItem(KEY)));
  assert.equal(first.session.kept.size, 0);
  await first.client.logout();
  assert.deepEqual(api.calls.map(({ body }) => body), [{ email: "a@example.com", otp: CODE, challenge_id: "id", cookie: true }, {}, { all: false }]);
  assert.ok(api.calls.every(({ init }) => init.credentials === "include"));
});

test("with the cookie, a tab that has not heard of the newest token renews it", async () => {
  const [first, second] = [tab({ storage: "cookie" }), tab({ storage: "cookie" })];
  await login(first);
  const mine = await first.client.token();
  world.holdMessages();
  await second.client.refresh();
  assert.equal(await first.client.refresh(mine), "token-3");
});

/** An access token of a session. */
const jwt = (sid) => `h.${Buffer.from(JSON.stringify({ sid })).toString("base64url")}.s`;

test("with the cookie, a renewal and a logout name the session that they mean", async () => {
  api.next(VALIDATE, { token: jwt("one"), expires_in: 3600, user_id: "a@example.com", new_user: false });
  api.next(REFRESH, { token: jwt("one"), expires_in: 3600, user_id: "a@example.com" });
  const first = tab({ storage: "cookie" });
  const { id } = await login(first);
  assert.equal(id, "one");
  await first.client.refresh();
  await first.client.logout();
  assert.deepEqual([api.to(REFRESH)[0].body, api.to(LOGOUT)[0].body], [{ session_id: "one" }, { session_id: "one", all: false }]);
});

for (const [what, answer] of [
  ["says so", () => problem(409, "session-mismatch")],
  ["does not look", () => ({ token: jwt("two"), expires_in: 3600, user_id: "b@example.com" })],
]) {
  test(`a cookie of another login ends the session here, where the service ${what}, and nobody acts as another`, async () => {
    api.next(VALIDATE, { token: jwt("one"), expires_in: 3600, user_id: "a@example.com", new_user: false });
    api.next(REFRESH, answer());
    const first = tab({ storage: "cookie" });
    await login(first);
    assert.equal(await first.client.refresh(), null);
    assert.equal(first.client.session, null);
    assert.equal(api.to(LOGOUT).length, 0);
  });
}

test("with the cookie, a login waits for a renewal that is under way, so that its cookie is the last", async () => {
  const first = tab({ storage: "cookie" });
  await login(first);
  const late = later();
  api.next(REFRESH, late.promise);
  const renewing = first.client.refresh();
  await settle();
  const next = login(first, "b@example.com");
  await settle();
  assert.equal(api.to(VALIDATE).length, 1, "the code went while a cookie was on its way");
  late.answer({ token: "late", expires_in: 3600 });
  await Promise.all([renewing, next]);
  assert.equal(who(first), "b@example.com");
});

test("with the cookie, a logout after the next login sends nothing", async () => {
  const [first, second] = [tab({ storage: "cookie" }), tab({ storage: "cookie" })];
  await login(first);
  const late = later();
  api.next(REFRESH, late.promise);
  const renewing = first.client.refresh();
  await settle();
  const leaving = first.client.logout();
  await login(second, "b@example.com");
  late.answer({ token: "late", expires_in: 3600 });
  await Promise.all([renewing, leaving]);
  assert.equal(api.to(LOGOUT).length, 0);
  assert.equal(who(first), "b@example.com");
});

test("a developer is told of an API that is there and does not let the page read it", async () => {
  const told = mock.method(console, "error", () => {});
  const first = tab();
  await world.run(async () => {
    api.next("/api/login-with-otp/", ...Array(3).fill(new TypeError("Failed to fetch")));
    const asking = first.client.requestCode({ email: "a@example.com" }).catch((error) => error);
    await pass(1);
    await pass(3);
    assert.equal((await asking).type, "network");
    await settle();
  });
  assert.equal(api.to("/.well-known/jwks.json")[0].init.mode, "no-cors");
  assert.equal(told.mock.callCount(), 1);
  const [text] = told.mock.calls[0].arguments;
  for (const part of ["https://page.example", "ALLOWED_ORIGINS", "traceparent"]) assert.ok(text.includes(part), part);
  mock.restoreAll();
});

test("without the cookie, no request takes or sends one", async () => {
  const first = tab({ storage: "local" });
  await login(first);
  await first.client.refresh();
  await first.client.logout();
  assert.ok(api.calls.every(({ init, body }) => init.credentials === "omit" && !("cookie" in body)));
});

test("a browser that forbids storage keeps the session as long as the page", async () => {
  const forbidden = {
    get localStorage() {
      throw new Error("SecurityError");
    },
  };
  for (const globals of [forbidden, { localStorage: null, navigator: undefined }]) {
    const first = tab({ storage: "local" }, { globals });
    await login(first);
    assert.equal(who(first), "a@example.com");
    await first.client.logout();
    assert.equal(who(first), undefined);
  }
  assert.equal(world.local.kept.size, 0);
});

test("a refresh token that another tab used first ends nothing", async () => {
  const first = tab({ storage: "local" });
  await login(first);
  const second = tab({ storage: "local" });
  const late = later();
  api.next(REFRESH, late.promise);
  const renewing = first.client.refresh();
  await settle();
  await second.client.refresh();
  late.answer(problem(401, "invalid-refresh-token"));
  assert.equal(await renewing, await second.client.token());
  assert.deepEqual([who(first), who(second)], ["a@example.com", "a@example.com"]);
  assert.equal(api.to(LOGOUT).length, 0);
});

for (const [storage, expected] of [["local", () => KEY], ["cookie", () => KEY], ["session", ({ client }) => KEY + client.session.id]]) {
  test(`with ${storage}, tabs of one session take turns by a lock of one name`, async () => {
    const names = [];
    const locks = {
      request: async (name, options, action = options) => (names.push(name), action()),
      query: async () => ({ held: [] }),
    };
    const first = tab({ storage }, { globals: { navigator: { locks } } });
    const loggingIn = login(first);
    await pass(2);
    await loggingIn;
    names.length = 0;
    const renewing = first.client.refresh();
    await pass(2);
    await renewing;
    assert.equal(names[0], expected(first));
  });
}

for (const [what, holders, goesOn] of [
  ["one tab, whose page was frozen in it, is not waited for", ["a", "a"], true],
  ["one tab after the other is waited for", ["a", "b", "c", "d"], false],
]) {
  test(`a turn that belongs to ${what}`, async () => {
    let now = 0;
    const locks = {
      query: async () => ({ held: [{ name: KEY, clientId: holders[now++] }] }),
      request: (_, { signal }) => new Promise((_, refuse) => signal.addEventListener("abort", () => refuse(signal.reason))),
    };
    const first = tab({ storage: "local" }, { globals: { navigator: { locks } } });
    const loggingIn = login(first);
    for (let i = 0; i < holders.length; i++) await pass(100);
    assert.equal(api.to(VALIDATE).length, goesOn ? 1 : 0);
    if (goesOn) await loggingIn;
  });
}

test("a renewal makes no login later than the next one", () => {
  const state = (id, since, n) => ({ id, since, n, token: "", userId: id, newUser: false, got: 0, renewAt: 0 });
  const renewed = { n: 9, state: state("a", 1, 9), over: [] };
  const next = { n: 5, state: state("b", 5, 5), over: [] };
  assert.equal(together(renewed, next).state.id, "b");
});

test("what no other tab shares waits for no other tab", async () => {
  const locks = { request: () => assert.fail("a lock"), query: () => assert.fail("a look at locks") };
  const made = tab({ storage: "memory" }, { globals: { navigator: { locks } } });
  await login(made);
  assert.ok(await made.client.refresh());
});

test("a server may import the element", async () => {
  const { Client: same, OtpSignIn } = await import("../sign-in.js");
  assert.equal(same, Client);
  assert.equal(typeof OtpSignIn, "function");
});
