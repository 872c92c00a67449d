/* Backup and restore from outside: while 16 clients write, with the public age program, tar and sqlite3, damaged, killed
 * (security brief 5, rows 28 and 29).
 *
 *   TRABOULE=build/dev/traboule node tests/integration/program_backup.mjs    (TRABOULE_NIGHTLY=1: more of it) */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import {
  bytesOf,
  Client,
  CONSUMPTION,
  HALF_HOUR_MS,
  instant,
  makeForm,
  makeRandom,
  makeStore,
  NIGHTLY,
  PROGRAM,
  put,
  run,
  serve,
} from "./program_common.mjs";

const DONE = 0;
const FAILED = 1;
const DAMAGED = 3;
const WRONG_KEY = 4;
const KDF = ["--kdf-memory-mib", "64"];
const WRITERS = 16;
const WRITE_MS = NIGHTLY ? 20_000 : 1600;
const FLIPS = NIGHTLY ? 1000 : 24; // program_damage.mjs has more
const KILLS = NIGHTLY ? 100 : 4;
const FROM = Date.parse("2010-01-01T00:00:00Z");
const { between } = makeRandom();

const store = await makeStore();
const KEY = ["--key-file", store.key];
const code = put(store.folder, "code", `${store.code}\n`);
const fresh = put(store.folder, "fresh", "une phrase pour le coffre retrouve\n");
const path = (name) => join(store.folder, name);
const FILES = [randomBytes(300_000), Buffer.from("%PDF-1.4\nune facture\n"), Buffer.alloc(65_536, 7)];

/** A command must end so. */
async function expect(status, args, options) {
  const done = await run(args, options);
  assert.equal(done.status, status, `${args.join(" ")}\n${done.out}${done.err}`);
  if (status !== DONE) assert.match(done.err, /(^|\n)traboule[^\n]*: [^\n]+\n$/, "one line says why");
  return done;
}

const backup = async (name, dir = store.dir, key = KEY) =>
  (await expect(DONE, ["backup", dir, "-o", path(name), ...key, "--json"])).json;

/** The arguments that restore a file. */
const restoring = (file, name, by = ["--recovery-code-file", code]) => [
  ...["restore", file, path(name), ...by, "--passphrase-file", fresh],
  ...[...KDF, "--json"],
];

async function isClean(name) {
  const report = await expect(DONE, ["check", path(name), "--passphrase-file", fresh, "--json"]);
  assert.equal(report.json.ok, true, report.out);
  return report.json;
}

/** All records of a store, by their start. */
async function recordsOf(dir, key) {
  const all = await expect(DONE, ["query", dir, CONSUMPTION, ...key, "--format", "json"]);
  const found = new Map();
  for (const record of all.json.records) found.set(record.start, record.value);
  return found;
}

/** What lies beside, but for what was there. */
const left = (name) => readdirSync(store.folder).filter((file) => file.startsWith(`${name}.new-`));

const acked = new Map(); // start → value
let sent = 0;

async function writer(client, isOver) {
  while (!isOver()) {
    const start = FROM + sent++ * HALF_HOUR_MS;
    const value = between(1, 1e6);
    const answer = await client.post(`/api/records/${CONSUMPTION}`, {
      records: [
        ...[{ start: instant(start), end: instant(start + HALF_HOUR_MS), value, quality: "measured" }],
      ],
    });
    assert.equal(answer.status, 200, answer.text);
    acked.set(instant(start), value);
  }
}

