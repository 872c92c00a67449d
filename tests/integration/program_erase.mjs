/* Erasing from outside: by command and over HTTP, cut by a kill, and what is left of a copy made before a migration. An
 * older store opens with this program, and goes back to the older one. */
import assert from "node:assert/strict";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  Client,
  CONSUMPTION,
  makeCurve,
  makeFolder,
  makeStore,
  NIGHTLY,
  put,
  run,
  serve,
} from "./program_common.mjs";
import { Disk, EVERY_OP, HAS_SHIM } from "./program_disk.mjs";

const FIXTURES = "tests/fixtures/stores";
const INDEX = "energy.electricity.index";
const DAY_MS = 86_400_000;
const FROM = Date.parse("2024-01-10T00:00:00Z");
const KILLS = NIGHTLY ? 60 : 6;

async function fill(store, meter = "01234567890123", days = 20) {
  const watts = Array.from({ length: days * 48 }, (_, i) => 2 * (i % 90));
  const name = `export-${meter}.csv`;
  const file = put(store.folder, name, makeCurve({ meter, start: FROM, watts }));
  const done = await run(["import", store.dir, file, "--key-file", store.key]);
  assert.equal(done.status, 0, done.err);
}

const open = (store, words) =>
  run([...words.slice(0, 1), store.dir, ...words.slice(1), "--key-file", store.key]);

async function ask(store, words) {
  const done = await open(store, [...words, "--json"]);
  assert.equal(done.status, 0, done.err);
  return done.json;
}

const countOf = async (store) =>
  (await ask(store, ["datasets"])).datasets.find((one) => one.name === CONSUMPTION).records;

async function mustBeSound(store) {
  assert.deepEqual((await ask(store, ["check"])).problems, []);
}

test("by command: a period, a source, everything", async () => {
  const store = await makeStore();
  await fill(store);
  await fill(store, "09876543210987", 10);
  const period = ["erase", "--dataset", CONSUMPTION, "--from", "2024-01-10", "--to", "2024-01-12"];
  assert.deepEqual(await ask(store, [...period, "--timezone", "UTC"]), {
    ...{ records: 2 * 2 * 48, documents: 0, annotations: 0, sources: 0, imports: 0 },
  });
  assert.equal(await countOf(store), 26 * 48);
  const sources = (await ask(store, ["sources"])).sources;
  const gone = await ask(store, ["erase", "--source", String(sources[1].id)]);
  assert.deepEqual([gone.records, gone.sources, gone.imports], [8 * 48, 1, 1]);
  assert.equal((await ask(store, ["imports"])).imports.length, 1);
  const said = await open(store, ["erase", "--all"]);
  assert.equal(said.status, 0, said.err);
  assert.match(said.out, /^864 records, 0 documents and 0 annotations are erased\n$/);
  assert.deepEqual((await ask(store, ["imports"])).imports, []);
  assert.deepEqual((await ask(store, ["sources"])).sources, []);
  const told = (await ask(store, ["trail"])).entries.filter((entry) => entry.kind !== null);
  assert.ok(told.every((entry) => ["erased", "store.opened", "sign-in"].includes(entry.kind)));
  await mustBeSound(store);
  await fill(store);
  assert.equal(await countOf(store), 20 * 48);
});

test("what makes no sense is refused, and erases nothing", async () => {
  const store = await makeStore();
  await fill(store);
  for (const words of [
    [],
    ["--all", "--dataset", CONSUMPTION],
    ["--all", "--from", "2024-01-01"],
    ["--dataset", "no.such.dataset"],
    ["--source", "0"],
    ["--source", "x"],
    ["--dataset", CONSUMPTION, "--from", "2024-01-02", "--to", "2024-01-01"],
  ])
    assert.equal((await open(store, ["erase", ...words])).status, 2, words.join(" "));
  assert.equal((await open(store, ["erase", "--source", "77"])).status, 1);
  assert.equal(await countOf(store), 20 * 48);
});

