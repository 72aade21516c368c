import { digits } from "./digits.js";
import { Countdown, fill, h, ltr } from "./dom.js";

/** @typedef {import("./client.js").Challenge} Challenge */

/** Where a code went, for a person. @param {Challenge} challenge */
export const written = ({ sentTo, destination }) => sentTo ?? ("email" in destination ? destination.email : destination.phone_number);

/** The view for the code: one field, the time that is left, another code. */
export class CodeEntry {
  #stage;
  #challenge;
  #latest;
  #check;
  #expiry = h("bdi", {});
  #left;
  #resend;
  #another;
  /** @type {Countdown} */ #life;
  /** @type {Countdown} */ #wait;

  /**
   * @param {import("./stage.js").Stage} stage
   * @param {Challenge} challenge
   * @param {object} actions
   * @param {() => Challenge | undefined} actions.latest The challenge as all tabs know it; none: it is over.
   * @param {(otp: string) => Promise<void>} actions.check
   * @param {(via?: string) => Promise<void>} actions.resend
   * @param {() => void} actions.change
   * @param {"change" | "back"} [actions.away] What the button that leaves it says.
   */
  constructor(stage, challenge, { latest, check, resend, change, away = "change" }) {
    const t = stage.t;
    const n = challenge.codeLength;
    const sent = challenge.delivery === "unconfirmed" ? t.sentPerhaps : t.sent;
    this.#stage = stage;
    this.#challenge = challenge;
    this.#latest = latest;
    this.#life = new Countdown(challenge.expiresAt, challenge.expiresIn);
    this.#wait = new Countdown(challenge.resendAt, challenge.resendIn);
    this.#check = async () => {
      const otp = digits(stage.field?.value ?? "");
      if (otp.length !== n) return stage.complain("codeShort", { n });
      await check(otp);
    };
    this.#left = h("small", { role: "timer", "aria-live": "off" }, ...fill(t.expires, { time: this.#expiry }));
    this.#resend = stage.plain("resend", () => {
      if (this.#resend.ariaDisabled !== "true") stage.run(() => resend());
    });
    const { ways = [], via = ways[0] ?? "" } = challenge;
    const next = ways[(ways.indexOf(via) + 1) % ways.length];
    this.#another = stage.plain("another", () => {
      if (this.#another.ariaDisabled !== "true") stage.run(() => resend(next));
    });
    this.#another.replaceChildren(...fill(t.another, { way: ltr(next ?? "") }));
    const input = { inputmode: "numeric", autocomplete: "one-time-code", autocapitalize: "off" };
    stage.show(
      "enter",
      t.enter,
      h("p", { id: "hint" }, ...fill(sent, { n, to: ltr(written(challenge)) })),
      stage.form(
        this.#check,
        ...stage.input("code", { class: "code", ...input, input: () => this.#typed() }),
        stage.button("check"),
      ),
      this.#left,
      this.#resend,
      ...(ways.length > 1 ? [this.#another] : []),
      stage.plain(away, change),
    );
    stage.onProblem({ "/problems/invalid-otp": () => this.#refused(latest()) });
    const ticker = setInterval(() => this.#tick(), 1000);
    const webOtp = new AbortController();
    stage.onLeave(() => {
      clearInterval(ticker);
      webOtp.abort();
    });
    this.#tick();
    if (challenge.channel === "sms" && "OTPCredential" in window) this.#read(webOtp.signal);
  }

  /** The service did not take the code. @param {Challenge | undefined} now The challenge, if it lives. */
  #refused(now) {
    if (!now) return this.#stage.complain("codeOver");
    const { tries, maxAttempts = Infinity } = now;
    if (tries < maxAttempts) return this.#stage.complain("codeWrong");
    this.#left.hidden = true;
    this.#stage.complain("codeSpent");
  }

  #tick() {
    const { resend, resendIn } = this.#stage.t;
    const early = this.#wait.left > 0;
    this.#resend.ariaDisabled = this.#another.ariaDisabled = String(early);
    this.#resend.replaceChildren(...fill(early ? resendIn : resend, { time: this.#wait.clock }));
    if (!this.#life.left) this.#prolong();
    this.#expiry.textContent = this.#life.clock;
    if (this.#life.left || this.#left.hidden) return;
    this.#left.hidden = true;
    this.#stage.warn("codeOver");
  }

  /** Takes the time that another tab got for the same code. */
  #prolong() {
    const latest = this.#latest();
    if (latest) this.#life = new Countdown(latest.expiresAt, latest.expiresIn);
  }

  #typed() {
    const field = /** @type {HTMLInputElement} */ (this.#stage.field);
    const n = this.#challenge.codeLength;
    // A pasted message has a run of so many digits; a pasted code may have spaces.
    const run = new RegExp(`(?<!\\d)\\d{${n}}(?!\\d)`).exec(field.value)?.[0];
    const otp = run ?? digits(field.value).slice(0, n);
    if (otp !== field.value) field.value = otp;
    if (otp.length === n) this.#stage.run(this.#check);
  }

  /** WebOTP: the browser reads the text message. @param {AbortSignal} signal */
  async #read(signal) {
    try {
      const asked = /** @type {any} */ ({ otp: { transport: ["sms"] }, signal });
      const got = /** @type {any} */ (await navigator.credentials.get(asked));
      const field = this.#stage.field;
      if (!got || !field || signal.aborted) return;
      field.value = got.code;
      this.#typed();
    } catch {
      // Aborted, or the person said no.
    }
  }
}
