// Live pages: what others do shows while one reads, without moving anything, and only to those who may read it.
import type { Page } from "@playwright/test";
import { expect, islandsReady, post, signIn, test, unique } from "../fixtures";
import { newPerson } from "../people";
import { draftRfc, openThread, passage, publishedRevision, publishedRfc } from "../rfcs";

const BODY = `The ferry leaves at dawn.

${"A paragraph that takes room.\n\n".repeat(30)}The last sentence stands at the end.
`;

/** Waits until the page listens. */
async function listening(page: Page, address: string, island = true): Promise<void> {
  const answered = page.waitForResponse((response) => response.url().includes("/live?"));
  await page.goto(address);
  if (island) await islandsReady(page);
  expect((await answered).status()).toBe(200);
}

function news(page: Page) {
  return page.locator(".news");
}

/** As if the tab came to the front, or went behind another one. */
function see(page: Page, state: "hidden" | "visible"): Promise<void> {
  return page.evaluate((state) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => state === "hidden" });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);
}

test("a comment of somebody else is announced and brought in, and nothing moves", async ({ page, signInAs, another, axe }) => {
  test.slow();
  await signInAs("ruth@example.com");
  const rfc = await publishedRfc(page, BODY);
  const mine = await openThread(page, rfc, BODY, "The last sentence", "What does it say?");
  const other = await another("dario@example.com");
  const writer = await another("grace@example.com");
  await listening(other, rfc);
  await listening(page, rfc);
  await expect(news(page).getByRole("button")).toHaveCount(0);

  // Ruth is writing an answer at the end of the page.
  const thread = page.locator(`#${mine}`);
  await thread.locator("summary", { hasText: "Reply" }).click();
  const area = thread.getByLabel("Your reply");
  await area.fill("It says that");
  const before = await area.boundingBox();

  const first = await openThread(writer, rfc, BODY, "The ferry leaves", "Which one?");
  await expect(news(page)).toContainText("1 new comment.");
  await post(writer, "/do/rfcs/reply", { thread: mine.replace("thread-", ""), body: "Everything." });
  await expect(news(page)).toContainText("2 new comments.");
  const early = await news(page).evaluate((news) => news.compareDocumentPosition(document.querySelector("#rfc-body") ?? news));
  expect(early, "found with the keyboard before all threads").toBe(4);
  await expect(news(other)).toContainText("2 new comments.");
  await expect(page.locator(`#${first}`)).toHaveCount(0);
  await axe();

  await news(page).getByRole("button", { name: "Show" }).click();
  await expect(page.locator(`#${first}`)).toContainText("Which one?");
  await expect(thread).toContainText("Everything.");
  // What was being written is there, with the caret in it, and has not moved.
  await expect(area).toHaveValue("It says that");
  await expect(area).toBeFocused();
  expect(Math.abs(((await area.boundingBox())?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(2);
  await axe();
  await news(page).getByRole("button", { name: "Go to the first" }).click();
  await expect(page.locator(`#${first} .comment`)).toBeFocused();
  await expect(page.locator(`#${first}`)).toBeInViewport();
  await expect(news(page).getByRole("button")).toHaveCount(0);

  // What was brought in works: here is an answer to it.
  await page.locator(`#${first} summary`, { hasText: "Reply" }).click();
  await page.locator(`#${first}`).getByLabel("Your reply").fill("The one to Visby.");
  await page.locator(`#${first}`).getByRole("button", { name: "Reply" }).click();
  await expect(page.locator(`#${first}`)).toContainText("The one to Visby.");
  await expect(news(other)).toContainText("3 new comments.");
  // Whoever wrote it is not told.
  await expect(news(page).getByRole("button")).toHaveCount(0);
});

test("a line that is being read stays where it is when threads come in above it", async ({ page, signInAs, another }) => {
  await signInAs("ruth@example.com");
  const rfc = await publishedRfc(page, BODY);
  const writer = await another("grace@example.com");
  await listening(page, rfc);
  const last = passage(page, "The last sentence").locator(".block");
  await last.scrollIntoViewIfNeeded();
  const before = await last.boundingBox();
  await openThread(writer, rfc, BODY, "The ferry leaves", "Which one?\n\n1. a\n2. b\n3. c");
  await news(page).getByRole("button", { name: "Show" }).click();
  await expect(page.locator(".comment-new")).toHaveCount(1);
  expect(Math.abs(((await last.boundingBox())?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(2);
});

test("a new revision is offered, and what is dismissed stays away", async ({ page, signInAs, another }) => {
  await signInAs("ruth@example.com");
  const rfc = await publishedRfc(page, BODY);
  const reader = await another("dario@example.com");
  await listening(reader, rfc);
  await post(page, "/do/rfcs/open-thread", { number: rfc.split("/")[2], revision: "1", severity: "note", body: "Whole." });
  await expect(news(reader)).toContainText("1 new comment.");
  await news(reader).getByRole("button", { name: "Dismiss" }).click();
  await expect(news(reader).getByRole("button")).toHaveCount(0);
  await publishedRevision(page, rfc, 1, `${BODY}\nAnd more.\n`);
  await expect(news(reader)).toContainText("There is a new revision.");
  await news(reader).getByRole("button", { name: "Read it" }).click();
  await expect(reader.getByText("And more.")).toBeVisible();
});

test("a new title and a withdrawal show when they are brought in", async ({ page, signInAs, another }) => {
  await signInAs("ruth@example.com");
  const rfc = await publishedRfc(page, BODY);
  const reader = await another("dario@example.com");
  await listening(reader, rfc);
  const bringIn = async () => {
    await expect(news(reader)).toContainText("This RFC has changed.");
    await news(reader).getByRole("button", { name: "Show" }).click();
    await expect(news(reader).getByRole("button")).toHaveCount(0);
  };
  const title = unique("Another name");
  await page.goto(`${rfc}/edit?part=details`);
  await page.getByLabel("Title", { exact: true }).fill(title);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await bringIn();
  await expect(reader.getByRole("heading", { level: 1 })).toContainText(title);
  await expect(reader).toHaveTitle(new RegExp(title));
  await post(page, "/do/rfcs/status", { number: rfc.split("/")[2], to: "withdrawn", reason: "The tide has turned." });
  await bringIn();
  await expect(reader.locator(".rfc-main > .notice")).toContainText("The tide has turned.");
});

/** What comes over the wire to this page in this time, as text; empty when it is not let in. */
function wire(page: Page, topics: string, milliseconds: number): Promise<string> {
  return page.evaluate(
    async ({ topics, milliseconds }) => {
      const stop = new AbortController();
      const answer = await fetch(`/live?topics=${topics}`, { signal: stop.signal });
      const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
      let heard = `status ${answer.status}\n`;
      const late = setTimeout(() => stop.abort(), milliseconds);
      try {
        for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) heard += piece.value;
      } catch {
        // The time is over.
      }
      clearTimeout(late);
      return heard;
    },
    { topics, milliseconds },
  );
}

test("two browsers over two processes: a comment shows within a second, and a draft is heard of by nobody else", async ({
  page,
  signInAs,
  another,
  expectMessage,
}) => {
  const second = process.env.PLUMBLINE_E2E_SECOND_URL;
  if (!second) throw new Error("PLUMBLINE_E2E_SECOND_URL is missing: run the browser tests with `cargo xtask e2e`");
  // The stranger asks for a draft on purpose.
  expectMessage(/status of 404/);
  await signInAs("ruth@example.com");
  const rfc = await publishedRfc(page, BODY);
  const draft = await draftRfc(page, BODY, unique("A draft"));
  const reader = await another("dario@example.com");
  // One session for both processes: they share the database.
  await listening(reader, second + rfc);
  const number = (address: string) => address.split("/")[2];
  const [hidden, other] = [wire(reader, `inbox,rfc:${number(draft)}`, 3000), wire(reader, `inbox,rfc:${number(rfc)}`, 3000)];
  await reader.waitForTimeout(300);

  const began = Date.now();
  await openThread(page, rfc, BODY, "The ferry leaves", "Which one?");
  await expect(news(reader)).toContainText("1 new comment.", { timeout: 1000 });
  console.log(`a comment in one process showed in the other after ${Date.now() - began} ms, posting it included`);
  await openThread(page, draft, BODY, "The ferry leaves", "A secret?");
  expect(await hidden).toMatch(/^status 404/);
  const heard = await other;
  expect(heard).toContain("thread.opened");
  expect(heard).not.toContain(`"key":"${number(draft)}"`);
  expect(heard).not.toContain("Which one?");
});

test("the count of the inbox rises on whatever page is open", async ({ page, another }) => {
  const person = await newPerson(page);
  await signIn(page, person.email, person.password);
  const rfc = await publishedRfc(page, BODY);
  await listening(page, "/services", false);
  const link = page.getByRole("banner").getByRole("link", { name: /^Inbox/ });
  await expect(link).toHaveAccessibleName("Inbox");
  const bar = await page.getByRole("banner").boundingBox();
  const writer = await another("grace@example.com");
  await openThread(writer, rfc, BODY, "The ferry leaves", "Which one?");
  await expect(link).toHaveAccessibleName("Inbox, 1 unread");
  await expect(link).toContainText("1");
  expect(await page.getByRole("banner").boundingBox(), "nothing moves for it").toEqual(bar);
});

test("a tab that nobody sees keeps no connection and hears what it missed", async ({ page, signInAs, another }) => {
  await signInAs("ruth@example.com");
  const rfc = await publishedRfc(page, BODY);
  const writer = await another("grace@example.com");
  await listening(page, rfc);
  await see(page, "hidden");
  await openThread(writer, rfc, BODY, "The ferry leaves", "Which one?");
  await page.waitForTimeout(700);
  await expect(news(page).getByRole("button")).toHaveCount(0);
  await see(page, "visible");
  await expect(news(page)).toContainText("1 new comment.");
});

test("a tab that missed too much says so once", async ({ page, another }) => {
  test.slow();
  const person = await newPerson(page);
  await signIn(page, person.email, person.password);
  const rfc = await publishedRfc(page, BODY);
  const writer = await another("grace@example.com");
  const thread = await openThread(writer, rfc, BODY, "The ferry leaves", "Which one?");
  await listening(page, rfc);
  await see(page, "hidden");
  for (let missed = 0; missed <= 100; missed++) {
    await post(writer, "/do/rfcs/reply", { thread: thread.replace("thread-", ""), body: "This one." });
  }
  await see(page, "visible");
  await expect(news(page)).toContainText("This RFC has changed.");
  await news(page).getByRole("button", { name: "Dismiss" }).click();
  await see(page, "hidden");
  const answered = page.waitForResponse((response) => response.url().includes("/live?"));
  await see(page, "visible");
  await answered;
  await page.waitForTimeout(700);
  await expect(news(page).getByRole("button")).toHaveCount(0);
});
