/* Every text the pages ask for exists in both languages, and none is left that nothing asks for. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import test from "node:test";

const WEB = new URL("../../pds/web/", import.meta.url);

/** @param {string} code @returns {Promise<Record<string, string>>} */
const texts = async (code) => JSON.parse(await readFile(new URL(`i18n/${code}.json`, WEB), "utf8"));

/** @param {URL} folder @returns {Promise<string>} all its scripts */
async function scripts(folder) {
  const parts = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) parts.push(await scripts(new URL(`${entry.name}/`, folder)));
    else if (entry.name.endsWith(".js"))
      parts.push(await readFile(new URL(entry.name, folder), "utf8"));
  }
  return parts.join("\n");
}

const source = await scripts(new URL("js/", WEB));
const asked = new Set(
  [...source.matchAll(/["'`]([a-z]+\.[a-z0-9_]+)["'`]/g)].map(([, key]) => key),
);
const counted = new Set(
  [
    ...source.matchAll(
      /plural\(\s*([^;]*?["'`][a-z]+\.[a-z0-9_]+["'`](?:\s*:\s*["'`][a-z.0-9_]+["'`])?)/g,
    ),
  ].flatMap(([, keys]) => [...keys.matchAll(/[a-z]+\.[a-z0-9_]+/g)].map(([key]) => key)),
);

for (const code of ["fr", "en"]) {
  const all = await texts(code);
  const groups = new Set(Object.keys(all).map((key) => key.split(".")[0]));

  test(`${code}: no text is missing`, () => {
    const direct = [...source.matchAll(/\b(?:t|plural)\(\s*"([^"]+)"/g)].map(([, key]) => key);
    const likely = [...asked].filter((key) => groups.has(key.split(".")[0]));
    assert.deepEqual(
      [...direct, ...likely].filter((key) => !(key in all)),
      [],
    );
  });

  test(`${code}: no text is unused`, () => {
    const unused = Object.keys(all).filter((key) => !asked.has(key.replace(/_one$/, "")));
    assert.deepEqual(unused, []);
  });

  test(`${code}: what is counted has a form for one`, () => {
    const missing = [...counted].filter((key) => !(`${key}_one` in all));
    assert.deepEqual(missing, []);
  });

  test(`${code}: no text is empty`, () => {
    assert.deepEqual(
      Object.keys(all).filter((key) => !all[key].trim() && key !== "readout.join"),
      [],
    );
  });
}

test("both languages have the same texts, with the same names to fill", async () => {
  const [fr, en] = [await texts("fr"), await texts("en")];
  assert.deepEqual(Object.keys(fr).sort(), Object.keys(en).sort());
  const names = (/** @type {string} */ text) => [
    ...new Set([...text.matchAll(/{{(\w+)}}/g)].map(([, name]) => name)),
  ];
  for (const key of Object.keys(fr))
    assert.deepEqual(names(fr[key]).sort(), names(en[key]).sort(), key);
});

test("every kind of event that the trail can tell has words", async () => {
  const listed = await readFile(new URL("../../pds/audit/event.c", import.meta.url), "utf8");
  const kinds = [...listed.matchAll(/\[EVENT_\w+\] = "([^"]+)"/g)].map(([, name]) => name);
  const known = await readFile(new URL("js/trail.js", WEB), "utf8");
  assert.ok(kinds.length > 20);
  assert.deepEqual(
    kinds.filter((kind) => !new RegExp(`^  "?${kind}"?: "event\\.`, "m").test(known)),
    [],
  );
});
