// Incidents: recorded, changed, counted, followed up; their types; names the catalogue does not know.
import { expect, test, unique } from "../fixtures";

/** The value of a date-and-time field: so many minutes before a fixed moment of the day before yesterday, UTC. */
function at(minutes: number): string {
  const day = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
  return new Date(Date.parse(`${day}T12:00:00Z`) + minutes * 60_000).toISOString().slice(0, 16);
}

test("record an incident, follow it up, change it, void it", async ({ page, signInAs, axe }) => {
  test.slow();
  await signInAs("ada@example.com");
  const title = unique("Gates stayed shut");

  await test.step("record", async () => {
    await page.goto("/incidents");
    await page.getByRole("link", { name: "Record an incident" }).first().click();
    await expect(page.getByText("on the clocks of Europe/London")).toBeVisible();
    await page.getByLabel("What happened").fill(title);
    await page.getByLabel("Type", { exact: true }).selectOption({ label: "Deploy" });
    await page.getByLabel("Severity 2 · major").check();
    await page.getByLabel("Services it touched").fill("boarding-pass");
    await page.getByLabel("Started").fill(at(0));
    await page.getByLabel("Detected").fill(at(4));
    await page.getByLabel("Mitigated").fill(at(35));
    await page.getByLabel("Ended").fill(at(95));
    await page.getByLabel("Summary").fill("A **stale** list.");
    await page.getByRole("button", { name: "Record the incident" }).click();
    await expect(page.locator(".flash")).toContainText("The incident is recorded");
    await expect(page.getByRole("heading", { level: 1 })).toContainText(title);
    await expect(page.locator(".moments")).toContainText("4 min after the start");
    await expect(page.locator("main")).toContainText("Lasted 1 h 35 min");
    await expect(page.locator(".prose strong")).toHaveText("stale");
    await axe();
  });

  await test.step("follow up", async () => {
    await page.getByText("Add a follow-up", { exact: true }).click();
    await page.getByLabel("What is to be done").fill("Check the age of the list before opening");
    await page.getByLabel("Due", { exact: true }).fill(new Date(Date.now() + 6 * 86_400_000).toISOString().slice(0, 10));
    await page.getByRole("button", { name: "Add the follow-up" }).click();
    await expect(page.locator(".flash")).toContainText("The follow-up is made");
    await expect(page).toHaveURL(/#follow-ups$/);
    await expect(page.locator("#follow-ups .row")).toContainText("Check the age of the list");
  });

  await test.step("change", async () => {
    await page.getByRole("link", { name: "Change", exact: true }).click();
    await expect(page.getByLabel("Ended")).toHaveValue(/T/);
    await page.getByLabel("What happened").fill(`${title} again`);
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.locator(".flash")).toContainText("Saved");
    await expect(page.getByRole("heading", { level: 1 })).toContainText("again");
  });

  await test.step("it is in the list and on the service's page", async () => {
    await page.goto(`/incidents?q=${encodeURIComponent(title)}`);
    await expect(page.locator(".row", { hasText: title })).toContainText("lasted 1 h 35 min");
    await page.goto("/services/boarding-pass");
    await expect(page.locator("#incidents")).toContainText(title);
    await expect(page.locator("#incidents svg[role=img]")).toBeVisible();
    await page.locator("#incidents .chart").getByText("The numbers as a table").click();
    await expect(page.locator("#incidents .chart table")).toBeVisible();
  });

  await test.step("void, and restore", async () => {
    await page.goto(`/incidents?q=${encodeURIComponent(title)}`);
    await page.locator(".row a.row-title", { hasText: title }).click();
    await page.getByRole("link", { name: "Change", exact: true }).click();
    await page.locator(".confirm > summary", { hasText: "Void the incident" }).click();
    await page.getByLabel("Why").fill("An exercise.");
    await page.getByRole("button", { name: "Void it" }).click();
    await expect(page.locator(".flash")).toContainText("voided");
    await expect(page.locator("main")).toContainText("An exercise.");
    await page.goto(`/incidents?q=${encodeURIComponent(title)}`);
    await expect(page.getByText("No incident matches")).toBeVisible();
  });
});

test("times that cannot be are named, and what was typed stays", async ({ page, signInAs, expectMessage }) => {
  expectMessage(/status of 422/);
  await signInAs("ada@example.com");
  await page.goto("/incidents/new");
  const title = unique("The night of the clocks");
  await page.getByLabel("What happened").fill(title);
  // London's clocks went from 01:00 to 02:00 on the last Sunday of March.
  await page.getByLabel("Started").fill("2025-03-30T01:30");
  await page.getByRole("button", { name: "Record the incident" }).click();
  await expect(page.locator(".field-message", { hasText: "did not exist on 30 March 2025" })).toBeVisible();
  await expect(page.getByLabel("What happened")).toHaveValue(title);
  // And back from 02:00 to 01:00 on the last Sunday of October.
  await page.getByLabel("Started").fill("2025-10-26T01:30");
  await page.getByRole("button", { name: "Record the incident" }).click();
  await expect(page.locator(".field-message", { hasText: "came twice on 26 October 2025" })).toBeVisible();
  await page.getByLabel("Of the time that came twice").selectOption({ index: 2 });
  await page.getByLabel("Ended").fill("2025-10-26T00:30");
  await page.getByRole("button", { name: "Record the incident" }).click();
  await expect(page.locator(".field-message", { hasText: "cannot end before it starts" })).toBeVisible();
  await page.getByLabel("Ended").fill("");
  await page.getByRole("button", { name: "Record the incident" }).click();
  await expect(page.locator(".flash")).toContainText("The incident is recorded");
  await expect(page.locator(".moments")).toContainText("26 Oct 2025, 01:30");
});

test("the list is filtered by its address, and leads from the chart to one type", async ({ page, signInAs, axe }) => {
  await signInAs("grace@example.com");
  await page.goto("/incidents?period=all");
  await expect(page.locator(".chart svg[role=img]").first()).toBeVisible();
  await axe();
  const type = page.locator("#by-type tbody th a").first();
  const name = await type.innerText();
  await type.click();
  await expect(page).toHaveURL(/type=/);
  await expect(page.getByLabel("Type", { exact: true })).toHaveValue(/./);
  await expect(page.locator(".row").first()).toContainText(name);
});

test("leads edit the types", async ({ page, signInAs }) => {
  await signInAs("mei@example.com");
  await page.goto("/incidents/types");
  const name = `Tide ${crypto.randomUUID().slice(0, 6)}`;
  await page.getByLabel("Name", { exact: true }).last().fill(name);
  await page.getByRole("button", { name: "Add the type" }).click();
  await expect(page.locator(".flash")).toContainText("Created");
  const row = page.locator(".row", { hasText: name });
  await row.locator("summary").click();
  expect((await row.locator(".row-main").boundingBox())?.width, "the name keeps room").toBeGreaterThan(100);
  await row.getByLabel("Archived").check();
  await row.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".row", { hasText: name }).locator(".badge")).toHaveText("Archived");
  await signInAs("ada@example.com");
  await page.goto("/incidents/types");
  await expect(page.getByText("A lead or admin may change them.")).toBeVisible();
});
