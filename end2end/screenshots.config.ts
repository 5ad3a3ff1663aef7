// `npm run screenshots`: a picture of every page in light, dark, on a phone and without JavaScript, for people to look at.
// Needs the address of a running demo in PLUMBLINE_E2E_URL; the pictures land in PLUMBLINE_SCREENSHOTS.
import { defineConfig } from "@playwright/test";
import tests from "./playwright.config";

const desktop = { viewport: { width: 1280, height: 900 } };

export default defineConfig({
  ...tests,
  testDir: ".",
  testMatch: "screenshots.ts",
  timeout: 300_000,
  use: { ...tests.use, trace: "off", screenshot: "off" },
  projects: [
    { name: "light", use: { ...desktop, colorScheme: "light" } },
    { name: "dark", use: { ...desktop, colorScheme: "dark" } },
    { name: "wide", use: { viewport: { width: 1680, height: 1050 }, colorScheme: "light" } },
    { name: "phone", use: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: "light" } },
    { name: "no-javascript", use: { ...desktop, javaScriptEnabled: false, colorScheme: "light" } },
  ],
});
