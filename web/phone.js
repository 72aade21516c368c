// Until the service reads numbers as people type them, the page does. All of that is in this file.
import { ascii } from "./digits.js";

// Of each country: ISO 3166, calling code, whether numbers lose a leading zero in international form
// (`~`), and how many digits they may have then, each in hexadecimal.
const COUNTRIES =
  "AC247.5 AD376.69 AE971~89 AF93~9 AG1.a AI1.a AL355~89 AM374~8 AO244.9 AR54~ab AS1.a AT43~456789abcd " +
  "AU61~9 AW297.7 AX358~6789a AZ994~9 BA387~89 BB1.a BD880~6789a BE32~89 BF226.8 BG359~6789 BH973.8 " +
  "BI257.8 BJ229.a BL590~9 BM1.a BN673.7 BO591~8 BQ599.7 BR55~ab BS1.a BT975.78 BW267.78 BY375.9 BZ501.7 " +
  "CA1.a CC61~9 CD243~789a CF236.8 CG242.9 CH41~9 CI225.a CK682.5 CL56.9 CM237.9 CN86~789ab CO57~8a " +
  "CR506.8 CU53~678a CV238.7 CW599.78 CX61~9 CY357.8 CZ420.9 DE49~56789abcde DJ253.8 DK45.8 DM1.a DO1.a " +
  "DZ213~89 EC593~89 EE372.78 EG20~89a EH212~9 ER291~7 ES34.9 ET251~9 FI358~56789a FJ679.7 FK500.5 FM691.7 " +
  "FO298.6 FR33~9 GA241.78 GB44~9a GD1.a GE995~9 GF594~9 GG44~a GH233~9 GI350.8 GL299.6 GM220.79 GN224.89 " +
  "GP590~9 GQ240.9 GR30.a GT502.8 GU1.a GW245.79 GY592.7 HK852.8 HN504.8 HR385~89 HT509.8 HU36.89 " +
  "ID62~789abc IE353~789a IL972~89bc IM44~a IN91~a IO246.7 IQ964~89a IR98~67a IS354.79 IT39.6789abc JE44~a " +
  "JM1.a JO962~89 JP81~9a KE254~789 KG996~9 KH855~89 KI686~58 KM269.7 KN1.a KP850~8a KR82~5689a KW965.8 " +
  "KY1.a KZ7.a LA856~89a LB961~78 LC1.a LI423~79 LK94~9 LR231~789 LS266.8 LT370~8 LU352.456789ab LV371.8 " +
  "LY218~9 MA212~9 MC377~89 MD373~8 ME382~8 MF590~9 MG261~9 MH692.7 MK389~8 ML223.8 MM95~6789a MN976~89a " +
  "MO853.8 MP1.a MQ596~9 MR222.8 MS1.a MT356.8 MU230.78 MV960.7 MW265~79 MX52.a MY60~89a MZ258.89 NA264~89 " +
  "NC687.6 NE227.8 NF672.6 NG234~a NI505.8 NL31~9b NO47.8 NP977~8a NR674.7 NU683.47 NZ64~89a OM968.8 " +
  "PA507.78 PE51~89 PF689.8 PG675.78 PH63~689a PK92~9a PL48.79 PM508~69 PR1.a PS970~89 PT351.9 PW680.7 " +
  "PY595~789 QA974.8 RE262~9 RO40~69 RS381~789abc RU7.a RW250~89 SA966~9 SB677.57 SC248.7 SD249~9 SE46~789 " +
  "SG65.8 SH290.45 SI386~8 SJ47.8 SK421~679 SL232~8 SM378.8a SN221.9 SO252~6789 SR597.67 SS211~9 ST239.7 " +
  "SV503.8 SX1.a SY963~89 SZ268.8 TA290.4 TC1.a TD235.8 TG228.8 TH66~89 TJ992.9 TK690.4567 TL670.78 " +
  "TM993.8 TN216.8 TO676.57 TR90~a TT1.a TV688.567 TW886~89ab TZ255~9 UA380~9 UG256~9 US1.a UY598~8 " +
  "UZ998.9 VA39.6789ab VC1.a VE58~a VG1.a VI1.a VN84~9a VU678.57 WF681.6 WS685.567a XK383~89abc YE967~789 " +
  "YT262~9 ZA27~56789 ZM260~9 ZW263~9a ";

