/* Two stores behind one daemon, in one real Chromium: the pages work under a name, and know their own store
 * alone.
 *
 *   TRABOULE=build/release/traboule node tests/e2e/house.mjs */
import assert from "node:assert/strict";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { drop, guide, launch, noFaults, open } from "./browser.mjs";
import { curve } from "./curve.mjs";
import { discard, makeStore, PASSPHRASE, serve } from "./program.mjs";

const made = await makeStore();
const other = await makeStore();
const house = join(made.folder, "house");
await mkdir(house, { mode: 0o700 });
await rename(made.store, join(house, "alice"));
await rename(other.store, join(house, "bob"));
const program = await serve(`--stores=${house}`);
const browser = await launch();
const page = await open(browser, program.address);
const at = (/** @type {string} */ path) => new URL(path, program.address).href;
const { heading } = guide(page, program.address);

await test("a store opens under its name, takes a file and shows it", async () => {
  await page.goto(at("@alice"));
  await heading("Ouvrir mon coffre").waitFor();
  assert.equal(page.url(), at("@alice/"));
  await page.keyboard.type(PASSPHRASE);
  await page.keyboard.press("Enter");
  await page.locator("main").getByText("Votre coffre est vide").waitFor();
  await drop(page, [{ name: "courbe.csv", text: curve("2025-01-01", "2025-02-01").text }]);
  await page.getByRole("link", { name: "Voir ma consommation" }).first().click();
  await page.locator(".figure").first().waitFor();
  assert.match(page.url(), /\/@alice\/energy/);
  noFaults(page);
});

await test("an address within it can be opened and loaded again", async () => {
  for (const load of [() => page.reload(), () => page.goto(at("@alice/energy"))]) {
    await load();
    await page.locator(".figure").first().waitFor();
  }
  await page.getByRole("link", { name: "Traboule" }).first().click();
  await page.locator("h1").waitFor();
  assert.equal(page.url(), at("@alice/"));
  noFaults(page);
});

await test("an address of two segments finds the page's files", async () => {
  for (const address of [at("@alice/consent/01JF8Z"), at("@bob/consent/01JF8Z")]) {
    /** @type {string[]} */
    const loaded = [];
    const note = (/** @type {import("playwright-core").Response} */ answer) =>
      loaded.push(`${answer.status()} ${answer.url()}`);
    page.on("response", note);
    await page.goto(address);
    await page.locator("h1").first().waitFor();
    assert.ok(loaded.length > 10, "scripts and styles came");
    assert.deepEqual(
      loaded.filter((line) => line.startsWith("404")),
      [],
    );
    page.off("response", note);
  }
  noFaults(page);
});

await test("next door is another's: locked, and none the wiser", async () => {
  await page.goto(at("@bob/energy"));
  await heading("Ouvrir mon coffre").waitFor();
  await page.keyboard.type(PASSPHRASE);
  await page.keyboard.press("Enter");
  await heading("Ouvrir mon coffre").waitFor({ state: "hidden" });
  await page.goto(at("@bob/"));
  await page.locator("main").getByText("Votre coffre est vide").waitFor();
  const cookies = await page.context().cookies();
  assert.deepEqual(cookies.map(({ path }) => path).sort(), ["/@alice/", "/@bob/"]);
  await page.goto(at("@alice/energy"));
  await page.locator(".figure").first().waitFor();
  noFaults(page);
});

await browser.close();
await program.stop();
for (const { folder } of [made, other]) await discard(folder);
