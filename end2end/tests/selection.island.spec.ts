// Comment by selecting: what is selected on the page is what the thread is about in the Markdown.
import { expect, islandsReady, test } from "../fixtures";
import { draftRfc, openThread, passage, publishedRevision, publishedRfc, selectWords } from "../rfcs";

const BODY = `The **ferry** leaves at \`06:40\` — with 🛥️ and [a link](https://example.com) to שלום.

| Harbour | Ramp |
| ------- | ---- |
| Visby   | two  |

\`\`\`
let gate = open();
let ramp = shut();
\`\`\`
`;

for (const [words, why] of [
  ["ferry leaves at 06:40", "over bold text and code"],
  ["with 🛥️ and a link", "over an emoji and into a link"],
  ["to שלום", "into text from right to left"],
  ["two", "in a cell of a table"],
  ["let ramp", "in a block of code"],
]) {
  test(`the very words: ${why}`, async ({ page, signInAs }) => {
    await signInAs("ada@example.com");
    await page.goto(await publishedRfc(page, BODY));
    await islandsReady(page);
    await selectWords(page, words);
    await page.locator(".selection-button").click();
    const composer = page.locator("#composer");
    await expect(composer.locator(".thread-quote")).toHaveText(words);
    await composer.getByRole("textbox").fill("Really?");
    await composer.getByRole("button", { name: "Comment", exact: true }).click();
    const thread = page.locator(".thread");
    const start = Number(await thread.getAttribute("data-start"));
    const end = Number(await thread.getAttribute("data-end"));
    const source = Buffer.from(BODY).subarray(start, end).toString();
    const plain = source.replace(/\*\*|`|\[|\]\([^)]*\)/g, "");
    expect(plain.replace(/\]$/, "")).toBe(words);
  });
}

test("the keyboard alone: c comments on the selection, Escape hides the button", async ({ page, signInAs }) => {
  await signInAs("ada@example.com");
  await page.goto(await publishedRfc(page, BODY));
  await islandsReady(page);
  const button = page.locator(".selection-button");
  await selectWords(page, "ferry leaves");
  await expect(button).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(button).toBeHidden();
  await selectWords(page, "leaves at");
  await expect(button).toBeVisible();
  await page.keyboard.press("c");
  await expect(page.locator("#composer").getByRole("textbox")).toBeFocused();
  await page.keyboard.type("concise");
  await expect(page.locator("#composer").getByRole("textbox"), "letters are letters again").toHaveValue("concise");
  await page.locator("#composer").getByRole("link", { name: "Cancel" }).click();
  await expect(page.locator("#composer")).toBeHidden();
});

test("open threads are marked in the text, and pointing at one marks its words", async ({ page, signInAs, axe }) => {
  await signInAs("ada@example.com");
  const rfc = await publishedRfc(page, BODY);
  const id = await openThread(page, rfc, BODY, "ferry", "Which one?");
  await page.goto(rfc);
  await islandsReady(page);
  const marked = (name: string) =>
    page.evaluate((name) => [...(CSS.highlights.get(name) ?? [])].map((range) => `${range as Range}`), name);
  expect(await marked("thread")).toEqual(["ferry"]);
  expect(await marked("thread-active")).toEqual([]);
  await page.locator(`#${id}`).hover();
  expect(await marked("thread-active")).toEqual(["ferry"]);
  await axe();
});

test("a text that was not saved is offered again", async ({ page, signInAs }) => {
  await signInAs("ada@example.com");
  await page.goto("/rfcs/new");
  await islandsReady(page);
  const text = page.getByLabel("Text, in Markdown");
  await text.fill("Written just before the battery died.");
  await expect(page.locator("#preview")).toContainText("before the battery died");
  page.on("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await islandsReady(page);
  await expect(text).toHaveValue("");
  await page.getByRole("button", { name: "Restore it" }).click();
  await expect(text).toHaveValue("Written just before the battery died.");
  await expect(page.locator("#preview")).toContainText("before the battery died");
});

test("going back to the page that a save led to forgets nothing that was typed since", async ({ page, signInAs }) => {
  await signInAs("ada@example.com");
  const rfc = await draftRfc(page, "One.");
  await page.goto(`${rfc}/edit`);
  await islandsReady(page);
  const text = page.getByLabel("Text, in Markdown");
  await text.fill("Two.");
  await page.getByRole("button", { name: "Save draft" }).click();
  await expect(page.getByText("The draft is saved.")).toBeVisible();
  await islandsReady(page);
  expect(new URL(page.url()).search, "said once").toBe("");
  await page.goto(`${rfc}/edit`);
  await islandsReady(page);
  await text.fill("Three.");
  await expect(page.locator("#editor-said")).toContainText("Kept in this browser");
  page.on("dialog", (dialog) => void dialog.accept());
  await page.goBack();
  await islandsReady(page);
  await page.goto(`${rfc}/edit`);
  await islandsReady(page);
  await page.getByRole("button", { name: "Restore it" }).click();
  await expect(text).toHaveValue("Three.");
});

test("a kept text written before somebody else published says so", async ({ page, signInAs, expectMessage }) => {
  expectMessage(/status of 409/);
  await signInAs("ada@example.com");
  const rfc = await publishedRfc(page, "The first text.");
  await page.goto(`${rfc}/edit`);
  await islandsReady(page);
  const text = page.getByLabel("Text, in Markdown");
  await text.fill("My own text.");
  await expect(page.locator("#editor-said")).toContainText("Kept in this browser");
  await publishedRevision(page, rfc, 1, "The text of somebody who was quicker.");
  page.on("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await islandsReady(page);
  await expect(page.getByText("It was written on revision 1.")).toBeVisible();
  await page.getByRole("button", { name: "Restore it" }).click();
  await page.getByRole("button", { name: "Publish revision 3" }).click();
  await expect(page.getByText("Your text was written on revision 1; meanwhile revision 2 was published.")).toBeVisible();
  await expect(text).toHaveValue("My own text.");
});

test("the button under a block works without a page load", async ({ page, signInAs }) => {
  await signInAs("ada@example.com");
  await page.goto(await publishedRfc(page, BODY));
  await islandsReady(page);
  const address = page.url();
  await passage(page, "The ferry").getByRole("link", { name: "Comment on this part of the text" }).click();
  await expect(passage(page, "The ferry").locator("#composer")).toBeVisible();
  expect(page.url()).toBe(address);
});
