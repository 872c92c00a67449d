/* Damage to what lies beside the database: key slots, sealed papers, backups. A bit that is flipped, an end that is
 * cut, a piece that is doubled: each is noticed and named, or has touched nothing that counts; never a crash, never
 * other data (security brief 5, row 7; pages and frames are in vault_damage.c). */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  CONSUMPTION,
  makeCurve,
  makeRandom,
  makeStore,
  NIGHTLY,
  PROGRAM,
  put,
  run,
} from "./program_common.mjs";

const CASES = NIGHTLY
  ? { keys: 400, backup: 400, papers: 400 }
  : { keys: 24, backup: 24, papers: 24 };
const help = spawnSync(PROGRAM, ["--help"], { encoding: "utf8" }).stdout;
const COMMANDS = new Set([...help.matchAll(/^ {2}([a-z]+) /gm)].map((found) => found[1]));
const { between } = makeRandom();
const tally = { damages: 0, noticed: 0, harmless: 0 };

const store = await makeStore("damaged");
const key = ["--key-file", store.key];
const curve = put(
  store.folder,
  "curve.csv",
  makeCurve({
    start: Date.parse("2024-01-10T00:00:00Z"),
    watts: Array.from({ length: 400 }, (_, i) => 2 * i),
  }),
);
assert.equal((await run(["import", store.dir, curve, ...key])).status, 0);
const code = put(store.folder, "code", `${store.code}\n`);
const query = (dir, ...how) => run(["query", dir, CONSUMPTION, "--format", "csv", ...how]);
const sound = (await query(store.dir, ...key)).out;

/** Bytes of a file, damaged in one of several ways. */
function damaged(bytes, round) {
  const made = Buffer.from(bytes);
  const at = between(0, bytes.length - 1);
  switch (round % 6) {
    case 4:
      return made.subarray(0, at); // cut
    case 5: {
      const len = Math.min(between(1, 64), bytes.length - at);
      const from = between(0, bytes.length - len);
      made.set(bytes.subarray(from, from + len), at); // a piece from elsewhere
      return made.equals(bytes) ? damaged(bytes, round) : made;
    }
    default:
      made[at] ^= 1 << between(0, 7);
      return made;
  }
}

/** Damage a file some times, ask, and put it right again. */
async function damage(path, cases, ask) {
  const bytes = readFileSync(path);
  for (let i = 0; i < cases; i++) {
    writeFileSync(path, damaged(bytes, i));
    tally.damages++;
    try {
      tally[(await ask()) ? "noticed" : "harmless"]++;
    } catch (failure) {
      writeFileSync(join(store.folder, "culprit"), readFileSync(path));
      failure.message = `${path}, damage ${i}: ${failure.message}`;
      throw failure;
    } finally {
      writeFileSync(path, bytes);
    }
  }
}

test("keys.json: opens the same, or says that it is damaged or opens nothing", async () => {
  await damage(join(store.dir, "keys.json"), CASES.keys, async () => {
    const done = await query(store.dir, ...key);
    assert.ok([0, 3, 4].includes(done.status), `exit ${done.status} ${done.err}`);
    if (done.status === 0) assert.equal(done.out, sound);
    if (done.status === 3) assert.match(done.err, /keys|vault|lock/);
    return done.status !== 0;
  });
});

test("a backup: restores the same, or is refused and leaves no store", {
  skip: !COMMANDS.has("restore"),
}, async () => {
  const backup = join(store.folder, "backup.age");
  const again = join(store.folder, "again");
  const made = await run(["backup", store.dir, "-o", backup, ...key]);
  assert.equal(made.status, 0, made.err);
  const words = ["restore", backup, again, "--recovery-code-file", code];
  const more = ["--passphrase-file", store.secret, "--key-file", `${again}.key`];
  await damage(backup, CASES.backup, async () => {
    const done = await run([...words, ...more, "--kdf-memory-mib", "64"]);
    assert.ok([0, 1, 3, 4].includes(done.status), `exit ${done.status} ${done.err}`);
    if (done.status === 0)
      assert.equal((await query(again, "--key-file", `${again}.key`)).out, sound);
    else assert.equal(existsSync(again), false, "half of a store was left");
    rmSync(again, { recursive: true, force: true });
    rmSync(`${again}.key`, { force: true });
    return done.status !== 0;
  });
});

test("a paper: read as it was, or said to be damaged, by its place", {
  skip: !COMMANDS.has("documents"),
}, async () => {
  const text = Buffer.from(Array.from({ length: 150_000 }, () => between(0, 255)));
  const paper = put(store.folder, "paper.bin", text);
  const added = await run(["documents", store.dir, "add", paper, ...key, "--json"]);
  assert.equal(added.status, 0, added.err);
  const { id } = added.json;
  const files = join(store.dir, "files");
  const [name] = readdirSync(files);
  const out = join(store.folder, "out");
  mkdirSync(out);
  await damage(join(files, name), CASES.papers, async () => {
    const done = await run(["documents", store.dir, "get", id, "-o", join(out, "paper"), ...key]);
    assert.ok([0, 3].includes(done.status), `exit ${done.status} ${done.err}`);
    if (done.status === 0) assert.ok(readFileSync(join(out, "paper")).equals(text));
    const check = await run(["check", store.dir, ...key, "--json"]);
    assert.equal(check.status, 3, "check finds it");
    assert.ok(
      check.json.problems.some((one) => one.where.includes(name)),
      check.out,
    );
    rmSync(join(out, "paper"), { force: true });
    return true;
  });
});

test("what was put right again is sound", async () => {
  const check = await run(["check", store.dir, ...key]);
  assert.equal(check.status, 0, check.err);
  console.log(
    `${tally.damages} damages beside the database: ${tally.noticed} noticed, ${tally.harmless} in bytes that do not count`,
  );
});
