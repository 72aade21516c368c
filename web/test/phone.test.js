// Numbers as people type and paste them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { e164, offered } from "../phone.js";

const countries = Object.fromEntries(offered(null, "en").map((country) => [country.id, country]));

for (const [id, expected, ...typed] of [
  ["DE", "+491701234567", "\u202a+49 170 1234567\u202c", "\u2066+49\u00a0170\u00a01234567\u2069", "(+49) 170 1234567", "tel:+49-170-1234567", "Tel.: +49 170 1234567", "＋４９ 170 1234567", "0049 170 1234567", "0170/1234567", "0170 1234567", "170 1234567", "٠١٧٠١٢٣٤٥٦٧", "+49\u2011170\u20111234567"],
  ["DE", "+4915123456789", "+49 (0)1512 3456789", "+49 01512 3456789", "+49 ( 0 ) 1512 3456789"],
  ["DE", "+14155550123", "+1 (415) 555-0123", "001 415 555 0123"],
  ["US", "+14155550123", "(415) 555-0123", "1 415 555 0123", "+1.415.555.0123"],
  ["NO", "+4740612345", "40612345", "47 406 12 345"],
  ["IT", "+390212345678", "02 1234 5678", "+39 02 1234 5678"],
  ["GB", "+447400123456", "07400 123456", "+44 (0)7400 123456"],
  ["FR", "+33612345678", "06 12 34 56 78", "33 6 12 34 56 78"],
]) {
  test(`${id}: ${expected}`, () => {
    for (const text of typed) assert.equal(e164(text, countries[id]), expected, text);
  });
}

test("what cannot be understood, or in two ways, is no number", () => {
  for (const [id, ...typed] of [
    ["DE", "", "0", "12", "+", "49 170 1234567", "0170 1234567 ext. 12", "0170 1234567 x12", "0170 1234567 #12", "+49 170 1234567;ext=12", "0170 1234567, 0171 1234567", "+49 170 1234567 +49 171 1234567", "call me", "+9991234567"],
    ["US", "415-FLOWERS", "011 49 170 1234567", "(415) 555-0123 ext 4"],
    ["ES", "+34 (0)612 345 678"],
  ])
    for (const text of typed) assert.equal(e164(text, countries[id]), "", `${id}: ${text}`);
});

test("a number of any country, written in any of nine ways, is that number or none", (t) => {
  const repository = process.env.REPOSITORY ?? new URL("../..", import.meta.url).pathname;
  const file = `${repository}/shared/domain/src/countries/examples.txt`;
  let [right, refused] = [0, 0];
  const wrong = [];
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [id, ...numbers] = line.split(" ");
    const country = countries[id];
    if (!country) continue;
    for (const number of numbers.filter((number) => number.startsWith("+"))) {
      const rest = number.slice(1 + country.code.length);
      const national = country.trunk.source === "^0" ? `0${rest}` : rest;
      for (const text of [number, `00${number.slice(1)}`, `(+${country.code}) ${rest}`, `\u202a+${country.code}\u00a0${rest}\u202c`, `Tel.: +${country.code} ${rest}`, `+${country.code} (0)${rest}`, national, `${country.code}${rest}`, rest]) {
        const read = e164(text, country);
        if (read === number) right++;
        else if (read) wrong.push(`${id} ${text}: ${read}`);
        else refused++;
      }
    }
  }
  t.diagnostic(`${right} right, ${refused} refused, ${wrong.length} wrong`);
  assert.deepEqual(wrong, []);
  assert.ok(right > 4000);
});
