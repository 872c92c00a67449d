/* Another key for a store: all is there afterwards, nothing opens with what opened it before, and a kill at any step
 * leaves the store as it was or as it shall be (security brief 5). Another recovery code, alone. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  Client,
  CONSUMPTION,
  makeCurve,
  makeFolder,
  makeRandom,
  makeStore,
  NIGHTLY,
  put,
  run,
  serve,
} from "./program_common.mjs";
import { Disk, EVERY_OP, HAS_SHIM, OPS } from "./program_disk.mjs";

const KDF = ["--kdf-memory-mib", "64"];
const POINTS = NIGHTLY ? Infinity : 4; // of each list
const { between } = makeRandom();
const bits = (...names) => names.reduce((mask, name) => mask | (1 << OPS.indexOf(name)), 0);

const WATTS = Array.from({ length: 600 }, (_, i) => 2 * (i % 50));

async function fill(store) {
  const file = put(
    store.folder,
    "curve.csv",
    makeCurve({ start: Date.parse("2024-01-10T00:00:00Z"), watts: WATTS }),
  );
  const paper = put(store.folder, "paper.txt", "a paper of some length. ".repeat(9000));
  const done = await run(["import", store.dir, file, "--key-file", store.key]);
  assert.equal(done.status, 0, done.err);
  const added = await run(["documents", store.dir, "add", paper, "--key-file", store.key]);
  assert.equal(added.status, 0, added.err);
}

/** What the owner has: by passphrase, so that it holds under any key. */
async function facts(store, by = ["--passphrase-file", store.secret]) {
  const records = await run(["query", store.dir, CONSUMPTION, "--format", "csv", ...by]);
  assert.equal(records.status, 0, records.err);
  const papers = await run(["documents", store.dir, "--json", ...by]);
  assert.equal(papers.status, 0, papers.err);
  return JSON.stringify([records.out, papers.json.documents.map((one) => [one.title, one.sha256])]);
}

async function mustBeSound(store, by = ["--passphrase-file", store.secret]) {
  const check = await run(["check", store.dir, "--json", ...by]);
  assert.equal(check.status, 0, check.out + check.err);
  assert.deepEqual(check.json.problems, []);
}

const rekey = (store, more, options) =>
  run(["rekey", store.dir, "--passphrase-file", store.secret, ...KDF, ...more], options);

const recoverWith = (store, code) =>
  run([
    ...["recover", store.dir, "--recovery-code-file", put(store.folder, "code", code)],
    ...["--passphrase-file", store.secret, ...KDF],
  ]);

test("another key: all is there, and what opened it before does not", async () => {
  const store = await makeStore();
  await fill(store);
  const before = await facts(store);
  const blobs = readdirSync(join(store.dir, "files"));
  const keys = readFileSync(join(store.dir, "keys.json"));
  const old = join(store.folder, "old");
  cpSync(store.dir, old, { recursive: true });

  const refused = await rekey(store, []);
  assert.equal(refused.status, 1);
  assert.match(refused.err, /the store opens with a key file: say whether one still does/);
  assert.deepEqual(readFileSync(join(store.dir, "keys.json")), keys);

  const done = await rekey(store, ["--key-file", join(store.folder, "key-2"), "--json"]);
  assert.equal(done.status, 0, done.err);
  assert.equal(await facts(store), before);
  assert.equal(await facts(store, ["--key-file", join(store.folder, "key-2")]), before);
  await mustBeSound(store);
  assert.deepEqual(readdirSync(store.dir).sort(), ["files", "keys.json", "lock", "vault.db"]);
  const fresh = readdirSync(join(store.dir, "files"));
  assert.equal(fresh.length, blobs.length);
  assert.ok(!blobs.some((name) => fresh.includes(name)), "a blob kept its name");

  const byOldFile = await run(["datasets", store.dir, "--key-file", store.key]);
  assert.equal(byOldFile.status, 4, byOldFile.err);
  assert.equal((await recoverWith(store, store.code)).status, 4);
  assert.equal((await recoverWith(store, done.json.recovery_code)).status, 0);

  /* The old keys.json beside the new vault opens nothing: the passphrase gives the old key. */
  writeFileSync(join(old, "vault.db"), readFileSync(join(store.dir, "vault.db")));
  rmSync(join(old, "lock"));
  const mixed = await run(["datasets", old, "--passphrase-file", store.secret]);
  assert.equal(mixed.status, 4, mixed.err);

  const dropped = await rekey(store, ["--drop-key-file"]);
  assert.equal(dropped.status, 0, dropped.err);
  assert.match(dropped.out, /^([0-9A-Z]{5}-){5}[0-9A-Z]{5}\n$/);
  assert.equal(
    (await run(["datasets", store.dir, "--key-file", join(store.folder, "key-2")])).status,
    4,
  );
  assert.equal(await facts(store), before);
});

