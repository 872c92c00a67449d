/* A store leaves whole, in open formats that a stock reader takes, and comes into another as it was; a hostile
 * file leaves nothing behind (security brief 5, rows 16 and 31).
 *
 *   TRABOULE=build/dev/traboule node tests/integration/program_export.mjs  (TRABOULE_NIGHTLY=1: a million records) */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Package } from "datapackage";
import {
  bytesOf,
  Client,
  CONSUMPTION,
  instant,
  makeCurve,
  makeFolder,
  makeForm,
  makeStore,
  NIGHTLY,
  put,
  run,
  serve,
} from "./program_common.mjs";
import { makeExport, makeZip, readZip, sha256 } from "./zip.mjs";

const PEAK = "energy.electricity.power-max";
const STEPS = {
  [CONSUMPTION]: ["PT30M", "PT1H", "P1D", "P1W", "P1M", "P1Y"],
  [PEAK]: ["P1D", "P1W", "P1M", "P1Y"],
  "mobility.position": ["PT5M", "PT15M", "PT1H", "P1D"],
};
const DOCUMENT = "01HWSMQG00AAAAAAAAAAAAAAAA";
const FORMULA = /^[=+\-@\t\r]/;
const start = Date.parse("2024-05-01T22:00:00Z");
const folder = makeFolder();
const store = await makeStore();
const key = (which) => ["--key-file", which.key];
const command = (name, which, ...args) => run([name, which.dir, ...args, ...key(which)]);

async function json(name, which, ...args) {
  const done = await command(name, which, ...args, "--json");
  assert.equal(done.status, 0, done.err);
  return done.json;
}
const digest = async (which) => (await json("export", which, "--digest")).digest;

/** The rows of a CSV file, by RFC 4180 and nothing else. */
function readCsv(text) {
  const rows = [[]];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\n]*))([,\n])/gy;
  for (let found = cell.exec(text); found; found = cell.exec(text)) {
    rows.at(-1).push(found[1] === undefined ? found[2] : found[1].replaceAll('""', '"'));
    if (found[3] === "\n") rows.push([]);
  }
  assert.deepEqual(rows.pop(), []);
  return rows;
}

/** A document with two versions, as another store would export it. */
function documentZip(title, files = ["%PDF-1.4 one", "%PDF-1.4 two"], id = DOCUMENT) {
  const document = {
    id,
    kind: "other",
    title,
    number: "+1",
    issuer: "-x",
    issued: "2024-05-01",
    expires: null,
    remind_days: 30,
    tags: ["@home", "=1"],
    note: "=cmd|' /C calc'!A0",
    versions: files.map((bytes, i) => ({
      version: i + 1,
      file: i ? "=2+2.pdf" : "../../CON.pdf",
      type: "application/pdf",
      size: Buffer.byteLength(bytes),
      sha256: sha256(bytes),
      added: "2024-05-01T00:00:00Z",
    })),
  };
  const list = {
    documents: [document],
    bundles: [{ id: "01HWSMQG00CCCCCCCCCCCCCCCC", title: "=both", documents: [id] }],
  };
  return makeExport([
    { name: "documents.json", bytes: JSON.stringify(list), identity: { kind: "documents" } },
    ...files.map((bytes, i) => ({
      name: `documents/${i}.pdf`,
      bytes,
      identity: { kind: "file", document: id, version: i + 1 },
    })),
  ]);
}

const merge = (which, zip, ...args) => {
  put(folder, "merge.zip", zip);
  return command("merge", which, join(folder, "merge.zip"), ...args);
};

