// Plays interleavings and says what broke: node test/model/run.js [FIRST [COUNT]]
import { product } from "./product.js";
import { play } from "./story.js";

const [first = 1, count = 2000] = process.argv.slice(2).map(Number);
const tried = await product();
const broken = {};
const sums = {};
const started = performance.now();
for (let seed = first; seed < first + count; seed++) {
  try {
    for (const [name, n] of Object.entries(await play(seed, tried))) sums[name] = (sums[name] ?? 0) + n;
  } catch (error) {
    (broken[error.invariant ?? "?"] ??= []).push(seed);
    if (broken[error.invariant ?? "?"].length < 3) console.log(seed, error.invariant ? error.message : error.stack);
  }
}
console.log(`${count} interleavings in ${Math.round(performance.now() - started)} ms:`, sums, broken);
process.exitCode = Object.keys(broken).length ? 1 : 0;
