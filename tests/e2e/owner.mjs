/* The owner's pages in a real Chromium, against the real program: one person's first evening with
 * their store, from the locked door to the year before.
 *
 *   TRABOULE=build/release/traboule node tests/e2e/owner.mjs [--screens docs/screens] */
import assert from "node:assert/strict";
import test from "node:test";
import {
  accessible,
  drop,
  fits,
  guide,
  launch,
  noFaults,
  open,
  screensFolder,
  shoot,
  tabTo,
} from "./browser.mjs";
import { curve, indexes, midnight, total } from "./curve.mjs";
import { discard, makeStore, PASSPHRASE, serve } from "./program.mjs";

const SCREENS = screensFolder(process.argv);
const HOUR = 3_600_000;

const y2024 = curve("2024-01-01", "2025-01-01");
const y2025 = curve("2025-01-01", "2026-01-01", {
  holes: [
    [midnight("2025-03-10"), midnight("2025-03-13")],
    [midnight("2025-06-17") + 9 * HOUR, midnight("2025-06-17") + 15 * HOUR],
  ],
  spoilt: midnight("2025-09-04") + 7 * HOUR,
});
const hourly = curve("2026-01-05", "2026-01-06", { step: HOUR });
const files = {
  y2024: { name: "courbe-2024.csv", text: y2024.text },
  y2025: { name: "courbe-2025.csv", text: y2025.text },
  odd: { name: "vacances.txt", text: "bonjour, ceci n'est pas une courbe de charge\n" },
  better: { name: "corrections.csv", text: curve("2025-11-03", "2025-11-04", { scale: 1.5 }).text },
};

/** As the French page writes it. @param {number} wh @param {number} digits */
const kwh = (wh, digits = 0) =>
  `${new Intl.NumberFormat("fr-FR", { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(wh / 1000)}\u00a0kWh`;

const made = await makeStore();
const program = await serve(made.store);
const browser = await launch();
const page = await open(browser, program.address);
const { main, figures, heading, button, visit, elsewhere } = guide(page, program.address);

/** Of a bar's column in the chart: does it hold the colour of bars?
 * @param {number} index @param {number} count */
const hasBar = (index, count) =>
  page.evaluate(
    ([at, of]) => {
      const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector(".chart canvas"));
      const over = /** @type {HTMLElement} */ (document.querySelector(".chart .u-over"));
      const [box, plot] = [canvas.getBoundingClientRect(), over.getBoundingClientRect()];
      const scale = canvas.width / box.width;
      const x = (plot.left - box.left + ((at + 0.5) / of) * plot.width) * scale;
      const copy = new OffscreenCanvas(1, canvas.height);
      const pen = copy.getContext("2d", { willReadFrequently: true });
      pen?.drawImage(canvas, -Math.round(x), 0);
      const column = pen?.getImageData(0, 0, 1, canvas.height).data ?? [];
      const style = getComputedStyle(document.documentElement);
      const bar = /^#(..)(..)(..)$/.exec(style.getPropertyValue("--bar").trim()) ?? [];
      const rgb = bar.slice(1).map((hex) => Number.parseInt(hex, 16));
      for (let i = 0; i < column.length; i += 4)
        if (rgb.every((value, channel) => Math.abs(column[i + channel] - value) < 6)) return true;
      return false;
    },
    [index, count],
  );

await test("the door is locked and says so; a wrong passphrase is refused in words", async () => {
  await page.goto(program.address);
  await heading("Ouvrir mon coffre").waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "fr");
  await main.getByText("Votre coffre est verrouillé").waitFor();
  await accessible(page, "door");
  await shoot(page, SCREENS, "unlock-fr-light-desktop");
  await page.keyboard.type("sesame ouvre toi"); // the focus is in the field
  await page.keyboard.press("Enter");
  await page.locator("#passphrase-error").getByText("Ce n’est pas la bonne").waitFor();
  assert.equal(await page.locator("#passphrase").getAttribute("aria-invalid"), "true");
  await accessible(page, "door, refused");
});

