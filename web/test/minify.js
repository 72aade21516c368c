// Makes sign-in.min.js, the element and the client in one file. With --check, only compares.
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const file = new URL("../sign-in.min.js", import.meta.url);
const { outputFiles } = await build({
  absWorkingDir: new URL("..", import.meta.url).pathname,
  entryPoints: ["sign-in.js"],
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
  console.error("sign-in.min.js is old: run node test/minify.js in web/");
  process.exit(1);
}