test("a wrong passphrase, two wishes at once, a key file that cannot be made: nothing changes", async () => {
  const store = await makeStore();
  const keys = readFileSync(join(store.dir, "keys.json"));
  const wrong = put(store.folder, "wrong", "une autre phrase de passe\n");
  assert.equal((await run(["rekey", store.dir, "--passphrase-file", wrong])).status, 4);
  assert.equal((await rekey(store, ["--drop-key-file", "--key-file", "x"])).status, 2);
  assert.equal((await rekey(store, ["--key-file", join(store.folder, "none", "key")])).status, 1);
  assert.deepEqual(readFileSync(join(store.dir, "keys.json")), keys);
  assert.equal(existsSync(join(store.dir, "rekey")), false);
});

test("served, the daemon does it: sessions end, others wait or are told, and it is open again", async () => {
  const store = await makeStore();
  await fill(store);
  const before = await facts(store);
  const daemon = await serve(store, ["--key-file", store.key]);
  const client = new Client(daemon.url);
  assert.equal((await client.signIn(store.passphrase)).status, 200);
  const [done, other] = await Promise.all([
    rekey(store, ["--drop-key-file", "--json"]),
    run(["sources", store.dir, "--key-file", store.key]),
  ]);
  assert.equal(done.status, 0, done.err);
  assert.ok([0, 1, 4].includes(other.status), other.err); // before, meanwhile, after
  assert.equal((await client.get("/api/datasets")).status, 401);
  assert.equal((await client.get("/health")).json.status, "open");
  assert.equal((await client.signIn(store.passphrase)).status, 200);
  assert.equal((await client.get("/api/datasets")).status, 200);
  assert.equal(await facts(store), before);
  await mustBeSound(store);

  /* Locked before, it is locked again. */
  assert.equal((await client.post("/api/lock")).status, 204);
  const again = await rekey(store, ["--json"]);
  assert.equal(again.status, 0, again.err);
  assert.equal((await client.get("/health")).json.status, "locked");
  client.close();
  await daemon.stop();
  assert.equal(await facts(store), before);
  await mustBeSound(store);
});

test("another recovery code, served or not: the old one opens nothing", async () => {
  const store = await makeStore();
  const renew = () =>
    run(["recover", store.dir, "--new-code", "--passphrase-file", store.secret, "--json"]);
  const first = await renew();
  assert.equal(first.status, 0, first.err);
  const daemon = await serve(store);
  const second = await renew();
  assert.equal(second.status, 0, second.err);
  await daemon.stop();
  assert.equal((await recoverWith(store, store.code)).status, 4);
  assert.equal((await recoverWith(store, first.json.recovery_code)).status, 4);
  assert.equal((await recoverWith(store, second.json.recovery_code)).status, 0);
  const trail = await run(["trail", store.dir, "--passphrase-file", store.secret, "--json"]);
  assert.equal(trail.json.entries.filter((entry) => entry.kind === "recovery.changed").length, 2);
});

/* What fails is met by a program that goes on: no restart brings the store back. The key file that was made for it
 * stays where it opens the store, and only there. */