await test("too many attempts: the wait is told", async () => {
  await page.route("**/api/session", (route) =>
    route.fulfill({
      status: 429,
      headers: { "Retry-After": "2", "Content-Type": "application/problem+json" },
      body: JSON.stringify({ type: "throttled", title: "…", status: 429, detail: "…" }),
    }),
  );
  await page.locator("#passphrase").press("Enter"); // the field has the focus again once the first answer is shown
  await page.locator("#passphrase-error").getByText("Attendez 2 secondes").waitFor();
  await button(/Réessayer dans/).waitFor();
  await accessible(page, "door, waiting");
  await page.unroute("**/api/session");
  await button("Ouvrir").waitFor();
});

await test("with the keyboard alone: open, choose a file, read the outcome", async () => {
  await page.locator("#passphrase").fill("");
  await page.keyboard.type(PASSPHRASE);
  await page.keyboard.press("Enter");
  await main.getByText("Votre coffre est vide").waitFor();
  await accessible(page, "home, empty");
  await shoot(page, SCREENS, "home-empty-fr-light-desktop");
  await page.keyboard.press("Tab");
  await page.locator("h1").focus();
  const chosen = page.waitForEvent("filechooser");
  await tabTo(page, /Choisir un fichier/);
  await page.keyboard.press("Enter");
  await (await chosen).setFiles([
    { name: files.y2024.name, mimeType: "text/csv", buffer: Buffer.from(files.y2024.text) },
  ]);
  await heading(/C’est fait : 17\s568 nouvelles mesures/).waitFor();
  assert.equal(y2024.energy.size, 17_568); // 366 days; the clock's two changes make up for each other
  const sum = kwh(total(y2024.energy, "2024-01-01", "2025-01-01"));
  await page.locator(".imported").getByText(sum).waitFor();
  await accessible(page, "home, first outcome");
  await tabTo(page, /Fermer ce résumé/);
  await page.keyboard.press("Enter");
  await heading(/C’est fait/).waitFor({ state: "detached" });
  await main
    .getByText("Vos données d’électricité vont du 1er janvier 2024 au 31 décembre 2024.")
    .waitFor();
});

await test("a dropped file: its progress, its holes, the line that could not be read", async () => {
  const wire = await page.context().newCDPSession(page);
  const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 300_000 };
  await wire.send("Network.emulateNetworkConditions", slow);
  await drop(page, [files.y2025]);
  await page.locator("progress").waitFor();
  await accessible(page, "home, sending");
  await page.waitForFunction(() => {
    const bar = /** @type {HTMLProgressElement | null} */ (document.querySelector("progress"));
    return bar && bar.value > 0.1 && bar.value < 1;
  });
  await shoot(page, SCREENS, "home-sending-fr-light-desktop");
  const fast = { ...slow, uploadThroughput: -1 };
  await wire.send("Network.emulateNetworkConditions", fast);
  await heading(/C’est fait/).waitFor({ timeout: 60_000 });
  const count = new Intl.NumberFormat("fr-FR").format(y2025.energy.size);
  await main.getByText(`${count} nouvelles mesures`, { exact: true }).waitFor();
  await main.getByText("1 ligne laissée de côté", { exact: true }).waitFor();
  const spoilt = files.y2025.text.split("\n").findIndex((line) => line.endsWith("n/a")) + 1;
  await main.getByText(new RegExp(`Ligne ${spoilt}\\s: .+`)).waitFor();
  await main.getByText(/trous? dans les données/).waitFor();
  await accessible(page, "home, second outcome");
  await page.evaluate(() => scrollTo(0, 0));
  await shoot(page, SCREENS, "home-outcome-fr-light-desktop", true);
});

