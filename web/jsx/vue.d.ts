// The element in templates, for Vue 3: import "login-with-otp/vue".
import type { DefineComponent, HTMLAttributes } from "vue";
import type { OtpAccountAttributes, OtpSignInAttributes } from "./attributes.js";

declare module "vue" {
  interface GlobalComponents {
    "otp-account": DefineComponent<OtpAccountAttributes & Omit<HTMLAttributes, keyof OtpAccountAttributes>>;
    "otp-sign-in": DefineComponent<OtpSignInAttributes & Omit<HTMLAttributes, keyof OtpSignInAttributes>>;
  }
}

export * from "../types/sign-in.js";
