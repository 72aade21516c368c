// What the model tries: the client as it is, or with a slip.
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const web = new URL("../../", import.meta.url);

const load = async (directory) => {
  const [{ Client }, { Countdown }] = await Promise.all(["client.js", "dom.js"].map((file) => import(new URL(file, directory))));
  return { Client, Countdown };
};

export const product = () => load(web);

/** The product in which a piece of a file, which occurs there once, is another one. */
export async function withSlip({ file, original, replacement }) {
  const directory = await mkdtemp(join(tmpdir(), "otp-model-"));
  try {
    for (const name of await readdir(web)) {
      if (!/^[a-z-]+\.js$/.test(name)) continue;
      let text = await readFile(new URL(name, web), "utf8");
      if (name === file) {
        if (text.split(original).length !== 2) throw new Error(`${file} does not have once: ${original}`);
        text = text.replace(original, () => replacement);
      }
      await writeFile(join(directory, name), text);
    }
    await writeFile(join(directory, "package.json"), '{ "type": "module" }');
    return await load(pathToFileURL(`${directory}/`));
  } finally {
    await rm(directory, { recursive: true });
  }
}
