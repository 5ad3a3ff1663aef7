// A catalogue file: handed in, compared, read, applied; and one that cannot be read. With and without JavaScript.
import { expect, test } from "../fixtures";

function catalogue(word: string): string {
  return `services:
  - name: buoys-${word}
    friendly_name: Buoys ${word}
    tier: edge
    technical: { dependencies: [{ service: identity }, { service: no-such-thing }] }
  - name: foghorn-${word}
    friendly_name: Foghorn ${word}
    colour: grey
`;
}

test("a file is compared, its differences are read, then it is applied", async ({ page, signInAs, axe }) => {
  test.slow();
  await signInAs("ruth@example.com");
  const word = crypto.randomUUID().slice(0, 8);
  await page.goto("/services");
  await page.getByRole("link", { name: "Import a catalogue" }).click();
  await axe();

  await test.step("hand it in", async () => {
    const file = { name: `catalog-${word}.yml`, mimeType: "application/yaml", buffer: Buffer.from(catalogue(word)) };
    await page.getByLabel("File", { exact: true }).setInputFiles(file);
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(`catalog-${word}.yml`);
    // The page loads itself again until a process has compared the file.
    await expect(page.getByRole("button", { name: "Apply" })).toBeVisible({ timeout: 20_000 });
    await expect(page.getByRole("row", { name: new RegExp(`buoys-${word}`) })).toContainText("line 2");
    await axe();
  });

  await test.step("nothing is changed yet; what has no place here is reported", async () => {
    const missing = await page.request.get(`/services/buoys-${word}`);
    expect(missing.status()).toBe(404);
    await page.getByRole("link", { name: /^Reported/ }).click();
    await expect(page.locator("main")).toContainText("It needs no-such-thing");
    await expect(page.locator("main")).toContainText("Service colour");
  });

  await test.step("apply", async () => {
    await page.getByRole("button", { name: "Apply" }).click();
    await expect(page.locator("main")).toContainText("What came of it is below", { timeout: 20_000 });
    await page.getByRole("link", { name: `buoys-${word}` }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Buoys ${word}`);
    await expect(page.getByRole("link", { name: "Identity" })).toBeVisible();
  });

  await test.step("the same text again changes nothing", async () => {
    await page.goto("/admin/imports/new");
    await page.getByLabel("What to call it").fill(`catalog-${word}.yml`);
    await page.getByLabel("YAML").fill(catalogue(word));
    await page.getByRole("button", { name: "Compare the text" }).click();
    await expect(page.locator("main")).toContainText("Nothing would change", { timeout: 20_000 });
    await page.locator(".confirm > summary", { hasText: "Discard" }).click();
    await page.locator(".confirm-body").getByRole("button", { name: "Discard" }).click();
    await expect(page.locator(".flash")).toContainText("discarded");
  });
});

test("a file that cannot be read says where", async ({ page, signInAs }) => {
  await signInAs("ruth@example.com");
  await page.goto("/admin/imports/new");
  await page.getByLabel("YAML").fill("services:\n\t- name: a\n");
  await page.getByRole("button", { name: "Compare the text" }).click();
  await expect(page.locator("main")).toContainText("Line 2", { timeout: 20_000 });
  await expect(page.getByRole("link", { name: "Hand in another file" })).toBeVisible();
});

test("a sheet of incidents is read as somebody says", async ({ page, signInAs, axe }) => {
  test.slow();
  await signInAs("ruth@example.com");
  const word = crypto.randomUUID().slice(0, 8);
  const sheet = `No;What;Sev;When;Services\n${word};Gangway ${word} stuck;2;03/11/2025 14:05;booking\n`;
  await page.goto("/admin/imports");
  await page.getByRole("link", { name: "Import incidents" }).click();
  await axe();

  await test.step("hand it in: two columns are not understood", async () => {
    const file = { name: `sheet-${word}.csv`, mimeType: "text/csv", buffer: Buffer.from(sheet) };
    await page.getByLabel("File", { exact: true }).setInputFiles(file);
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await expect(page.getByRole("heading", { name: "How this file is read" })).toBeVisible({ timeout: 20_000 });
    await expect(page.getByRole("row", { name: /^When/ })).toContainText("03/11/2025 14:05");
    await axe();
  });

  await test.step("say what they are; day or month first has to be said, too", async () => {
    await page.getByLabel("What “No” is").selectOption("External id");
    await page.getByLabel("What “What” is").selectOption("Title");
    await page.getByLabel("What “When” is").selectOption("Started");
    await page.getByRole("button", { name: "Compare again" }).click();
    await expect(page.locator("main")).toContainText("Say which it is", { timeout: 20_000 });
    await page.getByLabel("Dates such as 03/11/2026").selectOption("Day first: 31/12/2026");
    await page.getByRole("button", { name: "Compare again" }).click();
    await expect(page.getByRole("button", { name: "Apply" })).toBeVisible({ timeout: 20_000 });
  });

  await test.step("apply, and find it", async () => {
    await page.getByRole("button", { name: "Apply" }).click();
    await expect(page.locator("main")).toContainText("What came of it is below", { timeout: 20_000 });
    await page.goto(`/incidents?period=all&q=${word}`);
    await page.getByRole("link", { name: `Gangway ${word} stuck` }).click();
    await expect(page.getByRole("heading", { level: 1 })).toContainText(`Gangway ${word} stuck`);
  });
});
