// Pages that an element may stand on, as styles.
export const PAGES = {
  dark: ":root { color-scheme: normal } body, main { background: #101014; color: #f0f0f0 } body :is(footer, footer a, h1, pre) { background: #101014; color: #f0f0f0 }",
  coloured: ":root { color-scheme: normal } body, main { background: #0b4f8a; color: #fff } body :is(footer, footer a, h1, pre) { background: #0b4f8a; color: #fff }",
  large: ":root { font-size: 200% }",
};
