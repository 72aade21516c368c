import type { OtpAccount } from "../types/account/account.js";
import type { Problem } from "../types/problem.js";
import type { OtpSignIn } from "../types/sign-in.js";
import type { Challenge, Session } from "../types/types.js";

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

/** What `<otp-sign-in>` tells. */
interface OtpSignInEvents {
  challenge: CustomEvent<Challenge>;
  login: CustomEvent<Session>;
  logout: CustomEvent<null>;
  problem: CustomEvent<Problem>;
}

/** What `<otp-account>` tells. */
interface OtpAccountEvents {
  deleted: CustomEvent<null>;
  problem: CustomEvent<Problem>;
}

type Listeners<Events> = { [Name in keyof Events & string as `on${Name}`]?: (event: Events[Name]) => void };
type TemplateListeners<Events> = { [Name in keyof Events & string as `on${Capitalize<Name>}`]?: (event: Events[Name]) => void };

/** As React 19 and Svelte 5 listen: `onlogin`. In React 18, a ref and `addEventListener` do. */
export type OtpSignInProps = OtpSignInAttributes & Listeners<OtpSignInEvents>;
export type OtpAccountProps = OtpAccountAttributes & Listeners<OtpAccountEvents>;

/** As Vue listens: `@login`. */
export type OtpSignInTemplate = OtpSignInAttributes & TemplateListeners<OtpSignInEvents>;
export type OtpAccountTemplate = OtpAccountAttributes & TemplateListeners<OtpAccountEvents>;

declare global {
  interface HTMLElementTagNameMap {
    "otp-account": OtpAccount;
    "otp-sign-in": OtpSignIn;
  }
}
