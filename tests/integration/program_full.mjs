/* The disk fills up under a mixed load, at points spread over it. What was answered is there; what the owner needs
 * then works all the same: reading, erasing, locking, opening again, another passphrase. Nothing is damaged, and
 * with space again all goes on (security brief 5, row 6). */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Disk, HAS_SHIM } from "./program_disk.mjs";
import {
  Client,
  CONSUMPTION,
  HALF_HOUR_MS,
  instant,
  makeCurve,
  makeForm,
  makeFolder,
  makeRandom,
  NIGHTLY,
  PROGRAM,
  put,
  run,
  serve,
} from "./program_common.mjs";

const POINTS = NIGHTLY ? 200 : 6;
const MOST_BYTES = 1 << 20; // of room that a point leaves
const WRITERS = 4;
const PUT_FROM = {
  record: Date.parse("2015-01-01T00:00:00Z"),
  import: Date.parse("1991-01-01T00:00:00Z"),
};
const OLD_FROM = Date.parse("2012-01-01T00:00:00Z"); // the import that all begin with
const KDF = ["--kdf-memory-mib", "64"];
const help = spawnSync(PROGRAM, ["--help"], { encoding: "utf8" }).stdout;
const COMMANDS = new Set([...help.matchAll(/^ {2}([a-z]+) /gm)].map((found) => found[1]));
const ERASES = COMMANDS.has("erase"); // what is kept of the disk came with it
if (!HAS_SHIM) {
  console.log("No failing disk in this build: full disks are not tested.");
  process.exit(0);
}
const { between } = makeRandom();

const home = makeFolder();
const words = ["cinq bateaux passent sous le pont", "six bateaux passent sous le pont"];
const secrets = words.map((text, i) => put(home, `passphrase-${i}`, `${text}\n`));
const below = join(home, "disk");
const kept = join(home, "kept");
const key = join(home, "key");
const base = join(below, "store");
mkdirSync(below, { mode: 0o700 });
const opened = ["--key-file", key];
const disk = new Disk(below);

const METER = "01111111111111";
const old = put(
  home,
  "old.csv",
  makeCurve({ start: OLD_FROM, watts: Array(2000).fill(60), meter: METER }),
);
const made = await run([
  "init",
  base,
  ...["--passphrase-file", secrets[0], "--key-file", key],
  ...KDF,
]);
assert.equal(made.status, 0, made.err);
assert.equal((await run(["import", base, old, ...opened])).status, 0);
cpSync(below, kept, { recursive: true });

const tally = { points: 0, records: 0, imports: 0, documents: 0, refused: 0, erased: 0 };
let acked; // start → value
let slots;

/* Each writer goes on until it is told five times in a row that there is no space. */
async function writer(client, kind) {
  const upload = kind === "import"; // days apart from the others': of each day one source is shown
  for (let refused = 0; refused < 5; ) {
    const at = PUT_FROM[kind] + slots[kind] * HALF_HOUR_MS;
    const size = upload ? between(50, 2000) : 1;
    const watts = Array.from({ length: size }, () => 2 * between(0, 4000));
    slots[kind] += size;
    const answer = upload
      ? await client.upload([{ name: "a.csv", text: makeCurve({ start: at, watts }) }])
      : await client.post(`/api/records/${CONSUMPTION}`, {
          records: [{ start: instant(at), end: instant(at + HALF_HOUR_MS), value: watts[0] / 2 }],
        });
    assert.ok([200, 507].includes(answer.status), `${answer.status} ${answer.text}`);
    if (answer.status === 507) {
      refused++;
      tally.refused++;
      continue;
    }
    refused = 0;
    if (upload) assert.equal(answer.json.files[0].new, size, answer.text);
    tally[`${kind}s`]++;
    watts.forEach((value, i) => acked.set(at + i * HALF_HOUR_MS, value / 2));
  }
}

async function papers(client) {
  if (!COMMANDS.has("documents")) return [];
  const titles = [];
  for (let refused = 0; refused < 3; ) {
    const text = Buffer.alloc(between(1, 300_000), "paper ");
    const name = `paper-${titles.length}-${between(0, 1e9)}.txt`;
    const answer = await client.post("/api/documents", ...formOf({ name, text }));
    assert.ok([200, 201, 507].includes(answer.status), `${answer.status} ${answer.text}`);
    if (answer.status === 507) refused++;
    else {
      titles.push(answer.json.id);
      tally.documents++;
    }
  }
  return titles;
}

