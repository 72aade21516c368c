// Says what Stryker found: what no test noticed, and which known equivalents are none any more.
import { readFileSync } from "node:fs";
import { EQUIVALENT } from "./equivalent.js";

const { files } = JSON.parse(readFileSync("reports/mutation.json", "utf8"));
const whole = process.argv.length === 2;
const short = (text) => text.replace(/\s+/g, " ").trim();

const tried = Object.entries(files).flatMap(([file, { source, mutants }]) => {
  const lines = source.split("\n");
  return mutants
    .filter(({ status }) => status !== "Ignored")
    .map(({ location: { start, end }, replacement, status }) => {
      const text = lines.slice(start.line - 1, end.line).join("\n");
      const after = lines[end.line - 1].length - end.column + 1;
      const original = text.slice(start.column - 1, text.length - after);
      return { file, line: start.line, on: lines[start.line - 1], status, original: short(original), replacement: short(replacement) };
    });
});
const left = tried.filter(({ status }) => status === "Survived" || status === "NoCoverage");
const used = new Set();
const survived = left.filter(({ file, on, original, replacement }) => {
  const same = (it) => it.file === file && on.includes(it.on) && original.startsWith(it.original);
  const known = EQUIVALENT.find((it) => same(it) && it.replacement === replacement);
  used.add(known);
  return !known;
});
const stale = whole ? EQUIVALENT.filter((it) => !used.has(it)) : [];

for (const { file, line, original, replacement } of survived)
  console.log(`NOT NOTICED  ${file}:${line}\n  - ${original}\n  + ${replacement}`);
for (const { file, original, replacement } of stale)
  console.log(`NO EQUIVALENT ANY MORE  ${file}\n  - ${original}\n  + ${replacement}`);
const counts = [tried.length, tried.length - left.length, left.length - survived.length, survived.length];
console.log("tried %d, noticed %d, equivalent %d, survived %d", ...counts);
process.exitCode = survived.length || stale.length ? 1 : 0;
