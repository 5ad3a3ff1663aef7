// Bad input comes back with a 4xx, a sentence beside the field, and every word that was typed.
import type { Locator, Page, Response } from "@playwright/test";
import { expect, islandsReady, test, unique } from "../fixtures";
import { openThread, publishedRevision, publishedRfc } from "../rfcs";

test.beforeEach(({ expectMessage }) => expectMessage(/status of 4\d\d/));

/** Presses a button that sends a form; answers what came back. */
async function sent(page: Page, button: Locator): Promise<Response> {
  const answer = page.waitForResponse((answer) => answer.request().method() === "POST" && answer.request().isNavigationRequest());
  await button.click();
  return answer;
}

/** A field that was refused says so itself and is described by the sentence, which the summary leads to. */
async function expectRefused(field: Locator, sentence: RegExp): Promise<void> {
  await expect(field).toHaveAttribute("aria-invalid", "true");
  await expect(field).toHaveAccessibleDescription(sentence);
  const page = field.page();
  const summary = page.locator(".form-errors");
  await expect(summary).toBeFocused();
  await expect(summary.getByRole("link", { name: sentence })).toHaveAttribute("href", `#${await field.getAttribute("id")}`);
}

test("a wrong password", async ({ page, axe }) => {
  await page.goto("/sign-in");
  const form = page.locator("form").filter({ has: page.getByLabel("E-mail address") }).first();
  await form.getByLabel("E-mail address").fill("ada@example.com");
  await form.getByLabel("Password").fill("not the password at all");
  const answer = await sent(page, form.getByRole("button", { name: "Sign in" }));
  expect(answer.status()).toBeGreaterThanOrEqual(400);
  expect(answer.status()).toBeLessThan(500);
  await expect(page.getByRole("alert").first()).toBeVisible();
  await expect(form.getByLabel("E-mail address")).toHaveValue("ada@example.com");
  await expect(form.getByLabel("Password"), "a password is never sent back").toHaveValue("");
  const known = await page.locator(".form-errors").innerText();
  await axe();

  await form.getByLabel("E-mail address").fill("nobody-at-all@example.com");
  await form.getByLabel("Password").fill("not the password at all");
  await form.getByRole("button", { name: "Sign in" }).click();
  await expect(form.getByLabel("E-mail address")).toHaveValue("nobody-at-all@example.com");
  expect(await page.locator(".form-errors").innerText(), "says nothing about who has an account").toBe(known);
});

test("an RFC without a title", async ({ page, signInAs, axe, javaScriptEnabled }) => {
  await signInAs("ada@example.com");
  await page.goto("/rfcs/new");
  if (javaScriptEnabled !== false) await islandsReady(page);
  await page.getByLabel("Title").fill("   ");
  await page.getByLabel("Text, in Markdown").fill("## Kept\n\nEvery word of it.");
  const answer = await sent(page, page.getByRole("button", { name: "Save draft" }));
  expect(answer.status()).toBe(422);
  await expectRefused(page.getByLabel("Title"), /title/i);
  await expect(page.getByLabel("Text, in Markdown")).toHaveValue("## Kept\n\nEvery word of it.");
  await expect(page.locator("#preview")).toContainText("Every word of it.");
  await axe();
});

test("an RFC about a service that does not exist", async ({ page, signInAs, javaScriptEnabled }) => {
  await signInAs("ada@example.com");
  const title = unique("Touches nothing known");
  await page.goto("/rfcs/new");
  if (javaScriptEnabled !== false) await islandsReady(page);
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Kind").selectOption({ index: 1 });
  const kind = await page.getByLabel("Kind").inputValue();
  await page.getByLabel(/^(Other services|Services it touches)/).fill("ledger, submarine");
  await page.getByLabel("Text, in Markdown").fill("Dive.");
  const answer = await sent(page, page.getByRole("button", { name: "Publish for review" }));
  expect(answer.status()).toBe(422);
  await expectRefused(page.getByLabel(/^(Other services|Services it touches)/), /submarine/);
  await expect(page.getByLabel("Title", { exact: true })).toHaveValue(title);
  await expect(page.getByLabel("Kind")).toHaveValue(kind);
  await expect(page.getByLabel(/^(Other services|Services it touches)/)).toHaveValue("ledger, submarine");
  await expect(page.getByLabel("Text, in Markdown")).toHaveValue("Dive.");
});

test("a revision written on one that is not the newest", async ({ page, signInAs, axe, javaScriptEnabled }) => {
  await signInAs("ada@example.com");
  const rfc = await publishedRfc(page, "The first text.");
  await page.goto(`${rfc}/edit`);
  if (javaScriptEnabled !== false) await islandsReady(page);
  await publishedRevision(page, rfc, 1, "The text of somebody who was quicker.");

  await page.getByLabel("Text, in Markdown").fill("My own text.");
  await page.getByLabel("What changed").fill("Everything");
  await page.getByLabel("A major change").check();
  const answer = await sent(page, page.getByRole("button", { name: "Publish revision 2" }));
  expect(answer.status()).toBe(409);
  await expect(page.getByText("Your text was written on revision 1; meanwhile revision 2 was published.")).toBeVisible();
  await expect(page.getByLabel("Text, in Markdown")).toHaveValue("My own text.");
  await expect(page.getByLabel(/^What changed/)).toHaveValue("Everything");
  await expect(page.getByLabel("A major change")).toBeChecked();
  await page.locator("summary", { hasText: "The text of revision 2" }).click();
  await expect(page.getByLabel("Text of revision 2")).toHaveValue("The text of somebody who was quicker.");
  await axe();

  await page.getByRole("button", { name: "Publish on top of revision 2" }).click();
  await expect(page.locator(".flash")).toContainText("The new revision is published");
  await expect(page.locator("#rfc-body")).toContainText("My own text.");
});