test("a store is furnished: energy, places south and west, a document of two versions", async () => {
  const curve = put(
    folder,
    "=formula.csv",
    makeCurve({ start, watts: Array.from({ length: 480 }, (_, i) => 300 + (i % 7)) }),
  );
  assert.equal((await command("import", store, curve)).status, 0);
  // A second meter with as many records, earlier by name and later by arrival.
  const second = makeCurve({ meter: "00000000000001", start, watts: Array(480).fill(900) });
  assert.equal((await command("import", store, put(folder, "second.csv", second))).status, 0);
  const daemon = await serve(store, key(store));
  const owner = new Client(daemon.url);
  assert.equal((await owner.signIn(store.passphrase)).status, 200);
  const places = Array.from({ length: 50 }, (_, i) => ({
    start: instant(start + i * 60_000),
    end: instant(start + i * 60_000),
    latitude: -45.764043 - i / 1e7,
    longitude: -4.8356589,
    accuracy: 12.5,
    altitude: -3.25,
  }));
  const posted = await owner.post("/api/records/mobility.position", { records: places });
  assert.equal(posted.status, 200, posted.text);
  const over = { ...places[0], latitude: 90.5 };
  assert.equal((await owner.post("/api/records/mobility.position", { records: [over] })).status, 400);
  const read = (await owner.get("/api/records/mobility.position?limit=2")).json;
  assert.equal(read.records[0].latitude, -45.764043);
  assert.equal(read.records[1].latitude, -45.7640431);
  const peaks = Array.from({ length: 10 }, (_, i) => ({
    start: instant(start + i * 86_400_000),
    end: instant(start + (i + 1) * 86_400_000),
    value: 5000 + i,
    ...(i % 3 ? { peak_after_s: 3600 * i } : {}),
  }));
  assert.equal((await owner.post(`/api/records/${PEAK}`, { records: peaks })).status, 200);
  const { sources } = (await owner.get("/api/sources")).json;
  const corrected = await owner.post(`/api/records/${CONSUMPTION}/corrections`, {
    source: sources[0].id,
    start: instant(start),
    end: instant(start + 1_800_000),
    value: 42,
    note: "L’été à Nîmes : =1+1; œuf",
  });
  assert.equal(corrected.status, 200, corrected.text);
  const days = (await owner.get("/api/records/mobility.position?step=P1D")).json;
  assert.equal(days.records.length, 1);
  assert.equal(days.records[0].latitude, -45.7640479, "the last of the day: no sum");
  owner.close();
  assert.equal(await daemon.stop(), 0);
  const merged = await merge(store, documentZip("=1+1"), "--json");
  assert.equal(merged.status, 0, merged.err);
  assert.deepEqual(merged.json.documents, { new: 1, same: 0, conflicts: 0 });
});

