/** What the element says. Other languages are loaded when a page needs them. */

/** @typedef {typeof english} Messages */

export const english = {
  title: "Sign in",
  email: "E-mail address",
  phone: "Phone number",
  country: "Country",
  shared: "This is a shared device",
  send: "Send code",
  useEmail: "Use an e-mail address",
  usePhone: "Use a phone number",
  enter: "Enter the code",
  sent: "We sent a {n}-digit code to {to}. We check it as soon as you enter the last digit.",
  sentPerhaps: "If we can send a code to {to}, it will arrive soon. It has {n} digits. We check it as soon as you enter the last one.",
  code: "Code",
  check: "Continue",
  expires: "The code expires in {time}.",
  resend: "Send a new code",
  resendIn: "Send a new code in {time}",
  another: "Send it another way: {way}",
  change: "Change the address or number",
  resent: "A new code is on its way.",
  link: "Sign in as {to}?",
  linkTo: "Enter the e-mail address that the link was sent to.",
  undo: "Undo the change",
  undoHint: "The address or number becomes yours again. What was added since is removed, and all sessions end.",
  undone: "The change is undone, and all sessions have ended. Sign in.",
  undoOver: "This link has expired or was used before.",
  done: "You are signed in",
  out: "Sign out",
  outHere: "This device is signed out. The service did not confirm it: the session may stay open there.",
  account: "Your account",
  destinations: "You sign in with",
  addOne: "Add an address or number",
  added: "Added. You can sign in with it from now on.",
  takeOff: "Remove",
  takeOffSure: "You will no longer sign in with {to}. Other sessions that began with it end.",
  takenOff: "The address or number is removed.",
  lastOne: "You cannot remove your only address or number. Add another one first.",
  sessions: "Where you are signed in",
  current: "this device",
  device: "A device",
  end: "End",
  endOthers: "End all other sessions",
  outAll: "Sign out everywhere",
  ended: "The session has ended.",
  remove: "Delete account",
  removeSure: "This deletes your account and ends all sessions. Nobody can undo it.",
  keep: "Keep the account",
  back: "Back",
  busy: "One moment…",
  prove: "Confirm that it is you",
  proveBy: "We send a code to {to}.",
  emailWrong: "Enter an e-mail address, such as name@example.com.",
  phoneWrong: "Enter a complete phone number. Outside the chosen country, begin with + and the country code.",
  codeShort: "Enter all {n} digits.",
  codeWrong: "This code is incorrect. Check it, or request a new one.",
  codeSpent: "That was the last try for this code. Request a new one.",
  codeOver: "This code has expired. Request a new one.",
  linkOver: "This link has expired or was used before. Request a new code.",
  linkOther: "The link was not sent to this address, or it has expired. Check the address, or request a new code.",
  refused: "We cannot send a code to this address or number. Use another one.",
  unknown: "There is no account for this address or number.",
  ofAnother: "This address or number belongs to another account.",
  tooMany: "An account has ten addresses and numbers at most. Remove one first.",
  tooNew: "An address or number removes no older one in its first three days. Sign in with an older one.",
  wait: "Too many requests. Try again in {time}.",
  delivery: "The code could not be sent. Try again.",
  offline: "No connection. Check your network and try again.",
  failed: "Something went wrong. Try again in a moment.",
};

/**
 * Each import is written out, so that bundlers find the files.
 *
 * @type {Record<string, () => Promise<{ default: Messages }>>}
 */
const LANGUAGES = {
  en: async () => ({ default: english }),
  de: () => import("./languages/de.js"),
  fr: () => import("./languages/fr.js"),
  es: () => import("./languages/es.js"),
  "pt-BR": () => import("./languages/pt-BR.js"),
  it: () => import("./languages/it.js"),
  nl: () => import("./languages/nl.js"),
  pl: () => import("./languages/pl.js"),
  sv: () => import("./languages/sv.js"),
  tr: () => import("./languages/tr.js"),
  uk: () => import("./languages/uk.js"),
  ja: () => import("./languages/ja.js"),
  ko: () => import("./languages/ko.js"),
  "zh-Hans": () => import("./languages/zh-Hans.js"),
  "zh-Hant": () => import("./languages/zh-Hant.js"),
  hi: () => import("./languages/hi.js"),
  ar: () => import("./languages/ar.js"),
};

/** @type {Record<string, Promise<Messages>>} */
const loaded = {};

/** The supported language nearest to a BCP 47 tag. @param {string} tag */
export const nearest = (tag) => {
  const known = Object.keys(LANGUAGES);
  try {
    const { language, script } = new Intl.Locale(tag).maximize();
    return (
      known.find((name) => name === `${language}-${script}`) ??
      known.find((name) => name.split("-")[0] === language && language !== "zh") ??
      "en"
    );
  } catch {
    return "en";
  }
};

/** @param {string} language One of those that `nearest` gives. */
export const messages = (language) =>
  (loaded[language] ??= load(language).catch(() => {
    delete loaded[language]; // the next element tries again
    return english;
  }));

/** @param {string} language */
const load = async (language) => (await LANGUAGES[language]?.())?.default ?? english;
