import "../sign-in.js";
import "../account/account.js";

const lang = new URLSearchParams(location.search).get("lang") ?? navigator.language;
for (const name of ["otp-sign-in", "otp-account"]) document.querySelector(name).lang = lang;