let exported;
test("the export is a data package that its stock reader takes, each file as it is told", async () => {
  const file = join(folder, "out.zip");
  const answer = await json("export", store, "-o", file);
  assert.equal(answer.digest, await digest(store));
  assert.equal(answer.documents, 1);
  exported = bytesOf(file);
  const entries = readZip(exported);
  assert.equal([...entries.keys()][0], "datapackage.json");
  const opened = makeFolder();
  for (const [name, bytes] of entries) {
    assert.match(name, /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)?$/, "a safe name");
    assert.doesNotMatch(name, /(^|\/)(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
    mkdirSync(dirname(join(opened, name)), { recursive: true });
    writeFileSync(join(opened, name), bytes);
  }
  const descriptor = JSON.parse(entries.get("datapackage.json"));
  assert.equal(descriptor.resources.length, entries.size - 1, "all is told");
  for (const resource of descriptor.resources) {
    const bytes = entries.get(resource.path);
    assert.equal(resource.bytes, bytes.length, resource.path);
    assert.equal(resource.hash, `sha256:${sha256(bytes)}`, resource.path);
  }
  const pack = await Package.load(join(opened, "datapackage.json"), { strict: true });
  assert.equal(pack.valid, true, String(pack.errors));
  const rows = {};
  for (const resource of pack.resources.filter((one) => one.tabular))
    rows[resource.descriptor.path] = await resource.read({ keyed: true });
  const energy = Object.keys(rows).find((path) => path.startsWith(`data/${CONSUMPTION}--enedis-01234`));
  assert.equal(rows[energy].length, 480);
  assert.equal(rows[energy][1].value, 150.5);
  assert.equal(rows["data/mobility.position--owner--typed.csv"].length, 50);
  assert.equal(rows["documents.csv"].length, 2);
});

test("maps take the places: GeoJSON and GPX are whole, in the order of their standards", () => {
  const entries = readZip(exported);
  const stem = "places/mobility.position--owner--typed";
  const { type, features } = JSON.parse(entries.get(`${stem}.geojson`));
  assert.equal(type, "FeatureCollection");
  assert.equal(features.length, 50);
  assert.deepEqual(features[0].geometry, { type: "Point", coordinates: [-4.8356589, -45.764043, -3.25] });
  assert.deepEqual(features[0].properties, { time: instant(start), accuracy: 12.5, quality: "measured" });
  const point =
    '<trkpt lat="-?\\d+(\\.\\d+)?" lon="-?\\d+(\\.\\d+)?">(<ele>-?\\d+(\\.\\d+)?</ele>)?<time>[\\dTZ:-]{20}</time></trkpt>\\n';
  const gpx = new RegExp(
    `^<\\?xml version="1\\.0" encoding="UTF-8"\\?>\\n<gpx version="1\\.1" creator="traboule" ` +
      `xmlns="http://www\\.topografix\\.com/GPX/1/1">\\n<trk><name>[a-z0-9._-]+</name><trkseg>\\n(${point}){50}` +
      "</trkseg></trk></gpx>\\n$",
  );
  assert.match(entries.get(`${stem}.gpx`).toString(), gpx);
});

test("no cell of text is a formula, and each comes back as it was", () => {
  let cells = 0;
  for (const [name, bytes] of readZip(exported)) {
    if (!name.endsWith(".csv")) continue;
    const [header, ...rows] = readCsv(bytes.toString());
    for (const row of rows) {
      assert.equal(row.length, header.length, name);
      for (const cell of row) {
        cells++;
        assert.ok(!FORMULA.test(cell) || /^-\d+(\.\d+)?$/.test(cell), `${name}: ${cell}`);
      }
    }
    if (name === "documents.csv") assert.equal(rows[0][header.indexOf("title")], "'=1+1");
  }
  assert.ok(cells > 2000);
  const list = JSON.parse(readZip(exported).get("documents.json"));
  assert.equal(list.documents[0].versions[1].file, "=2+2.pdf", "JSON holds it as it is");
});

test("into an empty store: the same digests; twice: nothing more; and back", async () => {
  const other = await makeStore();
  const first = await merge(other, exported, "--json");
  assert.equal(first.status, 0, first.err);
  assert.deepEqual(first.json.conflicts, []);
  assert.deepEqual(first.json.warnings, []);
  assert.equal(await digest(other), await digest(store));
  for (const [dataset, steps] of Object.entries(STEPS)) {
    for (const args of [[], ["--format", "csv"], ...steps.map((step) => ["--step", step])]) {
      const [here, there] = [store, other].map((which) => command("query", which, dataset, ...args));
      assert.equal((await there).out, (await here).out, `${dataset} ${args}`);
    }
  }
  const again = (await merge(other, exported, "--json")).json;
  assert.deepEqual(again.documents, { new: 0, same: 1, conflicts: 0 });
  for (const dataset of again.datasets) assert.equal(dataset.new + dataset.replaced + dataset.conflicts, 0);
  assert.equal(await digest(other), await digest(store));
  for (const id of [first.json.import, first.json.corrections])
    assert.equal((await command("imports", other, "undo", id)).status, 0);
  assert.equal(await digest(other), await digest(store), "the second import still holds them");
  assert.equal((await command("check", other)).status, 0);
});

test("a document of the same id with other content is kept beside, once", async () => {
  const other = await makeStore();
  assert.equal((await merge(other, documentZip("mine", ["%PDF mine"]))).status, 0);
  const first = (await merge(other, documentZip("theirs", ["%PDF theirs"]), "--json")).json;
  assert.deepEqual(first.documents, { new: 1, same: 0, conflicts: 1 });
  assert.equal(first.conflicts[0].where, DOCUMENT);
  const before = await digest(other);
  const again = (await merge(other, documentZip("theirs", ["%PDF theirs"]), "--json")).json;
  assert.deepEqual(again.documents, { new: 0, same: 1, conflicts: 0 });
  const longer = (await merge(other, documentZip("mine", ["%PDF mine", "%PDF newer"]), "--json")).json;
  assert.deepEqual(longer.documents, { new: 1, same: 0, conflicts: 0 });
  assert.notEqual(await digest(other), before);
});

test("over HTTP: the passphrase is asked again; the answer is the same file, and merges", async () => {
  const other = await makeStore();
  const daemons = [await serve(store, key(store)), await serve(other, key(other))];
  const [from, to] = daemons.map((daemon) => new Client(daemon.url));
  await from.signIn(store.passphrase);
  await to.signIn(other.passphrase);
  assert.equal((await from.post("/api/export", {})).status, 400);
  assert.equal((await from.post("/api/export", { passphrase: "not this one at all" })).status, 401);
  const answer = await from.post("/api/export", { passphrase: store.passphrase });
  assert.equal(answer.status, 200, answer.text.slice(0, 300));
  assert.equal(answer.headers["content-type"], "application/zip");
  assert.match(answer.headers["content-disposition"], /^attachment/);
  assert.deepEqual([...readZip(answer.body).keys()], [...readZip(exported).keys()]);
  const form = makeForm([{ name: "x.zip", text: answer.body }]);
  const merged = await to.post("/api/merge", form.body, { "Content-Type": form.type });
  assert.equal(merged.status, 200, merged.text);
  assert.equal(await digest(other), await digest(store), "both served");
  const bad = makeForm([{ name: "x.zip", text: "PK\x03\x04 and nothing" }]);
  const refused = await to.post("/api/merge", bad.body, { "Content-Type": bad.type });
  assert.ok(refused.status >= 400 && refused.status < 500, refused.text);
  for (const client of [from, to]) client.close();
  for (const daemon of daemons) assert.equal(await daemon.stop(), 0);
});

const HEAD = "start,end,value,quality,import,line\n";
const ROW = "2024-05-01T00:00:00Z,2024-05-01T01:00:00Z,5,measured,,1\n";
const identity = {
  kind: "records",
  dataset: "water.consumption",
  provider: "e",
  reference: "",
  grain: "g",
};
const water = { name: "a.csv", bytes: HEAD + ROW, identity };
const nul = Buffer.alloc(40_000_000);
const inner = makeZip([{ name: "b", bytes: nul }]);

/** [what, zip, exit status] */
const HOSTILE = [
  ["as it should be", makeExport([water]), 0],
  ["traversal", makeExport([water, { ...water, name: "../../evil.csv" }]), 1],
  ["an absolute path", makeExport([water, { ...water, name: "/tmp/evil.csv" }]), 1],
  ["a link: read as a stream, its bytes are bytes", makeExport([water, { name: "l", bytes: "/etc/passwd", link: true }]), 0],
  ["the same name twice", makeExport([water, { ...water, untold: true }]), 1],
  ["two resources of one path", makeExport([water, water]), 1],
  ["1000 : 1", makeExport([water, { name: "bomb", bytes: nul }]), 1],
  ["nested: a zip is a file like any other", makeExport([water, { name: "z.zip", bytes: inner, stored: true }]), 0],
  ["a changed cell", makeExport([{ ...water, told: HEAD + ROW.replace(",5,", ",6,") }]), 1],
  ["not told", makeExport([water, { name: "extra", bytes: "x", untold: true }]), 0],
  ["another data package", makeExport([water], { format: "else", version: 1 }), 1],
  ["no package", makeZip([water]), 1],
  ["cut", makeExport([water]).subarray(0, 300), 1],
  ["empty", Buffer.alloc(0), 1],
  ["text", Buffer.from("hello"), 1],
];

test("hostile files are refused at once, and leave nothing", async () => {
  const other = await makeStore();
  const empty = await digest(other);
  for (const [what, zip, status] of HOSTILE) {
    const began = Date.now();
    const done = await merge(other, zip, "--json");
    assert.equal(done.status, status, `${what}: ${done.err}`);
    assert.ok(Date.now() - began < 10_000, what);
    if (status === 0) await command("imports", other, "undo", done.json.import);
    assert.equal(await digest(other), empty, what);
  }
  assert.equal((await command("check", other)).status, 0);
});

test("killed within, a merge leaves no record; and it can be made again", async () => {
  const other = await makeStore();
  const empty = await digest(other);
  put(folder, "kill.zip", exported);
  let cut = 0;
  for (let ms = 1; ms < (NIGHTLY ? 120 : 40); ms += NIGHTLY ? 1 : 6) {
    const done = await run(["merge", other.dir, join(folder, "kill.zip"), ...key(other)], { killAfter: ms });
    const { datasets } = await json("export", other, "--digest");
    if (done.status === 0) break;
    cut++;
    const records = datasets.reduce((sum, one) => sum + one.records, 0);
    assert.ok([0, 1019, 1020].includes(records), `${records} after ${ms} ms`); // the correction comes last
  }
  assert.ok(cut > 0);
  assert.equal((await command("merge", other, join(folder, "kill.zip"))).status, 0);
  assert.equal(await digest(other), await digest(store));
  assert.notEqual(empty, await digest(other));
  assert.equal((await command("check", other)).status, 0);
});

test("a large store is exported in little memory", async () => {
  const large = await makeStore();
  const count = NIGHTLY ? 1_000_000 : 60_000;
  for (let from = 0; from < count; from += 20_000) {
    const watts = Array.from({ length: Math.min(20_000, count - from) }, (_, i) => 300 + ((from + i) % 97));
    const meter = String(10_000_000_000_000 + Math.floor(from / 400_000));
    const curve = makeCurve({ meter, start: start + (from % 400_000) * 1_800_000, watts });
    assert.equal((await command("import", large, put(folder, "large.csv", curve))).status, 0);
  }
  const daemon = await serve(large, key(large));
  const peak = () =>
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, "utf8"))[1]);
  const before = peak();
  await json("export", large, "-o", join(folder, "large.zip")); // the daemon makes it; no passphrase, so no derivation
  const after = peak();
  console.log(`${count} records: peak ${before} KiB, then ${after} KiB`);
  assert.ok(after - before < 16 * 1024);
  await daemon.stop();
});
