// The element in templates, for Vue 3: import "login-with-otp/vue".
import type { DefineComponent, HTMLAttributes } from "vue";
import type { OtpAccountTemplate, OtpSignInTemplate } from "./attributes.js";

declare module "vue" {
  interface GlobalComponents {
    "otp-account": DefineComponent<OtpAccountTemplate & Omit<HTMLAttributes, keyof OtpAccountTemplate>>;
    "otp-sign-in": DefineComponent<OtpSignInTemplate & Omit<HTMLAttributes, keyof OtpSignInTemplate>>;
  }
}

export * from "../types/sign-in.js";
