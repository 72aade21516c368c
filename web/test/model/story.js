// One interleaving: a seed determines what the machine can do, and what people do with it in which
// order. Whatever breaks an invariant is an error that says which.
import { World } from "./world.js";

const API = "https://api.example";
const PEOPLE = ["a@example.com", "b@example.com"];

export const INVARIANTS = {
  user: "the session shown is the user of the token",
  login: "no login is lost that the server gave",
  named: "no request ends a session that it does not name",
  refresh: "at most one refresh at a time where locks exist, and none with an old token",
  kept: "nothing is kept of an abandoned login after its end, and no token of a session that was ended",
  time: "no time is shown that is longer than the server said",
  told: "a page is told who is shown",
  agreed: "tabs that share a login show the same",
  mistakes: "nothing fails but requests",
};

/** Plays the interleaving of a seed. @returns What happened, for counts. */
export async function play(seed, product) {
  const story = new Story(seed, product);
  const undo = story.world.install();
  try {
    await story.play();
    return story.done;
  } finally {
    undo();
  }
}

const sidOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString()).sid;

class Story {
  done = { deeds: 0, logins: 0, requests: 0 };
  /** Logins that a validation gave, in order. */
  #given = [];
  /** Sessions that people ended. */
  #ended = new Set();
  /** Times that are shown. */
  #shown = [];
  #broken;
  /** What happened that excuses something. */
  #past = { refused: false, forbidden: false, jumped: false, stalled: false, lateLogout: false, forgot: false, missed: false, left: 0, cut: false };

  /** @param {number} seed @param {{ Client: any, Countdown: any }} product What is tried. */
  constructor(seed, product) {
    this.product = product;
    const { random, chance, pick } = new World(seed, {});
    this.mode = pick(["local", "cookie", "session"]);
    /** Much at once and nothing odd, or the other way round. */
    this.busy = chance(0.6);
    this.shared = this.mode !== "session";
    this.world = new World(Math.floor(random() * 2 ** 31), { hasLocks: chance(0.65) });
  }

  async play() {
    if (process.env.TRACE) this.#trace(`${this.mode}, ${this.world.hasLocks ? "" : "no "}locks`);
    const { world } = this;
    for (let i = 1 + world.below(3); i > 0; i--) this.#open();
    for (let i = 5 + world.below(25); i > 0; i--) {
      this.done.deeds++;
      this.#act();
      await this.#pass(world.pick(this.busy ? [0, 0, 10, 30, 100, 300, 1000, 5000] : [0, 10, 100, 1000, 5000, 40_000]));
    }
    await this.#settle();
    this.#atTheEnd();
    await this.#use();
    this.done.requests = world.server.requests;
  }

  async #pass(duration) {
    await this.world.run(duration, () => this.#always());
    if (this.#broken) throw this.#broken;
  }

  #break(invariant, detail) {
    this.#broken ??= Object.assign(new Error(`${INVARIANTS[invariant]}: ${detail}`), { invariant });
  }

  // ---- what people do

