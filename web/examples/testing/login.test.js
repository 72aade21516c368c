import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "login-with-otp";
import { codeFor, start } from "login-with-otp/testing";

test("a person logs in, and is logged out after 30 days", async () => {
  const stack = await start({ settings: { BRAND: "My Shop" } });
  const client = new Client({ api: stack.api });
  const challenge = await client.requestCode({ email: "ada@example.com" });
  await client.validate(challenge, await codeFor("ada@example.com"));
  await stack.advance(30 * 86_400);
  assert.equal(await client.refresh(), null);
});