await test("the same file again changes nothing; a stranger's file is told beside a good one", async () => {
  await drop(page, [files.odd, files.y2025]);
  await heading(/rien de nouveau.*Un fichier n’a pas pu être lu/).waitFor({ timeout: 60_000 });
  await main.getByRole("heading", { name: files.odd.name }).waitFor();
  assert.match(String(await page.locator(".outcomes .error").textContent()), /.{10}/);
  await accessible(page, "home, refused file");
  await drop(page, [files.better]);
  await heading("C’est fait : 48 mesures remplacées.").waitFor();
  await main
    .getByText(/48 remplacées/)
    .first()
    .waitFor();
});

await test("a year: months, the total, the year before, and what is missing in words", async () => {
  await page.getByRole("link", { name: "Voir ma consommation" }).click();
  await heading("2025").waitFor();
  await figures.first().waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
  const better = total(y2025.energy, "2025-11-03", "2025-11-04");
  const corrected = curve("2025-11-03", "2025-11-04", { scale: 1.5 }).energy;
  const all =
    total(y2025.energy, "2025-01-01", "2026-01-01") -
    better +
    total(corrected, "2025-11-03", "2025-11-04");
  assert.equal(await figures.nth(0).textContent(), kwh(all));
  assert.match(String(await figures.nth(1).textContent()), /^[−+]\d+(,\d)?\s%$/u);
  assert.equal(await figures.nth(2).textContent(), "362 sur 365");
  await main.getByText("3 jours sans données.").waitFor();
  await main.getByText("2 jours incomplets.").waitFor();
  await main.getByText("Comparé sur les 360 jours complets des deux côtés.").waitFor();
  const apart = ["2025-03-10", "2025-03-11", "2025-03-12", "2025-06-17", "2025-09-04"];
  const next = (/** @type {string} */ day) =>
    new Date(Date.parse(day) + 24 * HOUR).toISOString().slice(0, 10);
  const now = apart.reduce((sum, day) => sum - total(y2025.energy, day, next(day)), all);
  const before = [...apart.map((day) => day.replace("2025", "2024")), "2024-02-29"].reduce(
    (sum, day) => sum - total(y2024.energy, day, next(day)),
    total(y2024.energy, "2024-01-01", "2025-01-01"),
  );
  await main.getByText(`${kwh(now)} contre ${kwh(before)}.`).waitFor();
  await accessible(page, "year");
  await shoot(page, SCREENS, "energy-year-fr-light-desktop");
  await button("Par jour").click();
  await page.waitForURL(/step=P1D/);
  await page.waitForFunction(
    () => document.querySelector(".chart")?.getAttribute("aria-valuemax") === "365",
  );
  await accessible(page, "year by day");
  await shoot(page, SCREENS, "energy-year-by-day-fr-light-desktop");
});

await test("a hole is drawn and told as a hole, never as zero", async () => {
  await visit(page, "energy?by=month&on=2025-03-01");
  assert.equal(await hasBar(8, 31), true); // 9 March
  assert.equal(await hasBar(9, 31), false);
  assert.equal(await hasBar(11, 31), false);
  assert.equal(await hasBar(12, 31), true);
  await main.getByText("3 jours sans données.").waitFor();
  await shoot(page, SCREENS, "energy-month-holes-fr-light-desktop");
  await page.getByText("Voir les chiffres en tableau").click();
  const row = page.getByRole("row", { name: /lundi 10 mars/ });
  assert.match(String(await row.textContent()), /^lundi 10 mars–\d.*kWhsans données$/u);
  assert.equal(await page.locator("tbody tr").count(), 31);
  await accessible(page, "month, with its table");
  await shoot(page, SCREENS, "energy-table-fr-light-desktop", true);
  await visit(page, "energy?by=month&on=2025-06-01");
  await main.getByText("1 jour incomplet.").waitFor();
});

