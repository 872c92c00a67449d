/* What the trail tells of each address and each command that changes the store or gives it out: which lines, and that
 * they say ids, datasets and periods alone. An address or a command that this table does not know fails the test. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Client, CONSUMPTION, makeCurve, makeForm, makeStore, put, run, serve } from "./program_common.mjs";

const MINE = "Zqxvkjwpersonal"; // in every text that the owner gives
const METER = "09876543210987";
const WH = 8_765_432;
const ID = "[0-9A-HJKMNP-TV-Z]{26}";
const TIME = "2024-\\d\\d-\\d\\dT\\d\\d:\\d\\d:00Z";
const PERIOD = `energy\\.electricity\\.consumption ${TIME}/${TIME}`;
const MERGED = `merged( import ${ID})?(; imported ${ID}( ${CONSUMPTION})?)*`; // the lines of the imports it made

const store = await makeStore();
const key = ["--key-file", store.key];
const cheap = ["--kdf-memory-mib", "64"];
const command = (...words) => run([...words, ...key]);
const entries = async () => (await command("trail", store.dir, "--json")).json.entries;
const secret = { passphrase: store.passphrase };
let daemon = await serve(store, key);
let owner = new Client(daemon.url);
const kept = {}; // what one step leaves to the next

const curve = put(
  store.folder,
  `${MINE}.csv`,
  makeCurve({ meter: METER, start: Date.parse("2024-01-01T00:00:00Z"), watts: [2 * WH, 200, 300] }),
);
const upload = (path, parts) => {
  const form = makeForm(parts);
  return owner.post(path, form.body, { "Content-Type": form.type });
};
const paper = [
  ...["title", "number", "issuer", "note", "tags"].map((field) => ({ field, text: MINE })),
  { name: `${MINE}.txt`, text: MINE },
];
const record = { start: "2024-03-01T00:00:00Z", end: "2024-03-01T01:00:00Z", value: WH };

/** In the order in which they are done; `lines`: kind and what of each line that it leaves. */
const ADDRESSES = [
  ["POST /api/session", () => owner.signIn(store.passphrase), ["sign-in"]],
  ["POST /api/records/{dataset}", () => owner.post(`/api/records/${CONSUMPTION}`, { records: [record] }), [`records\\.put ${ID} ${CONSUMPTION}`]],
  [
    "POST /api/imports",
    async () => {
      const answer = await owner.upload([{ name: `${MINE}.csv`, text: makeCurve({ meter: METER, start: Date.parse("2024-02-01T00:00:00Z"), watts: [1, 2, 3] }) }]);
      kept.import = answer.json.files[0].import;
      return answer;
    },
    [`imported ${ID} ${CONSUMPTION}`],
  ],
  [
    "POST /api/records/{dataset}/corrections",
    async () => {
      const rows = (await owner.get(`/api/records/${CONSUMPTION}?provenance=1`)).json.records;
      const { source, start, end } = rows[0];
      return owner.post(`/api/records/${CONSUMPTION}/corrections`, { source, start, end, value: WH, note: MINE });
    },
    [`records\\.corrected ${PERIOD}`, `annotated ${PERIOD}`],
  ],
  ["POST /api/imports/{id}/undo", () => owner.post(`/api/imports/${kept.import}/undo`), [`import\\.undone ${ID}`]],
  [
    "POST /api/annotations",
    async () => {
      const answer = await owner.post("/api/annotations", { dataset: CONSUMPTION, start: record.start, end: record.end, text: MINE });
      kept.note = answer.json.id;
      return answer;
    },
    [`annotated ${PERIOD}`],
  ],
  ["PATCH /api/annotations/{id}", () => owner.ask("PATCH", `/api/annotations/${kept.note}`, { text: `${MINE}!` }), [`annotated ${PERIOD}`]],
  ["DELETE /api/annotations/{id}", () => owner.ask("DELETE", `/api/annotations/${kept.note}`), [`annotated ${PERIOD}`]],
  ["DELETE /api/records/{dataset}", () => owner.ask("DELETE", `/api/records/${CONSUMPTION}?from=2024-03-01T00:00:00Z&to=2024-03-02T00:00:00Z`), [`records\\.deleted ${PERIOD}`]],
  [
    "POST /api/documents",
    async () => {
      const answer = await upload("/api/documents", paper);
      kept.document = answer.json.id;
      return answer;
    },
    [`document\\.added ${ID}`],
  ],
  ["PATCH /api/documents/{id}", () => owner.ask("PATCH", `/api/documents/${kept.document}`, { title: `${MINE}!` }), [`document\\.changed ${ID}`]],
  ["POST /api/documents/{id}/versions", () => upload(`/api/documents/${kept.document}/versions`, paper.slice(-1)), [`document\\.changed ${ID}`]],
  [
    "POST /api/bundles",
    async () => {
      const answer = await owner.post("/api/bundles", { title: MINE, documents: [kept.document] });
      kept.bundle = answer.json.id;
      return answer;
    },
    [`document\\.changed bundle ${ID}`],
  ],
  ["PUT /api/bundles/{id}", () => owner.ask("PUT", `/api/bundles/${kept.bundle}`, { title: `${MINE}!`, documents: [] }), [`document\\.changed bundle ${ID}`]],
  ["DELETE /api/bundles/{id}", () => owner.ask("DELETE", `/api/bundles/${kept.bundle}`), [`document\\.changed bundle ${ID}`]],
  [
    "POST /api/export",
    async () => {
      const answer = await owner.post("/api/export", secret);
      kept.zip = answer.body;
      return answer;
    },
    ["exported"],
  ],
  ["POST /api/merge", () => upload("/api/merge", [{ name: `${MINE}.zip`, text: kept.zip }]), [MERGED]],
  ["DELETE /api/documents/{id}", () => owner.ask("DELETE", `/api/documents/${kept.document}`), [`document\\.deleted ${ID}`]],
  ["POST /api/backup", () => owner.post("/api/backup", secret), ["backed-up"]],
  ["POST /api/erase", () => owner.post("/api/erase", { ...secret, dataset: CONSUMPTION, from: "2024-03-01T00:00:00Z" }), [`erased ${CONSUMPTION}, a period`]],
  ["POST /api/passphrase", () => owner.post("/api/passphrase", { current: store.passphrase, new: store.passphrase }), ["passphrase\\.changed"]],
  ["DELETE /api/session", () => owner.ask("DELETE", "/api/session"), []],
  ["POST /api/recover", () => owner.post("/api/recover", { code: store.code, passphrase: store.passphrase }), ["recovery\\.used"]],
  [
    "POST /api/lock",
    async () => {
      assert.equal((await owner.signIn(store.passphrase)).status, 200);
      return owner.post("/api/lock");
    },
    ["sign-in", "store\\.locked"],
  ],
];

