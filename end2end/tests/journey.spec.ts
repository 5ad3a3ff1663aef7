// What Plumbline is for, from the first sign-in to a settled thread: with JavaScript, without, and on a phone.
import { expect, islandsReady, test, unique } from "../fixtures";
import { composeOn, draftRfc, openThread, passage, publishedRevision, publishedRfc, selectWords } from "../rfcs";

const WHY = `## Why

Boarding passes are checked twice: once at the gate and once more on the ramp.
`;

const SENTENCE = "The gate keeps the newest departure list for ten minutes and works without the network.";
const EDITED = "The gate keeps the newest departure list for fifteen minutes and works without the network.";

const PLAN = `## Plan

| Step   | Today    | Then     |
| ------ | -------- | -------- |
| Gate   | 900 ms   | 40 ms    |
| Ramp   | 900 ms   | nothing  |

\`\`\`rust
fn open(pass: &Pass) -> bool {
    pass.departure == today()
}
\`\`\`
`;

const BODY = `${WHY}\n${SENTENCE}\n\n${PLAN}`;

test("write an RFC, comment on a sentence, revise it, follow the comment, settle it", async ({
  page,
  another,
  javaScriptEnabled,
  isMobile,
}) => {
  test.slow();
  const title = unique("Let boarding gates work offline");
  const withScript = javaScriptEnabled !== false;

  await test.step("sign in", async () => {
    await page.goto("/rfcs/new");
    await expect(page, "an address that needs a person leads to the sign-in").toHaveURL(/\/sign-in\?next=/);
    await page.getByRole("button", { name: "Ada Okafor" }).click();
    await expect(page, "and from there back").toHaveURL(/\/rfcs\/new$/);
  });

  await test.step("write an RFC with a table and code", async () => {
    if (withScript) await islandsReady(page);
    await page.getByLabel("Title").fill(title);
    await page.getByLabel("Text, in Markdown").fill(BODY);
    if (!withScript) await page.getByRole("button", { name: "Preview" }).click();
    const preview = page.locator("#preview");
    await expect(preview.getByRole("cell", { name: "40 ms" })).toBeVisible();
    await expect(preview.locator("pre")).toContainText("fn open(pass: &Pass)");
    await expect(page.getByLabel("Title"), "the preview keeps the title").toHaveValue(title);
  });

  await test.step("publish it", async () => {
    await page.getByRole("button", { name: "Publish for review" }).click();
    await expect(page.locator(".flash")).toContainText("Published");
    await expect(page.getByRole("heading", { level: 1 })).toContainText(title);
    await expect(page.locator(".meta").getByText("In review")).toBeVisible();
    await expect(page.locator("#rfc-body table")).toBeVisible();
    await expect(page.locator("#rfc-body pre")).toContainText("fn open(pass: &Pass)");
  });
  const rfc = new URL(page.url()).pathname;

  const grace = await another("grace@example.com");
  await test.step("as somebody else, comment on a sentence", async () => {
    await grace.goto("/rfcs");
    await grace.getByRole("link", { name: title }).click();
    const words = "newest departure list";
    const composer = await composeOn(grace, withScript ? words : SENTENCE, withScript ? (isMobile ? "select" : "drag") : "link");
    if (withScript) {
      await expect(composer.locator(".thread-quote")).toHaveText(words);
      await expect(composer.getByRole("textbox")).toBeFocused();
    }
    await composer.getByRole("textbox").fill(`${title}: what happens when the list is *older* than that?`);
    await composer.getByLabel("Blocking").check();
    await composer.getByRole("button", { name: "Comment", exact: true }).click();

    await expect(grace.locator(".flash")).toContainText("Your comment is there");
    const thread = passage(grace, SENTENCE).locator(".thread");
    await expect(thread.locator(".thread-quote")).toHaveText(withScript ? words : SENTENCE);
    await expect(thread.locator(".comment-body em")).toHaveText("older");
    await expect(thread).toContainText("Grace Lindqvist");
    await expect(thread).toContainText("Blocking");
    await expect(thread.locator(".anchor-note")).toHaveCount(0);
    await expect(grace, "the address leads to the thread").toHaveURL(new RegExp(`#${await thread.getAttribute("id")}$`));
  });

  await test.step("publish a revision that moves and edits the sentence", async () => {
    await page.goto("/");
    await page.getByRole("link", { name: `${title}: what happens` }).click();
    await expect(page).toHaveURL(/\/rfcs\/\d+#thread-/);
    await page.getByRole("link", { name: "New revision" }).click();
    await page.getByLabel("Text, in Markdown").fill(`${WHY}\n${PLAN}\n## At the gate\n\n${EDITED}\n`);
    await page.getByLabel("What changed").fill("Fifteen minutes, and the plan comes first");
    await page.getByRole("button", { name: "Publish revision 2" }).click();
    await expect(page.locator(".flash")).toContainText("The new revision is published");
  });

  const thread = page.locator(".thread").filter({ hasText: "what happens when the list is" });
  await test.step("the comment followed its sentence", async () => {
    const after = passage(page, EDITED);
    await expect(after.locator(".thread")).toHaveCount(1);
    if (withScript) {
      await expect(after.locator(".anchor-note")).toHaveText(/Text was edited since|Text has moved/);
    } else {
      // A whole paragraph that moved and changed is found by its likeness: somebody has to say that it is the same.
      await expect(after.locator(".anchor-note")).toHaveText("Is this the place?");
    }
    await expect(thread.locator(".thread-quote")).toContainText("newest departure list");
    await thread.getByRole("link", { name: "See it in revision 1" }).click();
    await expect(page.getByText("This is revision 1 of 2.")).toBeVisible();
    await expect(passage(page, SENTENCE).locator(".thread")).toHaveCount(1);
    await page.getByRole("link", { name: "Read the newest revision" }).click();
    await expect(page).toHaveURL(rfc);
    if (!withScript) {
      await thread.getByRole("button", { name: "Yes, this is the place" }).click();
      await expect(page.locator(".flash")).toContainText("is attached to the text you chose");
      await expect(passage(page, EDITED).locator(".anchor-note")).toHaveCount(0);
    }
  });

  await test.step("reply", async () => {
    await thread.locator("summary", { hasText: "Reply" }).click();
    await thread.getByLabel("Your reply").fill("Then it asks the network, as today.");
    await thread.getByRole("button", { name: "Reply" }).click();
    await expect(page.locator(".flash")).toContainText("Your reply is there");
    await expect(thread.locator(".comment")).toHaveCount(2);
  });

  await test.step("resolve", async () => {
    await grace.goto(rfc);
    const seen = grace.locator(".thread").filter({ hasText: "what happens when the list is" });
    await expect(seen).toContainText("Then it asks the network");
    await seen.getByRole("button", { name: "Resolve" }).click();
    await expect(grace.locator(".flash")).toContainText("The thread is resolved");
    await grace.goto(rfc);
    await expect(grace.locator(".thread-resolved summary").first()).toContainText("Resolved");
    await expect(grace.locator(".thread-resolved .comment").first()).toBeHidden();
  });

  await test.step("reopen", async () => {
    await page.goto(rfc);
    await thread.locator("> summary").click();
    await expect(thread).toContainText("Resolved by Grace Lindqvist");
    await thread.getByRole("button", { name: "Reopen" }).click();
    await expect(page.locator(".flash")).toContainText("The thread is open again");
    await expect(thread).toHaveAttribute("data-state", "open");
    await expect(thread.locator(".comment")).toHaveCount(2);
  });
});

test("a thread whose text is gone keeps its words and is put back where it belongs", async ({
  page,
  signInAs,
  javaScriptEnabled,
}) => {
  await signInAs("ada@example.com");
  const rfc = await publishedRfc(page, BODY);
  const id = await openThread(page, rfc, BODY, SENTENCE, "Why ten?");
  const after = `${WHY}\nSomething else entirely stands here now, and not a word of what was there.\n\n${PLAN}`;
  await publishedRevision(page, rfc, 1, after);

  await page.goto(rfc);
  const thread = page.locator(`#${id}`);
  await expect(thread.locator(".anchor-note")).toHaveText("The text is gone");
  await expect(thread.locator(".thread-quote")).toHaveText(SENTENCE);
  await thread.getByRole("link", { name: "Choose its place" }).click();
  await expect(page.getByText("Where does this thread belong?")).toBeVisible();
  if (javaScriptEnabled === false) {
    await passage(page, "Something else entirely").getByRole("button", { name: "Put it here" }).click();
  } else {
    await islandsReady(page);
    await selectWords(page, "not a word");
    await page.getByRole("button", { name: "Put the thread here" }).click();
  }
  await expect(page.locator(".flash")).toContainText("attached to the text you chose");
  await expect(passage(page, "Something else entirely").locator(`#${id}`)).toBeVisible();
});

test("a comment is changed and taken back; what it said stays in its history", async ({ page, another, signInAs }) => {
  await signInAs("ada@example.com");
  const rfc = await publishedRfc(page, BODY);
  const id = await openThread(page, rfc, BODY, SENTENCE, "Ten is to few.");
  await page.goto(rfc);
  const thread = page.locator(`#${id}`);

  await thread.getByRole("link", { name: "Edit or delete this comment" }).click();
  await thread.getByLabel("Your comment").fill("Ten is too few.");
  await thread.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".flash")).toContainText("The comment is changed");
  await expect(thread.locator(".comment-body")).toHaveText("Ten is too few.");
  await thread.getByRole("link", { name: /^edited/ }).click();
  await expect(thread.locator(".comment-earlier")).toHaveText("Ten is to few.");

  const mei = await another("mei@example.com");
  await mei.goto(rfc);
  await expect(mei.locator(`#${id}`).getByRole("link", { name: "Edit or delete this comment" })).toHaveCount(0);

  await page.goto(rfc);
  await thread.getByRole("link", { name: "Edit or delete this comment" }).click();
  await thread.locator(".confirm > summary").click();
  await thread.getByRole("button", { name: "Delete comment" }).click();
  await expect(page.locator(".flash")).toContainText("The comment is deleted");
  await expect(thread).toContainText("This comment was deleted.");
  await expect(thread).not.toContainText("Ten is");
});