await test("days have 46, 48 or 50 half-hours", async () => {
  const days = { "2025-03-30": 46, "2025-10-26": 50, "2025-05-01": 48 };
  for (const [day, count] of Object.entries(days)) {
    await visit(page, `energy?by=day&on=${day}`);
    await page.getByText("Voir les chiffres en tableau").click();
    await page.locator("tbody tr").first().waitFor();
    assert.equal(await page.locator("tbody tr").count(), count, day);
    const next = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
    const sum = total(y2025.energy, day, next);
    const digits = sum < 10_000 ? 2 : 1;
    assert.equal(await figures.nth(0).textContent(), kwh(sum, digits), day);
    assert.equal(await figures.nth(2).textContent(), `${count} sur ${count}`);
  }
  await accessible(page, "day");
  await visit(page, "energy?by=day&on=2025-06-17");
  await main.getByText("12 mesures manquent.").waitFor();
  await shoot(page, SCREENS, "energy-day-holes-fr-light-desktop");
});

await test("with the keyboard: from bar to bar, into a month and a day, and back", async () => {
  await visit(page, "energy?by=year&on=2025-01-01");
  await page.locator("h1").focus();
  await tabTo(page, /Consommation.*2025/i);
  const chart = page.getByRole("slider");
  await chart.hover(); // a mouse at rest on a bar is no hindrance
  await page.keyboard.press("Home");
  assert.match(String(await chart.getAttribute("aria-valuetext")), /^janvier 2025\s: .*kWh/);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  assert.match(String(await chart.getAttribute("aria-valuetext")), /^mars 2025\s: .*incomplet/);
  await accessible(page, "year, a bar chosen");
  await page.keyboard.press("Enter");
  await heading("mars 2025").waitFor();
  await page.waitForFunction(
    () => document.querySelector(".chart")?.getAttribute("aria-valuemax") === "31",
  );
  await page.keyboard.press("PageDown");
  await heading("avril 2025").waitFor();
  await tabTo(page, /Mois précédent/, "Shift+Tab");
  await page.keyboard.press("ArrowLeft");
  await heading("mars 2025").waitFor();
  await page.goBack();
  await heading("avril 2025").waitFor();
  await button("Semaine").click();
  await heading(/semaine du 31 mars au 6 avril 2025/).waitFor();
  await figures.first().waitFor();
  await accessible(page, "week");
});

await test("without a year before, no difference is made up", async () => {
  await visit(page, "energy?by=year&on=2024-01-01");
  assert.equal(await figures.nth(1).textContent(), "–");
  await main.getByText("il n’y a pas de données un an avant").waitFor();
  assert.equal(await button("Année précédente").getAttribute("aria-disabled"), "true");
});

await test("a session that ends leads to the door, and back to the same place", async () => {
  await visit(page, "energy?by=month&on=2025-05-01");
  await page.context().clearCookies();
  await button("Mois suivant").click();
  await main.getByText("Votre session est terminée").waitFor();
  await accessible(page, "door, session over");
  await page.locator("#passphrase").fill(PASSPHRASE);
  await button("Ouvrir").click();
  await heading("juin 2025").waitFor();
  await figures.first().waitFor();
});

await test("in English: numbers, dates and the page's language follow, and it is remembered", async () => {
  await button("EN – English").click();
  await heading("June 2025").waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  assert.match(String(await figures.nth(0).textContent()), /^\d+(\.\d)?\u00a0kWh$/u);
  await page.reload();
  await heading("June 2025").waitFor();
  await figures.first().waitFor();
  await accessible(page, "month, in English");
  await visit(page, "");
  await main
    .getByText("Your electricity data runs from 1 January 2024 to 31 December 2025.")
    .waitFor();
  await button("FR – Français").click();
  await heading("Bonjour").waitFor();
});

await test("an import is undone after a question, and what it replaced comes back", async () => {
  await page.getByRole("link", { name: "Imports", exact: true }).click();
  await heading("Ce qui est entré").waitFor();
  await page.getByText("Vos compteurs et autres sources").waitFor();
  await accessible(page, "imports");
  await shoot(page, SCREENS, "imports-fr-light-desktop");
  await button(/Retirer… – corrections.csv/).click();
  const question = page.getByRole("dialog");
  await question.waitFor();
  await accessible(page, "undo, asked");
  await page.keyboard.press("Escape");
  await question.waitFor({ state: "detached" });
  await button(/Retirer… – corrections.csv/).click();
  await question.getByRole("button", { name: "Retirer l’import" }).click();
  await main.getByText(/^Retiré le/).waitFor();
  await visit(page, "energy?by=day&on=2025-11-03");
  const sum = total(y2025.energy, "2025-11-03", "2025-11-04");
  assert.equal(await figures.nth(0).textContent(), kwh(sum, sum < 10_000 ? 2 : 1));
});

