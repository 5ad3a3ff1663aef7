// RFCs for tests that are not about writing them, and words of an RFC as a reader selects them.
import type { Locator, Page } from "@playwright/test";
import { expect, islandsReady, post, unique } from "./fixtures";

/** Writes an RFC as the person signed in on this page and publishes it for review; answers its address. */
export async function publishedRfc(page: Page, body: string, title = unique("An RFC")): Promise<string> {
  return withoutQuery(await post(page, "/do/rfcs/create", { title, kind: "architecture", body, intent: "publish" }));
}

/** Writes a draft. */
export async function draftRfc(page: Page, body: string, title = unique("A draft")): Promise<string> {
  return withoutQuery(await post(page, "/do/rfcs/create", { title, kind: "architecture", body, intent: "save" }));
}

/** Publishes revision `base` + 1 of the RFC with this address. */
export async function publishedRevision(page: Page, rfc: string, base: number, body: string): Promise<void> {
  const form = { number: numberOf(rfc), base_revision: `${base}`, body, intent: "save" };
  expect(await post(page, "/do/rfcs/revise", form)).toContain("done=revised");
}

/** Opens a thread on these words, which must be in the Markdown `body` of `revision`; answers its id in the page. */
export async function openThread(page: Page, rfc: string, body: string, words: string, comment: string, severity = "note", revision = 1): Promise<string> {
  const start = Buffer.byteLength(body.slice(0, body.indexOf(words)));
  const range = { start: `${start}`, end: `${start + Buffer.byteLength(words)}` };
  const form = { number: numberOf(rfc), revision: `${revision}`, ...range, severity, body: comment };
  const place = await post(page, "/do/rfcs/open-thread", form);
  return place.slice(place.indexOf("#") + 1);
}

/** The block of the RFC's text, with everything beside it, that holds these words. */
export function passage(page: Page, words: string): Locator {
  return page.locator(".passage").filter({ has: page.locator(".block", { hasText: words }) });
}

/** Selects words in one block of the page, as a long press on a phone or Shift with the arrow keys does. */
export async function selectWords(page: Page, words: string): Promise<void> {
  const block = page.locator(".block", { hasText: words });
  await block.scrollIntoViewIfNeeded();
  await block.evaluate((block, words) => {
    const place = (at: number): [Node, number] => {
      const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const length = node.nodeValue?.length ?? 0;
        if (at <= length) return [node, at];
        at -= length;
      }
      throw new Error("not in the block");
    };
    const start = (block.textContent ?? "").indexOf(words);
    const selection = window.getSelection();
    selection?.setBaseAndExtent(...place(start), ...place(start + words.length));
  }, words);
}

/** Selects words that stand in one line of the page by dragging the mouse over them. */
export async function dragOver(page: Page, words: string): Promise<void> {
  await selectWords(page, words);
  const box = await page.evaluate(() => {
    const selection = window.getSelection();
    const { left, right, top, height } = selection?.getRangeAt(0).getBoundingClientRect() ?? new DOMRect();
    selection?.removeAllRanges();
    return { left, right, middle: top + height / 2 };
  });
  await expect(page.locator(".selection-button")).toBeHidden();
  await page.mouse.move(box.left + 1, box.middle);
  await page.mouse.down();
  await page.mouse.move((box.left + box.right) / 2, box.middle, { steps: 4 });
  await page.mouse.move(box.right - 1, box.middle, { steps: 4 });
  await page.mouse.up();
}

/** Opens the form for a comment on these words: by selecting them, or without JavaScript by the link at their block. */
export async function composeOn(page: Page, words: string, how: "drag" | "select" | "link"): Promise<Locator> {
  if (how === "link") {
    await passage(page, words).getByRole("link", { name: "Comment on this part of the text" }).click();
  } else {
    await islandsReady(page);
    await (how === "drag" ? dragOver : selectWords)(page, words);
    await page.locator(".selection-button").click();
  }
  const composer = page.locator("#composer");
  await expect(composer).toBeVisible();
  return composer;
}

function withoutQuery(address: string): string {
  return address.split("?")[0];
}

function numberOf(rfc: string): string {
  return rfc.split("/")[2];
}
