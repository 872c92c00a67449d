/* The owner's pages in a real Chromium, against the real program: what a person does with what the store holds.
 * They correct and annotate readings, keep documents, read the trail, look after the store, erase.
 *
 *   TRABOULE=build/release/traboule node tests/e2e/keeper.mjs [--screens docs/screens] */
import assert from "node:assert/strict";
import { open as openFile, readFile } from "node:fs/promises";
import { join } from "node:path";
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
import { curve } from "./curve.mjs";
import { discard, makeStore, PASSPHRASE, serve } from "./program.mjs";

const SCREENS = screensFolder(process.argv);
const may = curve("2025-05-01", "2025-06-01");

const made = await makeStore();
const program = await serve(made.store);
const browser = await launch();
const page = await open(browser, program.address);
const { main, figures, heading, button, visit, elsewhere } = guide(page, program.address);
const question = page.getByRole("dialog");
const asked = (/** @type {string | RegExp} */ name) => question.getByRole("button", { name });
const told = (/** @type {string | RegExp} */ words) =>
  page.locator("[aria-live]").getByText(words).waitFor();

const inDays = (/** @type {number} */ count) =>
  new Date(Date.now() + count * 86_400_000).toISOString().slice(0, 10);

await test("signed in, with a month of readings", async () => {
  await visit(page, "");
  await page.locator("#passphrase").fill(PASSPHRASE);
  await button("Ouvrir").click();
  await heading("Bonjour").waitFor();
  await drop(page, [{ name: "mai.csv", text: may.text }]);
  await heading(/C’est fait/).waitFor();
});

await test("a reading is set right by the keyboard, says where it came from, and what it said", async () => {
  await visit(page, "energy?by=day&on=2025-05-06");
  await page.getByText("Corriger ou effacer des mesures").click();
  const row = page.getByRole("row", { name: /de 8\sh à 8\sh\s30/ });
  await row.getByText("mai.csv, ligne").waitFor();
  await accessible(page, "raw table");
  await shoot(page, SCREENS, "energy-raw-fr-light-desktop", true);
  const before = String(await figures.nth(0).textContent());
  await tabTo(page, /Corriger… – mardi 6 mai, de 8\sh à 8\sh\s30/);
  await page.keyboard.press("Enter");
  await question.waitFor();
  await question.getByText("mesurée").waitFor();
  await accessible(page, "correct, asked");
  await page.locator("#correct-value").fill("beaucoup");
  await page.keyboard.press("Enter");
  await question.getByText("Ce n’est pas un nombre.").waitFor();
  await page.locator("#correct-value").fill("12,5");
  await page.locator("#correct-note").fill("Four resté allumé");
  await shoot(page, SCREENS, "energy-correct-fr-light-desktop");
  await asked("Enregistrer la correction").click();
  await question.waitFor({ state: "detached" });
  await told("C’est corrigé.");
  await row.getByText("corrigée").waitFor();
  await row.getByText("Correction à la main").waitFor();
  await page.waitForFunction(
    (was) => document.querySelector(".figure")?.textContent !== was,
    before,
  );
  await page.locator(".notes").getByText("Four resté allumé").waitFor();
  await row.getByRole("button").click();
  await question.getByText("mai.csv, ligne").waitFor();
  await page.keyboard.press("Escape");
  await question.waitFor({ state: "detached" });
  await accessible(page, "raw table, corrected");
});