test("a comment without a word, and a reply to it", async ({ page, signInAs, axe }) => {
  await signInAs("ada@example.com");
  const body = "A text to talk about.";
  const rfc = await publishedRfc(page, body);
  const id = await openThread(page, rfc, body, "talk", "A question.");
  await page.goto(rfc);
  const whole = page.locator("#discussion").getByLabel("Comment on the whole RFC");
  await whole.fill("   ");
  const answer = await sent(page, page.locator("#discussion").getByRole("button", { name: "Comment" }));
  expect(answer.status()).toBe(422);
  await expectRefused(whole, /./);

  const thread = page.locator(`#${id}`);
  await thread.locator("summary", { hasText: "Reply" }).click();
  await thread.getByLabel("Your reply").fill("   ");
  const refused = await sent(page, thread.getByRole("button", { name: "Reply" }));
  expect(refused.status()).toBe(422);
  await expectRefused(thread.getByLabel("Your reply"), /./);
  await axe();
});

test("a reply to a thread that is gone comes back with its words", async ({ page, signInAs }) => {
  await signInAs("ada@example.com");
  const body = "A text to talk about.";
  const rfc = await publishedRfc(page, body);
  const id = await openThread(page, rfc, body, "talk", "A question.");
  await page.goto(rfc);
  const thread = page.locator(`#${id}`);
  await thread.locator("summary", { hasText: "Reply" }).click();
  await thread.getByLabel("Your reply").fill("Words that must not be lost.");
  for (const name of ["thread", "form"]) {
    const hidden = thread.locator(`form[action="/do/rfcs/reply"] input[name="${name}"]`);
    await hidden.evaluate((input: HTMLInputElement) => void (input.value = "999999999"));
  }
  const answer = await sent(page, thread.getByRole("button", { name: "Reply" }));
  expect(answer.status()).toBe(404);
  await expect(page.getByRole("alert").getByRole("textbox")).toHaveValue("Words that must not be lost.");
});

test("a time zone that does not exist, and a wrong current password", async ({ page, signInAs, axe }) => {
  await signInAs("dario@example.com");
  await page.goto("/account");
  await page.getByLabel("Time zone").fill("Europe/Atlantis");
  expect((await sent(page, page.getByRole("button", { name: "Save" }))).status()).toBe(422);
  await expectRefused(page.getByLabel("Time zone"), /time zone/i);
  await expect(page.getByLabel("Time zone")).toHaveValue("Europe/Atlantis");
  await axe();

  await page.goto("/account");
  await page.getByLabel("Current password").fill("not the password at all");
  await page.getByLabel("New password").fill("a longer and better one");
  const answer = await sent(page, page.getByRole("button", { name: "Change the password" }));
  expect(answer.status()).toBe(422);
  await expectRefused(page.getByLabel("Current password"), /password/i);
});

test("a second account with one address", async ({ page, signInAs }) => {
  await signInAs("ruth@example.com");
  await page.goto("/people");
  const card = page.locator("#invitations");
  await card.getByLabel("E-mail address").fill("ADA@example.com");
  const answer = await sent(page, card.getByRole("button", { name: "Make an invitation link" }));
  expect(answer.status()).toBeGreaterThanOrEqual(400);
  expect(answer.status()).toBeLessThan(500);
  await expect(card.getByLabel("E-mail address")).toHaveValue("ADA@example.com");
  await expect(card.locator(".form-errors")).toBeVisible();
});

test("a service with bad links and unknown dependencies", async ({ page, signInAs, axe }) => {
  await signInAs("grace@example.com");
  await page.goto("/services/new");
  await page.getByLabel("Name", { exact: true }).fill(unique("Tide tables"));
  await page.getByLabel("Depends on").fill("identity\nmoon");
  await page.getByLabel("Links").fill("Runbook javascript:alert(1)");
  const answer = await sent(page, page.getByRole("button", { name: "Add the service" }));
  expect(answer.status()).toBe(422);
  await expect(page.getByRole("textbox", { name: /^Links/ })).toHaveValue("Runbook javascript:alert(1)");
  await expect(page.getByRole("textbox", { name: /^Depends on/ })).toHaveValue("identity\nmoon");
  await expect(page.locator('[aria-invalid="true"]').first()).toHaveAccessibleDescription(/moon|http/);
  await axe();
});

test("words that look like HTML, emoji and right-to-left text are text everywhere", async ({ page, signInAs, axe }) => {
  await signInAs("ada@example.com");
  const title = unique(`<script>alert("x")</script> 🛥️ שלום & <b>bold</b>`);
  const rfc = await publishedRfc(page, `# <img src=x onerror=alert(1)> שלום 🛥️\n\n<script>alert(2)</script>\n\nText.`, title);
  await page.goto(rfc);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(title);
  await expect(page).toHaveTitle(new RegExp(title.slice(-8)));
  expect(await page.locator("#rfc-body script, #rfc-body [onerror]").count()).toBe(0);
  await page.goto("/rfcs");
  await expect(page.getByRole("link", { name: title })).toBeVisible();
  await page.goto(`/rfcs?q=${encodeURIComponent(`"><script>alert(3)</script>`)}`);
  await expect(page.getByRole("searchbox", { name: "Words" })).toHaveValue(`"><script>alert(3)</script>`);
  await axe();
});
