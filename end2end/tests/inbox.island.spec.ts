// The inbox by keyboard.
import { expect, islandsReady, signIn, test } from "../fixtures";
import { newPerson } from "../people";
import { openThread, publishedRfc } from "../rfcs";

const BODY = "The gate keeps the newest list for ten minutes.\n";

test("j and k walk, e is done, u is read or unread, Enter opens", async ({ page, another, isMobile }) => {
  test.skip(isMobile, "a phone has no keys");
  test.slow();
  const author = await newPerson(page);
  await signIn(page, author.email, author.password);
  const reviewer = await another("grace@example.com");
  const titles = ["first", "second"].map((word) => `A ${word} gate ${crypto.randomUUID().slice(0, 8)}`);
  for (const title of titles) {
    const rfc = await publishedRfc(page, BODY, title);
    await openThread(reviewer, rfc, BODY, "ten minutes", "Why?");
  }
  await expect(async () => {
    await page.goto("/inbox");
    await expect(page.locator(".row")).toHaveCount(2, { timeout: 500 });
  }).toPass();
  await islandsReady(page);
  await expect(page.locator(".inbox-keys")).toBeVisible();
  const link = (title: string) => page.getByRole("link", { name: title });
  await page.keyboard.press("j");
  await expect(link(titles[1])).toBeFocused();
  await page.keyboard.press("j");
  await expect(link(titles[0])).toBeFocused();
  await page.keyboard.press("k");
  await page.keyboard.press("e");
  await expect(page.locator(".row")).toHaveCount(1);
  await islandsReady(page);
  await expect(link(titles[0]), "the next row is where one was").toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#comment-/);
  await page.goto("/inbox");
  await islandsReady(page);
  await page.keyboard.press("j");
  await page.keyboard.press("u");
  await expect(page.locator(".row-unread")).toHaveCount(1);
  await islandsReady(page);
  await page.keyboard.press("u");
  await expect(page.locator(".row-unread")).toHaveCount(0);

  // Single keys can be turned off, for good.
  await islandsReady(page);
  await page.getByRole("button", { name: "Turn the keys off" }).click();
  await page.reload();
  await islandsReady(page);
  await page.keyboard.press("j");
  await expect(page.locator(".row :focus")).toHaveCount(0);
  await page.getByRole("button", { name: "Turn the keys on" }).click();
  await page.keyboard.press("j");
  await expect(link(titles[0])).toBeFocused();

  // After the last row there is no next one, on no later page either.
  await page.keyboard.press("e");
  await expect(page.getByText("Nothing waits for you")).toBeVisible();
  await islandsReady(page);
  await page.goto("/inbox?state=done");
  await islandsReady(page);
  await expect(page.locator(".row :focus")).toHaveCount(0);
});
