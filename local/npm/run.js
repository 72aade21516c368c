#!/usr/bin/env node
// npx login-with-otp-local: the program, with the arguments and the variables of this one.
const { spawn } = require("node:child_process");
const program = require("./index.js");

const child = spawn(program(), process.argv.slice(2), { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 1));
