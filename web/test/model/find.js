// Finds the first interleaving that notices each slip: node test/model/find.js [PART OF WHAT]
// After a change of the stories, write what it prints into slips.js.
import { SLIPS } from "./slips.js";
import { play } from "./story.js";
import { withSlip } from "./product.js";

const LAST = 20_000;
for (const slip of SLIPS.filter(({ what }) => what.includes(process.argv[2] ?? ""))) {
  const tried = await withSlip(slip);
  const others = new Set();
  let seed = 0;
  let found;
  while (found !== slip.breaks && seed < LAST) {
    found = await play(++seed, tried).then(() => undefined, (error) => error.invariant ?? error.message);
    if (found && found !== slip.breaks) others.add(`${found} at ${seed}`);
  }
  console.log(found === slip.breaks ? seed : "not noticed", slip.breaks, slip.what, [...others].slice(0, 3).join());
}