test("over HTTP: the passphrase is asked again", async () => {
  const store = await makeStore();
  await fill(store);
  const daemon = await serve(store, ["--key-file", store.key]);
  const client = new Client(daemon.url);
  assert.equal((await client.signIn(store.passphrase)).status, 200);
  const erase = (body) => client.post("/api/erase", body);
  const passphrase = store.passphrase;
  const refusals = [
    [{ dataset: CONSUMPTION }, 400],
    [{ dataset: CONSUMPTION, passphrase: "une autre phrase de passe" }, 401],
    [{ passphrase }, 400],
    [{ passphrase, all: "yes" }, 400],
    [{ passphrase, all: true, dataset: CONSUMPTION }, 400],
    [{ passphrase, dataset: "no.such.dataset" }, 404],
    [{ passphrase, source: 99 }, 404],
    [{ passphrase, source: 1, from: "then" }, 400],
    [{ passphrase, source: 1, more: 1 }, 400],
  ];
  for (const [body, status] of refusals) {
    const answer = await erase(body);
    assert.equal(answer.status, status, JSON.stringify(body) + answer.text);
  }
  const until = new Date(FROM + 5 * DAY_MS).toISOString();
  const some = await erase({ passphrase, source: 1, to: until });
  assert.equal(some.status, 200, some.text);
  assert.equal(some.json.records, 5 * 48);
  const rest = await erase({ passphrase, all: true });
  assert.equal(rest.status, 200, rest.text);
  assert.deepEqual(rest.json, { records: 15 * 48, documents: 0, annotations: 0, sources: 1, imports: 1 });
  assert.equal(readFileSync(join(store.dir, "vault.db-wal")).length, 0);
  client.close();
  await daemon.stop();
  await mustBeSound(store);
});

test("an erasure that is killed goes on at the next opening", { skip: !HAS_SHIM }, async () => {
  const store = await makeStore();
  await fill(store, "01234567890123", 90);
  const home = makeFolder();
  const disk = join(home, "disk");
  mkdirSync(disk, { mode: 0o700 });
  const shim = new Disk(disk);
  const copy = { ...store, dir: join(disk, "store") };
  const restore = () => {
    rmSync(copy.dir, { recursive: true, force: true });
    cpSync(store.dir, copy.dir, { recursive: true });
  };
  const words = ["erase", copy.dir, "--dataset", CONSUMPTION, "--key-file", store.key];
  restore();
  shim.quiet();
  assert.equal((await run(words, { env: shim.env })).status, 0);
  const calls = shim.get("calls");
  const tally = { killed: 0, erased: 0 };
  for (let i = 1; i <= KILLS; i++) {
    restore();
    shim.arm(Math.ceil((calls * i) / KILLS), { kind: 4, stays: 0, mask: EVERY_OP });
    const done = await run(words, { env: shim.env });
    shim.quiet();
    if (done.status === null) tally.killed++;
    const left = await countOf(copy);
    assert.ok(left === 0 || left === 90 * 48, `${left} records are left after a kill at ${i}/${KILLS}`);
    if (left === 0) tally.erased++;
    await mustBeSound(copy);
  }
  shim.close();
  assert.ok(tally.killed > 1 && tally.erased > 1, JSON.stringify(tally));
});

test("a store of the first schema opens, and goes back to the program before", async () => {
  const home = makeFolder();
  const dir = join(home, "store");
  const before = join(dir, "vault.db.before-001");
  cpSync(join(FIXTURES, "schema-1"), dir, { recursive: true });
  mkdirSync(join(dir, "files"), { recursive: true });
  for (const path of [dir, join(dir, "files")]) chmodSync(path, 0o700);
  for (const name of readdirSync(dir)) if (name !== "files") chmodSync(join(dir, name), 0o600);
  const key = join(home, "keyfile");
  cpSync(join(FIXTURES, "keyfile"), key);
  const store = { dir, key, folder: home };
  const original = readFileSync(join(dir, "vault.db"));
  const records = readFileSync(join(FIXTURES, "schema-1.consumption.csv"), "utf8");
  const read = async () => {
    const done = await open(store, ["query", CONSUMPTION, "--format", "csv"]);
    assert.equal(done.status, 0, done.err);
    return done.out;
  };

  assert.equal(await read(), records);
  assert.deepEqual(readFileSync(before), original);
  await mustBeSound(store);
  const passphrase = ["--passphrase-file", join(FIXTURES, "passphrase")];
  assert.equal((await run(["datasets", dir, ...passphrase])).status, 0);

  /* The way back that docs/operations.md tells; this program brings it up once more. */
  cpSync(before, join(dir, "vault.db"));
  rmSync(before);
  for (const name of ["vault.db-wal", "lock"]) rmSync(join(dir, name), { force: true });
  assert.equal(await read(), records);
  assert.ok(existsSync(before));

  /* It holds what shall be gone. */
  await ask(store, ["erase", "--dataset", INDEX]);
  assert.ok(!existsSync(before));
  assert.equal(await read(), records);
});
