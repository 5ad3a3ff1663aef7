// People and their accounts: invitation, role, disabling, own details, tokens, sessions, colours.
import { expect, post, signIn, test } from "../fixtures";
import { invite, newPerson } from "../people";

test("invite by link, accept, change the role, disable", async ({ page, another, signInAs, expectMessage }) => {
  test.slow();
  expectMessage(/status of 4\d\d/);
  await signInAs("ruth@example.com");
  const word = crypto.randomUUID().slice(0, 8);
  const [email, name] = [`ines-${word}@example.com`, `Ines ${word}`];
  const link = await invite(page, email, "Reader");
  await page.reload();
  await expect(page.getByText(link), "the link is shown once").toHaveCount(0);
  await expect(page.locator("#invitations").getByText(email)).toBeVisible();

  const ines = await another();
  await ines.goto(new URL(link).pathname);
  await expect(ines.getByLabel("E-mail address")).toHaveValue(email);
  await ines.getByLabel("Your name").fill(name);
  await ines.getByLabel("Password").fill(`calm water ${word}`);
  await ines.getByRole("button", { name: "Create my account" }).click();
  await expect(ines.locator(".flash")).toContainText("Welcome to Plumbline");
  const late = await another();
  expect((await late.goto(new URL(link).pathname))?.status(), "a link works once").toBeGreaterThanOrEqual(400);

  await ines.goto("/services/new");
  await page.goto(`/people?q=${word}`);
  await page.getByRole("link", { name }).click();
  await page.getByLabel("Role").selectOption({ label: "Member" });
  await page.getByRole("button", { name: "Change the role" }).click();
  await expect(page.locator(".flash")).toContainText("The role is changed");
  await expect(page.getByLabel("Role")).toHaveValue("member");
  await ines.goto("/rfcs/new");
  await expect(ines.getByRole("button", { name: "Save draft" }), "the new role counts at once").toBeVisible();

  await page.locator(".confirm > summary", { hasText: "Disable the account" }).click();
  await page.getByRole("button", { name: "Disable", exact: true }).click();
  await expect(page.locator(".flash")).toContainText("The account is disabled");
  await ines.goto("/rfcs");
  await expect(ines, "their session ended").toHaveURL(/\/sign-in/);
  await ines.getByLabel("E-mail address").fill(email);
  await ines.getByLabel("Password").first().fill(`calm water ${word}`);
  await ines.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(ines.locator(".form-errors")).toBeVisible();

  await page.getByRole("button", { name: "Enable the account again" }).click();
  await expect(page.locator(".flash")).toContainText("enabled again");
  await signIn(ines, email, `calm water ${word}`);
});

test("an invitation can be taken back", async ({ page, another, signInAs, expectMessage }) => {
  expectMessage(/status of 4\d\d/);
  await signInAs("ruth@example.com");
  const email = `late-${crypto.randomUUID().slice(0, 8)}@example.com`;
  const link = await invite(page, email);
  await page.locator("#invitations .row", { hasText: email }).getByRole("button", { name: "Take back" }).click();
  await expect(page.locator(".flash")).toContainText("The invitation is taken back");
  await expect(page.locator("#invitations").getByText(email)).toHaveCount(0);
  const late = await another();
  expect((await late.goto(new URL(link).pathname))?.status()).toBeGreaterThanOrEqual(400);
});

test("change one's own name and time zone", async ({ page }) => {
  await newPerson(page);
  await page.goto("/account");
  await page.getByLabel("Name", { exact: true }).fill("Zoë Ōta");
  await page.getByLabel("Time zone").fill("Pacific/Auckland");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".flash")).toContainText("Saved");
  await expect(page.locator(".account-button")).toContainText("Zoë Ōta");
  await expect(page.locator("footer")).toContainText("Pacific/Auckland");
});

test("a changed password ends every other session", async ({ page, another }) => {
  const person = await newPerson(page);
  const elsewhere = await another();
  await signIn(elsewhere, person.email, person.password);
  await page.goto("/account");
  await page.getByLabel("Current password").fill(person.password);
  await page.getByLabel("New password").fill(`${person.password} again`);
  await page.getByRole("button", { name: "Change the password" }).click();
  await expect(page.locator(".flash")).toContainText("Your password is changed");
  await elsewhere.goto("/account");
  await expect(elsewhere).toHaveURL(/\/sign-in/);
  await signIn(elsewhere, person.email, `${person.password} again`);
});

