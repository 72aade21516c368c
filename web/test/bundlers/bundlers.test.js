// The package in pages that a bundler builds: the language of the person comes, and no file is missing.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import resolve from "@rollup/plugin-node-resolve";
import * as esbuild from "esbuild";
import { rollup } from "rollup";
import * as vite from "vite";
import webpack from "webpack";

import { launch, seen } from "../browser.js";

const web = new URL("../..", import.meta.url).pathname;
const modules = new URL("node_modules", import.meta.url).pathname;
const project = mkdtempSync(join(tmpdir(), "otp-bundlers-"));
const inProject = (...path) => join(project, ...path);
const run = (directory, program, ...args) => execFileSync(program, args, { cwd: directory, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

let browser;
before(async () => {
  run(web, "npm", "pack", "--pack-destination", project, "--loglevel", "error");
  const archive = readdirSync(project).find((name) => name.endsWith(".tgz"));
  mkdirSync(inProject("node_modules/login-with-otp"), { recursive: true });
  run(project, "tar", "xzf", archive, "--strip-components=1", "-C", "node_modules/login-with-otp");
  for (const name of readdirSync(modules)) if (!name.startsWith(".")) symlinkSync(join(modules, name), inProject("node_modules", name));
  writeFileSync(inProject("package.json"), '{ "type": "module" }');
  writeFileSync(inProject("main.js"), 'import "login-with-otp/sign-in";');
  writeFileSync(inProject("index.html"), '<!doctype html><meta charset="utf-8"><script type="module" src="/main.js"></script><otp-sign-in api="https://api.example"></otp-sign-in>');
  browser = await launch();
});
after(async () => {
  await browser?.close();
  rmSync(project, { recursive: true });
});

/** What a person in Austria reads on a page. */
async function assertGerman(url) {
  const page = await browser.newPage({ locale: "de-AT" });
  const missing = [];
  page.on("response", (response) => response.status() > 399 && !response.url().endsWith("favicon.ico") && missing.push(response.url()));
  await page.goto(url);
  await seen(page).title("Anmelden");
  assert.deepEqual(missing, []);
  await page.context().close();
}

/** Serves what was built. */
async function assertBuilt(directory) {
  const types = { js: "text/javascript", html: "text/html" };
  const server = createServer(async (request, answer) => {
    const name = request.url === "/" ? "index.html" : request.url;
    const content = await readFile(inProject(directory, name)).catch(() => readFile(inProject(name === "index.html" ? name : "none")).catch(() => undefined));
    answer.writeHead(content ? 200 : 404, { "content-type": types[name.split(".").at(-1)] ?? "text/plain" }).end(content);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  await assertGerman(`http://127.0.0.1:${server.address().port}/`);
  server.close();
}

test("Vite builds it", async () => {
  await vite.build({ root: project, logLevel: "error", build: { outDir: "vite" } });
  await assertBuilt("vite");
});

test("Vite serves it while one develops", async () => {
  const server = await vite.createServer({ root: project, logLevel: "error", cacheDir: inProject("cache"), server: { host: "127.0.0.1", port: 0 } });
  await server.listen();
  await assertGerman(server.resolvedUrls.local[0]);
  await server.close();
});

for (const mode of ["production", "development"]) {
  test(`webpack builds it for ${mode}`, async () => {
    const config = { context: project, entry: "./main.js", mode, devtool: false, output: { path: inProject(`webpack-${mode}`), filename: "main.js", publicPath: "/" } };
    const stats = await new Promise((done, fail) => webpack(config, (error, stats) => (error ? fail(error) : done(stats))));
    assert.equal(stats.hasErrors(), false, stats.toString());
    await assertBuilt(`webpack-${mode}`);
  });
}

test("esbuild builds it", async () => {
  const outdir = inProject("esbuild");
  await esbuild.build({ absWorkingDir: project, entryPoints: ["main.js"], bundle: true, splitting: true, minify: true, format: "esm", outdir, logLevel: "error" });
  await assertBuilt("esbuild");
});

test("Rollup builds it", async () => {
  const bundle = await rollup({ input: inProject("main.js"), plugins: [resolve()] });
  await bundle.write({ dir: inProject("rollup"), format: "es" });
  await assertBuilt("rollup");
});

const OPTIONS = { strict: true, noEmit: true, target: "es2022", module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom"], types: [], skipLibCheck: false, jsx: "react-jsx" };
const REACT = `import "login-with-otp/react";
export const page = <otp-sign-in api="https://api.example" storage="cookie" countries="US,CA" remember-device="false" onlogin={(event) => event.detail.userId} onproblem={({ detail }) => detail.type}><otp-account lang="de" ondeleted={() => {}} /></otp-sign-in>;
// @ts-expect-error no place
export const wrong = <otp-sign-in storage="disk" />;
`;
for (const [name, file, text, options] of [
  ["React 19", "react19.tsx", REACT, {}],
  ["React 18", "react18.tsx", REACT, { paths: { react: ["./node_modules/react18-types"], "react/*": ["./node_modules/react18-types/*"] } }],
  ["Vue", "vue.ts", `import "login-with-otp/vue";
import type { GlobalComponents } from "vue";
type Props = InstanceType<GlobalComponents["otp-sign-in"]>["$props"];
export const page: Props = { api: "https://api.example", storage: "cookie", class: "wide", onLogin: ({ detail }) => detail.userId, onLogout: () => {} };
// @ts-expect-error no place
export const wrong: Props = { storage: "disk" };
`, {}],
  ["Svelte", "svelte.ts", `import "login-with-otp/svelte";
import type { SvelteHTMLElements } from "svelte/elements";
export const page: SvelteHTMLElements["otp-sign-in"] = { api: "https://api.example", storage: "cookie", class: "wide", onlogin: ({ detail }) => detail.userId };
// @ts-expect-error no place
export const wrong: SvelteHTMLElements["otp-sign-in"] = { storage: "disk" };
export const title: string | undefined = document.querySelector("otp-sign-in")?.client.session?.userId;
`, {}],
]) {
  test(`the element has types in ${name}`, () => {
    writeFileSync(inProject(file), text);
    writeFileSync(inProject("tsconfig.json"), JSON.stringify({ compilerOptions: { ...OPTIONS, ...options }, files: [file] }));
    try {
      run(project, join(modules, ".bin/tsc"), "--project", ".");
    } catch (error) {
      assert.fail(error.stdout);
    }
  });
}