await test("a phone of 360 px, the dark, 200 % zoom, big text", async () => {
  /** @type {[string, string][]} */
  const places = [
    ["home", ""],
    ["energy-year", "energy?by=year&on=2025-01-01"],
    ["energy-month", "energy?by=month&on=2025-03-01"],
    ["energy-day", "energy?by=day&on=2025-06-17"],
    ["imports", "imports"],
  ];
  const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
  const surroundings = {
    "fr-light-phone": { ...phone, deviceScaleFactor: 2 },
    "en-dark-phone": {
      ...phone,
      deviceScaleFactor: 2,
      locale: "en-GB",
      colorScheme: /** @type {const} */ ("dark"),
    },
    "fr-dark-desktop": { colorScheme: /** @type {const} */ ("dark") },
    "fr-light-zoom": { viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 },
    "en-light-reflow": { viewport: { width: 320, height: 256 }, locale: "en-GB" },
  };
  const shown = new Set([
    "home-fr-light-phone",
    "energy-month-fr-light-phone",
    "energy-year-en-dark-phone",
    "energy-year-fr-dark-desktop",
    "energy-month-fr-dark-desktop",
    "home-fr-dark-desktop",
  ]);
  for (const [name, options] of Object.entries(surroundings)) {
    const other = await elsewhere(options);
    const big = () =>
      other.evaluate(() => {
        document.documentElement.style.fontSize = "200%";
      });
    for (const [place, path] of places) {
      await visit(other, path);
      // Colours and names are those of a page of the usual size: a small window changes the layout alone.
      if (/zoom|reflow/.test(name)) await fits(other, `${place}-${name}`);
      else await accessible(other, `${place}-${name}`);
      if (shown.has(`${place}-${name}`))
        await shoot(other, SCREENS, `${place}-${name}`, name.endsWith("phone"));
      await big();
      await fits(other, `${place}-${name}, text twice as big`);
    }
    noFaults(other);
    await other.context().close();
  }
  const still = await elsewhere({ reducedMotion: "reduce" });
  await visit(still, "");
  const moving = await still.evaluate(() =>
    [...document.querySelectorAll("*")].some(
      (one) => Number.parseFloat(getComputedStyle(one).transitionDuration) > 0,
    ),
  );
  assert.equal(moving, false);
  noFaults(still);
  await still.context().close();
});

await test("the owner changes the passphrase, locks the store, and comes back by the recovery code", async () => {
  const menu = button("Mon coffre");
  await visit(page, "");
  await menu.click();
  await accessible(page, "menu");
  await button("Changer la phrase de passe").click();
  await accessible(page, "passphrase");
  await page.locator("#current").fill(PASSPHRASE);
  await page.locator("#next").fill("trop court");
  await button("Enregistrer").click();
  await page.locator("#next-error").waitFor();
  await accessible(page, "passphrase, refused");
  await page.locator("#next").fill("deux fleuves et une colline");
  await page.locator("#again").fill("deux fleuves et une colline");
  await button("Enregistrer").click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("status").getByText("Votre phrase de passe est changée").waitFor();

  await menu.click();
  await button(/Verrouiller le coffre/).click();
  await main.getByText("Votre coffre est verrouillé").first().waitFor();
  await button("J’ai perdu ma phrase de passe").click();
  await heading("Phrase de passe perdue").waitFor();
  await accessible(page, "recover");
  await page.locator("#code").fill(made.code);
  await page.locator("#next").fill("trois ponts sur le Rhone");
  await page.locator("#again").fill("trois ponts sur le Rhone");
  await button("Choisir cette phrase de passe").click();
  await main.getByText("Votre nouvelle phrase de passe est enregistrée").waitFor();
  await page.locator("#passphrase").fill("trois ponts sur le Rhone");
  await button("Ouvrir").click();
  await heading("Bonjour").waitFor();
});

