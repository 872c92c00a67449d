/* Each call to the disk fails in turn, under each command: EIO, no space, a short transfer, a kill (security brief 5,
 * row 3). No command that ends with 0 has lost its effect; one that failed has done all of it or nothing; afterwards
 * the store opens sound, with all that was there before, and gives no wrong data.
 *
 * Where the program can do more than it could, the script grows by the rows that it knows (`traboule --help`). */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Disk, EVERY_OP, FAULTS, OPENINGS, HAS_SHIM } from "./program_disk.mjs";
import {
  CONSUMPTION,
  makeCurve,
  makeFolder,
  makeRandom,
  NIGHTLY,
  PROGRAM,
  put,
  run,
} from "./program_common.mjs";

const CASES = NIGHTLY ? Infinity : 8; // of each row
const WORKERS = 2;
const KDF = ["--kdf-memory-mib", "64"];
const COMMANDS = new Set(
  [...spawnSync(PROGRAM, ["--help"], { encoding: "utf8" }).stdout.matchAll(/^ {2}([a-z]+) /gm)].map(
    (found) => found[1],
  ),
);
if (!HAS_SHIM) {
  console.log("No failing disk in this build: failing disks are not tested.");
  process.exit(0);
}
const { between } = makeRandom();

/* What lies outside the failing disk. */
const home = makeFolder();
const secret = put(home, "passphrase", "sept marches menent au quai\n");
const fresh = put(home, "passphrase-2", "huit marches menent au quai\n");
const curve = (day, watts) =>
  put(home, `${day}.csv`, makeCurve({ start: Date.parse(`${day}T00:00:00Z`), watts }));
const first = curve(
  "2024-01-10",
  Array.from({ length: 300 }, (_, i) => 2 * i),
);
const second = curve(
  "2024-02-10",
  Array.from({ length: 300 }, (_, i) => 4 * i),
);
const third = curve(
  "2024-03-10",
  Array.from({ length: 100 }, (_, i) => 6 * i),
);
const another = join(home, "another.zip");
const kept = join(home, "backup.age");
const code = join(home, "recovery-code");
const paper = put(home, "paper.pdf", Buffer.alloc(200_000, "a paper of no importance. "));

/** A folder on a failing disk, and the store in it. */
class Place {
  constructor() {
    const folder = makeFolder();
    this.dir = join(folder, "disk");
    this.kept = join(folder, "kept");
    mkdirSync(this.dir, { mode: 0o700 });
    this.store = join(this.dir, "store");
    this.key = join(this.dir, "key");
    this.out = join(this.dir, "out");
    this.restored = join(this.dir, "again");
    this.disk = new Disk(this.dir);
  }

  keep(to = this.kept) {
    rmSync(to, { recursive: true, force: true });
    cpSync(this.dir, to, { recursive: true, preserveTimestamps: true, mode: 0 });
  }

  putBack(from = this.kept) {
    rmSync(this.dir, { recursive: true, force: true });
    cpSync(from, this.dir, { recursive: true, preserveTimestamps: true });
  }

  /** A command, on the failing disk or on a sound one. */
  run(words, failing = false) {
    return run(words, failing ? { env: this.disk.env } : {});
  }

  open(words, store = this.store) {
    return this.run([...words.slice(0, 1), store, ...words.slice(1), "--key-file", this.key]);
  }
}

/** All that the owner can see of a store, but for times and ids. */
async function facts(place, store = place.store) {
  const said = {};
  const look = async (name, words, take) => {
    const done = await place.open(words, store);
    if (done.status !== 0) throw Object.assign(new Error(done.err), { status: done.status });
    said[name] = take(done);
  };
  await look("records", ["query", CONSUMPTION, "--format", "csv"], (done) => done.out);
  if (COMMANDS.has("documents"))
    await look("documents", ["documents", "--json"], (done) =>
      done.json.documents.map((one) => [one.title, one.size, one.sha256].join(" ")).sort(),
    );
  return JSON.stringify(said);
}

/* Nothing but a store lies in its folder, whatever failed. */
function judgeFolder(place) {
  const known = ["control", "files", "keys.json", "lock", "vault.db", "vault.db-wal"];
  const left = readdirSync(place.store).filter((name) => !known.includes(name));
  assert.deepEqual(
    left.filter((name) => !/^(keys\.json\.new-.*|rekey)$/.test(name)), // the next opening takes them
    [],
  );
}

/* The script. A row: what is run; `makes` is a file that it leaves when it ends well, `reads` says that it changes
 * nothing and gives the same words each time; `judge` looks closer, `few` is for what derives keys. */
