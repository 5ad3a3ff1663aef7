// Every page of app/src/routes.rs, with something on it: for the tests of all pages and for the screenshots.
import type { Page } from "@playwright/test";
import { expect, post, signIn, unique } from "./fixtures";
import { draftRfc, openThread, publishedRevision, publishedRfc } from "./rfcs";

/** A document with everything that Markdown can hold here. */
const EVERYTHING = `## Summary

Boarding gates ask the central service for every single passenger. When the network at the harbour is slow, the queue
grows by four people a minute[^queue]. This proposal lets the gate decide by itself.

[^queue]: Measured at Visby on the Friday before midsummer.

> [!WARNING]
> A gate that decides alone can let a cancelled ticket through for ten minutes.

## Plan

The gate keeps the newest departure list for ten minutes and works without the network.

- [x] Signed departure lists
- [ ] A bell when the list is too old
  1. quiet in the first minute
  2. loud after that

| Step | Today | Then | Who notices | What it costs a month |
| ---- | ----: | ---: | ----------- | --------------------- |
| Gate | 900 ms | 40 ms | Everybody | nothing |
| Ramp | 900 ms | – | Nobody | nothing |

\`\`\`rust
/// Whether this pass opens the gate.
fn open(pass: &Pass, list: &DepartureList) -> Result<bool, GateError> {
    Ok(pass.departure == list.today()? && list.age() < Duration::from_secs(600) && !list.cancelled(pass.ticket_number))
}
\`\`\`

### Details

A very long word: Fahrgastinformationssystemschnittstellenbeschreibungsaktualisierungsverfahrensanweisung, and \`a::very::long::path::without::any::place::to::break::the::line::at::all::in::the::whole::of::it\`.

#### Roll-out

One harbour a week, the smallest first. ~~All at once.~~

## Risks

What if a list is signed by a key that has been taken back? Then the gate asks the network as it does today.
`;

const LATER = EVERYTHING.replace("for ten minutes and works", "for fifteen minutes and works")
  .replace("One harbour a week, the smallest first. ~~All at once.~~", "Two harbours a week, in an order that the captains choose.");

/** A page and what it is called in a picture's file name. */
export interface Place {
  name: string;
  address: string;
  /** Whose page: an address of the demo, or nobody's. */
  as: "ruth@example.com" | "dario@example.com" | "ada@example.com" | null;
  /** What the answer's status must be; 200 unless said. */
  status?: number;
}

