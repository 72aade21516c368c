// Makes client.min.js and sign-in.min.js, each one file that needs no other but the languages.
// With --check, only compares.
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

for (const name of ["client", "sign-in"]) {
  const file = new URL(`../${name}.min.js`, import.meta.url);
  const { outputFiles } = await build({
    absWorkingDir: new URL("..", import.meta.url).pathname,
    entryPoints: [`${name}.js`],
    external: ["./languages/*"],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    write: false,
  });
  const [{ text }] = outputFiles;
  if (!process.argv.includes("--check")) writeFileSync(file, text);
  else if (readFileSync(file, "utf8") !== text) {
    console.error(`${name}.min.js is old: run node test/minify.js in web/`);
    process.exitCode = 1;
  }
}
