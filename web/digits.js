/** A text whose digits are those of ASCII, whatever script they were in. @param {string} text */
export const ascii = (text) =>
  text.replace(/\p{Nd}/gu, (digit) => {
    const at = /** @type {number} */ (digit.codePointAt(0));
    let zero = at;
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
    return String((at - zero) % 10);
  });

/** The digits of a text. @param {string} text */
export const digits = (text) => ascii(text).replace(/\D/g, "");