test("a draft is its author's alone until it is published, and can be deleted", async ({
  page,
  another,
  signInAs,
  expectMessage,
}) => {
  expectMessage(/status of 404/);
  await signInAs("ada@example.com");
  const title = unique("Not for everybody's eyes yet");
  const rfc = await draftRfc(page, BODY, title);
  const grace = await another("grace@example.com");
  expect((await grace.goto(rfc))?.status(), "nobody else knows of it").toBe(404);
  await grace.goto("/rfcs");
  await expect(grace.getByText(title)).toHaveCount(0);

  await page.goto("/");
  await page.getByRole("link", { name: title }).click();
  await page.locator(".confirm > summary", { hasText: "Delete draft" }).click();
  await page.getByRole("button", { name: "Delete draft" }).click();
  await expect(page.locator(".flash")).toContainText("The draft is deleted");
  expect((await page.goto(rfc))?.status()).toBe(404);
});

test("a comment on the whole RFC, and links to headings", async ({ page, signInAs }) => {
  await signInAs("mei@example.com");
  const rfc = await publishedRfc(page, BODY);
  await page.goto(rfc);
  const discussion = page.locator("#discussion");
  await discussion.getByLabel("Comment on the whole RFC").fill("Who pays for it?");
  await discussion.getByRole("button", { name: "Comment" }).click();
  await expect(discussion.locator(".thread")).toContainText("Who pays for it?");

  const contents = page.getByRole("navigation", { name: "Contents" });
  if (!(await contents.getByRole("link", { name: "Plan" }).isVisible())) await contents.locator("summary").click();
  await contents.getByRole("link", { name: "Plan" }).click();
  await expect(page).toHaveURL(/#h-plan$/);
  await expect(page.getByRole("heading", { name: "Plan" })).toBeInViewport();
});
