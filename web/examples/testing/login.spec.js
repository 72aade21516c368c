import { test as base, expect } from "@playwright/test";
import { fixture } from "login-with-otp/testing";

const test = base.extend(fixture());

test("a person logs in", async ({ page, otp }) => {
  await page.goto(otp.web);
  await page.getByLabel("E-mail address").fill("ada@example.com");
  await page.getByRole("button", { name: "Send code" }).click();
  await page.getByLabel("Code").fill(await otp.codeFor("ada@example.com"));
  await expect(page.getByText("You are signed in")).toBeVisible();
});
