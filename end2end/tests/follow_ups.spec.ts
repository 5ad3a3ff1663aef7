// Follow-ups: promised, moved, handed on, finished; with JavaScript and without.
import type { Page } from "@playwright/test";
import { expect, post, test, unique } from "../fixtures";

/** A day so many days from today, as a date field takes it. */
function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

/** A follow-up of Ada, made as Ada without the form; answers its page. */
async function made(page: Page, title: string, days = 5): Promise<string> {
  const form = { title, owner: "ada@example.com", due: inDays(days), incident: "" };
  return (await post(page, "/do/follow-ups/create", form)).split("?")[0] ?? "";
}

test("make one, move it, hand it on, finish it", async ({ page, signInAs, axe }) => {
  test.slow();
  await signInAs("ada@example.com");
  const title = unique("Alarm on the age of the queue");

  await test.step("make", async () => {
    await page.goto("/follow-ups");
    await page.getByRole("link", { name: "New follow-up" }).click();
    await expect(page.getByLabel("Owner")).toHaveValue("ada@example.com");
    await page.getByLabel("What is to be done").fill(title);
    await page.getByLabel("Due", { exact: true }).fill(inDays(2));
    await page.getByRole("button", { name: "Make the follow-up" }).click();
    await expect(page.locator(".flash")).toContainText("The follow-up is made");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(title);
    await expect(page.locator("main")).toContainText("Due in 2 days");
    await axe();
  });

  await test.step("move", async () => {
    await page.getByLabel("Due", { exact: true }).fill(inDays(9));
    await page.getByRole("button", { name: "Move" }).click();
    await expect(page.locator(".flash")).toContainText("The day is moved");
    await expect(page.locator(".facts")).toContainText("Due at first");
    await expect(page.locator(".facts")).toContainText("moved once");
  });

  await test.step("hand on, and no further say in it but as its maker", async () => {
    await page.getByLabel("New owner").fill("jonas@example.com");
    await page.getByRole("button", { name: "Hand on" }).click();
    await expect(page.locator(".flash")).toContainText("Handed on");
    await expect(page.locator(".facts")).toContainText("Jonas Weber");
  });

  await test.step("finish", async () => {
    await page.locator(".confirm > summary", { hasText: "Done" }).click();
    await page.getByLabel("What was done").fill("It rings after ten minutes now.");
    await page.getByRole("button", { name: "It is done" }).click();
    await expect(page.locator(".flash")).toContainText("Done.");
    await expect(page.locator(".facts")).toContainText("It rings after ten minutes now.");
    await page.getByRole("button", { name: "Open it again" }).click();
    await expect(page.locator(".flash")).toContainText("open again");
  });
});

test("a refused form keeps what was typed and says what is wrong beside the field", async ({ page, signInAs, expectMessage }) => {
  expectMessage(/status of 422/);
  await signInAs("ada@example.com");
  await page.goto("/follow-ups/new");
  const title = unique("Write the runbook");
  await page.getByLabel("What is to be done").fill(title);
  await page.getByLabel("Owner").fill("nobody@example.com");
  await page.getByLabel("Due", { exact: true }).fill(inDays(-1));
  await page.getByRole("button", { name: "Make the follow-up" }).click();
  await expect(page.getByLabel("What is to be done")).toHaveValue(title);
  await expect(page.locator(".field-message", { hasText: "Nobody with an account here" })).toBeVisible();
  await expect(page.locator(".field-message", { hasText: "has passed" })).toBeVisible();
});

test("finished from the list, dropped only for a reason", async ({ page, signInAs, expectMessage }) => {
  expectMessage(/status of 422/);
  await signInAs("ada@example.com");
  const [done, dropped] = [unique("Raise the limit"), unique("Buy a second lift")];
  await made(page, done);
  const place = await made(page, dropped);
  await page.goto(`/follow-ups?q=${encodeURIComponent(done)}`);
  const row = page.locator(".row", { hasText: done });
  await row.locator("summary").click();
  // The row is a link: not so its form.
  await row.getByLabel("What was done").click();
  await row.getByLabel("What was done").fill("Raised to 40.");
  await row.getByRole("button", { name: "It is done" }).click();
  await expect(page.locator(".flash")).toContainText("Done.");
  await expect(page).toHaveURL(/\/follow-ups\?/);
  await expect(page.getByText("No follow-up matches")).toBeVisible();

  await page.goto(place);
  await page.locator(".confirm > summary", { hasText: "Drop" }).click();
  await page.getByLabel("Why").fill(" ");
  await page.getByRole("button", { name: "Drop it" }).click();
  await expect(page.locator(".field-message", { hasText: "Say why" })).toBeVisible();
  await page.getByLabel("Why").fill("The ship is sold.");
  await page.getByRole("button", { name: "Drop it" }).click();
  await expect(page.locator(".flash")).toContainText("Dropped.");
});

test("mine are on my home page; others see them and cannot change them", async ({ page, signInAs }) => {
  await signInAs("ada@example.com");
  const title = unique("Soon");
  const place = await made(page, title, 0);
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Your follow-ups" })).toBeVisible();
  await signInAs("priya@example.com");
  await page.goto(place);
  await expect(page.getByText("Only its owner, who made it, an SRE, lead or admin").first()).toBeAttached();
  await expect(page.getByRole("button", { name: "Move" })).toHaveCount(0);
  await page.goto(`/follow-ups?who=all&q=${encodeURIComponent(title)}`);
  await expect(page.getByRole("heading", { name: "Due within three days" })).toBeVisible();
  await expect(page.locator(".row", { hasText: title })).toContainText("Due today");
});
