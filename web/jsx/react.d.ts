// The element in JSX, for React 18 and 19: import "login-with-otp/react".
import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { OtpSignIn } from "../types/sign-in.js";
import type { OtpAccount } from "../types/account/account.js";
import type { OtpAccountProps, OtpSignInProps } from "./attributes.js";

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "otp-account": Omit<DetailedHTMLProps<HTMLAttributes<OtpAccount>, OtpAccount>, keyof OtpAccountProps> & OtpAccountProps & { class?: string };
      // React 18 gives an element of the page's own its `class`, and 19 both.
      "otp-sign-in": Omit<DetailedHTMLProps<HTMLAttributes<OtpSignIn>, OtpSignIn>, keyof OtpSignInProps> & OtpSignInProps & { class?: string };
    }
  }
}

export * from "../types/sign-in.js";
