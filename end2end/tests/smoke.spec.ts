// The product answers, is styled, and lets people in: what every other test builds on.
import { expect, test } from "../fixtures";

test("the sign-in page is styled and accessible", async ({ page, axe }) => {
  const answer = await page.goto("/sign-in");
  expect(answer?.status()).toBe(200);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByLabel(/e-?mail/i).first()).toBeVisible();
  const sheet = await page.locator('link[rel="stylesheet"]').getAttribute("href");
  expect(sheet).toMatch(/^\/pkg\/plumbline-[0-9a-f]{16}\.css$/);
  await axe();
});

test("browser files may be kept for ever and come compressed", async ({ page, request }) => {
  await page.goto("/sign-in");
  const sheet = await page.locator('link[rel="stylesheet"]').getAttribute("href");
  const answer = await request.get(sheet ?? "", { headers: { "accept-encoding": "br" } });
  expect(answer.status()).toBe(200);
  expect(answer.headers()["content-encoding"]).toBe("br");
  expect(answer.headers()["cache-control"]).toBe("public, max-age=31536000, immutable");
  const again = await request.get(sheet ?? "", {
    headers: { "accept-encoding": "br", "if-none-match": answer.headers().etag ?? "" },
  });
  expect(again.status()).toBe(304);
});

test("no page is wider than the screen", async ({ page }) => {
  await page.goto("/sign-in");
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wider).toBe(0);
});