  get #alive() {
    return this.world.tabs.filter((tab) => !tab.closed);
  }

  #open(session) {
    if (this.#past.refused) this.#past.forgot = true;
    // A copy of a tab that is made while a logout is on its way to it does not hear of it.
    if (session && this.world.time - this.#past.left < 1000) this.#past.missed = true;
    const tab = this.world.open((fetch) => new this.product.Client({ api: API, storage: this.mode, fetch }), session);
    tab.told = tab.client.session?.id;
    const tell = (id) => {
      tab.told = id;
      if (process.env.TRACE) this.#trace(`tab ${tab.n} is told`);
    };
    tab.client.on("login", ({ id }) => tell(id));
    tab.client.on("logout", () => tell(undefined));
    return tab;
  }

  /** Does in a tab what its page or a person would. Requests may fail, and nothing else. */
  #in(tab, action) {
    this.world.at(0, async () => {
      try {
        await action(tab.client);
      } catch (error) {
        if (error.name !== "Problem" && error.message !== "no answer") this.#break("mistakes", error.stack);
      }
    }, tab);
  }

  #act() {
    const { world } = this;
    const tab = world.pick(this.#alive.filter(({ frozen }) => !frozen)) ?? this.#open();
    const asleep = world.pick(this.#alive.filter(({ frozen }) => frozen));
    const odd = this.busy ? 0 : 1;
    const deeds = [
      [this.busy ? 12 : 6, () => this.#login(tab)],
      [this.busy ? 12 : 4, () => this.#renew(tab, (client) => client.refresh())],
      [3, () => this.#renew(tab, (client) => client.token())],
      [3, () => this.#in(tab, (client) => client.fetch("/api/me/", { headers: { "x-for": client.session?.id ?? "" } }))],
      [2, () => this.#logout(tab)],
      [1, () => this.#in(tab, (client) => client.requestCode({ email: world.pick(PEOPLE) }))],
      [2, () => this.#sleep(tab, false)],
      [1, () => this.#sleep(tab, true)],
      [3, () => asleep && this.#wake(asleep)],
      [1, () => this.#close(tab)],
      [2, () => this.#open()],
      [1, () => this.#open(new Map(tab.session))],
      [1, () => (this.#close(tab), this.#open(tab.session))],
      [odd, () => this.#jump(world.pick([-86_400_000, -3000, 3000, 86_400_000]))],
      [odd, () => this.#refuse(world.pick(["full", "forbidden"]))],
      [2, () => (world.storage = "")],
      [1, () => (world.loss = world.pick([0, 0.3, 0.9]))],
      [odd, () => (world.online = world.chance(0.7))],
    ];
    const deed = world.pick(deeds.flatMap(([weight, deed]) => Array(weight).fill(deed)));
    if (process.env.TRACE) this.#trace(`tab ${tab.n}: ${String(deed).replace(/^\(\) => /, "")}`);
    deed();
  }

  /** TRACE=1 says what happens, and who is shown where. Nothing of it changes what happens. */
  #trace(what) {
    const tabs = this.#alive.map(({ n, frozen, told = "-" }) => `${n}${frozen ? " sleeps" : ""} ${told}`);
    console.log(`${this.world.time - 1_800_000_000_000} ms [${tabs.join(", ")}] ${what}`);
  }

  #login(tab) {
    const { world } = this;
    const email = world.pick(PEOPLE);
    this.#in(tab, async (client) => {
      const challenge = await client.requestCode({ email });
      this.#show(challenge.expiresAt, challenge.expiresIn);
      this.#show(challenge.resendAt, challenge.resendIn);
      await new Promise((done) => setTimeout(done, world.below(this.busy ? 500 : 20_000)));
      if (world.chance(0.2)) await client.resend(challenge);
      if (world.chance(0.1)) return client.abandon(challenge);
      if (world.chance(0.1)) return;
      if (world.chance(0.2)) await client.validate(challenge, "999999").catch(() => {});
      tab.validates = true;
      const { id } = await client.validate(challenge, world.server.codeOf(challenge.id));
      tab.validates = false;
      this.done.logins++;
      this.#given.push({ id, tab });
    });
  }

  #renew(tab, action) {
    this.#in(tab, async (client) => {
      const token = await action(client);
      if (token && sidOf(token) !== client.session?.id) this.#break("user", `${sidOf(token)}'s token while ${client.session?.id} is shown`);
    });
  }

  #logout(tab) {
    this.#in(tab, async (client) => {
      if (client.session) this.#ended.add(client.session.id);
      this.#past.left = this.world.time;
      await client.logout();
    });
  }

  #sleep(tab, hides) {
    if (hides && !this.world.mayHide(tab)) return;
    Object.assign(tab, { frozen: true, hides, slept: this.world.time });
    // A page that was hidden has missed what its storage does not tell.
    if (hides && (this.#past.refused || !this.shared)) this.#past.forgot = true;
  }

  #wake(tab) {
    if (tab.hides) this.world.show(tab);
    else this.world.thaw(tab);
  }

  #close(tab) {
    const { world } = this;
    // The answer may be stored and not told yet.
    if (tab.validates) this.#past.cut = true;
    // A logout that outlives its page may take away the cookie of the next login.
    if (this.mode === "cookie" && [...world.flying].some((flight) => flight.tab === tab && flight.path.includes("logout"))) this.#past.lateLogout = true;
    world.close(tab);
  }

  #jump(by) {
    this.#past.jumped = true;
    this.world.skew += by;
  }

  #refuse(how) {
    this.#past.refused = true;
    this.#past.forbidden ||= how === "forbidden";
    if (this.#alive.some(({ hides, frozen }) => hides && frozen)) this.#past.forgot = true;
    this.world.storage = how;
  }

  #show(end, seconds) {
    this.#shown.push({ countdown: new this.product.Countdown(end, seconds), before: seconds, true: this.world.time + seconds * 1000, jumped: this.#past.jumped });
  }

  // ---- what must hold

  /** After each event. */
  #always() {
    const { world } = this;
    const { server } = world;
    for (const { id, over } of server.sessions.values())
      if (over === "logout" && !this.#ended.has(id)) this.#break("named", `${id} is over`);
    for (const { sid, by } of server.calls.splice(0)) if (sid !== by) this.#break("user", `a call of ${by || "nobody"} went as ${sid}`);
    if (this.#alive.some(({ frozen, slept }) => frozen && world.time - slept > 90_000)) this.#past.stalled = true;
    if (world.hasLocks && !this.#past.stalled) {
      const names = [...world.flying].filter(({ path, tab }) => path.includes("refresh") && !tab.frozen).map(({ body }) => (this.shared ? "" : body.refresh_token));
      if (new Set(names).size < names.length) this.#break("refresh", `${names.length} at once`);
      if (server.reuses && !this.#past.forgot) this.#break("refresh", "an old token was sent");
    }
    for (const shown of this.#shown) {
      const { left } = shown.countdown;
      const longest = this.#past.jumped ? shown.before : Math.min(shown.before, Math.ceil((shown.true - world.time) / 1000));
      if (left > Math.max(0, longest)) this.#break("time", `${left} seconds, not ${longest}`);
      shown.before = left;
    }
  }

  /** All is well again, and enough time goes by. */
  async #settle() {
    const { world } = this;
    Object.assign(world, { storage: "", online: true, loss: 0 });
    for (const tab of this.#alive) if (tab.frozen) this.#wake(tab);
    this.#open();
    await this.#pass(1500_000);
  }

  #atTheEnd() {
    const { world } = this;
    const tabs = this.#alive;
    const shown = tabs.map(({ client }) => client.session?.id);
    if (!this.#past.forgot) tabs.forEach(({ told }, i) => told !== shown[i] && this.#break("told", `${told}, not ${shown[i]}`));
    if (this.shared && !this.#past.forgot && new Set(shown).size > 1) this.#break("agreed", shown.join());
    if (!this.#mayLose) this.#assertNoneLost(tabs, shown);
    const kept = [world.local, ...tabs.map(({ session }) => session)].flatMap((map) => [...map]);
    for (const [key, value] of kept) {
      if (key.includes("challenges") && value.includes("@")) this.#break("kept", value);
      if (!this.#past.forbidden && !this.#past.missed && !this.#past.forgot) for (const id of this.#ended) if (value.includes(`"refresh":"${id}.`)) this.#break("kept", value);
    }
    if (this.#broken) throw this.#broken;
  }

  #assertNoneLost(tabs, shown) {
    const { hasLocks } = this.world;
    const last = this.shared ? this.#given.slice(-1) : tabs.flatMap((tab) => this.#given.findLast((given) => given.tab === tab) ?? []);
    for (const { id, tab } of last) {
      if (this.#ended.has(id)) continue;
      const seen = this.shared && !this.#past.forgot ? shown : tab.closed ? [id] : [tab.client.session?.id];
      // Without locks, two logins at once have no order; the last one of a tab that was closed may count.
      const right = (one) => one === id || ((!hasLocks || this.#past.cut) && one && !this.#ended.has(one));
      if (!seen.every(right)) this.#break("login", `${id} is not shown, but ${seen}`);
    }
  }

  /** A cookie without locks is the last that came, a token without them may be sent twice, and a tab that could not read may take a wrong clock's word. */
  get #mayLose() {
    return this.#past.lateLogout || (this.#past.forgot && this.#past.jumped) || (!this.world.hasLocks && this.world.server.reuses > 0) || (this.mode === "cookie" && (!this.world.hasLocks || this.#past.stalled));
  }

  /** Whoever is shown is logged in. */
  async #use() {
    if (this.#past.lateLogout || this.#past.forgot || this.#past.missed || !this.world.hasLocks || this.#past.stalled) return;
    for (const tab of this.#alive) {
      const before = tab.client.session?.id;
      let token;
      this.#in(tab, async (client) => (token = await client.refresh()));
      await this.#pass(30_000);
      if (before && (!token || sidOf(token) !== before)) this.#break("login", `${before} cannot be renewed`);
      if (this.#broken) throw this.#broken;
    }
  }
}
