// Search from every page, by words, names and with typing errors; what happened, on pages and in the audit log.
import { expect, test, unique } from "../fixtures";
import { draftRfc, publishedRfc } from "../rfcs";

test("what was just written is found, marked, from the bar on every page", async ({ page, signInAs, axe }) => {
  await signInAs("ruth@example.com");
  const word = `zeppelin${crypto.randomUUID().slice(0, 6)}`;
  const rfc = await publishedRfc(page, `The ${word} leaves its hangar at dawn.`, unique("Hangars"));
  await page.goto("/services");
  const field = page.getByRole("searchbox", { name: "Search everything" });
  if (await field.isVisible()) {
    await field.fill(word);
    await field.press("Enter");
  } else {
    await page.getByRole("link", { name: "Search", exact: true }).click();
    await page.getByLabel("Words, a name or a number").fill(word);
    await page.getByRole("button", { name: "Search" }).click();
  }
  await expect(page).toHaveURL(/\/search\?q=/);
  await expect(page.locator("mark")).toHaveText(word);
  await axe();
  await page.locator(".found .row-title").click();
  await expect(page).toHaveURL(new RegExp(`${rfc}$`));
});

test("kinds narrow, nothing found says what to do, typing errors are forgiven", async ({ page, signInAs, axe }) => {
  await signInAs("dario@example.com");
  await page.goto("/search?q=payments");
  await expect(page.locator(".found .row").first()).toBeVisible();
  await page.getByRole("link", { name: /^Services/ }).last().click();
  await expect(page).toHaveURL(/kind=service/);
  await page.goto("/search?q=paymnets");
  await expect(page.getByRole("status")).toContainText("called nearly so");
  await page.goto("/search?q=qqqzzzxxx");
  await expect(page.getByText("Nothing found")).toBeVisible();
  await axe();
});

test("a draft is found by its author only", async ({ page, signInAs, another }) => {
  await signInAs("ruth@example.com");
  const word = `secret${crypto.randomUUID().slice(0, 6)}`;
  await draftRfc(page, `About the ${word}.`, unique("Only a beginning"));
  await page.goto(`/search?q=${word}`);
  await expect(page.locator("mark").first()).toHaveText(word);
  const other = await another("dario@example.com");
  await other.goto(`/search?q=${word}`);
  await expect(other.getByText("Nothing found")).toBeVisible();
});

test("a page tells what happened to its thing", async ({ page, signInAs, axe }) => {
  await signInAs("ruth@example.com");
  const rfc = await publishedRfc(page, "Gates open at dawn.", unique("Gates"));
  await page.goto(rfc);
  await page.locator("summary", { hasText: "Activity" }).click();
  await expect(page.locator(".event").first()).toContainText("published this RFC");
  await axe();
});
