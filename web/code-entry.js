import { clock, fill, h, ltr } from "./dom.js";
import { digits } from "./phone.js";

/** @typedef {import("./client.js").Challenge & { tries: number }} Pending */

/** @param {import("./client.js").Destination} to */
export const written = (to) => ("email" in to ? to.email : to.phone_number);

/** The view for the code: one field, the time that is left, another code. */
export class CodeEntry {
  #stage;
  #pending;
  #check;
  #expiry = h("bdi", {});
  #left;
  #resend;

  /**
   * @param {import("./stage.js").Stage} stage
   * @param {Pending} pending
   * @param {{ check: (otp: string) => Promise<void>, resend: () => Promise<void>, change: () => void }} actions
   */
  constructor(stage, pending, { check, resend, change }) {
    const t = stage.t;
    const n = pending.codeLength;
    const sent = pending.delivery === "unconfirmed" ? t.sentPerhaps : t.sent;
    this.#stage = stage;
    this.#pending = pending;
    this.#check = async () => {
      const otp = digits(stage.field?.value ?? "");
      if (otp.length !== n) return stage.complain("codeShort", { n });
      await check(otp);
    };
    this.#left = h("small", { role: "timer", "aria-live": "off" }, ...fill(t.expires, { time: this.#expiry }));
    this.#resend = stage.plain("resend", () => {
      if (this.#resend.ariaDisabled !== "true") stage.run(resend);
    });
    const input = { inputmode: "numeric", autocomplete: "one-time-code", autocapitalize: "off" };
    stage.show(
      "enter",
      t.enter,
      h("p", { id: "hint" }, ...fill(sent, { n, to: ltr(written(pending.destination)) })),
      stage.form(
        this.#check,
        ...stage.input("code", { class: "code", ...input, input: () => this.#typed() }),
        stage.button("check"),
      ),
      this.#left,
      this.#resend,
      stage.plain("change", change),
    );
    const ticker = setInterval(() => this.#tick(), 1000);
    const webOtp = new AbortController();
    stage.onLeave(() => {
      clearInterval(ticker);
      webOtp.abort();
    });
    this.#tick();
    if (pending.channel === "sms" && "OTPCredential" in window) this.#read(webOtp.signal);
  }

  /** That was the last try. */
  spent() {
    this.#left.hidden = true;
    this.#stage.complain("codeSpent");
  }

  #tick() {
    const { resendAt, expiresAt } = this.#pending;
    const { resend, resendIn } = this.#stage.t;
    const early = Date.now() < resendAt;
    this.#resend.ariaDisabled = String(early);
    this.#resend.replaceChildren(...fill(early ? resendIn : resend, { time: clock(resendAt) }));
    this.#expiry.textContent = clock(expiresAt);
    if (Date.now() < expiresAt || this.#left.hidden) return;
    this.#left.hidden = true;
    this.#stage.warn("codeOver");
  }

  #typed() {
    const field = /** @type {HTMLInputElement} */ (this.#stage.field);
    const n = this.#pending.codeLength;
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