test("a backup while 16 clients write holds what was acknowledged before it began", async () => {
  const daemon = await serve(store, KEY);
  const client = new Client(daemon.url);
  assert.equal((await client.signIn(store.passphrase)).status, 200);
  for (const [i, bytes] of FILES.entries()) {
    const form = makeForm([{ name: `file-${i}.pdf`, text: bytes }]);
    const answer = await client.post("/api/documents", form.body, { "Content-Type": form.type });
    assert.equal(answer.status, 201, answer.text);
  }

  let over = false;
  const began = Date.now();
  const writers = Array.from({ length: WRITERS }, () => writer(client, () => over));
  await new Promise((resolve) => setTimeout(resolve, WRITE_MS / 2));
  const before = new Map(acked);
  const made = await backup("during.age");
  const during = acked.size - before.size;
  await new Promise((resolve) => setTimeout(resolve, WRITE_MS / 2));
  over = true;
  await Promise.all(writers);
  const rate = Math.round((acked.size * 1000) / (Date.now() - began));
  console.log(`${rate} writes a second, ${during} of them while the backup was made`);
  client.close();
  await daemon.stop();

  assert(before.size > 100 && during > 0, `${before.size} writes before, ${during} during`);
  assert.equal(made.files, FILES.length);
  assert.equal(made.bytes, bytesOf(path("during.age")).length);
  const restored = await expect(DONE, restoring(path("during.age"), "during"));
  assert.equal(restored.json.files, FILES.length);
  assert.equal(restored.json.recovery_code, undefined, "the old code goes on");
  assert.equal((await isClean("during")).files, FILES.length);
  const now = await recordsOf(path("during"), ["--passphrase-file", fresh]);
  for (const [start, value] of before) assert.equal(now.get(start), value, start);
  for (const [start, value] of now) assert.equal(acked.get(start), value, `${start} was sent so`);
});

test("at rest, what is restored is the same, and so is what is backed up from there", async () => {
  await backup("still.age");
  await expect(DONE, restoring(path("still.age"), "still"));
  const other = ["--passphrase-file", fresh];
  assert.deepEqual(await recordsOf(path("still"), other), await recordsOf(store.dir, KEY));
  const digest = async (dir, key) =>
    (await expect(DONE, ["export", dir, "--digest", ...key, "--json"])).json.digest;
  assert.equal(await digest(path("still"), other), await digest(store.dir, KEY));
  // The code that opened the backup opens the store, and its next backup.
  await expect(DONE, ["recover", path("still"), "--age-identity", "--recovery-code-file", code]);
  await backup("again.age", path("still"), other);
  await expect(DONE, restoring(path("again.age"), "again"));
  await isClean("again");
});

test("the worst case: age, tar, sqlite3 and sha256sum open it without us", async () => {
  const identity = await expect(DONE, [
    ...["recover", store.dir, "--age-identity", "--recovery-code-file", code],
  ]);
  assert.match(identity.out, /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}\n$/);
  put(store.folder, "identity", identity.out);
  mkdirSync(path("plain"));
  const sh = (line) => {
    const done = spawnSync("sh", ["-c", `set -e; ${line}`], { cwd: path("plain") });
    assert.equal(done.status, 0, `${line}: ${done.stderr}`);
    return done.stdout.toString();
  };
  sh("age -d -i ../identity ../still.age | tar x");
  assert.deepEqual(readdirSync(path("plain")).sort(), [
    ...["SHA256SUMS", "files", "manifest.json", "vault.sqlite"],
  ]);
  assert.match(sh("sha256sum -c SHA256SUMS"), /^vault\.sqlite: OK\n(files\/[0-9a-f]{32}: OK\n){3}manifest\.json: OK\n$/);
  assert.equal(sh("sqlite3 vault.sqlite 'PRAGMA integrity_check'"), "ok\n");
  assert.equal(Number(sh("sqlite3 vault.sqlite 'SELECT count(*) FROM record'")), acked.size);
  const hashes = readdirSync(path("plain/files")).map((file) =>
    createHash("sha256").update(readFileSync(path(`plain/files/${file}`))).digest("hex"),
  );
  const wanted = FILES.map((bytes) => createHash("sha256").update(bytes).digest("hex"));
  assert.deepEqual(hashes.sort(), wanted.sort());
  // And back: what the age program sealed again, armored, is restored too.
  sh("age -d -i ../identity ../still.age > ../plain.tar; age -a -r $(age-keygen -y ../identity) -o ../armored.age ../plain.tar");
  await expect(DONE, restoring(path("armored.age"), "armored"));
  await isClean("armored");
});

