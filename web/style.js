/**
 * A page sets the variables that begin with `--otp-`. Without them, the element stands on the page's
 * own background, in the page's own colour.
 */
export const STYLE = `
:host {
  --accent: var(--otp-accent, #3946b8);
  --on-accent: var(--otp-on-accent, #fff);
  --field: var(--otp-background, #fff);
  --field-text: var(--otp-text, #1c1d22);
  --soft: var(--otp-soft, currentColor);
  --border: var(--otp-border, #80838f);
  --error: var(--otp-error, currentColor);
  --error-mark: var(--otp-error, #d3412f);
  --radius: var(--otp-radius, .5rem);
  display: block;
  max-inline-size: 24rem;
  color: var(--otp-text, inherit);
  background: var(--otp-background, transparent);
  font: var(--otp-font, 1rem/1.5 system-ui, sans-serif);
}
@supports (color: light-dark(red, red)) {
  :host {
    --accent: var(--otp-accent, light-dark(#3946b8, #b3bcff));
    --on-accent: var(--otp-on-accent, light-dark(#fff, #14162b));
    --field: var(--otp-background, light-dark(#fff, #1c1e24));
    --field-text: var(--otp-text, light-dark(#1c1d22, #ececef));
    --border: var(--otp-border, light-dark(#80838f, #8a8d99));
    --error-mark: var(--otp-error, light-dark(#d3412f, #ffa08f));
  }
}
:host([hidden]), [hidden] { display: none; }
* { box-sizing: border-box; }
h2 { margin: 0 0 .5rem; font-size: 1.375rem; line-height: 1.3; }
h2:focus { outline: 0; }
h3 { margin: 1rem 0 .25rem; font-size: 1rem; }
ul { margin: 0; padding: 0; list-style: none; overflow-wrap: anywhere; }
li { display: flex; gap: 1rem; align-items: center; justify-content: space-between; min-block-size: 2.75rem; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
[role=alert] { padding-inline-start: .75rem; border-inline-start: .25rem solid var(--error-mark); color: var(--error); font-weight: 600; }
[role=alert]:empty, [role=status]:empty { display: none; }
small { display: block; margin-block: .75rem; font-size: .875rem; color: var(--soft); }
label { display: block; margin-block-end: .25rem; font-weight: 600; }
input, select, button { inline-size: 100%; min-block-size: 2.75rem; font: inherit; border-radius: var(--radius); }
input, select {
  margin-block-end: 1rem;
  padding: .5rem .75rem;
  color: var(--field-text);
  background: var(--field);
  border: 1px solid var(--border);
}
input[dir=ltr] { text-align: start; }
input[aria-invalid] { border: 2px solid var(--error-mark); }
.check { display: flex; gap: .75rem; align-items: center; min-block-size: 2.75rem; margin-block: -.5rem .5rem; font-weight: 400; }
.check input { flex: none; inline-size: 1.5rem; min-block-size: 1.5rem; margin: 0; accent-color: var(--accent); }
.code { font-size: 1.5rem; letter-spacing: .25em; font-variant-numeric: tabular-nums; }
button { cursor: pointer; border: 1px solid var(--accent); color: var(--on-accent); background: var(--accent); font-weight: 600; }
.plain { margin-block-start: .5rem; border-color: transparent; color: var(--otp-accent, inherit); background: none; text-decoration: underline; }
li .plain { flex: none; inline-size: auto; margin: 0; }
[aria-busy=true] button { cursor: progress; }
[aria-busy=true] form button::after {
  content: "";
  display: inline-block;
  inline-size: .75em;
  block-size: .75em;
  margin-inline-start: .5em;
  border: .125em solid;
  border-inline-start-color: transparent;
  border-radius: 50%;
}
@media (prefers-reduced-motion: no-preference) {
  [aria-busy=true] form button::after { animation: turn 1s linear infinite; }
}
@keyframes turn { to { rotate: 1turn; } }
[aria-disabled=true] { cursor: default; color: var(--soft); text-decoration: none; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`;
