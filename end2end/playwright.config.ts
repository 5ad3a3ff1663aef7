// Three ways to use the product: with JavaScript, without, and on a phone. `cargo xtask e2e` builds the release binary,
// starts it with demo data and passes its address and the browser's path.
import { defineConfig, devices } from "@playwright/test";

const executablePath = process.env.PLUMBLINE_E2E_CHROMIUM ?? "/usr/bin/chromium";
const baseURL = process.env.PLUMBLINE_E2E_URL;
if (!baseURL) throw new Error("PLUMBLINE_E2E_URL is missing: run the browser tests with `cargo xtask e2e`");

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  forbidOnly: !!process.env.CI,
  fullyParallel: true,
  retries: 0,
  workers: 2,
  timeout: 30_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  use: {
    ...devices["Desktop Chrome"],
    baseURL,
    viewport: { width: 1280, height: 900 },
    locale: "en-GB",
    timezoneId: "UTC",
    // Without its film: recording one costs more time than the tests.
    trace: { mode: "retain-on-failure", screenshots: false, snapshots: true, sources: false },
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "javascript", testIgnore: "**/*.no-javascript.spec.ts" },
    { name: "no-javascript", testIgnore: "**/*.island.spec.ts", use: { javaScriptEnabled: false } },
    {
      name: "mobile",
      // Forms and accounts are the same on a phone, but for how they look, and that all pages are tested for.
      testIgnore: ["**/*.no-javascript.spec.ts", "**/forms.spec.ts", "**/accounts.spec.ts"],
      use: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    },
  ],
});
