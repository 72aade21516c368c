// A machine with a browser: tabs, their storage, channels, locks and timers, a clock that people set,
// a network that loses requests and answers. Nothing happens by itself: `run` takes one event after
// the other, in the order of a time that never jumps.
import { AsyncLocalStorage } from "node:async_hooks";

import { Server } from "./server.js";

const ORIGIN = "https://page.example/";
/** How long storage and messages take to reach another tab, at most. */
const LAG = 300;
const here = new AsyncLocalStorage();
const real = { setTimeout, clearTimeout, now: Date.now, timeout: AbortSignal.timeout };

/** A sequence of numbers below 1 that a seed determines (mulberry32). */
const draws = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
};

export class World {
  #events = [];
  #n = 0;
  time = 1_800_000_000_000;
  /** What people did to the clock, in milliseconds. */
  skew = 0;
  /** @type {string | null} The cookie with the refresh token. */
  cookie = null;
  local = new Map();
  /** "", "full" or "forbidden". */
  storage = "";
  online = true;
  /** How many requests and answers get lost, from 0 to 1. */
  loss = 0;
  tabs = [];
  /** Requests that are under way: `{ path, tab, body, since }`. */
  flying = new Set();
  locks = { held: [], waiting: [] };

  constructor(seed, { hasLocks }) {
    this.random = draws(seed);
    this.hasLocks = hasLocks;
    this.server = new Server(() => this.time);
  }

  /** A whole number from 0 to n - 1. */
  below = (n) => Math.floor(this.random() * n);
  chance = (p) => this.random() < p;
  pick = (list) => list[this.below(list.length)];

