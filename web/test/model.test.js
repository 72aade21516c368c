// The client as a state machine: a model of a browser with several tabs and users, a network, storage
// and a clock plays thousands of interleavings, and some things hold in each.
// MODEL_RUNS=20000 MODEL_FIRST=1 node --test test/model.test.js plays more, or others.
import assert from "node:assert/strict";
import { test } from "node:test";

import { product, withSlip } from "./model/product.js";
import { SLIPS } from "./model/slips.js";
import { INVARIANTS, play } from "./model/story.js";

const RUNS = Number(process.env.MODEL_RUNS ?? 2000);
const FIRST = Number(process.env.MODEL_FIRST ?? 1);

test(`in ${RUNS} interleavings every invariant holds`, async (t) => {
  const tried = await product();
  const sums = {};
  for (let seed = FIRST; seed < FIRST + RUNS; seed++) {
    const done = await play(seed, tried).catch((error) => assert.fail(`seed ${seed}: ${error.stack}`));
    for (const [name, n] of Object.entries(done)) sums[name] = (sums[name] ?? 0) + n;
  }
  t.diagnostic(Object.entries(sums).map(([name, n]) => `${n} ${name}`).join(", "));
  assert.ok(sums.logins > RUNS / 2, "the stories do not log in");
});

for (const { seed, breaks, what, ...slip } of SLIPS) {
  test(`"${INVARIANTS[breaks]}" notices ${what}`, async () => {
    await play(seed, await product());
    const broken = await play(seed, await withSlip(slip)).then(() => "nothing", (error) => error.invariant ?? error.stack);
    assert.equal(broken, breaks, `seed ${seed}; after a change of the stories, node test/model/find.js finds another`);
  });
}

test("each invariant has a slip", () => {
  const broken = new Set(SLIPS.map(({ breaks }) => breaks));
  assert.deepEqual(Object.keys(INVARIANTS).filter((name) => !broken.has(name)), []);
});