await test("a curve by the hour is drawn by the hour, though a day is asked by half-hours", async () => {
  await drop(page, [{ name: "heures.csv", text: hourly.text }]);
  await heading(/C’est fait : 24 nouvelles mesures/).waitFor();
  await visit(page, "energy?by=day&on=2026-01-05");
  const sum = total(hourly.energy, "2026-01-05", "2026-01-06");
  assert.equal(await figures.nth(0).textContent(), kwh(sum, sum < 10_000 ? 2 : 1));
  assert.equal(await figures.nth(2).textContent(), "24 sur 24");
});

await test("days known by their index alone are drawn, and counted where the curve has a hole", async () => {
  await visit(page, "");
  const week = { "2026-02-02": 50_000, "2026-02-03": 62_000, "2026-02-04": 70_000 };
  const day = { "2025-06-17": 10_000, "2025-06-18": 19_000 };
  await drop(page, [
    { name: "index-2026.csv", text: indexes(week) },
    { name: "index-2025.csv", text: indexes(day) },
  ]);
  await heading(/C’est fait/).waitFor();
  await visit(page, "energy?by=week&on=2026-02-02");
  assert.equal(await figures.nth(0).textContent(), kwh(20_000, 1));
  assert.equal(await figures.nth(2).textContent(), "2 sur 7");
  await page.getByText("Voir les chiffres en tableau").click();
  await page
    .getByRole("row", { name: /lundi 2 février/ })
    .getByText(kwh(12_000, 1))
    .waitFor();
  assert.equal(await page.locator("tbody tr").count(), 7);
  await visit(page, "energy?by=day&on=2026-02-03");
  assert.equal(await figures.nth(0).textContent(), kwh(8_000, 2));
  assert.equal(await figures.nth(2).textContent(), "1 sur 1");
  await accessible(page, "day, by its index");
  await visit(page, "energy?by=day&on=2025-06-17");
  assert.equal(await figures.nth(0).textContent(), kwh(9_000, 2));
  await main.getByText("12 mesures manquent.").waitFor();
  await visit(page, "energy?by=month&on=2026-02-01&of=energy.electricity.index");
  assert.equal(await figures.count(), 2); // what the meter shows is not compared
});

await test("a file of which no line can be read adds nothing, and says so", async () => {
  await visit(page, "");
  const bad = hourly.text.replace(/;\d+$/gm, ";n/a");
  await drop(page, [{ name: "illisible.csv", text: bad }]);
  await heading("Rien n’a été ajouté : voyez les lignes laissées de côté.").waitFor();
});

await test("signing in elsewhere leaves this page able to act", async () => {
  await page.context().request.post(new URL("api/session", program.address).href, {
    data: { passphrase: "trois ponts sur le Rhone" },
  });
  const asked = page.waitForResponse(/api\/session$/);
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  await asked;
  await drop(page, [{ name: "heures.csv", text: hourly.text }]);
  await heading(/rien de nouveau/).waitFor();
});

await test("a damaged store is never hidden", async () => {
  await page.route("**/api/datasets", (route) =>
    route.fulfill({
      status: 503,
      headers: { "Content-Type": "application/problem+json" },
      body: JSON.stringify({
        type: "urn:traboule:problem:damaged",
        title: "Le coffre est endommagé",
        status: 503,
        detail: "page 12 of vault.db cannot be read",
      }),
    }),
  );
  await visit(page, "");
  await page.locator(".damage").getByText("Votre coffre est endommagé").waitFor();
  await page.locator(".damage [lang=en]").getByText("page 12").waitFor();
  await accessible(page, "damaged");
  await page.unroute("**/api/datasets");
});

await test("the whole evening: no refusal by the policy, no error, no other origin", async () => {
  await browser.close();
  await program.stop();
  await discard(made.folder);
  noFaults(page);
});
