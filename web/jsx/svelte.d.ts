// The element in templates, for Svelte 4 and 5: import "login-with-otp/svelte".
import type { HTMLAttributes } from "svelte/elements";
import type { OtpSignIn } from "../types/sign-in.js";
import type { OtpAccount } from "../types/account/account.js";
import type { OtpAccountProps, OtpSignInProps } from "./attributes.js";

declare module "svelte/elements" {
  interface SvelteHTMLElements {
    "otp-account": Omit<HTMLAttributes<OtpAccount>, keyof OtpAccountProps> & OtpAccountProps;
    "otp-sign-in": Omit<HTMLAttributes<OtpSignIn>, keyof OtpSignInProps> & OtpSignInProps;
  }
}

export * from "../types/sign-in.js";
