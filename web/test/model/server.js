// The service, as far as the client can tell: challenges, sessions whose refresh tokens rotate, and
// the cookie. Its own clock never jumps.
const LIFE = { code: 300, token: 600, session: 7 * 86_400 };
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A refusal. */
const problem = (status, type, detail = type) => ({ status, body: { type: `/problems/${type}`, title: type, detail } });

export class Server {
  #challenges = new Map();
  #keys = new Map();
  #ids = 0;
  /** All sessions that ever were, by id: `{ id, user, current, previous, used, over }`. */
  sessions = new Map();
  /** How many sessions ended because an old refresh token came back. */
  reuses = 0;
  /** Whose token each guarded call had, and who made it. */
  calls = [];
  requests = 0;

  /** @param {() => number} now */
  constructor(now) {
    this.now = now;
  }

  /** The code of a challenge, as its message has it. */
  codeOf = (id) => this.#challenges.get(id)?.otp ?? "000000";

  /** @returns {{ status: number, body?: any, cookie?: string | null }} `cookie`: what the answer sets; `null` removes it. */
  handle(path, body, headers, cookie) {
    this.requests++;
    if (path === "/api/me/") return this.#me(headers);
    const key = headers.get("idempotency-key");
    if (path === "/api/login-with-otp/") return this.#login(body, key);
    if (path === "/api/validate-otp/") return this.#validate(body, key);
    const token = "refresh_token" in body ? body.refresh_token : cookie;
    const session = [...this.sessions.values()].find(({ id }) => token?.startsWith(`${id}.`));
    const mismatch = body.session_id && session && body.session_id !== session.id;
    if (path === "/api/logout/") return mismatch ? { status: 204 } : this.#logout(session, body);
    return mismatch ? problem(409, "session-mismatch") : this.#refresh(session, token, body);
  }

  #me(headers) {
    try {
      const { sid, exp } = JSON.parse(Buffer.from(headers.get("authorization").split(".")[1], "base64url").toString());
      this.calls.push({ sid, by: headers.get("x-for") });
      return exp > this.now() ? { status: 200, body: { user_id: this.sessions.get(sid).user } } : problem(401, "unauthorized");
    } catch {
      return problem(401, "unauthorized");
    }
  }

  #login({ email, challenge_id }, key) {
    const now = this.now();
    const before = this.#challenges.get(this.#keys.get(key) ?? challenge_id);
    const same = before && before.email === email && !before.used && before.tries < 3 && now < before.end;
    const challenge = same ? before : { id: `c${++this.#ids}`, email, otp: String(100_000 + this.#ids), tries: 0, end: 0 };
    challenge.end = now + LIFE.code * 1000;
    this.#challenges.set(challenge.id, challenge);
    this.#keys.set(key, challenge.id);
    return { status: 200, body: { challenge_id: challenge.id, channel: "email", code_length: 6, max_attempts: 3, delivery: "confirmed", expires_in: LIFE.code, resend_in: 30, destination: email } };
  }

  #validate({ email, otp, challenge_id, cookie }, key) {
    const challenge = this.#challenges.get(challenge_id);
    if (!challenge || challenge.email !== email || challenge.end <= this.now() || challenge.tries >= 3) return problem(400, "invalid-otp");
    if (challenge.otp !== otp) return challenge.tries++, problem(400, "invalid-otp");
    if (challenge.used && challenge.used !== key) return problem(400, "invalid-otp");
    if (!challenge.session) {
      const id = `s${++this.#ids}`;
      challenge.session = { id, user: email, current: `${id}.0`, used: false, end: this.now() + LIFE.session * 1000 };
      this.sessions.set(id, challenge.session);
    }
    challenge.used = key;
    const { session } = challenge;
    if (session.used || session.over) return problem(400, "invalid-otp");
    return this.#tokens(session, cookie, { user_id: email, new_user: false, ...(!cookie && { device_token: `device-${session.id}` }) });
  }

  #tokens(session, cookie, more) {
    const token = `h.${encode({ sid: session.id, sub: session.user, exp: this.now() + LIFE.token * 1000 })}.s`;
    const body = { token, token_type: "Bearer", expires_in: LIFE.token, user_id: session.user, ...more };
    return cookie ? { status: 200, body, cookie: session.current } : { status: 200, body: { ...body, refresh_token: session.current } };
  }

  #refresh(session, token, body) {
    const cookie = !("refresh_token" in body);
    const over = () => ({ ...problem(400, "invalid-refresh-token"), ...(cookie && { cookie: null }) });
    if (!session || session.over || this.now() > session.end) return over();
    if (token === session.current) {
      session.previous = token;
      session.current = `${session.id}.${Number(token.split(".")[1]) + 1}`;
    } else if (token !== session.previous) {
      this.reuses++;
      session.over = "reuse";
      return over();
    }
    session.used = true;
    return this.#tokens(session, cookie, {});
  }

  #logout(session, body) {
    if (session && !session.over) session.over = "logout";
    return { status: 204, ...(!("refresh_token" in body) && { cookie: null }) };
  }
}