/** Pages whose address needs nothing made first. */
export const PLACES: Place[] = [
  { name: "sign-in", address: "/sign-in", as: null },
  { name: "invitation-gone", address: "/invitations/nobody-was-invited-with-this", as: null, status: 404 },
  { name: "setup-gone", address: "/setup/nobody-was-invited-with-this", as: null, status: 404 },
  { name: "home", address: "/", as: "ruth@example.com" },
  { name: "home-of-a-reader", address: "/", as: "dario@example.com" },
  { name: "rfcs", address: "/rfcs", as: "ruth@example.com" },
  { name: "rfcs-no-match", address: "/rfcs?q=zeppelin-hangar", as: "ruth@example.com" },
  { name: "rfc-new", address: "/rfcs/new", as: "ruth@example.com" },
  { name: "rfc-gone", address: "/rfcs/999999", as: "ruth@example.com", status: 404 },
  { name: "rfc-revision-gone", address: "/rfcs/1?revision=99", as: "ruth@example.com", status: 404 },
  { name: "services", address: "/services", as: "ruth@example.com" },
  { name: "services-no-match", address: "/services?q=zeppelin-hangar", as: "ruth@example.com" },
  { name: "service-new", address: "/services/new", as: "ruth@example.com" },
  { name: "service", address: "/services/payments", as: "ruth@example.com" },
  { name: "service-of-others", address: "/services/payments", as: "dario@example.com" },
  { name: "service-edit", address: "/services/payments/edit", as: "ruth@example.com" },
  { name: "service-new-not-allowed", address: "/services/new", as: "dario@example.com", status: 403 },
  { name: "service-gone", address: "/services/zeppelin-hangar", as: "ruth@example.com", status: 404 },
  { name: "incidents", address: "/incidents?period=all", as: "ruth@example.com" },
  { name: "incidents-no-match", address: "/incidents?q=zeppelin-hangar", as: "ruth@example.com" },
  { name: "incident", address: "/incidents/1", as: "ruth@example.com" },
  { name: "incident-of-others", address: "/incidents/1", as: "dario@example.com" },
  { name: "incident-edit", address: "/incidents/1/edit", as: "ruth@example.com" },
  { name: "incident-new", address: "/incidents/new", as: "ruth@example.com" },
  { name: "incident-types", address: "/incidents/types", as: "ruth@example.com" },
  { name: "incident-types-of-others", address: "/incidents/types", as: "dario@example.com" },
  { name: "unknown-services", address: "/incidents/unknown-services", as: "ruth@example.com" },
  { name: "incident-new-not-allowed", address: "/incidents/new", as: "dario@example.com", status: 403 },
  { name: "incident-gone", address: "/incidents/999999", as: "ruth@example.com", status: 404 },
  { name: "follow-ups", address: "/follow-ups?who=all", as: "ruth@example.com" },
  { name: "follow-ups-no-match", address: "/follow-ups?who=all&q=zeppelin-hangar", as: "ruth@example.com" },
  { name: "follow-ups-of-a-reader", address: "/follow-ups", as: "dario@example.com" },
  { name: "follow-up", address: "/follow-ups/1", as: "ruth@example.com" },
  { name: "follow-up-of-others", address: "/follow-ups/1", as: "dario@example.com" },
  { name: "follow-up-new", address: "/follow-ups/new", as: "ruth@example.com" },
  { name: "follow-up-gone", address: "/follow-ups/999999", as: "ruth@example.com", status: 404 },
  { name: "people", address: "/people", as: "ruth@example.com" },
  { name: "people-no-match", address: "/people?q=zeppelin", as: "ruth@example.com" },
  { name: "person", address: "/people/ada%40example.com", as: "ruth@example.com" },
  { name: "person-of-others", address: "/people/ada%40example.com", as: "dario@example.com" },
  { name: "person-gone", address: "/people/nobody%40example.com", as: "ruth@example.com", status: 404 },
  { name: "teams", address: "/teams", as: "ruth@example.com" },
  { name: "team", address: "/teams/checkout", as: "ruth@example.com" },
  { name: "team-gone", address: "/teams/zeppelins", as: "ruth@example.com", status: 404 },
  { name: "inbox", address: "/inbox", as: "ada@example.com" },
  { name: "inbox-later", address: "/inbox?state=later", as: "ada@example.com" },
  { name: "inbox-done", address: "/inbox?state=done", as: "ada@example.com" },
  { name: "inbox-of-nothing", address: "/inbox?state=done", as: "dario@example.com" },
  { name: "inbox-gone", address: "/inbox/999999", as: "ruth@example.com", status: 404 },
  { name: "account", address: "/account", as: "ruth@example.com" },
  { name: "account-notices", address: "/account/notices", as: "ruth@example.com" },
  { name: "unsubscribe-gone", address: "/unsubscribe/nobody.was.told", as: null, status: 404 },
  { name: "admin", address: "/admin", as: "ruth@example.com" },
  { name: "imports", address: "/admin/imports", as: "ruth@example.com" },
  { name: "import-new", address: "/admin/imports/new", as: "ruth@example.com" },
  { name: "import-new-incidents", address: "/admin/imports/new?kind=incidents", as: "ruth@example.com" },
  { name: "import", address: "/admin/imports/1", as: "ruth@example.com" },
  { name: "import-reported", address: "/admin/imports/1?show=noted", as: "ruth@example.com" },
  { name: "import-gone", address: "/admin/imports/999999", as: "ruth@example.com", status: 404 },
  { name: "audit", address: "/admin/audit", as: "ruth@example.com" },
  { name: "audit-no-match", address: "/admin/audit?verb=zeppelin", as: "ruth@example.com" },
  { name: "search", address: "/search", as: "ruth@example.com" },
  { name: "search-found", address: "/search?q=payments", as: "ruth@example.com" },
  { name: "search-nothing", address: "/search?q=qqqzzzxxx", as: "ruth@example.com" },
  { name: "activity", address: "/activity", as: "ruth@example.com" },
  { name: "activity-service", address: "/activity?kind=service&key=payments", as: "ruth@example.com" },
  { name: "webhooks", address: "/admin/webhooks", as: "ruth@example.com" },
  { name: "webhook-new", address: "/admin/webhooks/new", as: "ruth@example.com" },
  { name: "webhook", address: "/admin/webhooks/1", as: "ruth@example.com" },
  { name: "webhook-gone", address: "/admin/webhooks/999999", as: "ruth@example.com", status: 404 },
  { name: "outbox", address: "/admin/outbox", as: "ruth@example.com" },
  { name: "outbox-no-match", address: "/admin/outbox?state=dead&kind=import", as: "ruth@example.com" },
  { name: "delivery-gone", address: "/admin/outbox/999999999", as: "ruth@example.com", status: 404 },
  { name: "not-allowed", address: "/admin", as: "dario@example.com", status: 403 },
  { name: "nothing-here", address: "/there/is/no/such/page", as: "ruth@example.com", status: 404 },
];

