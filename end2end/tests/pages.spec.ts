// What holds for every page: it is accessible in light and dark, fits the screen, has a name and one heading, and none
// is a dead end.
import type { Page } from "@playwright/test";
import { expect, post, signIn, test } from "../fixtures";
import { PLACES, type Place, rfcPlaces, workedPlaces } from "../pages";
import { invite, newPerson } from "../people";

// Without JavaScript the server sends the same bytes; what can be different there is in the other files.
test.skip(({ javaScriptEnabled }) => javaScriptEnabled === false, "the same bytes as with JavaScript");

async function expectSound(page: Page, place: Place, axe: () => Promise<void>): Promise<void> {
  const answer = await page.goto(place.address);
  expect(answer?.status(), place.name).toBe(place.status ?? 200);
  await expect(page.locator("h1"), `headings of ${place.name}`).toHaveCount(1);
  await expect(page.locator("h1")).not.toBeEmpty();
  await expect(page).toHaveTitle(/\S/);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wider, `${place.name} is wider than the screen`).toBeLessThanOrEqual(0);
  // The name of a row keeps room, whatever stands beside it.
  const squeezed = await page.locator(".row-main").evaluateAll((names) => {
    return names.filter((name) => name.checkVisibility() && name.clientWidth < 100).map((name) => name.textContent);
  });
  expect(squeezed, `${place.name} has names that fall apart`).toEqual([]);
  await axe();
}

for (const place of PLACES) {
  test(`page ${place.name}`, async ({ page, signInAs, axe, expectMessage }) => {
    if (place.status) expectMessage(new RegExp(`status of ${place.status}`));
    if (place.as) await signInAs(place.as);
    await expectSound(page, place, axe);
    if (place.status) {
      // A way on that leads to a page.
      const on = page.locator("main a").first();
      await on.click();
      await expect(page.locator(".error-page")).toHaveCount(0);
    }
  });
}

test("pages of RFCs", async ({ page, signInAs, axe }) => {
  test.setTimeout(120_000);
  let as = "ruth@example.com";
  for (const place of await rfcPlaces(page)) {
    await test.step(place.name, async () => {
      if (place.as && place.as !== as) await signInAs((as = place.as));
      await expectSound(page, place, axe);
      const text = page.locator("#rfc-body");
      // A column of a readable width, whatever stands beside it.
      if (await text.isVisible()) expect((await text.boundingBox())?.width).toBeGreaterThan(300);
    });
  }
});

test("pages of what is done in the background", async ({ page, axe }) => {
  test.slow();
  for (const place of await workedPlaces(page)) {
    await test.step(place.name, async () => {
      if (!place.as) await page.context().clearCookies();
      await expectSound(page, place, axe);
    });
  }
});

test("the page of an invitation, of somebody new, and of nothing yet", async ({ page, another, axe, signInAs }) => {
  test.slow();
  const admin = await another("ruth@example.com");
  const link = await invite(admin, `fresh-${crypto.randomUUID().slice(0, 8)}@example.com`);
  await expectSound(page, { name: "invitation", address: new URL(link).pathname, as: null }, axe);
  await newPerson(page);
  await expectSound(page, { name: "home of somebody new", address: "/", as: null }, axe);
  await expect(page.getByText("No drafts", { exact: true })).toBeVisible();
  await expect(page.getByText("No services yet", { exact: true })).toBeVisible();
  await page.getByRole("link", { name: "Write an RFC" }).click();
  await expect(page).toHaveURL(/\/rfcs\/new$/);
  await signInAs("ruth@example.com");
  const team = await post(page, "/do/people/create-team", { name: `Empty ${crypto.randomUUID().slice(0, 8)}`, slug: "" });
  await expectSound(page, { name: "a team of nobody", address: team, as: null }, axe);
});

test("every page has a name of its own", async ({ page, isMobile }) => {
  test.skip(isMobile, "the same bytes as on a wide screen");
  const names = new Map<string, string>();
  let as: string | null = null;
  const own = PLACES.filter((place) => !place.status && !place.name.includes("no-match") && !place.name.includes("-of-"));
  for (const place of own) {
    if (place.as && place.as !== as) await signIn(page, (as = place.as), "plumb-the-depths-daily");
    const html = await (await page.request.get(place.address)).text();
    const name = /<title>([^<]+)<\/title>/.exec(html)?.[1] ?? "";
    expect(names.get(name), `“${name}” is the name of ${place.name} and of another page`).toBeUndefined();
    names.set(name, place.name);
  }
});

test("whoever is not signed in is asked to, and then goes where they wanted", async ({ page, isMobile }) => {
  await page.goto("/services/ledger?from=mail");
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await page.getByRole("button", { name: "Dario Conti" }).click();
  await expect(page).toHaveURL("/services/ledger?from=mail");
  const menu = isMobile ? page.getByRole("navigation", { name: "Main menu" }) : page.getByRole("navigation", { name: "Main" });
  if (isMobile) await page.locator(".nav-fold > summary").click();
  await menu.getByRole("link", { name: "People" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("People");
});

test("with the keyboard alone one gets past the navigation", async ({ page, signInAs }) => {
  await signInAs("ada@example.com");
  await page.goto("/services");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the page" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#main$/);
  await page.keyboard.press("Tab");
  await expect(page.locator("main :focus")).toBeVisible();
});