/** Each both in the daemon and without one. What gives nothing out and changes nothing has no line. */
const file = (name) => join(store.folder, name);
const COMMANDS = {
  import: [() => command("import", store.dir, curve), [`imported ${ID} ${CONSUMPTION}`]],
  query: [() => command("query", store.dir, CONSUMPTION), []],
  datasets: [() => command("datasets", store.dir), []],
  sources: [() => command("sources", store.dir), []],
  imports: [
    async () => {
      const [newest] = (await command("imports", store.dir, "--json")).json.imports;
      return command("imports", store.dir, "undo", newest.id);
    },
    [`import\\.undone ${ID}`],
  ],
  documents: [
    async () => {
      const { id } = (await command("documents", store.dir, "add", put(store.folder, `${MINE}.pdf`, MINE), "--json")).json;
      return command("documents", store.dir, "delete", id);
    },
    [`document\\.added ${ID}`, `document\\.deleted ${ID}`],
  ],
  trail: [() => command("trail", store.dir), []],
  export: [() => command("export", store.dir, "-o", file("export.zip")), ["exported"]],
  merge: [() => command("merge", store.dir, file("export.zip")), [MERGED]],
  backup: [() => command("backup", store.dir, "-o", file("backup.age")), ["backed-up"]],
  erase: [() => command("erase", store.dir, "--dataset", CONSUMPTION), [`erased ${CONSUMPTION}`]],
  check: [() => command("check", store.dir), []],
  passphrase: [
    () => run(["passphrase", store.dir, "--passphrase-file", store.secret, "--new-passphrase-file", store.secret, ...cheap]),
    ["passphrase\\.changed"],
  ],
  recover: [
    async () => {
      const fresh = await run(["recover", store.dir, "--new-code", "--passphrase-file", store.secret, "--json"]);
      const code = put(store.folder, "code", fresh.json.recovery_code);
      return run(["recover", store.dir, "--recovery-code-file", code, "--new-passphrase-file", store.secret, ...cheap]);
    },
    ["recovery\\.changed", "recovery\\.used"],
  ],
  rekey: [() => run(["rekey", store.dir, "--passphrase-file", store.secret, ...key, ...cheap]), ["rekeyed [0-9a-f]{8}"]],
};
const OF_NO_STORE = ["init", "serve", "verify", "restore", "bench"]; // or of one that is made