test("an identity, or a passphrase of the backup's own, opens it; then the code is new", async () => {
  const done = await expect(DONE, restoring(path("still.age"), "by-key", ["--recovery-code-file", path("identity")]));
  assert.match(done.json.recovery_code, /^([0-9A-Z]{5}-){5}[0-9A-Z]{5}$/);
  assert.notEqual(done.json.recovery_code, store.code);
  const phrase = put(store.folder, "phrase", "une phrase pour la sauvegarde\n");
  await expect(DONE, [
    ...["backup", store.dir, "-o", path("phrase.age"), ...KEY, "--with-passphrase-file", phrase],
  ]);
  assert.match((await expect(WRONG_KEY, restoring(path("phrase.age"), "no"))).err, /sealed to a passphrase/);
  const other = await expect(WRONG_KEY, restoring(path("phrase.age"), "no", ["--with-passphrase-file", fresh]));
  assert.match(other.err, /this passphrase does not open the backup/);
  const again = await expect(DONE, [
    ...[...restoring(path("phrase.age"), "by-phrase", ["--with-passphrase-file", phrase])],
    ...["--key-file", path("new-key")],
  ]);
  assert.equal((await expect(DONE, ["check", path("by-phrase"), "--key-file", path("new-key")])).status, 0);
  put(store.folder, "new-code", again.json.recovery_code);
  await backup("third.age", path("by-phrase"), ["--key-file", path("new-key")]);
  await expect(WRONG_KEY, restoring(path("third.age"), "no"));
  await expect(DONE, restoring(path("third.age"), "third", ["--recovery-code-file", path("new-code")]));
});

test("the code comes from the environment or standard input too", async () => {
  const words = ["restore", path("still.age"), path("asked"), "--passphrase-file", fresh, ...KDF];
  await expect(DONE, words, { input: `${store.code.toLowerCase()}\n` });
  words[2] = path("environment");
  await expect(DONE, words, { env: { TRABOULE_RECOVERY_CODE_FILE: code } });
});

test("each failure is told as what it is, and leaves nothing", async () => {
  const whole = bytesOf(path("still.age"));
  const other = await makeStore();
  const header = whole.indexOf("\n--- ") + 50;
  const changed = (at) => {
    const bytes = Buffer.from(whole);
    bytes[at] ^= 1;
    return bytes;
  };
  const rows = [
    ["another code", WRONG_KEY, whole, /not the recovery code .* when the backup was made/, put(store.folder, "c1", `${other.code}\n`)],
    ["a mistyped code", FAILED, whole, /recovery code: 29 char/, put(store.folder, "c2", `${store.code.slice(0, -1)}\n`)],
    ["half an identity", FAILED, whole, /an age identity/, put(store.folder, "c3", "AGE-SECRET-KEY-1QQQQ\n")],
    ["no age file", FAILED, Buffer.from("hello\n"), /no age v1 file/],
    ["nothing", FAILED, Buffer.alloc(0), /an empty file/],
    ["cut in its header", DAMAGED, whole.subarray(0, 60), /cut in its header/],
    ["cut behind its header", DAMAGED, whole.subarray(0, header + 10), /cut behind its header/],
    ["cut in its midst", DAMAGED, whole.subarray(0, whole.length >> 1), /chunk \d+ .* cut there/],
    ["cut by a byte", DAMAGED, whole.subarray(0, -1), /cut there/],
    ["longer by a byte", DAMAGED, Buffer.concat([whole, Buffer.from("x")]), /chunk \d+/],
    ["a changed byte", DAMAGED, changed(whole.length >> 1), /chunk \d+ .* was changed/],
    ["the last byte", DAMAGED, changed(whole.length - 1), /was changed/],
  ];
  for (const [what, status, bytes, says, by] of rows) {
    const file = put(store.folder, "broken.age", bytes);
    const done = await run(restoring(file, "broken", ["--recovery-code-file", by ?? code]));
    assert.equal(done.status, status, `${what}: ${done.err}`);
    assert.match(done.err, says, what);
    assert.doesNotMatch(done.err, /restore: restore/, "said once");
    assert(!existsSync(path("broken")) && left("broken").length === 0, what);
  }
  const sealed = spawnSync("sh", ["-c", "echo hello | age -r $(age-keygen -y identity) > letter.age"], { cwd: store.folder });
  assert.equal(sealed.status, 0);
  await expect(FAILED, restoring(path("letter.age"), "broken"));
  await expect(FAILED, restoring(path("none.age"), "broken"));
});