test("served, on a disk that fails within the switch: one key or the other, without a restart", {
  skip: !HAS_SHIM,
  timeout: 3_600_000,
}, async () => {
  const store = await makeStore();
  await fill(store);
  const before = await facts(store);
  const home = makeFolder();
  const disk = join(home, "disk");
  mkdirSync(disk, { mode: 0o700 });
  const shim = new Disk(disk);
  const copy = { ...store, dir: join(disk, "store") };
  const names = { name: "names", mask: bits("rename", "unlink", "folder"), kind: 1, stays: 0 };
  const outcomes = { old: 0, fresh: 0, code: 0 };
  const once = async (nth) => {
    rmSync(copy.dir, { recursive: true, force: true });
    cpSync(store.dir, copy.dir, { recursive: true });
    const daemon = await serve(copy, ["--key-file", store.key], { env: shim.env });
    const client = new Client(daemon.url);
    shim.arm(nth, names);
    const key = join(home, `key-${nth}`);
    const done = await rekey(copy, ["--key-file", key, "--json"]);
    const where = `${shim.failed} ${nth}: ${done.err}`;
    const calls = shim.get("calls");
    if (done.status !== 0) assert.match(done.err, /Input\/output error|was not closed in order/, where);
    shim.quiet();
    assert.equal((await client.signIn(store.passphrase)).status, 200, where);
    assert.equal((await client.get("/api/datasets")).status, 200, where);
    const fresh = existsSync(key);
    const by = ["--key-file", fresh ? key : store.key];
    assert.equal(await facts(copy, by), before, where);
    client.close();
    await daemon.stop();
    if (fresh) {
      outcomes.code++;
      assert.equal((await recoverWith(copy, done.json.recovery_code)).status, 0, where);
    }
    outcomes[fresh ? "fresh" : "old"]++;
    await mustBeSound(copy, by);
    return calls;
  };
  const calls = await once(1_000_000);
  for (const nth of choose(calls)) await once(nth);
  shim.close();
  console.log(`${calls} calls: ${JSON.stringify(outcomes)}`);
});

/* All of few; of many, the first, the last and some between. */
function choose(count) {
  if (count <= POINTS) return Array.from({ length: count }, (_, i) => i + 1);
  return [1, count, ...Array.from({ length: POINTS - 2 }, () => between(2, count - 1))];
}

const KILLS = [
  { name: "any call", mask: EVERY_OP, kind: 4, stays: 0 },
  { name: "what changes names", mask: bits("rename", "unlink", "folder", "truncate"), kind: 4, stays: 0 },
  { name: "no space", mask: bits("write", "open", "allocate"), kind: 2, stays: 1 },
];

test("a kill at any step leaves the store with one key or the other, and all it had", {
  skip: !HAS_SHIM,
  timeout: 3_600_000,
}, async () => {
  const store = await makeStore();
  await fill(store);
  await run(["check", store.dir, "--passphrase-file", store.secret]);
  const before = await facts(store);
  const home = makeFolder();
  const disk = join(home, "disk");
  mkdirSync(disk, { mode: 0o700 });
  const shim = new Disk(disk);
  const copy = { ...store, dir: join(disk, "store") };
  const restore = () => {
    rmSync(copy.dir, { recursive: true, force: true });
    cpSync(store.dir, copy.dir, { recursive: true });
  };
  const outcomes = { killed: 0, old: 0, fresh: 0 };
  for (const fault of KILLS) {
    restore();
    shim.quiet(fault.mask);
    assert.equal((await rekey(copy, ["--drop-key-file"], { env: shim.env })).status, 0);
    const count = shim.get("calls");
    assert.ok(count > 5, `${fault.name}: ${count} calls`);
    for (const nth of choose(count)) {
      restore();
      shim.arm(nth, fault);
      const done = await rekey(copy, ["--drop-key-file"], { env: shim.env });
      shim.quiet();
      const where = `${fault.name}, call ${nth} of ${count}: ${done.err}`;
      if (done.status === null) outcomes.killed++;
      else assert.ok(fault.kind === 2 || done.status === 0, where);
      assert.equal(await facts(copy), before, where);
      await mustBeSound(copy);
      const byFile = await run(["datasets", copy.dir, "--key-file", store.key]);
      assert.ok([0, 4].includes(byFile.status), `${where}${byFile.err}`);
      outcomes[byFile.status === 0 ? "old" : "fresh"]++;
      assert.deepEqual(
        readdirSync(copy.dir).filter((name) => !["files", "keys.json", "lock", "vault.db"].includes(name)),
        [],
        where,
      );
      assert.equal(readdirSync(join(copy.dir, "files")).length, 1, where);
    }
  }
  shim.close();
  console.log(JSON.stringify(outcomes));
  assert.ok(outcomes.killed > 0 && outcomes.old > 0 && outcomes.fresh > 0, JSON.stringify(outcomes));
});
