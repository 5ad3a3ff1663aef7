// The inbox: what others do arrives, is opened, put off and done; what one is told is chosen; mail is turned off.
import type { Page } from "@playwright/test";
import { expect, post, signIn, test } from "../fixtures";
import { newPerson } from "../people";
import { openThread, publishedRfc } from "../rfcs";

const BODY = "The gate keeps the newest list for ten minutes.\n";

/** Waits until the inbox says so many: what happened is passed on within a second or two. */
async function unread(page: Page, count: number): Promise<void> {
  await expect(async () => {
    await page.goto("/inbox");
    const name = count > 0 ? `Inbox, ${count} unread` : "Inbox";
    await expect(page.getByRole("link", { name, exact: true })).toBeVisible({ timeout: 500 });
  }).toPass();
}

test("what others say arrives, is read, put off and done", async ({ page, another, axe }) => {
  test.slow();
  const author = await newPerson(page);
  await signIn(page, author.email, author.password);
  const title = `A gate ${crypto.randomUUID().slice(0, 8)}`;
  const rfc = await publishedRfc(page, BODY, title);
  const reviewer = await another("grace@example.com");
  const thread = await openThread(reviewer, rfc, BODY, "ten minutes", "Why **ten**?", "blocking");
  await unread(page, 1);
  await axe();

  const row = page.locator(".row", { hasText: title });
  await expect(row).toContainText("Grace Lindqvist raised a concern");
  await expect(row).toContainText("Why ten?");
  await row.getByRole("link", { name: title }).click();
  await expect(page).toHaveURL(new RegExp(`${rfc}#comment-`));
  await expect(page.getByRole("link", { name: "Inbox", exact: true }), "opening it marks it as read").toBeVisible();

  await page.goto("/inbox");
  await row.getByRole("button", { name: "Until next week" }).click();
  await expect(page.locator(".flash")).toContainText("Put off");
  await expect(page.getByText("Nothing waits for you")).toBeVisible();
  await page.getByRole("link", { name: /^Later/ }).click();
  await expect(row).toContainText("Comes back");
  await row.getByRole("button", { name: "Back now" }).click();
  await page.goto("/inbox");
  await row.getByRole("button", { name: "Done", exact: true }).click();
  await page.goto("/inbox?state=done");
  await expect(row).toBeVisible();

  // News brings it back.
  await post(reviewer, "/do/rfcs/reply", { thread: thread.replace("thread-", ""), body: "Nobody?" });
  await unread(page, 1);
  await expect(row).toContainText("1 earlier");
  await page.getByRole("button", { name: "Mark all as read" }).click();
  await expect(page.getByRole("link", { name: "Inbox", exact: true })).toBeVisible();
});

test("what one is told is chosen by kind, with quiet hours", async ({ page, axe, expectMessage }) => {
  expectMessage(/status of 4\d\d/);
  const person = await newPerson(page);
  await signIn(page, person.email, person.password);
  await page.goto("/inbox");
  await page.getByRole("link", { name: "What I am told" }).click();
  await axe();
  await page.getByLabel("Mentions of you").selectOption({ label: "Inbox only" });
  await page.getByLabel("From").fill("22:00");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".form-errors")).toContainText("Say when the quiet hours end");
  await page.getByLabel("Until").fill("07:00");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".flash")).toContainText("Saved");
  await expect(page.getByLabel("Mentions of you")).toHaveValue("inbox");
  await expect(page.getByLabel("Until")).toHaveValue("07:00");
});