test("a store comes back wherever a folder can be", async () => {
  const place = (name, options) => run([...restoring(path("still.age"), name)], options);
  mkdirSync(path("empty"));
  symlinkSync("empty", path("link"));
  const linked = await place("link");
  assert.equal(linked.status, DONE, linked.err);
  await isClean("empty");
  mkdirSync(path("un coffre à moi"));
  const words = restoring(path("still.age"), ".");
  words[2] = ".";
  const here = await run(words, { cwd: path("un coffre à moi"), program: resolve(PROGRAM) });
  assert.equal(here.status, DONE, here.err);
  await isClean("un coffre à moi");
  for (const [name, says] of [
    ["none/store", /none\/store: No such file/],
    ["still", /not empty: a backup is restored beside, never over/],
    ["still.age", /no folder/],
  ]) {
    const refused = await place(name);
    assert.equal(refused.status, FAILED, name);
    assert.match(refused.err, says);
  }
});

test("a backup takes the place of a plain file, and is never put into a store", async () => {
  const dir = path("guarded");
  cpSync(path("still"), dir, { recursive: true });
  const refused = async (file, says) => {
    const done = await expect(FAILED, ["backup", dir, "-o", file, "--passphrase-file", fresh]);
    assert.match(done.err, says);
  };
  for (const file of ["vault.db", "keys.json", "x.age", "files/x.age", "../guarded/x.age"])
    await refused(join(dir, file), /in the store's folder/);
  symlinkSync("guarded", path("guard"));
  await refused(path("guard/x.age"), /in the store's folder/);
  mkdirSync(path("folder"));
  for (const name of ["folder", "guard"]) await refused(path(name), /no plain file/);
  await refused(path("none/x.age"), /No such file/);
  await isClean("guarded");
  const old = put(store.folder, "old.age", "what was here before");
  await backup("old.age", dir, ["--passphrase-file", fresh]);
  assert.equal(bytesOf(old).toString("latin1", 0, 21), "age-encryption.org/v1");
});

test("bits that flip anywhere in a backup are noticed", async () => {
  const whole = bytesOf(path("still.age"));
  for (let i = 0; i < FLIPS; i++) {
    const at = i < 10 ? between(0, 250) : between(0, whole.length - 1);
    const bytes = Buffer.from(whole);
    bytes[at] ^= 1 << between(0, 7);
    const done = await run(restoring(put(store.folder, "flipped.age", bytes), "flipped"));
    assert([FAILED, DAMAGED, WRONG_KEY].includes(done.status), `byte ${at}: ${done.status} ${done.err}`);
    assert(at < 250 || done.status === DAMAGED, `byte ${at}: ${done.status} ${done.err}`);
    assert(!existsSync(path("flipped")), `byte ${at}`);
  }
});

test("a damaged store, or file of one, yields no backup", async () => {
  for (const [name, where] of [
    ["page", () => "vault.db"],
    ["file", (dir) => join("files", readdirSync(join(dir, "files")).find((n) => bytesOf(join(dir, "files", n)).length > 1e5))],
  ]) {
    const dir = path(`damaged-${name}`);
    cpSync(path("still"), dir, { recursive: true });
    const file = join(dir, where(dir));
    const bytes = bytesOf(file);
    bytes[name === "page" ? 4096 * 5 + 100 : 70_000] ^= 1;
    writeFileSync(file, bytes);
    const words = ["backup", dir, "-o", path("damaged.age"), "--passphrase-file", fresh];
    const done = await expect(DAMAGED, words);
    assert.match(done.err, name === "page" ? /page/ : /blob/);
    assert(!existsSync(path("damaged.age")) && left("damaged.age").length === 0);
  }
});

test("kill -9 leaves nothing half-made under the final name", async () => {
  const tally = { backups: 0, restores: 0 };
  for (let i = 0; i < KILLS; i++) {
    const killAfter = between(5, i % 2 ? 150 : 500);
    await run(["backup", store.dir, "-o", path("killed.age"), ...KEY], { killAfter });
    if (existsSync(path("killed.age"))) {
      const whole = spawnSync("age", ["-d", "-i", path("identity"), "-o", "/dev/null", path("killed.age")]);
      assert.equal(whole.status, 0, String(whole.stderr));
      rmSync(path("killed.age"));
    } else tally.backups++;
    const name = `killed-${i}`;
    await run(restoring(path("still.age"), name), { killAfter });
    if (existsSync(path(name))) await isClean(name);
    else {
      tally.restores++;
      await expect(DONE, restoring(path("still.age"), name));
      assert.deepEqual(left(name), [], "what the killed one left is taken away");
    }
    rmSync(path(name), { recursive: true });
  }
  console.log(`${tally.backups} backups and ${tally.restores} restores killed, of ${KILLS}`);
  assert.equal((await run(["check", store.dir, ...KEY])).status, DONE);
});

test("over HTTP the owner gets it for the passphrase alone", async () => {
  const daemon = await serve(store, KEY);
  const client = new Client(daemon.url);
  assert.equal((await client.post("/api/backup", { passphrase: store.passphrase })).status, 401);
  assert.equal((await client.signIn(store.passphrase)).status, 200);
  const wrong = await client.post("/api/backup", { passphrase: "une tout autre phrase" });
  assert([401, 403].includes(wrong.status), wrong.text);
  assert.equal((await client.post("/api/backup", {})).status, 400);
  const answer = await client.post("/api/backup", { passphrase: store.passphrase });
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.headers["content-disposition"], /^attachment; filename="traboule-\d{4}-\d\d-\d\d\.age"$/);
  assert.equal(Number(answer.headers["content-length"]), answer.body.length);
  const kinds = (await expect(DONE, ["trail", store.dir, ...KEY, "--json"])).json.entries.map((line) => line.kind);
  assert(kinds.includes("backed-up"));
  client.close();
  await daemon.stop();
  assert.deepEqual(readdirSync(store.dir).sort(), ["files", "keys.json", "lock", "vault.db"]);
  await expect(DONE, restoring(put(store.folder, "http.age", answer.body), "http"));
  await isClean("http");
});

test("a store of the first schema is told whom its backups are for, once", async () => {
  const old = "tests/fixtures/stores";
  cpSync(`${old}/schema-1`, path("old"), { recursive: true });
  mkdirSync(path("old/files"), { recursive: true }); // git keeps no empty folder
  for (const file of ["", "/files"]) chmodSync(path(`old${file}`), 0o700);
  for (const file of ["keys.json", "lock", "vault.db"]) chmodSync(path(`old/${file}`), 0o600);
  const key = ["--passphrase-file", `${old}/passphrase`];
  const refused = await expect(FAILED, ["backup", path("old"), "-o", path("old.age"), ...key]);
  assert.match(refused.err, /recover STORE --age-identity/);
  const printed = ["--recovery-code-file", `${old}/recovery-code`];
  await expect(DONE, ["recover", path("old"), "--age-identity", ...printed]);
  await backup("old.age", path("old"), key);
  await expect(DONE, restoring(path("old.age"), "old-again", printed));
  await isClean("old-again");
  assert.deepEqual(await recordsOf(path("old-again"), ["--passphrase-file", fresh]), await recordsOf(path("old"), key));
});