  /** Calls `action` later, in a tab or in none. */
  at(delay, action, tab) {
    const event = { time: this.time + delay, n: ++this.#n, action, tab };
    this.#events.push(event);
    return event;
  }

  /** Lets time pass. `check` is called after each event. */
  async run(duration, check) {
    const end = this.time + duration;
    for (let events = 0; ; events++) {
      if (events > 20_000) throw new Error("this never ends");
      this.#events.sort((a, b) => a.time - b.time || a.n - b.n);
      if (!(this.#events[0]?.time <= end)) break;
      const event = this.#events.shift();
      this.time = event.time;
      this.#do(event);
      await new Promise(setImmediate);
      check?.();
    }
    this.time = end;
  }

  #do(event) {
    const { tab, action } = event;
    if (event.off || tab?.closed) return;
    if (tab?.frozen) tab.backlog.push(event);
    else if (tab) here.run(tab, action);
    else action();
  }

  /** Opens a tab and calls `make` in it. `session`: what its own storage has. */
  open(make, session = new Map()) {
    const tab = { n: this.tabs.length, session, local: new Map(this.local), pending: new Map(), backlog: [], listeners: [], channels: [], closed: false, frozen: false };
    this.tabs.push(tab);
    tab.client = here.run(tab, () => make(this.#fetchOf(tab)));
    return tab;
  }

  close(tab) {
    tab.closed = true;
    this.locks.waiting = this.locks.waiting.filter((lock) => lock.tab !== tab);
    for (const lock of [...this.locks.held]) if (lock.tab === tab) this.#release(lock);
    for (const flight of [...this.flying]) if (flight.tab === tab) this.flying.delete(flight);
  }

  freeze(tab) {
    tab.frozen = true;
  }

  /** What happened to a frozen tab happens now. */
  thaw(tab) {
    tab.frozen = false;
    for (const event of tab.backlog.splice(0)) this.#do(event);
  }

  /** Whether a browser keeps the page of a tab for its back button. */
  mayHide = (tab) => !tab.frozen && ![...this.locks.held, ...this.locks.waiting].some((lock) => lock.tab === tab) && ![...this.flying].some((flight) => flight.tab === tab);

  /** The page comes back, and has missed all messages. */
  show(tab) {
    tab.backlog = tab.backlog.filter(({ message }) => !message);
    this.thaw(tab);
    this.#dispatch(tab, "pageshow");
  }

  #dispatch(tab, event) {
    for (const { name, listener } of tab.listeners) if (name === event) here.run(tab, listener);
  }

  // ---- what a tab finds in its globals

  /** Puts the machine in the place of Node's globals; the answer undoes it. */
  install() {
    const world = this;
    const tab = () => here.getStore();
    class Channel {
      constructor() {
        this.tab = tab();
        this.tab.channels.push(this);
      }
      postMessage(data) {
        const text = JSON.stringify(data);
        for (const to of world.tabs) {
          if (to === this.tab || to.closed) continue;
          // Two messages of one tab keep their order.
          const time = (this.tab.reach ??= new Map());
          const due = Math.max(world.time + world.below(LAG), time.get(to) ?? 0);
          time.set(to, due);
          world.at(due - world.time, () => to.channels.forEach((channel) => channel.onmessage?.({ data: JSON.parse(text) })), to).message = true;
        }
      }
      close() {
        this.tab.channels = this.tab.channels.filter((channel) => channel !== this);
      }
    }
    const globals = {
      location: { get: () => tab() && new URL(ORIGIN) },
      localStorage: { get: () => world.#storeOf(tab()) },
      sessionStorage: { get: () => world.#refusing(tab().session) },
      BroadcastChannel: { get: () => Channel },
      addEventListener: { get: () => (name, listener) => tab().listeners.push({ name, listener }) },
      navigator: { get: () => ({ onLine: world.online, ...(world.hasLocks && { locks: world.#locksOf(tab()) }) }) },
    };
    const before = Object.keys(globals).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
    for (const [name, as] of Object.entries(globals)) Object.defineProperty(globalThis, name, { ...as, configurable: true });
    globalThis.setTimeout = (action, delay = 0, ...args) => world.at(Math.max(0, delay), () => action(...args), tab());
    globalThis.clearTimeout = (event) => event && (event.off = true);
    Date.now = () => world.time + world.skew;
    AbortSignal.timeout = () => undefined; // the network gives up by itself
    return () => {
      Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
      Date.now = real.now;
      AbortSignal.timeout = real.timeout;
      for (const [name, was] of before) was ? Object.defineProperty(globalThis, name, was) : delete globalThis[name];
    };
  }

  #refuse(writes) {
    if (this.storage === "forbidden" || (writes && this.storage === "full")) throw new Error(this.storage);
  }

  #refusing(map) {
    return {
      getItem: (key) => (this.#refuse(false), map.get(key) ?? null),
      setItem: (key, value) => (this.#refuse(true), void map.set(key, value)),
      removeItem: (key) => (this.#refuse(false), void map.delete(key)),
    };
  }

  /** A tab sees its own writes at once, and others' when they have come to the browser and from there to the tab. */
  #storeOf(tab) {
    const write = (key, value) => {
      if (tab.local.get(key) === value) return;
      value === undefined ? tab.local.delete(key) : tab.local.set(key, value);
      tab.pending.set(key, (tab.pending.get(key) ?? 0) + 1);
      const apply = (map) => (value === undefined ? map.delete(key) : map.set(key, value));
      const due = Math.max(this.time + this.below(LAG / 2), tab.stored ?? 0);
      tab.stored = due;
      this.at(due - this.time, () => {
        tab.pending.set(key, tab.pending.get(key) - 1);
        apply(this.local);
        for (const other of this.tabs) {
          if (other === tab || other.closed) continue;
          const then = Math.max(this.time + this.below(LAG / 2), other.heard ?? 0);
          other.heard = then;
          this.at(then - this.time, () => {
            if (other.pending.get(key)) return;
            if (other.local.get(key) === value) return;
            apply(other.local);
            this.at(0, () => this.#dispatch(other, "storage"), other);
          });
        }
      });
    };
    return {
      getItem: (key) => (this.#refuse(false), tab.local.get(key) ?? null),
      setItem: (key, value) => (this.#refuse(true), write(key, value)),
      removeItem: (key) => (this.#refuse(false), write(key)),
    };
  }

  #locksOf(tab) {
    return {
      query: async () => ({ held: this.locks.held.map(({ name, tab: { n } }) => ({ name, clientId: `tab ${n}` })) }),
      request: (name, options, action) =>
        new Promise((resolve, reject) => {
          const lock = { name, tab, action, resolve, reject, shared: options.mode === "shared" };
          this.locks.waiting.push(lock);
          options.signal?.addEventListener("abort", () => {
            if (!this.locks.waiting.includes(lock)) return;
            this.locks.waiting = this.locks.waiting.filter((other) => other !== lock);
            reject(options.signal.reason);
          });
          this.#grant();
        }),
    };
  }

  #grant() {
    for (const lock of [...this.locks.waiting]) {
      const before = this.locks.waiting.slice(0, this.locks.waiting.indexOf(lock));
      const others = [...this.locks.held, ...before].filter(({ name }) => name === lock.name);
      if (others.some((other) => !(lock.shared && other.shared))) continue;
      this.locks.waiting = this.locks.waiting.filter((other) => other !== lock);
      this.locks.held.push(lock);
      const done = (end) => (value) => (this.#release(lock), end(value));
      this.at(1, () => Promise.resolve().then(lock.action).then(done(lock.resolve), done(lock.reject)), lock.tab);
    }
  }

  #release(lock) {
    this.locks.held = this.locks.held.filter((other) => other !== lock);
    this.#grant();
  }

  /** The network of a tab. A cookie goes with a request when it is sent, and changes when the answer comes. */
  #fetchOf(tab) {
    return (input, init = {}) =>
      new Promise((resolve, reject) => {
        const { pathname } = new URL(input.url ?? input);
        if (tab.closed) return undefined;
        if (pathname.startsWith("/.well-known/")) return reject(new TypeError("no answer"));
        const body = init.body ? JSON.parse(init.body) : {};
        const headers = new Headers(input.headers ?? init.headers);
        const flight = { path: pathname, tab, body, since: this.time };
        this.flying.add(flight);
        const sent = init.credentials === "include" ? this.cookie : null;
        const gone = () => tab.closed && !init.keepalive;
        const settle = (action) => this.at(0, () => (this.flying.delete(flight), action()), tab);
        const fail = (delay) => this.at(delay, () => settle(() => reject(new TypeError("no answer"))));
        if (!this.online) return fail(1);
        if (this.chance(this.loss / 2)) return fail(this.below(30_000));
        this.at(5 + this.below(this.chance(0.3) ? 4000 : 100), () => {
          if (gone()) return;
          const answer = this.server.handle(pathname, body, headers, sent);
          if (this.chance(this.loss / 2)) return fail(this.below(25_000));
          this.at(5 + this.below(this.chance(0.3) ? 4000 : 100), () => {
            if (gone()) return;
            if ("cookie" in answer) this.cookie = answer.cookie;
            const text = answer.body ? JSON.stringify(answer.body) : "";
            settle(() => resolve({ status: answer.status, ok: answer.status < 300, text: async () => text }));
          });
        });
      });
  }
}
