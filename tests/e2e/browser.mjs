/* A real Chromium, watched: a refusal by the content policy, an error in the console or a request to
 * another origin fails the test; axe-core looks at every state. */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const AXE = createRequire(import.meta.url)("axe-core").source;
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").BrowserContext} Context */

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

/** @param {string[]} argv */
export function screensFolder(argv) {
  const at = argv.indexOf("--screens");
  return at > 0 ? argv[at + 1] : "";
}

/** What went wrong in a page's life, in words. @type {WeakMap<Page, string[]>} */
const faults = new WeakMap();

/** Open a page that is watched.
 * @param {import("playwright-core").Browser} browser @param {string} origin
 * @param {import("playwright-core").BrowserContextOptions} options */
export async function open(browser, origin, options = {}) {
  const context = await browser.newContext({
    locale: "fr-FR",
    timezoneId: "America/Montreal", // the pages tell Paris time wherever they are read
    viewport: { width: 1280, height: 900 },
    colorScheme: "light",
    ...options,
  });
  context.setDefaultTimeout(15_000);
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  const page = await context.newPage();
  /** @type {string[]} */
  const list = [];
  faults.set(page, list);
  page.on("console", (message) => {
    // A refused sign-in is told by the browser itself as a failed resource: that is no fault.
    const refused =
      /the server responded with a status of (401|403|404|412|413|415|429|503|507)|ERR_INTERNET_DISCONNECTED/;
    if (["error", "warning"].includes(message.type()) && !refused.test(message.text()))
      list.push(message.text());
  });
  page.on("pageerror", (error) => list.push(String(error)));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith("http") && url.origin !== new URL(origin).origin)
      list.push(`request to ${url.origin}`);
  });
  return page;
}

/** A person's way through the pages of a program that is served.
 * @param {Page} page @param {string} origin */
export const guide = (page, origin) => ({
  main: page.locator("main"),
  figures: page.locator(".figure"),
  heading: (/** @type {string | RegExp} */ name) => page.getByRole("heading", { name }),
  button: (/** @type {string | RegExp} */ name) => page.getByRole("button", { name }),

  /** @param {Page} on @param {string} path */
  async visit(on, path) {
    await on.goto(new URL(path, origin).href);
    await on.locator("h1").waitFor();
    if (path.startsWith("energy")) await on.locator(".figure").first().waitFor();
  },

  /** A page that is already signed in, in other surroundings.
   * @param {import("playwright-core").BrowserContextOptions} options */
  async elsewhere(options) {
    const browser = /** @type {import("playwright-core").Browser} */ (page.context().browser());
    const other = await open(browser, origin, options);
    await other.context().addCookies(await page.context().cookies());
    return other;
  },
});

/** @param {Page} page */
export function noFaults(page) {
  assert.deepEqual(faults.get(page), []);
}

/** No accessibility problem that axe-core knows, target sizes included; nothing wider than the page.
 * @param {Page} page @param {string} where */
export async function accessible(page, where) {
  await page.evaluate(AXE);
  await page.evaluate(() =>
    // a colour on its way to another has not the contrast of either
    Promise.all(document.getAnimations().map((motion) => motion.finished.catch(() => {}))),
  );
  const found = await page.evaluate(async () => {
    const axe = /** @type {any} */ (globalThis).axe;
    const { violations } = await axe.run(document, {
      resultTypes: ["violations"],
      preload: false, // it would write style elements, which the policy refuses
      rules: { "target-size": { enabled: true } },
    });
    return violations.map((/** @type {any} */ one) => ({
      rule: one.id,
      nodes: one.nodes.map((/** @type {any} */ node) => `${node.html} ${node.failureSummary}`),
    }));
  });
  assert.deepEqual(found, [], where);
  noFaults(page);
  await fits(page, where);
}

/** @param {Page} page @param {string} where */
export async function fits(page, where) {
  const [wide, window, widest] = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const beyond = [...document.querySelectorAll("body *")].find(
      (one) => one.getBoundingClientRect().right > clientWidth + 1 && !one.closest(".scroll"),
    );
    return [scrollWidth, clientWidth, beyond?.outerHTML.slice(0, 200) ?? ""];
  });
  assert.ok(wide <= window, `${where}: ${wide} px wide in ${window}: ${widest}`);
}

/** @param {Page} page @param {string} folder "" takes none @param {string} name @param {boolean} [whole] */
export async function shoot(page, folder, name, whole = false) {
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(150);
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: whole, caret: "initial" });
}

/** Let files fall on the page, as from a desk.
 * @param {Page} page @param {{name: string, text: string}[]} files */
export async function drop(page, files) {
  await page.evaluate((list) => {
    const transfer = new DataTransfer();
    for (const { name, text } of list)
      transfer.items.add(new File([text], name, { type: "text/csv" }));
    const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new DragEvent("dragover", options));
    document.body.dispatchEvent(new DragEvent("drop", options));
  }, files);
}

/** Go on with Tab until the focus is on an element whose name matches; each stop must show it.
 * @param {Page} page @param {RegExp} name @param {string} [key] */
export async function tabTo(page, name, key = "Tab") {
  for (let stops = 0; stops < 60; stops++) {
    await page.keyboard.press(key);
    const here = await page.evaluate(() => {
      const element = /** @type {HTMLElement} */ (document.activeElement);
      const style = getComputedStyle(element);
      const labels = /** @type {any} */ (element).labels;
      return {
        name: element.getAttribute("aria-label") || labels?.[0]?.textContent || element.textContent,
        shown: style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2,
        isBody: element === document.body,
      };
    });
    if (here.isBody) continue;
    assert.ok(here.shown, `the focus on "${here.name}" cannot be seen`);
    if (name.test(here.name ?? "")) return;
  }
  assert.fail(`Tab never came to ${name}`);
}
