// What every browser test gets: a page that must stay silent, people to sign in as, and an accessibility check.
//
// Import `test` and `expect` from here, never from @playwright/test.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Page, test as base, expect } from "@playwright/test";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

type Scheme = "light" | "dark";

interface Fixtures {
  /** Announces a console message that this test provokes on purpose, for example `/status of 404/`. */
  expectMessage: (pattern: RegExp) => void;
  /** Signs in as a person of the demo organisation and waits for the page they land on. */
  signInAs: (email: string) => Promise<void>;
  /** Checks the page as it is now against axe-core, in both colour schemes; does nothing where scripts are off. */
  axe: () => Promise<void>;
  /** Fails the test on console errors and warnings, uncaught errors and violations of the content security policy. */
  silence: void;
}

export const test = base.extend<Fixtures & { expected: RegExp[] }>({
  expected: async ({}, use) => use([]),

  expectMessage: async ({ expected }, use) => use((pattern) => void expected.push(pattern)),

  silence: [
    async ({ page, expected }, use) => {
      const messages: string[] = [];
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
      await use();
      expect(messages, "the browser's console stays silent").toEqual([]);
    },
    { auto: true },
  ],

  signInAs: async ({ page }, use) => {
    await use(async (email) => {
      await page.context().clearCookies();
      await page.goto("/sign-in");
      // In demo mode each person is offered as a form of its own with their address in it.
      await page.locator(`form:has(input[name="email"][value="${email}"])`).getByRole("button").click();
      await expect(page).not.toHaveURL(/\/sign-in/);
    });
  },

  axe: async ({ page, javaScriptEnabled }, use) => {
    await use(async () => {
      if (javaScriptEnabled === false) return;
      for (const scheme of ["light", "dark"] as const) await expectAccessible(page, scheme);
      await page.emulateMedia({ colorScheme: null });
    });
  },
});

async function expectAccessible(page: Page, scheme: Scheme): Promise<void> {
  // Colours must be at rest: a transition halfway has a contrast nobody meant.
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
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

/** Waits until the islands of the page are alive: before that a click on one does what it does without JavaScript. */
export async function islandsReady(page: Page): Promise<void> {
  await page.waitForFunction(() => document.documentElement.dataset.hydrated !== undefined);
}

export { expect };
