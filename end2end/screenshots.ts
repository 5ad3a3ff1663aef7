// A picture of every page; see screenshots.config.ts.
import { join } from "node:path";
import { signIn, test } from "./fixtures";
import { PLACES, rfcPlaces, workedPlaces } from "./pages";

const folder = process.env.PLUMBLINE_SCREENSHOTS ?? join(import.meta.dirname, "test-results", "screenshots");

test("pictures", async ({ page, expectMessage }, { project }) => {
  expectMessage(/status of 4\d\d/);
  let as: string | null = "";
  for (const place of [...(await rfcPlaces(page)), ...(await workedPlaces(page)), ...PLACES]) {
    if (place.as !== as) {
      as = place.as;
      if (as) await signIn(page, as, "plumb-the-depths-daily");
      else await page.context().clearCookies();
    }
    await page.goto(place.address, { waitUntil: "load" });
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.screenshot({ path: join(folder, `${place.name}.${project.name}.png`), fullPage: height < 4000 });
  }
});