/** Do it, and hold the lines that it left to what they should be. */
async function holds(name, go, wanted) {
  const from = (await entries()).length;
  const answer = await go();
  assert.ok(answer.status === 0 || (answer.status >= 200 && answer.status < 300), `${name}: ${answer.status} ${answer.err ?? answer.text}`);
  const lines = (await entries()).slice(from);
  const said = lines.map(({ kind, what }) => `${kind} ${what}`.trim()).join("; ");
  assert.match(said, new RegExp(`^${wanted.join("; ")}$`), name);
  for (const { who, consent } of lines) assert.deepEqual([who, consent], ["owner", null], name);
}

await test("what the trail tells", async (t) => {
await t.test("what is done over HTTP, and an address without a row here", async (each) => {
  const { paths } = (await owner.get("/api/openapi.json")).json;
  const there = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((method) => ["post", "put", "patch", "delete"].includes(method))
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(ADDRESSES.map(([name]) => name).sort(), there.sort());
  for (const [name, go, lines] of ADDRESSES) await each.test(name, () => holds(name, go, lines));
});

await t.test("what was told is durable: the daemon is killed, and each line is there", async () => {
  assert.equal((await owner.signIn(store.passphrase)).status, 200);
  const before = await entries();
  owner.close();
  await daemon.kill();
  const after = await entries();
  assert.deepEqual(after, before);
  assert.equal(after.at(-1).kind, "sign-in");
});

for (const where of ["without a daemon", "in the daemon"])
  await t.test(`what commands do, ${where}, and a command without a row here`, async (each) => {
    const there = (await run(["--help"])).out.match(/^ {2}[a-z]+/gm).map((word) => word.trim());
    assert.deepEqual([...Object.keys(COMMANDS), ...OF_NO_STORE].sort(), there.sort());
    if (where === "in the daemon") daemon = await serve(store, key);
    for (const [name, [go, lines]] of Object.entries(COMMANDS)) await each.test(name, () => holds(name, go, lines));
  });

await t.test("nothing that is the owner's stands in a line", async () => {
  const all = await entries();
  for (const { index, who, what } of all)
    for (const value of [MINE, METER, `${WH}`, `${2 * WH}`, store.passphrase, store.code, store.folder])
      assert.equal(`${who} ${what}`.includes(value), false, `line ${index}: ${what}`);
  assert.ok(all.length > 40, `${all.length} lines`);
  await daemon.stop();
});
});