/** Prefixes of national numbers that international ones lack, where that is not a zero. */
const TRUNKS = { 1: /^1/, 7: /^8(?=\d{10}$)/, 36: /^06/, 375: /^80?/, 993: /^8/ };

/**
 * @typedef {object} Country
 * @property {string} id ISO 3166
 * @property {string} code
 * @property {RegExp} trunk What national numbers begin with, and international ones do not.
 * @property {number[]} lengths How many digits a number has after the calling code.
 */

/** @type {Country[]} */
const countries = Array.from(COUNTRIES.matchAll(/([A-Z]{2})(\d+)([~.])([0-9a-f]+)/g), ([, id = "", code = "", zero, lengths = ""]) => ({
  id,
  code,
  trunk: zero === "~" ? /^0/ : (/** @type {Record<string, RegExp>} */ (TRUNKS)[code] ?? /^(?!)/),
  lengths: Array.from(lengths, (digit) => parseInt(digit, 16)),
}));

/**
 * What a person typed or pasted, in E.164 form; empty if it cannot be a number, or can be two.
 *
 * @param {string} typed
 * @param {Country} country
 */
export const e164 = (typed, country) => {
  // Contact apps put characters around a number that nobody sees, and pages put a word before it.
  const text = ascii(typed.normalize("NFKC").replace(/\p{Cf}/gu, "")).replace(/^[\s\p{L}.:]+/u, "");
  // Anything else is an extension, a second number or no number.
  if (!/^[(\s]*\+?[\d\s().\/\p{Pd}]*$/u.test(text)) return "";
  const digits = text.replace(/\D/g, "");
  const plus = /^[(\s]*\+/.test(text);
  if (plus || digits.startsWith("00")) return international(digits.slice(plus ? 0 : 2), /\(\s*0\s*\)/.test(text));
  const national = whole(digits, country);
  const known = digits.startsWith(country.code) ? whole(digits.slice(country.code.length), country) : "";
  // A calling code without its plus, or a number that begins with the same digits?
  return national && known && national !== known ? "" : national || known;
};

/** Calling codes of countries where numbers begin with a zero in international form, too. */
const ZEROS = ["225", "227", "229", "241", "242", "378", "39"];

/** @param {string} digits With the calling code. @param {boolean} trunk Whether a zero stands in parentheses. */
const international = (digits, trunk) => {
  for (const country of countries.filter(({ code }) => digits.startsWith(code))) {
    const rest = digits.slice(country.code.length);
    const zero = rest.startsWith("0") && country.trunk.source !== "^0";
    // A zero that is dialled only within the country, in a country that has none, or may have one.
    if (zero && (trunk || !ZEROS.includes(country.code))) continue;
    const number = whole(rest, country);
    if (number) return number;
  }
  return "";
};

/** @param {string} digits Without the calling code. @param {Country} country */
const whole = (digits, { code, trunk, lengths }) => {
  const number = digits.replace(trunk, "");
  return lengths.includes(number.length) ? `+${code}${number}` : "";
};

/**
 * The countries of a list such as `US,CA`, or all, with their names in a language.
 *
 * @param {string | null} list
 * @param {string} language
 */
export const offered = (list, language) => {
  const ids = list?.toUpperCase().match(/[A-Z]{2}/g);
  const names = new Intl.DisplayNames(language, { type: "region" });
  return countries
    .filter(({ id }) => !ids || ids.includes(id))
    .map((country) => ({ ...country, name: names.of(country.id) ?? country.id }))
    .sort((a, b) => a.name.localeCompare(b.name, language));
};
