/* The owner corrects, annotates and deletes, from outside: what queries, counts and lists say at once, and what
 * a file imported again changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Client,
  CONSUMPTION,
  HALF_HOUR_MS,
  instant,
  makeCurve,
  makeStore,
  put,
  run,
  serve,
} from "./program_common.mjs";

const store = await makeStore();
const daemon = await serve(store);
const owner = new Client(daemon.url);
await owner.signIn(store.passphrase);

const records = `/api/records/${CONSUMPTION}`;
const start = Date.parse("2024-05-01T22:00:00Z"); // a local midnight
const watts = Array.from({ length: 96 }, (_, i) => 200 + 2 * i); // two days
const curve = makeCurve({ start, watts });
const at = (i) => instant(start + i * HALF_HOUR_MS);
const wh = (i) => watts[i] / 2;
const key = (i) => ({ source: 1, start: at(i), end: at(i + 1) });
const upload = async () => (await owner.upload([{ name: "curve.csv", text: curve }])).json.files[0];
const all = async (query = "") => (await owner.get(`${records}${query}`)).json;
const history = (i) =>
  owner.get(`${records}/history?${new URLSearchParams({ ...key(i), source: "1" })}`);
const dataset = async () =>
  (await owner.get("/api/datasets")).json.datasets.find(({ name }) => name === CONSUMPTION);

test("a corrected value is what every answer says at once, and history tells the file's", async () => {
  assert.equal((await upload()).new, 96);
  const before = await all("?step=P1D");
  const answer = await owner.post(`${records}/corrections`, {
    ...key(3),
    value: 1000,
    note: "the oven, not the meter",
  });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.replaced, true);
  const { records: told, coverage } = await all();
  assert.equal(told.length, 96);
  assert.equal(coverage, 1);
  assert.deepEqual(told[3], { start: at(3), end: at(4), value: 1000, quality: "corrected" });
  const days = await all("?step=P1D");
  assert.equal(days.records[0].value, before.records[0].value - wh(3) + 1000);
  assert.equal(days.records[1].value, before.records[1].value);
  const { versions } = (await history(3)).json;
  assert.deepEqual(
    versions.map(({ value, quality, format, file, line }) => [value, quality, format, file, line]),
    [
      [1000, "corrected", "owner.correction", "", null],
      [wh(3), "measured", versions[1].format, "curve.csv", 7],
    ],
  );
  assert.equal(versions[0].import, answer.json.import);
  assert.equal(versions[0].replaced_at, null);
  assert.equal(versions[1].replaced_at, versions[0].at);
  const again = await owner.post(`${records}/corrections`, { ...key(3), values: { value: 1000 } });
  assert.deepEqual(again.json, { replaced: false, import: null, annotation: null });
});

test("provenance is told on demand, and nothing else changes", async () => {
  const { records: told } = await all(`?provenance=1&from=${at(3)}&to=${at(5)}`);
  const { imports } = (await owner.get("/api/imports")).json;
  assert.deepEqual(told, [
    {
      ...{ start: at(3), end: at(4), value: 1000, quality: "corrected" },
      ...{ source: 1, grain: told[0].grain, import: imports[0].id, line: null },
    },
    {
      ...{ start: at(4), end: at(5), value: wh(4), quality: "measured" },
      ...{ source: 1, grain: told[0].grain, import: imports[1].id, line: 8 },
    },
  ]);
  const csv = await owner.get(`${records}?provenance=1&format=csv&from=${at(4)}&to=${at(5)}`);
  assert.match(csv.text, /^start,end,value,quality,source,grain,import,line\r\n/);
  assert.match(csv.text, new RegExp(`,1,${told[0].grain},${imports[1].id},8\r\n$`));
  for (const query of ["provenance=1&step=P1D", "provenance=yes"])
    assert.equal((await owner.get(`${records}?${query}`)).status, 400);
});

test("the provider's file again does not undo a correction; undoing the correction does", async () => {
  const { new: fresh, same, replaced, rejected } = await upload();
  assert.deepEqual({ fresh, same, replaced, rejected }, { fresh: 0, same: 95, replaced: 0, rejected: 1 });
  assert.equal((await all()).records[3].value, 1000);
  const { imports } = (await owner.get("/api/imports")).json;
  const correction = imports.find(({ format }) => format === "owner.correction");
  assert.equal(correction.replaced, 1);
  const undone = await owner.post(`/api/imports/${correction.id}/undo`);
  assert.equal(undone.json.restored, 1);
  const { records: told } = await all();
  assert.deepEqual(told[3], { start: at(3), end: at(4), value: wh(3), quality: "measured" });
  assert.equal((await history(3)).json.versions.length, 1);
});

test("what cannot be corrected is refused in words", async () => {
  const rows = [
    [{ ...key(3), value: -5 }, 400],
    [{ ...key(3), value: 1e13 }, 400],
    [{ ...key(3), value: "1" }, 400],
    [{ ...key(3) }, 400],
    [{ ...key(3), value: 1, values: { value: 1 } }, 400],
    [{ ...key(3), values: {} }, 400],
    [{ ...key(3), values: { valeur: 1 } }, 400],
    [{ ...key(3), value: 1, end: at(5) }, 404],
    [{ ...key(3), value: 1, source: 9 }, 404],
    [{ ...key(3), value: 1, note: "\u0007" }, 400],
    [{ ...key(3), value: 1, more: true }, 400],
  ];
  for (const [body, status] of rows) {
    const answer = await owner.post(`${records}/corrections`, body);
    assert.equal(answer.status, status, `${JSON.stringify(body)}: ${answer.text}`);
  }
  assert.equal((await all()).records[3].value, wh(3));
  assert.equal((await history(96)).status, 404);
});

test("a period deleted is gone from answers, counts and coverage; undoing imports brings nothing back", async () => {
  for (const query of ["", `?from=${at(0)}`, `?to=${at(1)}`, `?from=${at(1)}&to=${at(1)}`])
    assert.equal((await owner.ask("DELETE", `${records}${query}`)).status, 400);
  const gone = await owner.ask("DELETE", `${records}?from=${at(40)}&to=${at(50)}&source=1`);
  assert.deepEqual(gone.json, { removed: 10 });
  assert.equal((await dataset()).records, 86);
  const told = await all(`?from=${at(0)}&to=${at(96)}`);
  assert.equal(told.records.length, 86);
  assert.equal(told.coverage, Number((86 / 96).toFixed(4)));
  const [day] = (await all("?step=P1D")).records;
  assert.equal(day.coverage, Number((40 / 48).toFixed(4)));
  assert.equal((await history(45)).status, 404);

  const { imports } = (await owner.get("/api/imports")).json; // the file twice, the correction (undone)
  for (const { id, undone_at } of imports) {
    if (undone_at) continue;
    assert.equal((await owner.post(`/api/imports/${id}/undo`)).status, 200);
    for (const { start: first } of (await all()).records)
      assert.ok(first < at(40) || first >= at(50), first);
  }
  assert.equal((await dataset()).records, 0);
  assert.equal((await upload()).new, 96); // nothing keeps them from coming again
});

test("notes are kept beside a period, changed on what was seen, and found where they touch", async () => {
  const body = { dataset: CONSUMPTION, start: at(0), end: at(48), text: "Absents" };
  const made = await owner.post("/api/annotations", body);
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers.etag, '"1"');
  const path = `/api/annotations/${made.json.id}`;
  const found = async (from, to) =>
    (
      await owner.get(`/api/annotations?dataset=${CONSUMPTION}&from=${from}&to=${to}`)
    ).json.annotations.map(({ text }) => text);
  assert.deepEqual(await found(at(47), at(48)), ["Absents"]);
  assert.deepEqual(await found(at(48), at(49)), []);
  assert.deepEqual(await found(at(3), at(4)), ["the oven, not the meter", "Absents"]);

  const late = await owner.ask("PATCH", path, { text: "x" }, { "If-Match": '"9"' });
  assert.equal(late.status, 412);
  const changed = await owner.ask("PATCH", path, { text: "Absents, à la mer" }, { "If-Match": '"1"' });
  assert.equal(changed.status, 200, changed.text);
  assert.equal(changed.headers.etag, '"2"');
  assert.equal(changed.json.text, "Absents, à la mer");
  assert.equal((await owner.ask("DELETE", path, undefined, { "If-Match": "nothing" })).status, 412);
  assert.equal((await owner.ask("DELETE", path, undefined, { "If-Match": '"2"' })).status, 204);
  assert.equal((await owner.get(path)).status, 404);
  assert.equal((await owner.post("/api/annotations", { ...body, text: " " })).status, 400);
});

test("the trail tells which dataset and period, never a value or a word", async () => {
  const { entries } = (await owner.get("/api/trail")).json;
  const of = (kind) => entries.filter((entry) => entry.kind === kind).map(({ what }) => what);
  assert.deepEqual(of("records.corrected"), [`${CONSUMPTION} ${at(3)}/${at(4)}`]);
  assert.deepEqual(of("records.deleted"), [`${CONSUMPTION} ${at(40)}/${at(50)}`]);
  assert.equal(of("annotated").length, 4);
});

test("the command line says the same, and the store is whole", async () => {
  await owner.post(`${records}/corrections`, { ...key(3), value: 12.5 });
  const flags = ["--passphrase-file", store.secret, "--json"];
  const rows = await run(["query", store.dir, CONSUMPTION, "--from", at(3), "--to", at(4), ...flags]);
  assert.equal(rows.json.records[0].value, 12.5, rows.err);
  const file = put(store.folder, "again.csv", curve);
  assert.equal((await run(["import", store.dir, file, ...flags])).json.files[0].rejected, 1);
  const { ok, problems } = (await owner.get("/api/check")).json;
  assert.deepEqual([ok, problems], [true, []]);
  owner.close();
  await daemon.stop();
});
