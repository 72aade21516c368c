/** A page sets the variables that begin with `--otp-`. */
export const STYLE = `
:host { --a: var(--otp-accent, #3946b8); --on: var(--otp-on-accent, #fff); --t: var(--otp-text, #1c1d22);
  --s: var(--otp-soft, #5b5d67); --b: var(--otp-background, #fff); --l: var(--otp-border, #80838f);
  --e: var(--otp-error, #a12a1c); --r: var(--otp-radius, .5rem);
  display: block; max-inline-size: 24rem; color: var(--t); background: var(--b);
  font: var(--otp-font, 1rem/1.5 system-ui, sans-serif); }
@supports (color: light-dark(red, red)) { :host {
  --a: var(--otp-accent, light-dark(#3946b8, #b3bcff)); --on: var(--otp-on-accent, light-dark(#fff, #14162b));
  --t: var(--otp-text, light-dark(#1c1d22, #ececef)); --s: var(--otp-soft, light-dark(#5b5d67, #b0b3be));
  --b: var(--otp-background, light-dark(#fff, #1c1e24)); --l: var(--otp-border, light-dark(#80838f, #8a8d99));
  --e: var(--otp-error, light-dark(#a12a1c, #ffa08f)); } }
:host([hidden]), [hidden] { display: none; }
* { box-sizing: border-box; }
h2 { margin: 0 0 .5rem; font-size: 1.375rem; line-height: 1.3; outline: 0; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
[role=alert] { color: var(--e); font-weight: 600; }
[role=alert]:empty, [role=status]:empty { display: none; }
small { display: block; margin-block: .75rem; font-size: .875rem; color: var(--s); }
label { display: block; margin-block-end: .25rem; font-weight: 600; }
input, select, button { inline-size: 100%; min-block-size: 2.75rem; font: inherit; border-radius: var(--r); }
input, select { margin-block-end: 1rem; padding: .5rem .75rem; color: inherit; background: var(--b);
  border: 1px solid var(--l); }
input[dir=ltr] { text-align: start; }
input[aria-invalid] { border: 2px solid var(--e); }
.code { font-size: 1.5rem; letter-spacing: .25em; font-variant-numeric: tabular-nums; }
button { cursor: pointer; border: 1px solid var(--a); color: var(--on); background: var(--a); font-weight: 600; }
.plain { margin-block-start: .5rem; border-color: transparent; color: var(--a); background: none; }
[aria-disabled=true] { cursor: default; color: var(--s); text-decoration: none; }
:not(.plain)[aria-disabled=true] { border-color: var(--l); background: var(--b); }
:focus-visible { outline: 3px solid var(--a); outline-offset: 2px; }
`;