function formOf(file) {
  const boundary = "xTraboulex";
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${file.name}"\r\nContent-Type: text/plain\r\n\r\n`;
  const body = Buffer.concat([
    Buffer.from(head),
    Buffer.from(file.text),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  return [body, { "Content-Type": `multipart/form-data; boundary=${boundary}` }];
}

async function mustHold(client) {
  const rows = new Map();
  let cursor = "";
  do {
    const path = `/api/records/${CONSUMPTION}?from=1990-01-01&limit=50000${cursor}`;
    const answer = await client.get(path);
    assert.equal(answer.status, 200, answer.text);
    for (const row of answer.json.records) rows.set(Date.parse(row.start), row.value);
    cursor = answer.json.next ? `&cursor=${answer.json.next}` : "";
  } while (cursor);
  for (const [at, value] of acked) assert.equal(rows.get(at), value, instant(at));
  const sent = [...rows.keys()].filter((at) => at < OLD_FROM || at >= PUT_FROM.record);
  assert.equal(sent.length, acked.size, "records that nobody was told of");
}

async function mustHavePapers(client, ids) {
  for (const id of ids) assert.equal((await client.get(`/api/documents/${id}`)).status, 200, id);
}

/* The backup of a store whose log could not be brought over. Restoring checks all of it. */
async function mustComeBack(backup) {
  const code = put(home, "code", made.out.match(/([0-9A-Z]{5}-){5}[0-9A-Z]{5}/)[0]);
  const again = join(home, "again");
  const restored = await run([
    ...["restore", backup, again, "--recovery-code-file", code, "--passphrase-file", secrets[0]],
    ...["--key-file", `${again}.key`, ...KDF],
  ]);
  assert.equal(restored.status, 0, restored.err);
  const found = await run(["query", again, CONSUMPTION, "--key-file", `${again}.key`]);
  const rows = new Map(found.json.records.map((row) => [Date.parse(row.start), row.value]));
  for (const [at, value] of acked) assert.equal(rows.get(at), value, instant(at));
  for (const path of [again, `${again}.key`]) rmSync(path, { recursive: true });
}

/* On the full disk: a backup to another one, erase, lock, open again, another passphrase. */
async function mustWork(daemon, client) {
  if (COMMANDS.has("backup")) {
    const saved = await run(["backup", base, "-o", join(home, "saved.age"), ...opened]);
    assert.equal(saved.status, 0, `backup: ${saved.err}`);
    await mustComeBack(join(home, "saved.age"));
  }
  if (ERASES) {
    const erased = await run([
      ...["erase", base, "--source", await oldSource(client)],
      ...["--passphrase-file", secrets[0]],
    ]);
    assert.equal(erased.status, 0, `erase: ${erased.err}`);
    tally.erased++;
  }
  assert.equal((await client.post("/api/lock")).status, 204);
  const again = await client.signIn(words[0]);
  assert.equal(again.status, 200, `opening again: ${again.text}`);
  if (ERASES) await mustHold(client);
  const changed = await run(
    [
      ...["passphrase", base, "--passphrase-file", secrets[0], "--new-passphrase-file", secrets[1]],
      ...KDF,
    ],
    { env: disk.env },
  );
  if (ERASES) assert.equal(changed.status, 0, `passphrase: ${changed.err}`);
  client.close();
  assert.equal(await daemon.stop(), 0);
  const words_ = changed.status === 0 ? secrets[1] : secrets[0];
  const opens = await run(["datasets", base, "--passphrase-file", words_]);
  assert.equal(opens.status, 0, opens.err);
}

async function oldSource(client) {
  const { sources } = (await client.get("/api/sources?limit=500")).json;
  return String(sources.find((one) => one.reference === METER).id);
}

async function point(room, dies) {
  rmSync(below, { recursive: true });
  cpSync(kept, below, { recursive: true });
  disk.quiet();
  acked = new Map();
  slots = { record: 0, import: 0 };
  let daemon = await serve({ dir: base }, opened, { env: disk.env });
  let client = new Client(daemon.url);
  assert.equal((await client.signIn(words[0])).status, 200);
  disk.limit(room);
  const [ids] = await Promise.all([
    papers(client),
    ...Array.from({ length: WRITERS }, (_, i) => writer(client, i % 2 ? "import" : "record")),
  ]);
  await mustHold(client);
  await mustHavePapers(client, ids);
  if (dies) {
    client.close();
    await daemon.kill("SIGKILL");
    daemon = await serve({ dir: base }, opened, { env: disk.env });
    client = new Client(daemon.url);
    assert.equal((await client.signIn(words[0])).status, 200);
    await mustHold(client);
  }
  await mustWork(daemon, client);
  assert.ok(disk.get("refused") > 0, "the disk was never full");

  const check = await run(["check", base, ...opened, "--json"]);
  assert.equal(check.status, 0, check.out);
  disk.unlimit(); // space again
  const more = await run(["import", base, old, ...opened], { env: disk.env });
  assert.equal(more.status, 0, more.err);
  tally.points++;
}

test(`the disk is full at ${POINTS} points, and the owner is not stuck`, {
  timeout: 1_800_000,
}, async () => {
  for (let i = 0; i < POINTS; i++) {
    const room = Math.floor(((i + Math.random()) / POINTS) ** 2 * MOST_BYTES);
    try {
      await point(room, i % 3 === 2);
    } catch (failure) {
      failure.message = `room for ${room} bytes: ${failure.message}`;
      throw failure;
    }
  }
  console.log(JSON.stringify(tally));
  assert.ok(tally.records + tally.imports > POINTS, "there was no load");
});

test("what is kept of the disk is not spent on a log that is longer", { skip: !COMMANDS.has("documents") }, async () => {
  const dir = join(below, "papers");
  cpSync(join(kept, "store"), dir, { recursive: true });
  const daemon = await serve({ dir }, opened, { env: disk.env });
  const owner = new Client(daemon.url);
  assert.equal((await owner.signIn(words[0])).status, 200);
  const ids = [];
  for (let i = 0; i < 8; i++) {
    const text = `mot${i} `.repeat(1 << 18).slice(0, 1 << 20); // its words go into the log, not yet into vault.db
    const { type, body } = makeForm([{ name: "a.txt", text }]);
    const answer = await owner.post("/api/documents", body, { "Content-Type": type });
    assert.equal(answer.status, 201, answer.text);
    ids.push(answer.json.id);
  }
  disk.limit(0);
  assert.equal((await owner.ask("PATCH", `/api/documents/${ids[0]}`, { note: "x".repeat(8000) })).status, 507);
  for (const id of ids.slice(0, 4)) {
    const answer = await owner.ask("DELETE", `/api/documents/${id}`);
    assert.equal(answer.status, 204, answer.text);
  }
  disk.unlimit();
  assert.deepEqual((await owner.get("/api/check")).json.problems, []);
  owner.close();
  await daemon.stop();
});
