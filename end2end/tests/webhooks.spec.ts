// Webhooks, hooks and the outbox: make, look once at the secret, rotate, switch off, delete, revoke.
import { expect, test } from "../fixtures";

test("an admin makes a webhook, sees its secret once, and switches it off", async ({ page, signInAs, axe, expectMessage }) => {
  test.slow();
  // What is wrong with the form is answered as such.
  expectMessage(/status of 422/);
  await signInAs("ruth@example.com");
  const word = crypto.randomUUID().slice(0, 8);
  await page.goto("/admin");
  await page.getByRole("link", { name: "Webhooks" }).click();
  await page.getByRole("link", { name: "New webhook" }).first().click();

  await test.step("what is wrong is said beside its field", async () => {
    await page.getByLabel("Name", { exact: true }).fill(`Paging ${word}`);
    await page.getByLabel("Address to call").fill("https://user:secret@hooks.example.com/in");
    await page.getByLabel("RFCs", { exact: true }).check();
    await page.getByRole("button", { name: "Make the webhook" }).click();
    await expect(page.locator(".field-message")).toContainText("Leave name and password out");
    await expect(page.getByLabel("RFCs", { exact: true })).toBeChecked();
  });

  await test.step("make", async () => {
    await page.getByLabel("Address to call").fill("https://hooks.example.com/in");
    await page.getByLabel("Single events").fill("service.archived");
    await page.getByRole("button", { name: "Make the webhook" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Paging ${word}`);
    await expect(page.locator("main")).toContainText("whsec_");
    await expect(page.locator("main")).toContainText("RFCs, service.archived");
    await axe();
    await page.reload();
    await expect(page.locator("main")).not.toContainText("whsec_");
  });

  await test.step("a new secret", async () => {
    await page.locator(".confirm > summary", { hasText: "New secret" }).click();
    await page.getByRole("button", { name: "Make a new secret" }).click();
    await expect(page.locator("main")).toContainText("whsec_");
    await expect(page.locator("main")).toContainText("Signed with two secrets until");
  });

  await test.step("off, and gone", async () => {
    await page.getByRole("button", { name: "Disable" }).click();
    await expect(page.locator(".flash")).toContainText("not called any more");
    await expect(page.locator("main")).toContainText("Not called since");
    await axe();
    await page.locator(".confirm > summary", { hasText: "Delete" }).click();
    await page.getByRole("button", { name: "Delete the webhook" }).click();
    await expect(page.locator(".flash")).toContainText("deleted");
    await expect(page.getByRole("link", { name: `Paging ${word}` })).toHaveCount(0);
  });
});

test("a hook is made, and revoked", async ({ page, signInAs }) => {
  await signInAs("ruth@example.com");
  const name = `Lighthouse ${crypto.randomUUID().slice(0, 8)}`;
  await page.goto("/admin/webhooks");
  await page.getByLabel("Who calls it").fill(name);
  await page.getByRole("button", { name: "Make a hook" }).click();
  await expect(page.locator("#hooks")).toContainText("whsec_");
  const row = page.locator("#hooks li", { hasText: name });
  await expect(row).toContainText("/hooks/");
  await row.locator(".confirm > summary", { hasText: "Revoke" }).click();
  await row.getByRole("button", { name: "Revoke the hook" }).click();
  await expect(page.locator(".flash")).toContainText("revoked");
  await expect(page.locator("#hooks li", { hasText: name })).toHaveCount(0);
});

test("the outbox says how far it is behind and filters by state and kind", async ({ page, signInAs }) => {
  await signInAs("ruth@example.com");
  await page.goto("/admin");
  await page.getByRole("link", { name: "Outbox" }).click();
  await expect(page.getByRole("row", { name: /^Webhook/ })).toBeVisible();
  await page.getByRole("link", { name: /^Given up/ }).click();
  await expect(page).toHaveURL(/state=dead/);
  await page.getByLabel("Kind").selectOption({ label: "Import" });
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page).toHaveURL(/kind=import/);
  await expect(page).toHaveURL(/state=dead/);
  await expect(page.getByText("Nothing was given up")).toBeVisible();
});

test("who is no admin does not see them", async ({ page, signInAs, expectMessage }) => {
  expectMessage(/status of 403/);
  await signInAs("ada@example.com");
  for (const address of ["/admin/webhooks", "/admin/outbox"]) {
    const answer = await page.goto(address);
    expect(answer?.status()).toBe(403);
  }
});
