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

declare global {
  interface HTMLElementTagNameMap {
    "otp-sign-in": OtpSignIn;
  }
}