await test("a note stands beside its days, in the chart's words too; it is changed and deleted", async () => {
  await visit(page, "energy?by=month&on=2025-05-01");
  await button("Ajouter une note…").click();
  await asked("Enregistrer").click();
  await question.getByText("Écrivez quelque chose.").waitFor();
  await page.locator("#note-text").fill("Absents, à la mer");
  await page.locator("#note-from").fill("2025-05-17");
  await page.locator("#note-to").fill("2025-05-20");
  await accessible(page, "note, asked");
  await asked("Enregistrer").click();
  await question.waitFor({ state: "detached" });
  await page
    .locator(".notes")
    .getByText(/du 17\smai\s2025 au 20\smai\s2025/)
    .waitFor();
  const chart = page.getByRole("slider");
  await chart.focus();
  for (let day = 1; day <= 17; day++) await page.keyboard.press("ArrowRight");
  assert.match(String(await chart.getAttribute("aria-valuetext")), /note\s: Absents, à la mer$/);
  await accessible(page, "month, with notes");
  await shoot(page, SCREENS, "energy-notes-fr-light-desktop", true);
  await button(/Modifier… – Absents/).click();
  await page.locator("#note-text").fill("Absents, à la montagne");
  await asked("Enregistrer").click();
  await page.locator(".notes").getByText("à la montagne").waitFor();
  const twin = await page.context().newPage(); // another window of the same person changes it meanwhile
  await visit(twin, "energy?by=month&on=2025-05-01");
  await twin.getByRole("button", { name: /Modifier… – Absents/ }).click();
  await twin.locator("#note-text").fill("Absents, loin");
  await twin.getByRole("button", { name: "Enregistrer" }).click();
  await twin.locator(".notes").getByText("Absents, loin").waitFor();
  await twin.close();
  await button(/Modifier… – Absents/).click();
  await page.locator("#note-text").fill("Absents, tout près");
  await asked("Enregistrer").click();
  await question.getByText("Cela a changé entre-temps").waitFor();
  await asked("Annuler").click();
  await button(/Modifier… – Absents, loin/).click();
  await page.locator("#note-text").fill("Absents, tout près");
  await asked("Enregistrer").click();
  await page.locator(".notes").getByText("tout près").waitFor();
  await button(/Supprimer… – Absents/).click();
  await question.waitFor();
  await page.keyboard.press("Enter"); // what is for good is not one key away
  await question.waitFor({ state: "detached" });
  await page.locator(".notes li").getByText("tout près").waitFor();
  await button(/Supprimer… – Absents/).click();
  await asked("Supprimer la note").click();
  await page.locator(".notes li").getByText("tout près").waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement?.id === "notes-title");
});

await test("days are deleted for good after a question, and are holes from then on", async () => {
  await page.getByText("Corriger ou effacer des mesures").click();
  await button("Effacer des mesures…").click();
  await page.locator("#delete-from").fill("2025-05-30");
  await page.locator("#delete-to").fill("2025-05-29");
  await asked("Effacer pour de bon").click();
  await question.getByText("Choisissez un premier et un dernier jour").waitFor();
  await page.locator("#delete-from").fill("2025-05-28");
  await accessible(page, "delete, asked");
  await asked("Effacer pour de bon").click();
  await told("96 mesures effacées.");
  await main.getByText("2 jours sans données.").waitFor();
  await page.getByRole("link", { name: "Imports", exact: true }).click();
  const correction = main.getByRole("listitem").filter({ hasText: "Correction à la main" });
  await correction.getByText("1 mesure corrigée", { exact: true }).waitFor();
  await accessible(page, "imports, with a correction");
  await correction.getByRole("button").click();
  await question.getByText("reprendra la valeur qu’elle avait").waitFor();
  assert.equal(await question.getByText("déposer le fichier").count(), 0);
  await page.keyboard.press("Escape");
});

await test("a full disk, silence, a lock from elsewhere: each is told in its own words, and nothing typed is lost", async () => {
  await visit(page, "energy?by=month&on=2025-05-01");
  await button("Ajouter une note…").click();
  await page.locator("#note-text").fill("À garder");
  const refuse = (/** @type {import("playwright-core").Route} */ route) =>
    route.fulfill({ status: 507, body: JSON.stringify({ type: "urn:x:full", status: 507 }) });
  await page.route("**/api/annotations", refuse);
  await asked("Enregistrer").click();
  await question.getByText("Le disque du coffre est plein").waitFor();
  await page.unroute("**/api/annotations", refuse);
  await page.context().setOffline(true);
  await asked("Enregistrer").click();
  await question.getByText("Le coffre ne répond pas").waitFor();
  await page.context().setOffline(false);
  await asked("Enregistrer").click();
  await page.locator(".notes").getByText("À garder").waitFor();
  const twin = await page.context().newPage();
  await visit(twin, "store");
  await twin.getByRole("button", { name: "Mon coffre" }).click();
  await twin.getByRole("button", { name: /Verrouiller le coffre/ }).click();
  await twin.getByRole("heading", { name: "Ouvrir mon coffre" }).waitFor();
  await twin.close();
  await button("Ajouter une note…").click();
  await page.locator("#note-text").fill("Trop tard");
  await asked("Enregistrer").click();
  await main.getByText("Le coffre a été verrouillé").waitFor();
  await accessible(page, "locked meanwhile");
  await page.locator("#passphrase").fill(PASSPHRASE);
  await button("Ouvrir").click();
  await page.locator(".notes").getByText("À garder").waitFor();
});

