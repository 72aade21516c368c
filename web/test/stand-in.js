// What the client meets, without a stack and without waiting: an API that answers as a test says,
// a clock that a test moves, and tabs that share what tabs of a browser share.
import { mock } from "node:test";

export const LOGIN = "/api/login-with-otp/";
export const VALIDATE = "/api/validate-otp/";
export const REFRESH = "/api/token/refresh/";
export const LOGOUT = "/api/logout/";

export const START = 1_800_000_000_000;
/** The code that is right. */
export const CODE = "123456";

export const problem = (status, type, more = {}) => Response.json({ type: `/problems/${type}`, title: type, ...more }, { status });
export const NO_NETWORK = new TypeError("no network");

/** Lets everything happen that waits for nothing. */
export async function settle() {
  for (let i = 0; i < 10; i++) await new Promise(setImmediate);
}

/** Stops the clock. */
export const stopClock = () => mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: START });

/** Moves the stopped clock. */
export async function pass(seconds) {
  await settle();
  mock.timers.tick(seconds * 1000);
  await settle();
}

/** An API that remembers its calls. `next` says what it answers once: a response, an error, a promise, or a function. */
export function standIn() {
  const calls = [];
  const queues = {};
  let n = 0;
  const usual = {
    [LOGIN]: ({ body }) => ({
      challenge_id: `challenge-${++n}`, channel: body.email ? "email" : "sms", code_length: 6, max_attempts: 3,
      delivery: "confirmed", expires_in: 300, resend_in: 30,
    }),
    [VALIDATE]: ({ body }) =>
      body.otp === CODE
        ? { token: `token-${++n}`, expires_in: 3600, refresh_token: `refresh-${n}`, user_id: body.email ?? "user", new_user: true }
        : problem(400, "invalid-otp"),
    [REFRESH]: () => ({ token: `token-${++n}`, expires_in: 3600, refresh_token: `refresh-${n}` }),
    [LOGOUT]: () => new Response(null, { status: 204 }),
  };
  const api = {
    calls,
    to: (path) => calls.filter((call) => call.path === path),
    next: (path, ...answers) => (queues[path] ??= []).push(...answers),
    async fetch(input, init = {}) {
      const request = input instanceof Request ? input : undefined;
      const text = request ? await request.text() : init.body;
      const { pathname, origin } = new URL(request?.url ?? input);
      const headers = new Headers(request?.headers ?? init.headers);
      const call = { path: pathname, origin, init, headers, method: request?.method ?? init.method, text };
      if (/^\{/.test(text ?? "")) call.body = JSON.parse(text);
      calls.push(call);
      let answer = queues[pathname]?.shift() ?? usual[pathname] ?? (() => ({}));
      if (typeof answer === "function") answer = answer(call);
      answer = await answer;
      if (answer instanceof Error) throw answer;
      return answer instanceof Response ? answer : Response.json(answer);
    },
  };
  return api;
}

/** An answer that comes when a test says so. */
export function later() {
  let answer;
  const promise = new Promise((done) => (answer = done));
  return { promise, answer };
}

export function store() {
  const kept = new Map();
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, String(value)),
    removeItem: (key) => void kept.delete(key),
  };
}

/** A browser: `open` is a tab, in which a client finds its storage, its channel and its locks. */
export function browser() {
  const channels = new Set();
  const local = store();
  const held = [];
  const told = [];
  let hold = false;
  const deliver = ({ from, text }) => {
    for (const to of [...channels]) if (to !== from && to.name === from.name) to.onmessage?.({ data: JSON.parse(text) });
  };
  class Channel {
    constructor(name) {
      this.name = name;
      channels.add(this);
    }
    postMessage(data) {
      const message = { from: this, text: JSON.stringify(data) };
      told.push(message.text);
      if (hold) held.push(message);
      else deliver(message);
    }
    close() {
      channels.delete(this);
    }
  }
  const names = ["location", "localStorage", "sessionStorage", "BroadcastChannel", "addEventListener", "navigator"];
  return {
    local,
    /** All that tabs told each other. */
    told,
    channels,
    /** Messages wait from now on. */
    holdMessages: () => void (hold = true),
    deliverMessages() {
      hold = false;
      for (const message of held.splice(0)) deliver(message);
    },
    Channel,
    /** Waits for `action` on a page: what asks for its address later finds it. */
    async run(action, href = "https://page.example/login") {
      globalThis.location = new URL(href);
      try {
        await action();
      } finally {
        delete globalThis.location;
      }
    },
    /** Calls `make` in a tab. `session` is the tab's own storage; `globals` are others that it finds. */
    open(make, { session = store(), href = "https://page.example/login?from=here", globals = {} } = {}) {
      const listeners = {};
      const own = { location: new URL(href), localStorage: local, sessionStorage: session, BroadcastChannel: Channel };
      Object.assign(own, { addEventListener: (name, listener) => (listeners[name] = listener), navigator: {} });
      Object.defineProperties(own, Object.getOwnPropertyDescriptors(globals));
      const before = names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
      for (const [name, as] of Object.entries(Object.getOwnPropertyDescriptors(own))) Object.defineProperty(globalThis, name, { ...as, configurable: true });
      try {
        return { client: make(), session, show: () => listeners.pageshow() };
      } finally {
        for (const [name, was] of before) was ? Object.defineProperty(globalThis, name, was) : delete globalThis[name];
      }
    },
  };
}
