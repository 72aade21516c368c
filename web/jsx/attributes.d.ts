import type { OtpAccount } from "../types/account/account.js";
import type { OtpSignIn } from "../types/sign-in.js";

/** What `<otp-sign-in>` takes. */
export interface OtpSignInAttributes {
  api?: string;
  channels?: string;
  countries?: string;
  lang?: string;
  origins?: string;
  "remember-device"?: "true" | "false";
  storage?: "memory" | "session" | "local" | "cookie";
}

/** What `<otp-account>` takes, where no sign-in element is around it. */
export interface OtpAccountAttributes {
  api?: string;
  channels?: string;
  countries?: string;
  lang?: string;
  storage?: "memory" | "session" | "local" | "cookie";
}

declare global {
  interface HTMLElementTagNameMap {
    "otp-account": OtpAccount;
    "otp-sign-in": OtpSignIn;
  }
}