await test("a document is dropped, told of, found again, changed, and its old file kept", async () => {
  await page.getByRole("link", { name: "Documents", exact: true }).click();
  await main.getByText("Aucun document pour l’instant.").waitFor();
  await accessible(page, "documents, none");
  await drop(page, [{ name: "carte_identite.txt", text: "la carte, recto verso" }]);
  await question.waitFor();
  assert.equal(await page.locator("#paper-title").inputValue(), "carte identite");
  await page.locator("#paper-title").fill("");
  await asked("Enregistrer").click();
  await question.getByText("Donnez un titre.").waitFor();
  await page.locator("#paper-title").fill("Carte d’identité de Camille");
  await page.locator("#paper-kind").selectOption("identity-card");
  await page.locator("#paper-expires").fill(inDays(30));
  await page.locator("#paper-issuer").fill("Préfecture du Rhône");
  await page.locator("#paper-tags").fill("identité, voyage");
  await accessible(page, "document, asked");
  await shoot(page, SCREENS, "document-form-fr-light-desktop");
  await asked("Enregistrer").click();
  await question.waitFor({ state: "detached" });
  await main.getByText("expire dans 30 jours").waitFor();
  await drop(page, [
    { name: "quittance.txt", text: "loyer de mai" },
    { name: "attestation.txt", text: "assurance habitation" },
  ]);
  await page.locator("#paper-title").fill("Quittance de mai");
  await asked("Enregistrer").click();
  await page.locator("dialog .file").getByText("attestation.txt").waitFor();
  await page.locator("#paper-title").fill("Attestation");
  await drop(page, [{ name: "encore.txt", text: "…" }]); // waits its turn, and takes nothing away
  assert.equal(await page.locator("#paper-title").inputValue(), "Attestation");
  await page.locator("#paper-expires").fill(inDays(-3));
  await asked("Enregistrer").click();
  await page.locator("dialog .file").getByText("encore.txt").waitFor();
  await asked("Annuler").click();
  await question.waitFor({ state: "detached" });
  await main.getByText(/expiré depuis le/).waitFor();
  await accessible(page, "documents");
  await shoot(page, SCREENS, "documents-fr-light-desktop", true);

  const rows = page.locator(".papers > li");
  await page.locator("#papers-q").fill("rhone");
  await page.waitForFunction(() => document.querySelectorAll(".papers > li").length === 1);
  await rows.getByText("Carte d’identité de Camille").waitFor();
  await page.locator("#papers-q").fill("introuvable");
  await main.getByText("Aucun document ne correspond.").waitFor();
  await page.locator("#papers-q").fill("");
  await button("Voir ce qui est étiqueté voyage").click();
  await page.waitForFunction(() => document.querySelectorAll(".papers > li").length === 1);
  await button("Ne plus limiter à voyage").click();
  await page.waitForFunction(() => document.querySelectorAll(".papers > li").length === 3);

  await page.getByRole("link", { name: "Carte d’identité de Camille" }).click();
  await heading("Carte d’identité de Camille").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
  await button("Modifier…").click();
  await page.locator("#paper-number").fill("X4RTBPFW4");
  await asked("Enregistrer").click();
  await main.getByText("X4RTBPFW4").waitFor();
  const chosen = page.waitForEvent("filechooser");
  await button("Nouvelle version…").click();
  const renewed = { name: "nouvelle.txt", mimeType: "text/plain", buffer: Buffer.from("neuve") };
  await (await chosen).setFiles([renewed]);
  await heading("Versions").waitFor();
  await accessible(page, "document");
  await shoot(page, SCREENS, "document-fr-light-desktop", true);
  for (const [name, text] of [
    ["Télécharger", "neuve"],
    ["Télécharger – Version 1", "la carte, recto verso"],
  ]) {
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name, exact: true }).click();
    assert.equal(await readFile(await (await download).path(), "utf8"), text);
  }
});

