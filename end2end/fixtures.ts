// What every browser test gets: a page that must stay silent, people to sign in as, and an accessibility check.
//
// Import `test` and `expect` from here, never from @playwright/test.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type BrowserContext, type Page, expect, test as base } from "@playwright/test";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Everybody's in the demo organisation. */
const DEMO_PASSWORD = "plumb-the-depths-daily";

type Scheme = "light" | "dark";

interface Fixtures {
  /** Announces a console message that this test provokes on purpose, for example `/status of 404/`. */
  expectMessage: (pattern: RegExp) => void;
  /** Signs this browser in as a person of the demo organisation. */
  signInAs: (email: string) => Promise<void>;
  /** A page in a browser of its own, like a second person at a second desk; silent too. Signed in, given an address. */
  another: (email?: string) => Promise<Page>;
  /** Checks the page as it is now against axe-core, in both colour schemes; does nothing where scripts are off. */
  axe: () => Promise<void>;
  /** Fails the test on console errors and warnings, uncaught errors and violations of the content security policy. */
  silence: void;
}

export const test = base.extend<Fixtures & { expected: RegExp[]; messages: string[] }>({
  expected: async ({}, use) => use([]),

  messages: async ({}, use) => use([]),

  expectMessage: async ({ expected }, use) => use((pattern) => void expected.push(pattern)),

  silence: [
    async ({ page, expected, messages, javaScriptEnabled }, use) => {
      // The page asks for the islands' code ahead of time; a browser without scripts then wonders what it was for.
      if (javaScriptEnabled === false) expected.push(/preloaded using link preload but not used/);
      await watch(page, expected, messages);
      await use();
      expect(messages, "the browser's console stays silent").toEqual([]);
    },
    { auto: true },
  ],

  signInAs: async ({ page }, use) => {
    await use((email) => signIn(page, email, DEMO_PASSWORD));
  },

  another: async ({ browser, expected, messages }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (email) => {
      const context = await browser.newContext();
      contexts.push(context);
      const page = await context.newPage();
      await watch(page, expected, messages);
      if (email) await signIn(page, email, DEMO_PASSWORD);
      return page;
    });
    for (const context of contexts) await context.close();
  },

  axe: async ({ page, javaScriptEnabled }, use) => {
    await use(async () => {
      if (javaScriptEnabled === false) return;
      for (const scheme of ["light", "dark"] as const) await expectAccessible(page, scheme);
      await page.emulateMedia({ colorScheme: null });
    });
  },
});

/** Collects what the browser complains about, but for what the test announced. */
async function watch(page: Page, expected: RegExp[], messages: string[]): Promise<void> {
  const note = (message: string) => {
    if (!expected.some((pattern) => pattern.test(message))) messages.push(message);
  };
  // Chromium also reports a violated content security policy here, with JavaScript on or off.
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) note(`${message.type()}: ${message.text()} (${page.url()})`);
  });
  page.on("pageerror", (error) => note(`uncaught: ${error.message} (${page.url()})`));
  await page.exposeFunction("reportViolation", (violation: string) => note(`content security policy: ${violation}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      const report = (window as unknown as { reportViolation: (violation: string) => void }).reportViolation;
      report(`${event.effectiveDirective} blocked ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`);
    });
  });
}

/** Signs a browser in without walking through the sign-in page, which has tests of its own. */
export async function signIn(page: Page, email: string, password: string): Promise<void> {
  // A page that is open would notice that its session has ended.
  await page.goto("about:blank");
  await page.context().clearCookies();
  expect(await post(page, "/do/account/sign-in", { email, password }), "signed in").toBe("/");
}

/** Sends a form as the browser of this page would; answers where it leads. For what a test needs but does not test. */
export async function post(page: Page, action: string, form: Record<string, string>): Promise<string> {
  const origin = new URL(process.env.PLUMBLINE_E2E_URL ?? "").origin;
  const answer = await page.request.post(action, { form, headers: { origin, accept: "text/html" }, maxRedirects: 0 });
  const location = answer.headers().location;
  if (!location) throw new Error(`${action} answered ${answer.status()}: ${await answer.text()}`);
  return location;
}

async function expectAccessible(page: Page, scheme: Scheme): Promise<void> {
  // Colours must be at rest: a transition halfway has a contrast nobody meant.
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  await page.evaluate(() => new Promise((rest) => requestAnimationFrame(() => requestAnimationFrame(rest))));
  await page.evaluate(axeSource);
  const findings = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: (context: Document, options: object) => Promise<AxeResults> } };
    const { violations } = await axe.run(document, { resultTypes: ["violations"], preload: false });
    return violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${rule.help}: ${node.target.join(" ")}`));
  });
  expect(findings, `accessibility of ${page.url()} in the ${scheme} scheme`).toEqual([]);
}

interface AxeResults {
  violations: { id: string; help: string; nodes: { target: string[] }[] }[];
}

/** Waits until the island of the page listens: before that a click on it does what it does without JavaScript. */
export async function islandsReady(page: Page): Promise<void> {
  await page.waitForFunction(() => document.documentElement.dataset.islands === "ready");
}

/** These words, followed by something no other test writes. */
export function unique(words: string): string {
  return `${words} ${crypto.randomUUID().slice(0, 8)}`;
}

export { expect };
