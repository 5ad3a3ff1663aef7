// Services: describe one, change it, rename it, archive it and bring it back.
import { expect, test } from "../fixtures";

test("create, edit, rename, archive", async ({ page, signInAs, axe }) => {
  test.slow();
  await signInAs("grace@example.com");
  const word = crypto.randomUUID().slice(0, 8);
  await page.goto("/services");
  await page.getByRole("link", { name: "New service" }).click();

  await test.step("create", async () => {
    await page.getByLabel("Name", { exact: true }).fill(`Tide tables ${word}`);
    await page.getByLabel("Tier").selectOption({ index: 1 });
    await page.getByLabel("Owner").selectOption({ label: "Reliability" });
    await page.getByLabel("What it does").fill("Knows when the water is high enough for the **large** ships.");
    await page.getByLabel("Depends on").fill("identity\nevent-bus");
    await page.getByLabel("Links").fill("Runbook https://wiki.example.com/tides");
    await page.getByLabel("Labels").fill("batch, third parties");
    await page.getByRole("button", { name: "Add the service" }).click();
    await expect(page.locator(".flash")).toContainText("Created");
    await expect(page).toHaveURL(new RegExp(`/services/tide-tables-${word}`));
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Tide tables ${word}`);
    await expect(page.getByRole("link", { name: "Reliability" })).toBeVisible();
    await expect(page.getByRole("link", { name: "Event bus" })).toBeVisible();
    await expect(page.getByRole("link", { name: "Runbook" })).toHaveAttribute("href", "https://wiki.example.com/tides");
    await expect(page.locator("main")).toContainText("third parties");
    await axe();
  });

  await test.step("edit", async () => {
    await page.getByRole("link", { name: "Change", exact: true }).click();
    await expect(page.getByLabel("Depends on")).toHaveValue("event-bus\nidentity");
    await page.getByLabel("What it does").fill("Tells captains when to sail.");
    await page.getByLabel("Depends on").fill("identity");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.locator(".flash")).toContainText("Saved");
    await expect(page.locator("main")).toContainText("Tells captains when to sail.");
    await expect(page.getByRole("link", { name: "Event bus" })).toHaveCount(0);
  });

  await test.step("rename: the old address leads to the new one", async () => {
    await page.getByRole("link", { name: "Change", exact: true }).click();
    await page.getByLabel("New short name").fill(`tides-${word}`);
    await page.getByRole("button", { name: "Rename" }).click();
    await expect(page.locator(".flash")).toContainText("Renamed");
    await page.goto(`/services/tide-tables-${word}`);
    await expect(page).toHaveURL(new RegExp(`/services/tides-${word}$`));
    await page.goto(`/services/tide-tables-${word}/edit`);
    await expect(page).toHaveURL(new RegExp(`/services/tides-${word}/edit$`));
  });

  await test.step("archive, and bring it back", async () => {
    await page.locator(".confirm > summary", { hasText: "Archive the service" }).click();
    await page.getByRole("button", { name: "Archive", exact: true }).click();
    await expect(page.locator(".flash")).toContainText("Archived");
    await expect(page.locator("main")).toContainText("Out of use since");
    await page.goto(`/services?q=${word}`);
    await expect(page.getByText("No service matches")).toBeVisible();
    await page.goto(`/services?q=${word}&archived=true`);
    await page.getByRole("link", { name: `Tide tables ${word}` }).click();
    await page.getByRole("link", { name: "Change", exact: true }).click();
    await page.getByRole("button", { name: "Bring it back" }).click();
    await expect(page.locator(".flash")).toContainText("Restored");
  });
});

test("who may not change a service is told why, in words", async ({ page, signInAs, expectMessage }) => {
  expectMessage(/status of 403/);
  await signInAs("dario@example.com");
  await page.goto("/services/ledger");
  await expect(page.getByText("Only a member, SRE, lead or admin may do this; your role is Reader.").first()).toBeAttached();
  await expect(page.getByRole("link", { name: "Change", exact: true })).toHaveCount(0);
});

test("a service shows the RFCs that touch it", async ({ page, signInAs }) => {
  await signInAs("ada@example.com");
  await page.goto("/services/ledger");
  await expect(page.getByRole("heading", { name: "RFCs", exact: false }).first()).toBeVisible();
});
