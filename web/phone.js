// Calling codes by ISO 3166 country. `~`: numbers lose their leading zero in international form.
const CODES =
  "AC247AD376AE971~AF93~AG1AI1AL355~AM374~AO244AR54~AS1AT43~AU61~AW297AX358~AZ994~BA387~BB1BD88" +
  "0~BE32~BF226BG359~BH973BI257BJ229BL590~BM1BN673BO591~BQ599BR55~BS1BT975BW267BY375BZ501CA1CC6" +
  "1~CD243~CF236CG242CH41~CI225CK682CL56CM237CN86~CO57~CR506CU53~CV238CW599CX61~CY357CZ420DE49~" +
  "DJ253DK45DM1DO1DZ213~EC593~EE372EG20~EH212~ER291~ES34ET251~FI358~FJ679FK500FM691FO298FR33~GA" +
  "241GB44~GD1GE995~GF594~GG44~GH233~GI350GL299GM220GN224GP590~GQ240GR30GT502GU1GW245GY592HK852" +
  "HN504HR385~HT509HU36ID62~IE353~IL972~IM44~IN91~IO246IQ964~IR98~IS354IT39JE44~JM1JO962~JP81~K" +
  "E254~KG996~KH855~KI686~KM269KN1KP850~KR82~KW965KY1KZ7LA856~LB961~LC1LI423~LK94~LR231~LS266LT" +
  "370~LU352LV371LY218~MA212~MC377~MD373~ME382~MF590~MG261~MH692MK389~ML223MM95~MN976~MO853MP1M" +
  "Q596~MR222MS1MT356MU230MV960MW265~MX52MY60~MZ258NA264~NC687NE227NF672NG234~NI505NL31~NO47NP9" +
  "77~NR674NU683NZ64~OM968PA507PE51~PF689PG675PH63~PK92~PL48PM508~PR1PS970~PT351PW680PY595~QA97" +
  "4RE262~RO40~RS381~RU7RW250~SA966~SB677SC248SD249~SE46~SG65SH290SI386~SJ47SK421~SL232~SM378SN" +
  "221SO252~SR597SS211~ST239SV503SX1SY963~SZ268TA290TC1TD235TG228TH66~TJ992TK690TL670TM993TN216" +
  "TO676TR90~TT1TV688TW886~TZ255~UA380~UG256~US1UY598~UZ998VA39VC1VE58~VG1VI1VN84~VU678WF681WS6" +
  "85XK383~YE967~YT262~ZA27~ZM260~ZW263~";

/** Prefixes of national numbers that international ones lack, where that is not a zero. */
const TRUNKS = { 1: /^1/, 7: /^8(?=\d{10}$)/, 36: /^06/, 375: /^80?/, 993: /^8/ };

/**
 * @typedef {object} Country
 * @property {string} id ISO 3166
 * @property {string} code
 * @property {boolean} zero
 */

/** @type {Country[]} */
const countries = Array.from(CODES.matchAll(/([A-Z]{2})(\d+)(~?)/g), ([, id = "", code = "", zero]) => ({
  id,
  code,
  zero: zero === "~",
}));

/**
 * What a person typed, in E.164 form; empty if it cannot be a number.
 *
 * @param {string} typed
 * @param {Country} country
 */
export const e164 = (typed, { code, zero }) => {
  const plain = digits(typed.replace(/^\s*00/, "+"));
  const trunk = zero ? /^0/ : /** @type {Record<string, RegExp>} */ (TRUNKS)[code];
  const number = /^\s*(\+|00)/.test(typed.normalize("NFKC"))
    ? plain
    : code + (trunk ? plain.replace(trunk, "") : plain);
  return /^[1-9]\d{6,14}$/.test(number) ? `+${number}` : "";
};

/** The digits of a text in ASCII, whatever script they are in. @param {string} text */
export const digits = (text) =>
  text.replace(/\P{Nd}/gu, "").replace(/\p{Nd}/gu, (digit) => {
    const at = /** @type {number} */ (digit.codePointAt(0));
    let zero = at;
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
    return String((at - zero) % 10);
  });

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