/** Writes RFCs that show everything, as Ruth; answers their pages. */
export async function rfcPlaces(page: Page): Promise<Place[]> {
  await signIn(page, "ruth@example.com", "plumb-the-depths-daily");
  const as = "ruth@example.com";
  const rfc = await publishedRfc(page, EVERYTHING, "Let boarding gates work without the network");
  const moved = "The gate keeps the newest departure list for ten minutes and works without the network.";
  await openThread(page, rfc, EVERYTHING, moved, "Why ten? The ferry to Gotland turns around in **eight**.", "blocking");
  await openThread(page, rfc, EVERYTHING, "One harbour a week, the smallest first.", "Which one is that?", "should");
  const settled = await openThread(page, rfc, EVERYTHING, "four people a minute", "Is that measured?");
  await post(page, "/do/rfcs/resolve", { thread: settled.replace("thread-", "") });
  const cell = await openThread(page, rfc, EVERYTHING, "Everybody", "The crew as well.");
  await post(page, "/do/rfcs/reply", { thread: cell.replace("thread-", ""), body: "They are part of everybody.\n\n```\nyes()\n```" });
  await publishedRevision(page, rfc, 1, LATER);
  const draft = await draftRfc(page, "Only a beginning.", "A second lift on deck four");
  const start = Buffer.byteLength(LATER.slice(0, LATER.indexOf("What if a list")));
  return [
    { name: "rfc", address: rfc, as },
    { name: "rfc-older", address: `${rfc}?revision=1`, as },
    { name: "rfc-of-others", address: rfc, as: "dario@example.com" },
    { name: "rfc-composer", address: `${rfc}?revision=2&start=${start}&end=${start + 14}#composer`, as },
    { name: "rfc-attach", address: `${rfc}?attach=${cell.replace("thread-", "")}#attach`, as },
    { name: "rfc-edit", address: `${rfc}/edit`, as },
    { name: "rfc-details", address: `${rfc}/edit?part=details`, as },
    { name: "rfc-draft", address: draft, as },
    { name: "rfc-draft-edit", address: `${draft}/edit`, as },
  ];
}

/** What a page says of this kind, as soon as it does. */
async function found(page: Page, address: string, pattern: RegExp): Promise<string> {
  let found = "";
  await expect(async () => {
    found = pattern.exec(await (await page.request.get(address)).text())?.[0] ?? "";
    expect(found, `${pattern} on ${address}`).not.toBe("");
  }).toPass({ timeout: 20_000 });
  return found;
}

/** Makes what only work in the background makes: a call that failed, a mail, a file of incidents that is compared; as Ruth. */
export async function workedPlaces(page: Page): Promise<Place[]> {
  await signIn(page, "ruth@example.com", "plumb-the-depths-daily");
  const as = "ruth@example.com";
  const call = { name: unique("Nobody"), url: "https://nobody.invalid/in", format: "standard", events: "service.archived" };
  const webhook = /\d+/.exec(await post(page, "/do/admin/create-webhook", call))?.[0] ?? "";
  await post(page, "/do/admin/test-webhook", { webhook });
  const delivery = await found(page, `/admin/outbox?kind=webhook&webhook=${webhook}`, /\/admin\/outbox\/\d+/);
  await found(page, delivery, /nobody\.invalid cannot/);

  // Not every mail can be turned off.
  const mails = await (await page.request.get("/admin/outbox?kind=mail")).text();
  let [mail, unsubscribe] = ["", ""];
  for (const [address] of mails.matchAll(/\/admin\/outbox\/\d+/g)) {
    unsubscribe = /\/unsubscribe\/[\w.-]+/.exec(await (await page.request.get((mail = address))).text())?.[0] ?? "";
    if (unsubscribe) break;
  }

  const buffer = Buffer.from("No;What;When\n1;Gangway stuck;03/11/2025 14:05\n2;Gangway stuck again;04/11/2025 14:05\n");
  const answer = await page.request.post("/do/imports/upload", {
    multipart: { kind: "incidents", file: { name: "sheet.csv", mimeType: "text/csv", buffer } },
    headers: { origin: new URL(process.env.PLUMBLINE_E2E_URL ?? "").origin, accept: "text/html" },
    maxRedirects: 0,
  });
  const incidents = answer.headers().location ?? "";
  await found(page, incidents, /How this file is read/);
  return [
    { name: "delivery-call", address: delivery, as },
    { name: "delivery-mail", address: mail, as },
    { name: "import-incidents", address: incidents, as },
    { name: "unsubscribe", address: unsubscribe, as: null },
  ];
}