test("a token is shown once, works, and can be revoked", async ({ page, request }) => {
  await newPerson(page);
  await page.goto("/account");
  const card = page.locator("#tokens");
  await card.getByLabel("What it is for").fill("Nightly report");
  await card.getByRole("button", { name: "Make a token" }).click();
  const token = (await card.locator(".copyable").innerText()).trim();
  const ask = () => request.get("/api/v1/services", { headers: { authorization: `Bearer ${token}` } });
  expect((await ask()).status()).toBe(200);
  await page.reload();
  await expect(page.getByText(token)).toHaveCount(0);
  await expect(card.getByText("Nightly report", { exact: true })).toBeVisible();
  await card.locator(".confirm > summary").click();
  await card.getByRole("button", { name: "Revoke the token" }).click();
  await expect(page.locator(".flash")).toContainText("revoked");
  expect((await ask()).status()).toBe(401);
});

test("sessions: one's own are listed, and ended one by one or all together", async ({ page, another }) => {
  const person = await newPerson(page);
  const second = await another();
  const third = await another();
  await signIn(second, person.email, person.password);
  await signIn(third, person.email, person.password);
  await page.goto("/account");
  const card = page.locator("#sessions");
  await expect(card.locator(".row")).toHaveCount(3);
  await expect(card.getByText("This browser")).toHaveCount(1);
  await card.getByRole("button", { name: "Sign out there" }).first().click();
  await expect(card.locator(".row")).toHaveCount(2);
  await card.getByRole("button", { name: "Sign out everywhere else" }).click();
  await expect(page.locator(".flash")).toContainText("The other sessions have ended");
  await expect(card.locator(".row")).toHaveCount(1);
  for (const ended of [second, third]) {
    await ended.goto("/");
    await expect(ended).toHaveURL(/\/sign-in/);
  }
});

test("an admin signs somebody out everywhere", async ({ page, another, signInAs }) => {
  const theirs = await another();
  const person = await newPerson(theirs);
  await signInAs("ruth@example.com");
  await page.goto(`/people/${encodeURIComponent(person.email)}`);
  await page.locator(".confirm > summary", { hasText: "Sign out everywhere" }).click();
  await expect(page.getByText("Every session and API token of")).toBeVisible();
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await expect(page.locator(".flash")).toContainText("ended");
  await theirs.goto("/");
  await expect(theirs).toHaveURL(/\/sign-in/);
});

test("sign out", async ({ page, signInAs }) => {
  await signInAs("ada@example.com");
  await page.goto("/");
  await page.locator(".account-button").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/sign-in/);
  await expect(page.locator(".flash")).toContainText("You are signed out");
  await page.goBack();
  await page.reload();
  await expect(page, "nothing is left in the history").toHaveURL(/\/sign-in/);
});

test("colours: chosen once, in the very first bytes of every page", async ({ page, signInAs, axe }) => {
  await signInAs("ada@example.com");
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/services");
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  await page.locator(".account-button").click();
  await page.getByRole("button", { name: "Dark" }).click();
  await expect(page, "back to the page one was on").toHaveURL("/services");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  expect(await background()).not.toBe(light);
  await axe();
  const answer = await page.goto("/rfcs");
  expect(await answer?.text()).toMatch(/<html[^>]*data-theme="dark"/);
  await page.locator(".account-button").click();
  await expect(page.getByRole("button", { name: "Dark" })).toHaveAttribute("aria-pressed", "true");
  await page.getByRole("button", { name: "System" }).click();
  await expect(page.locator("html")).not.toHaveAttribute("data-theme", /./);
  expect(await background()).toBe(light);
});

test("a form sent twice takes effect once", async ({ page }) => {
  await newPerson(page, "admin");
  await page.goto("/teams");
  const once = (await page.locator('form[action="/do/people/create-team"] input[name="once"]').getAttribute("value")) ?? "";
  const form = { name: `Night crew ${once.slice(0, 6)}`, slug: "", once };
  const first = await post(page, "/do/people/create-team", form);
  expect(await post(page, "/do/people/create-team", form)).toBe(first);
  await page.goto("/teams");
  await expect(page.getByRole("link", { name: form.name })).toHaveCount(1);
});