const key = (place) => ["--key-file", place.key];
const ROWS = [
  {
    name: "init",
    few: true,
    words: (p) => ["init", p.store, "--passphrase-file", secret, ...key(p), ...KDF, "--json"],
    begins: true,
    keep: (done) => put(home, "recovery-code", `${done.json.recovery_code}\n`),
  },
  { name: "import", words: (p) => ["import", p.store, first, ...key(p), "--json"] },
  { name: "import again", words: (p) => ["import", p.store, first, second, ...key(p), "--json"] },
  {
    name: "documents add",
    needs: "documents",
    words: (p) => ["documents", p.store, "add", paper, ...key(p)],
  },
  { name: "query", words: (p) => ["query", p.store, CONSUMPTION, ...key(p)], reads: true },
  { name: "datasets", words: (p) => ["datasets", p.store, ...key(p), "--json"], reads: true },
  {
    name: "check",
    words: (p) => ["check", p.store, ...key(p)],
    reads: true,
  },
  { name: "trail", needs: "trail", words: (p) => ["trail", p.store, ...key(p)], reads: true },
  {
    name: "export",
    needs: "export",
    words: (p) => ["export", p.store, "-o", p.out, ...key(p)],
    makes: canBeMerged,
    few: true,
  },
  {
    name: "merge",
    needs: "merge",
    prepare: exportAnother,
    words: (p) => ["merge", p.store, another, ...key(p)],
  },
  {
    name: "backup",
    needs: "backup",
    few: true,
    words: (p) => ["backup", p.store, "-o", p.out, ...key(p)],
    makes: canBeRestored,
  },
  {
    name: "restore",
    needs: "restore",
    few: true,
    prepare: keepBackup,
    words: (p) => [...restoreWords(kept, p.restored), "--key-file", `${p.restored}.key`],
    judge: restoredOrNot,
  },
  {
    name: "passphrase",
    few: true,
    words: (p) => [
      ...["passphrase", p.store, "--passphrase-file", secret, "--new-passphrase-file", fresh],
      ...KDF,
    ],
    judge: opensWithOne,
  },
  {
    name: "rekey",
    needs: "rekey",
    few: true,
    words: (p) => ["rekey", p.store, "--passphrase-file", fresh, "--key-file", p.key, ...KDF],
    judge: () => {},
  },
  {
    name: "erase",
    needs: "erase",
    few: true,
    words: (p) => ["erase", p.store, "--dataset", CONSUMPTION, "--passphrase-file", fresh],
  },
];

/* Exactly one passphrase opens, and the new one when the change was told. */
async function opensWithOne(place, done) {
  const [older, newer] = await Promise.all(
    [secret, fresh].map((file) =>
      place.run(["datasets", place.store, "--passphrase-file", file, "--json"]),
    ),
  );
  const opened = [older.status, newer.status];
  if (done.status === 0) assert.deepEqual(opened, [4, 0]);
  else assert.deepEqual(opened.toSorted(), [0, 4]);
}

/* What export made goes into a store; the one that stands at hand is put back by the next case. */
async function canBeMerged(place) {
  const done = await place.open(["merge", place.out]);
  assert.equal(done.status, 0, `merging what was exported: ${done.err}`);
}

/* Another store's export, with something that is new here. */
async function exportAnother(place) {
  const store = join(home, "another");
  const inside = ["--key-file", join(home, "another.key")];
  for (const words of [
    ["init", store, "--passphrase-file", secret, ...inside, ...KDF],
    ["import", store, third, ...inside],
    ["export", store, "-o", another, ...inside],
  ]) {
    const done = await place.run(words);
    assert.equal(done.status, 0, done.err);
  }
}

const restoreWords = (file, store) => [
  ...["restore", file, store, "--recovery-code-file", code, "--passphrase-file", secret],
  ...KDF,
];

async function canBeRestored(place) {
  const store = join(place.dir, "restored");
  const done = await place.run(restoreWords(place.out, store));
  assert.equal(done.status, 0, `restoring what was backed up: ${done.err}`);
}

async function keepBackup(place) {
  const done = await place.open(["backup", "-o", kept]);
  assert.equal(done.status, 0, done.err);
}

/* A whole store or none. */
async function restoredOrNot(place, done) {
  if (done.status !== 0 && !existsSync(place.restored)) return;
  const opened = { ...place, open: place.open, run: place.run, key: `${place.restored}.key` };
  if (!existsSync(opened.key)) {
    assert.notEqual(done.status, 0);
    const check = await place.run(["check", place.restored, "--passphrase-file", secret]);
    assert.equal(check.status, 0, check.err);
    return;
  }
  assert.equal(await facts(opened, place.restored), await facts(place), "other data");
}

/* A file that a command made is whole, or is not there. */
async function judgeFile(row, place, done) {
  if (done.status === 0) assert.ok(existsSync(place.out), "it made its file");
  if (existsSync(place.out)) await row.makes(place);
}

async function judgeStore(row, place, done, before, after) {
  let now;
  if (existsSync(place.store)) judgeFolder(place);
  try {
    now = await facts(place);
  } catch (failure) {
    if (row.begins && done.status !== 0) return; // nothing had been promised
    throw failure;
  }
  if (done.status === 0) assert.equal(now, after, "it said that it was done");
  else assert.ok(now === before || now === after, "half of it happened");
  const check = await place.open(["check", "--json"]);
  assert.equal(check.status, 0, `check: ${check.out}${check.err}`);
}

