// People for tests that change an account: each test invites its own, nobody is shared.
import type { Page } from "@playwright/test";
import { expect, post, signIn } from "./fixtures";

/** Somebody who just made their account. */
export interface NewPerson {
  email: string;
  name: string;
  password: string;
}

/** Makes an invitation as the admin signed in on this page, through the form; answers the link. */
export async function invite(admin: Page, email: string, role = "Member"): Promise<string> {
  await admin.goto("/people");
  const card = admin.locator("#invitations");
  await card.getByLabel("E-mail address").fill(email);
  await card.getByLabel("Role").selectOption({ label: role });
  await card.getByRole("button", { name: "Make an invitation link" }).click();
  await expect(admin.locator(".flash")).toContainText("The invitation is ready");
  return (await card.locator(".copyable").innerText()).trim();
}

/** Somebody new, without walking through the pages; `page` is then signed in as them. */
export async function newPerson(page: Page, role = "member"): Promise<NewPerson> {
  const word = crypto.randomUUID().slice(0, 8);
  const person = { email: `new-${word}@example.com`, name: `New ${word}`, password: `quiet harbour ${word}` };
  await signIn(page, "ruth@example.com", "plumb-the-depths-daily");
  await post(page, "/do/people/invite", { email: person.email, role });
  const shown = await (await page.request.get("/people")).text();
  const secret = /\/invitations\/([\w-]+)/.exec(shown)?.[1] ?? "";
  await page.context().clearCookies();
  await post(page, "/do/account/accept-invitation", { secret, ...person, time_zone: "UTC" });
  return person;
}
