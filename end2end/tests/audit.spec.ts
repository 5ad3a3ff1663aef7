// The audit log: filtered, before and after shown, taken along as a file.
import { expect, test } from "../fixtures";

test("an admin finds who changed what and takes it along", async ({ page, signInAs, axe }) => {
  await signInAs("ruth@example.com");
  await page.goto("/admin");
  await page.getByRole("link", { name: "Audit log" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Audit log");
  await expect(page.locator("tbody tr").first()).toBeVisible();
  await page.getByLabel("What (or its beginning)").fill("person.signed_in");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page).toHaveURL(/verb=person/);
  await expect(page.locator("tbody code").first()).toHaveText("person.signed_in");
  await axe();
  const file = await page.request.get("/admin/audit.csv?verb=person.signed_in");
  expect(file.headers()["content-type"]).toContain("text/csv");
  expect(await file.text()).toContain("person.signed_in");
});

test("nobody else reads it", async ({ page, signInAs, expectMessage }) => {
  expectMessage(/status of 403/);
  await signInAs("dario@example.com");
  expect((await page.goto("/admin/audit"))?.status()).toBe(403);
});