await test("documents go together in a bundle; the first view says what runs out", async () => {
  await page.getByRole("link", { name: "Tous les documents" }).click();
  await button("Composer un dossier…").click();
  await page.locator("#bundle-title").fill("Demande de logement");
  await question.getByLabel("Quittance de mai").check();
  await question.getByLabel("Attestation").check();
  await accessible(page, "bundle, asked");
  await asked("Enregistrer").click();
  await main.getByText("2 documents", { exact: true }).waitFor();
  await button("Voir – Demande de logement").click();
  await page.waitForFunction(() => document.querySelectorAll(".papers > li").length === 2);
  await button("Supprimer… – Demande de logement").click();
  await asked("Défaire le dossier").click();
  await page.waitForFunction(() => document.activeElement?.id === "bundles-title");
  await visit(page, "");
  await heading("À renouveler bientôt").waitFor();
  await page.locator(".reminders").getByText("expire dans 30 jours").waitFor();
  await accessible(page, "home, with reminders");
  await shoot(page, SCREENS, "home-reminders-fr-light-desktop");
  await page.getByRole("link", { name: "Attestation" }).click();
  await button("Supprimer…").click();
  await asked("Effacer pour de bon").click();
  await heading("Vos documents").waitFor();
  await page.getByRole("link", { name: "Quittance de mai" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Attestation" }).count(), 0);
});

await test("the trail tells all this in plain words, by kind, and goes on from what was seen", async () => {
  await page.getByRole("link", { name: "Journal", exact: true }).click();
  await main.getByText("voit le journal pour la première fois").waitFor();
  const lines = page.locator(".imports > li");
  await lines.getByText("Mesures effacées").first().waitFor();
  await lines.getByText(/onsommation.*du 28\smai\s2025 au 29\smai\s2025/).waitFor();
  await accessible(page, "trail");
  await shoot(page, SCREENS, "trail-fr-light-desktop");
  await page.locator("#trail-kind").selectOption("records.corrected");
  await page.waitForFunction(() => document.querySelectorAll(".imports > li").length === 1);
  await lines.getByText("Mesure corrigée").waitFor();
  await page.locator("#trail-to").fill("2020-01-01");
  await main.getByText("Rien de tel dans le journal.").waitFor();
  const download = page.waitForEvent("download");
  await button("Garder cette preuve").click();
  const kept = await download;
  assert.match(kept.suggestedFilename(), /^traboule-journal-\d+\.txt$/);
  assert.match(await readFile(await kept.path(), "utf8"), /^traboule[^\n]*\n\d+\n[^\n]{44}\n\n— /);
  await page.reload();
  await main.getByText("rien n’a été réécrit depuis").waitFor();
  await page.evaluate(() => {
    const name = Object.keys(localStorage).find((one) => one.startsWith("traboule.checkpoint"));
    const seen = JSON.parse(localStorage.getItem(String(name)) ?? "");
    const lines = seen.note.split("\n");
    lines[2] = `${lines[2].startsWith("A") ? "B" : "A"}${lines[2].slice(1)}`;
    localStorage.setItem(String(name), JSON.stringify({ ...seen, note: lines.join("\n") }));
  });
  await page.reload();
  await main.getByText("ne continue pas celui que ce navigateur a vu").waitFor();
  await accessible(page, "trail, broken");
});

await test("what a line is about is told in words, whatever the program calls it", async () => {
  const phrases = {
    passphrase: "la phrase de passe",
    "key file": "le fichier de clé",
    "source 3, a period": "une source, une période",
    everything: "tout",
    "bundle 01JF8Z0000000000000000000A": "un dossier",
    "import 01JF8Z0000000000000000000A": "",
    "0a1b2c3d": "",
  };
  const time = "2026-01-05T10:00:00Z";
  const entries = Object.keys(phrases).map((what, index) => ({
    index,
    time,
    kind: "store.opened",
    who: "owner",
    what,
    consent: null,
  }));
  const answer = (/** @type {import("playwright-core").Route} */ route) =>
    route.fulfill({ json: { entries, checkpoint: "", next: null } });
  await page.route("**/api/trail?*order=desc*", answer);
  await visit(page, "trail");
  const lines = page.locator(".imports > li p:first-child");
  await lines.first().waitFor();
  assert.deepEqual(
    await lines.allTextContents(),
    Object.values(phrases).map((words) => `Coffre ouvert${words && ` – ${words}`}`),
  );
  await page.unroute("**/api/trail?*order=desc*", answer);
});

await test("the store is checked, exported and saved", async () => {
  await button("Mon coffre").click();
  await page.getByRole("link", { name: /Gérer mon coffre/ }).click();
  await heading("Mon coffre").waitFor();
  await button("Vérifier maintenant").click();
  await main.getByText("Tout est intact.").waitFor();
  await accessible(page, "store");
  await shoot(page, SCREENS, "store-fr-light-desktop", true);
  await button("Exporter…").click();
  await page.locator("#again").fill("mauvaise phrase de passe");
  await asked("Exporter").click();
  await question.getByRole("alert").getByText("pas la bonne phrase de passe").waitFor();
  await heading("Mon coffre").waitFor(); // not the end of the session
  await accessible(page, "export, refused");
  await page.locator("#again").fill(PASSPHRASE);
  const exported = page.waitForEvent("download");
  await asked("Exporter").click();
  assert.match((await exported).suggestedFilename(), /^traboule-export.*\.zip$/);
  const zip = await readFile(await (await exported).path());
  assert.equal(zip.subarray(0, 2).toString(), "PK");
  await question.waitFor({ state: "detached" });
  await button("Sauvegarder…").click();
  await page.locator("#again").fill(PASSPHRASE);
  const saved = page.waitForEvent("download");
  await asked("Sauvegarder").click();
  const age = await readFile(await (await saved).path());
  assert.match(age.subarray(0, 22).toString(), /^age-encryption\.org\/v1/);
  await question.waitFor({ state: "detached" });
});

await test("phone, dark, English, zoom: every new place fits and is accessible", async () => {
  const places = {
    documents: "documents",
    trail: "trail",
    store: "store",
    readings: "energy?by=day&on=2025-05-06",
  };
  const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
  const surroundings = {
    "fr-light-phone": { ...phone, deviceScaleFactor: 2 },
    "en-dark-phone": {
      ...phone,
      deviceScaleFactor: 2,
      locale: "en-GB",
      colorScheme: /** @type {const} */ ("dark"),
    },
    "en-light-reflow": { viewport: { width: 320, height: 256 }, locale: "en-GB" },
  };
  const shown = new Set([
    "documents-fr-light-phone",
    "trail-en-dark-phone",
    "store-en-dark-phone",
    "readings-en-dark-phone",
  ]);
  for (const [name, options] of Object.entries(surroundings)) {
    const other = await elsewhere(options);
    for (const [place, path] of Object.entries(places)) {
      await visit(other, path);
      await other.locator("main section").first().waitFor();
      if (place === "readings") {
        await other.locator("details.numbers").last().click();
        await other.locator("tr.corrected").waitFor();
      }
      if (place === "trail") await other.locator(".imports > li").first().waitFor();
      // Colours and names are those of a page of the usual size: a small window changes the layout alone.
      if (/zoom|reflow/.test(name)) await fits(other, `${place}-${name}`);
      else await accessible(other, `${place}-${name}`);
      if (shown.has(`${place}-${name}`)) await shoot(other, SCREENS, `${place}-${name}`, true);
      await other.evaluate(() => {
        document.documentElement.style.fontSize = "200%";
      });
      await fits(other, `${place}-${name}, text twice as big`);
    }
    noFaults(other);
    await other.context().close();
  }
});

await test("all is erased after a word and the passphrase", async () => {
  await visit(page, "store");
  await button("Effacer…").click();
  await asked("Effacer pour de bon").click();
  await question.getByText("Choisissez ce qui doit être effacé.").waitFor();
  await page.locator("#erase-what").selectOption("all");
  await asked("Effacer pour de bon").click();
  await question.getByText("Écrivez « effacer » en toutes lettres.").waitFor();
  await page.locator("#erase-word").fill("Effacer");
  await page.locator("#again").fill(PASSPHRASE);
  await accessible(page, "erase, asked");
  await asked("Effacer pour de bon").click();
  await question.waitFor({ state: "detached" });
  await visit(page, "");
  await main.getByText("Votre coffre est vide").waitFor();
});

await test("real damage is found by the check, told on every page, and nothing is copied any more", async () => {
  const file = await openFile(join(made.store, "vault.db"), "r+");
  const byte = Buffer.alloc(1);
  for (let at = 4096 + 100; at < (await file.stat()).size; at += 4096) {
    await file.read(byte, 0, 1, at);
    byte[0] ^= 0x40;
    await file.write(byte, 0, 1, at);
  }
  await file.close();
  await visit(page, "store");
  await button("Vérifier maintenant").click();
  await main
    .getByText(/problèmes? trouvés?/)
    .first()
    .waitFor();
  const banner = page.locator("main > .damage");
  await banner.getByText("Votre coffre est endommagé").waitFor();
  await accessible(page, "store, damaged");
  await page.getByRole("link", { name: "Documents", exact: true }).click();
  await heading("Vos documents").waitFor();
  await banner.getByText("restaurez une sauvegarde").waitFor();
  await visit(page, "trail"); // loaded anew: the store says it, not the page's memory
  await banner.getByText("restaurez une sauvegarde").waitFor();
  await banner.getByRole("link", { name: /Vérifier le coffre/ }).click();
  await button("Sauvegarder…").click();
  await page.locator("#again").fill(PASSPHRASE);
  await asked("Sauvegarder").click();
  await question.getByRole("alert").getByText("Le coffre est endommagé").waitFor();
  await accessible(page, "backup, refused");
});

await test("no refusal by the policy, no error, no other origin", async () => {
  await browser.close();
  await program.stop();
  await discard(made.folder);
  noFaults(page);
});