/** One call fails. @returns {Promise<boolean>} whether it came to that */
async function fail(row, place, nth, fault, { before, after, said }) {
  place.putBack();
  place.disk.arm(nth, fault);
  const done = await place.run(row.words(place), true);
  const { failed } = place.disk;
  place.disk.quiet();
  const where = `${row.name}: call ${nth} (${failed}), ${fault.name}: exit ${done.status} ${done.err}`;
  try {
    assert.ok(done.status !== null || fault.name === "killed", "it ended by a signal");
    assert.notEqual(done.status, 2);
    assert.notEqual(done.status, 4);
    assert.doesNotMatch(done.err, /rollback/, "what failed is told, not what failed after it");
    assert.notEqual(done.status, 3, "a disk that fails is no damage of the store");
    if (row.reads && done.status === 0) assert.equal(done.out, said, "other words");
    await judgeStore(row, place, done, before, after);
    if (row.makes) await judgeFile(row, place, done);
    if (row.judge) await row.judge(place, done);
  } catch (failure) {
    failure.message = `${where}\n${failure.message}`;
    throw failure;
  }
  return [failed !== undefined, done.status];
}

/** The calls that could fail in each way. */
async function count(row, place) {
  const counts = new Map();
  for (const { mask } of FAULTS) {
    if (counts.has(mask)) continue;
    place.putBack();
    place.disk.quiet(mask);
    assert.equal((await place.run(row.words(place), true)).status, 0);
    counts.set(mask, place.disk.get("calls"));
  }
  return counts;
}

/* Which calls fail, and how: all, or some spread over the row. */
function choose(counts, most) {
  const all = [];
  for (const fault of FAULTS)
    for (let nth = 1; nth <= counts.get(fault.mask); nth++) all.push([nth, fault]);
  if (all.length <= most) return all;
  const step = all.length / most;
  return Array.from({ length: most }, (_, i) => all[Math.floor(i * step + between(0, step - 1))]);
}

const places = Array.from({ length: WORKERS }, () => new Place());
const tally = { rows: 0, calls: 0, cases: 0, hit: 0 };
const OUTCOMES = new Map([
  [0, "done"],
  [1, "failed"],
  [3, "said damaged"],
  [null, "killed"],
]);

for (const row of ROWS) {
  if (row.needs && !COMMANDS.has(row.needs)) continue;
  test(`${row.name}: no call that fails makes it lie`, { timeout: 3_600_000 }, async () => {
    const [lead] = places;
    const known = { before: row.begins ? "" : await facts(lead) };
    if (row.prepare) await row.prepare(lead);
    for (const left of [lead.out, lead.restored, `${lead.restored}.key`])
      rmSync(left, { recursive: true, force: true });
    lead.keep();
    lead.disk.quiet(EVERY_OP);
    const clean = await lead.run(row.words(lead), true);
    assert.equal(clean.status, 0, clean.err);
    const calls = lead.disk.get("calls");
    assert.ok(calls > 10, `${calls} calls: the disk is not watched`);
    known.said = clean.out;
    row.keep?.(clean);
    known.after = await facts(lead);
    assert.ok(row.reads || row.makes || row.judge || known.after !== known.before, "no effect");
    const next = join(home, "next");
    lead.keep(next);
    for (const place of places.slice(1)) cpSync(lead.kept, place.kept, { recursive: true });

    const outcomes = {};
    const most = row.few ? Math.min(CASES, NIGHTLY ? 120 : 5) : CASES;
    const cases = choose(await count(row, lead), most);
    const work = places.map(async (place) => {
      for (let one = cases.shift(); one; one = cases.shift()) {
        const [hit, status] = await fail(row, place, ...one, known);
        tally.cases++;
        if (hit) tally.hit++;
        outcomes[OUTCOMES.get(status)] = (outcomes[OUTCOMES.get(status)] ?? 0) + 1;
      }
    });
    const ended = await Promise.allSettled(work);
    const failures = ended.filter((end) => end.status === "rejected").map((end) => end.reason);
    tally.rows++;
    tally.calls += calls;
    console.log(`${row.name}: ${calls} calls; ${JSON.stringify(outcomes)}`);
    for (const place of places) place.putBack(next);
    rmSync(next, { recursive: true });
    if (failures.length) throw failures[0];
  });
}

/* SQLite opens a file that it may not write for reading only; then it would leave its wal-index in the folder. */
test("an opening that fails leaves nothing in the folder", async () => {
  const [place] = places;
  const mask = OPENINGS;
  const words = ["query", place.store, CONSUMPTION, ...key(place)];
  for (let nth = 1, failed = true; failed; nth++) {
    place.disk.arm(nth, { kind: 2, stays: 0, mask });
    const done = await place.run(words, true);
    failed = place.disk.failed !== undefined;
    assert.ok([0, 1].includes(done.status), done.err);
    place.disk.quiet();
    judgeFolder(place);
  }
});

test("the script was carried out", () => {
  console.log(JSON.stringify(tally));
  assert.ok(tally.hit > tally.cases / 2, "most of the failures were met");
  for (const place of places) place.disk.close();
});
