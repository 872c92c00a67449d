/* Every command, from outside: exit status, what stands on standard output, one sentence on standard error; while a
 * daemon serves the store and while none does. */
import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  bytesOf,
  Client,
  CONSUMPTION,
  makeCurve,
  makeFolder,
  makeStore,
  put,
  run,
  serve,
} from "./program_common.mjs";

const DONE = 0;
const FAILED = 1;
const USAGE = 2;
const DAMAGED = 3;
const WRONG_KEY = 4;
const KDF = ["--kdf-memory-mib", "64"];

const store = await makeStore();
const KEY = ["--key-file", store.key];
const start = Date.parse("2024-05-01T22:00:00Z"); // a midnight in Paris
const watts = Array.from({ length: 48 }, (_, i) => 200 + 2 * i);
const curve = put(store.folder, "courbe.csv", makeCurve({ start, watts }));

/** A command must end so; the last line of standard error says why it failed. */
async function expect(status, args, options) {
  const done = await run(args, options);
  assert.equal(done.status, status, `${args.join(" ")}\n${done.out}${done.err}`);
  if (status === DONE) return done;
  assert.match(
    done.err,
    /(^|\n)traboule[^\n]*: [^\n]+\n$/,
    `${args.join(" ")} tells its failure in a line`,
  );
  return done;
}

/** The same with --json: standard output is one JSON object and a line end. */
async function json(status, args, options) {
  const done = await expect(status, [...args, "--json"], options);
  assert.match(done.out, /^\{.*\}\n$/, "one line");
  assert.equal(typeof done.json, "object");
  return done.json;
}

test("help and version", async () => {
  for (const words of [["--help"], ["help"]]) {
    const { out } = await expect(DONE, words);
    for (const name of [
      "init",
      "serve",
      "import",
      "query",
      "datasets",
      "sources",
      "imports",
      "check",
    ])
      assert.match(out, new RegExp(`^  ${name} `, "m"));
  }
  assert.match((await expect(DONE, ["--version"])).out, /^traboule \d+\.\d+\.\d+\n$/);
  const { out } = await expect(DONE, ["init", "--help"]);
  assert.match(out, /--kdf-memory-mib N/);
  const bare = await run([]);
  assert.equal(bare.status, USAGE);
  assert.match(bare.err, /usage: traboule COMMAND/);
});

const nowhere = join(store.folder, "nowhere");
for (const words of [
  ["init"],
  ["init", "a", "b"],
  ["init", nowhere, "--unknown"],
  ["init", nowhere, "--passphrase-file"],
  ["init", nowhere, "--json=yes"],
  ["init", nowhere, "--passphrase", "never as an argument"],
  ["init", nowhere, "--kdf-memory-mib", "63"],
  ["init", nowhere, "--kdf-memory-mib", "257"],
  ["init", nowhere, "--kdf-memory-mib", "64x"],
  ["serve"],
  ["serve", store.dir, "--tls-cert", "a"],
  ["import", store.dir],
  ["import", store.dir, curve, ...KEY, "--dataset", "no.such"],
  ["import", store.dir, curve, ...KEY, "--timezone", "Mars/Olympus"],
  ["import", store.dir, ...Array(65).fill(curve), ...KEY],
  ["query", store.dir],
  ["query", store.dir, CONSUMPTION, ...KEY, "--from", "yesterday"],
  ["query", store.dir, CONSUMPTION, ...KEY, "--to", "2024-13-01"],
  ["query", store.dir, CONSUMPTION, ...KEY, "--step", "PT7M"],
  ["query", store.dir, CONSUMPTION, ...KEY, "--format", "xml"],
  ["query", store.dir, CONSUMPTION, ...KEY, "--limit", "0"],
  ["datasets", store.dir, "more"],
  ["imports", store.dir, "undo", ...KEY],
  ["imports", store.dir, "redo", "x", ...KEY],
  ["check"],
  ["recover", store.dir, "--key-file", "x"],
])
  test(`usage: traboule ${words
    .map((word) => word.split("/").at(-1))
    .slice(0, 8)
    .join(" ")}`, async () => {
    assert.equal((await expect(USAGE, words)).out, "");
    assert.equal(readdirSync(store.folder).includes("nowhere"), false);
  });

test("an unknown command is a matter of usage", async () => {
  const done = await run(["frobnicate", store.dir]);
  assert.equal(done.status, USAGE);
  assert.equal(done.out, "");
});

test("init: private, sealed, its code shown once, nothing left of a refusal", async () => {
  assert.equal(statSync(store.dir).mode & 0o777, 0o700);
  assert.equal(statSync(store.key).mode & 0o777, 0o600);
  for (const name of readdirSync(store.dir))
    assert.equal(statSync(join(store.dir, name)).mode & 0o077, 0, name);
  assert.match(store.code, /^[0-9A-Z]{5}(-[0-9A-Z]{5}){5}$/);
  const folder = makeFolder();
  const secret = put(folder, "secret", "a good long passphrase\n");
  const shown = await expect(DONE, [
    "init",
    join(folder, "a"),
    "--passphrase-file",
    secret,
    ...KDF,
  ]);
  assert.match(shown.out, /^[0-9A-Z]{5}(-[0-9A-Z]{5}){5}\n$/);
  assert.match(shown.err, /printed?|print it/);
  const typed = await expect(DONE, ["init", join(folder, "b"), ...KDF], {
    input: "a good long passphrase\n",
  });
  assert.notEqual(typed.out, shown.out);

  await expect(FAILED, ["init", store.dir, "--passphrase-file", secret, ...KDF]); // it is there already
  await expect(FAILED, ["init", folder, "--passphrase-file", secret, ...KDF]); // a folder that exists
  await expect(FAILED, ["init", join(folder, "no", "such"), "--passphrase-file", secret, ...KDF]);
  await expect(FAILED, [
    "init",
    join(folder, "c"),
    "--passphrase-file",
    join(folder, "none"),
    ...KDF,
  ]);
  await expect(FAILED, ["init", join(folder, "c"), ...KDF], { input: "" });
  for (const weak of ["short", "password1234", "azertyuiop12", ""])
    await expect(FAILED, ["init", join(folder, "c"), ...KDF], { input: `${weak}\n` });
  await expect(FAILED, [
    ...["init", join(folder, "c"), "--passphrase-file", secret, "--key-file", secret, ...KDF],
  ]); // never over a file
  assert.deepEqual(readdirSync(folder).sort(), ["a", "b", "secret"]);
  assert.equal(bytesOf(secret).toString(), "a good long passphrase\n");
  await expect(FAILED, [
    ...[
      "init",
      join(folder, "no", "such"),
      "--passphrase-file",
      secret,
      "--key-file",
      join(folder, "k"),
      ...KDF,
    ],
  ]);
  assert.deepEqual(
    readdirSync(folder).sort(),
    ["a", "b", "secret"],
    "the key file of a store not made",
  );
});

test("keys: which open, which do not, where they are looked for", async () => {
  const folder = makeFolder();
  const list = ["datasets", store.dir];
  const wrong = put(folder, "wrong", "another long passphrase");
  const other = put(folder, "other", "x".repeat(32));
  const short = put(folder, "short", "x".repeat(31));
  await expect(WRONG_KEY, [...list, "--passphrase-file", wrong]);
  await expect(WRONG_KEY, [...list, "--key-file", other]);
  await expect(WRONG_KEY, list, { input: "another long passphrase\n" });
  await expect(WRONG_KEY, ["passphrase", store.dir, "--passphrase-file", wrong]);
  await expect(FAILED, [...list, "--key-file", short]);
  await expect(FAILED, [...list, "--key-file", join(folder, "none")]);
  await expect(FAILED, list, { input: "" });
  const { out } = await expect(DONE, [...list, ...KEY]);
  mkdirSync(join(folder, "credentials"));
  put(join(folder, "credentials"), "traboule", store.passphrase);
  const ways = [
    [[...list, "--passphrase-file", store.secret], {}],
    [list, { input: `${store.passphrase}\nand more` }],
    [list, { input: `${store.passphrase}\r\n` }],
    [list, { env: { TRABOULE_PASSPHRASE_FILE: store.secret } }],
    [list, { env: { CREDENTIALS_DIRECTORY: join(folder, "credentials") } }],
    [[...list, "--passphrase-file", store.secret], { env: { TRABOULE_PASSPHRASE_FILE: wrong } }],
  ];
  for (const [args, options] of ways)
    assert.equal((await expect(DONE, args, options)).out, out, JSON.stringify(options));
  await expect(USAGE, [...list, "--passphrase", store.passphrase]);
  await expect(FAILED, list, { env: { TRABOULE_PASSPHRASE: store.passphrase } });
});

test("a folder that others may enter is refused, and one that is no store", async () => {
  for (const mode of [0o750, 0o705, 0o701, 0o770]) {
    chmodSync(store.dir, mode);
    await expect(FAILED, ["datasets", store.dir, ...KEY]);
    await expect(FAILED, ["serve", store.dir, "--listen", "127.0.0.1:0", ...KEY]);
  }
  chmodSync(store.dir, 0o700);
  await expect(DONE, ["datasets", store.dir, ...KEY]);
  const folder = makeFolder();
  await expect(FAILED, ["datasets", folder, ...KEY]);
  await expect(FAILED, ["datasets", join(folder, "none"), ...KEY]);
  await expect(FAILED, ["datasets", store.key, ...KEY]);
});

test("import: new, the same, corrected, refused", async () => {
  const entry = async (status, ...args) =>
    (await json(status, ["import", store.dir, ...args, ...KEY])).files[0];
  const first = await entry(DONE, curve);
  assert.deepEqual(
    { ...first, import: "" },
    {
      file: "courbe.csv",
      import: "",
      format: "enedis.portal.csv",
      dataset: CONSUMPTION,
      new: 48,
      same: 0,
      replaced: 0,
      rejected: 0,
      first: "2024-05-01T22:00:00Z",
      last: "2024-05-02T22:00:00Z",
      total: watts.reduce((sum, w) => sum + w / 2, 0),
      unit: "Wh",
      gaps: 0,
      warnings: [],
    },
  );
  const again = await entry(DONE, curve);
  assert.deepEqual([again.new, again.same, again.replaced], [0, 48, 0]);
  const better = put(
    store.folder,
    "mieux.csv",
    makeCurve({ start, watts: watts.with?.(3, 9000) ?? watts.map((w, i) => (i === 3 ? 9000 : w)) }),
  );
  const corrected = await entry(DONE, better);
  assert.deepEqual([corrected.new, corrected.same, corrected.replaced], [0, 47, 1]);
  const undone = await json(DONE, ["imports", store.dir, "undo", corrected.import, ...KEY]);
  assert.deepEqual([undone.removed, undone.restored], [0, 1]);
  await expect(FAILED, ["imports", store.dir, "undo", corrected.import, ...KEY]);
  await expect(FAILED, ["imports", store.dir, "undo", "01J00000000000000000000000", ...KEY]);

  const odd = put(store.folder, "odd.txt", "a letter to a friend\n");
  const refused = await expect(FAILED, ["import", store.dir, odd, ...KEY]);
  assert.match(refused.err, /odd\.txt/);
  const two = await json(FAILED, ["import", store.dir, odd, curve, ...KEY]);
  assert.equal(two.files[0].error.type, "unsupported");
  assert.equal(two.files[1].same, 48, "the other file goes on");
  await expect(FAILED, ["import", store.dir, join(store.folder, "none.csv"), ...KEY]);
  const elsewhere = await entry(DONE, curve, "--dataset", "water.consumption");
  assert.equal(elsewhere.dataset, null);
  const names = (await json(DONE, ["imports", store.dir, ...KEY])).imports.map((i) => i.file);
  assert.equal(names.includes("odd.txt"), false, "nothing is kept of a file that failed");
});

const questions = [
  ["records as they are", ["query", store.dir, CONSUMPTION]],
  ["by hour", ["query", store.dir, CONSUMPTION, "--step", "PT1H"]],
  ["by day", ["query", store.dir, CONSUMPTION, "--step", "P1D"]],
  ["by week", ["query", store.dir, CONSUMPTION, "--step", "P1W"]],
  ["by month", ["query", store.dir, CONSUMPTION, "--step", "P1M"]],
  ["by year", ["query", store.dir, CONSUMPTION, "--step", "P1Y"]],
  ["as CSV", ["query", store.dir, CONSUMPTION, "--format", "csv", "--step", "P1D"]],
  [
    "a part",
    ["query", store.dir, CONSUMPTION, "--from", "2024-05-02", "--to", "2024-05-02T10:00:00Z"],
  ],
  ["a page", ["query", store.dir, CONSUMPTION, "--limit", "5"]],
  ["nothing", ["query", store.dir, "water.consumption"]],
  ["datasets", ["datasets", store.dir]],
  ["datasets, JSON", ["datasets", store.dir, "--json"]],
  ["sources", ["sources", store.dir]],
  ["sources, JSON", ["sources", store.dir, "--json"]],
  ["imports", ["imports", store.dir]],
  ["imports, JSON", ["imports", store.dir, "--json"]],
  ["check, JSON", ["check", store.dir, "--json"]],
];
const answers = new Map();

test("query: steps, formats, bounds", async () => {
  for (const [name, args] of questions)
    answers.set(name, (await expect(DONE, [...args, ...KEY])).out);
  const rows = (name) => JSON.parse(answers.get(name)).records;
  const total = watts.reduce((sum, w) => sum + w / 2, 0);
  assert.equal(rows("records as they are").length, 48);
  assert.equal(rows("by hour").length, 24);
  assert.equal(rows("by hour")[0].value, (watts[0] + watts[1]) / 2);
  assert.deepEqual(rows("by day"), [
    {
      start: "2024-05-01T22:00:00Z",
      end: "2024-05-02T22:00:00Z",
      value: total,
      quality: "measured",
      coverage: 1,
    },
  ]);
  for (const name of ["by week", "by month", "by year"]) {
    assert.equal(rows(name)[0].value, total);
    assert.ok(rows(name)[0].coverage < 1);
  }
  assert.equal(
    answers.get("as CSV"),
    `start,end,value,quality,coverage\r\n2024-05-01T22:00:00Z,2024-05-02T22:00:00Z,${total},measured,1\r\n`,
  );
  assert.equal(rows("a part").length, 24, "from midnight in Paris to 10 h UTC");
  assert.equal(JSON.parse(answers.get("a page")).next, "2024-05-02T00:30:00Z");
  assert.deepEqual(rows("nothing"), []);
  await expect(FAILED, ["query", store.dir, "no.such.dataset", ...KEY]);
});

/* How many pages and frames are read depends on when the log was brought to vault.db. */
const unpaged = (text) => text.replace(/^\d+ pages|"pages":\d+/, "pages");

test("every command answers the same while a daemon serves, open or locked", async () => {
  for (const how of [KEY, []]) {
    const daemon = await serve(store, how);
    assert.match(daemon.out, how.length ? /an open store/ : /a locked store/);
    for (const [name, args] of questions)
      assert.equal(unpaged((await expect(DONE, [...args, ...KEY])).out), unpaged(answers.get(name)), name);
    const client = new Client(daemon.url);
    assert.equal((await client.get("/health")).json.status, how.length ? "open" : "locked");
    const wrong = put(store.folder, "wrong", "another long passphrase");
    await expect(WRONG_KEY, ["datasets", store.dir, "--passphrase-file", wrong]);
    await expect(FAILED, ["query", store.dir, "no.such.dataset", ...KEY]);
    await expect(USAGE, ["query", store.dir, CONSUMPTION, ...KEY, "--step", "PT7M"]);
    const entry = (await json(DONE, ["import", store.dir, curve, ...KEY])).files[0];
    assert.equal(entry.same, 48);
    await json(DONE, ["imports", store.dir, "undo", entry.import, ...KEY]);
    const odd = put(store.folder, "odd.txt", "a letter to a friend\n");
    await expect(FAILED, ["import", store.dir, odd, ...KEY]);
    await expect(FAILED, ["import", store.dir, join(store.folder, "none.csv"), ...KEY]);
    const second = await expect(FAILED, ["serve", store.dir, "--listen", "127.0.0.1:0", ...KEY]);
    assert.match(second.err, /another daemon serves this store/);
    assert.equal((await client.get("/health")).status, 200, "the first one still serves");
    client.close();
    assert.equal(await daemon.stop(), 0);
    assert.equal(readdirSync(store.dir).includes("control"), false);
    /* The list of imports grew by the one above, taken back. */
    for (const name of ["imports", "imports, JSON"])
      answers.set(
        name,
        (await expect(DONE, [...questions.find(([n]) => n === name)[1], ...KEY])).out,
      );
  }
  for (const [name, args] of questions)
    if (!name.startsWith("check"))
      assert.equal((await expect(DONE, [...args, ...KEY])).out, answers.get(name), name);
});

test("many commands at once on a served store, and on one that is not", async () => {
  const many = () => Array.from({ length: 12 }, () => json(DONE, ["sources", store.dir, ...KEY]));
  await Promise.all(many());
  const daemon = await serve(store);
  await Promise.all(many());
  await daemon.stop();
});

test("a daemon killed leaves no socket that stops the next, and none that a command waits for", async () => {
  const killed = await serve(store, KEY);
  await killed.kill();
  assert.ok(readdirSync(store.dir).includes("control"));
  await expect(DONE, ["sources", store.dir, ...KEY]);
  const next = await serve(store, KEY);
  await expect(DONE, ["sources", store.dir, ...KEY]);
  assert.equal(await next.stop(), 0);
});

test("serve: off loopback only with TLS or a proxy; a bad address; a wrong key", async () => {
  const asked = ["serve", store.dir, ...KEY, "--listen"];
  await expect(FAILED, [...asked, "0.0.0.0:0"]);
  await expect(FAILED, [...asked, "[::]:0"]);
  await expect(FAILED, [...asked, "nonsense"]);
  await expect(FAILED, [...asked, "127.0.0.1:70000"]);
  const other = put(store.folder, "other", "x".repeat(32));
  await expect(WRONG_KEY, ["serve", store.dir, "--listen", "127.0.0.1:0", "--key-file", other]);
  assert.equal(readdirSync(store.dir).includes("control"), false);
});

test("passphrase: the old one opens nothing any more; a daemon that runs knows the new one", async () => {
  const fresh = "deux fleuves et une colline";
  const change = ["passphrase", store.dir, "--passphrase-file", store.secret, ...KDF];
  const file = (text) => put(store.folder, "fresh", `${text}\n`);
  await expect(FAILED, [...change, "--new-passphrase-file", file("short")]);
  assert.deepEqual(await json(DONE, [...change, "--new-passphrase-file", file(fresh)]), {
    changed: true,
  });
  await expect(WRONG_KEY, ["sources", store.dir, "--passphrase-file", store.secret]);
  await expect(DONE, ["sources", store.dir, "--passphrase-file", file(fresh)]);
  await expect(DONE, ["sources", store.dir, ...KEY]);
  const daemon = await serve(store);
  const client = new Client(daemon.url);
  assert.equal((await client.signIn(store.passphrase)).status, 401);
  /* Both from standard input: the old one, then the new one. */
  await expect(DONE, ["passphrase", store.dir, ...KDF], {
    input: `${fresh}\n${store.passphrase}\n`,
  });
  assert.equal((await client.signIn(fresh)).status, 401);
  assert.equal((await client.signIn(store.passphrase)).status, 200);
  client.close();
  await daemon.stop();
});

test("recover: the code, from a file or typed, sets a passphrase; a mistyped one is told apart", async () => {
  const code = put(store.folder, "code", `${store.code}\n`);
  const fresh = put(store.folder, "fresh", "trois ponts sur le Rhone\n");
  const recover = ["recover", store.dir, ...KDF];
  await expect(DONE, [...recover, "--recovery-code-file", code, "--new-passphrase-file", fresh]);
  await expect(DONE, ["sources", store.dir, "--passphrase-file", fresh]);
  await expect(WRONG_KEY, ["sources", store.dir, "--passphrase-file", store.secret]);
  const loose = store.code.toLowerCase().replaceAll("-", " ");
  await expect(DONE, recover, { input: `${loose}\n${store.passphrase}\n` });
  await expect(DONE, ["sources", store.dir, "--passphrase-file", store.secret]);
  await expect(DONE, recover, {
    env: { TRABOULE_RECOVERY_CODE_FILE: code, TRABOULE_PASSPHRASE_FILE: store.secret },
  });
  const typo = store.code.replace(/^./, (c) => (c === "A" ? "B" : "A"));
  const mistyped = await expect(FAILED, recover, { input: `${typo}\n${store.passphrase}\n` });
  assert.doesNotMatch(mistyped.err, new RegExp(typo));
  const other = await makeStore("other");
  await expect(WRONG_KEY, recover, { input: `${other.code}\n${store.passphrase}\n` });
  await expect(FAILED, recover, { input: `${store.code}\nshort\n` });
  await expect(DONE, ["sources", store.dir, "--passphrase-file", store.secret]);
});

test("damage: told by its place, status 3, and check says what it found", async () => {
  const folder = makeFolder();
  const bytes = bytesOf(join(store.dir, "vault.db"));
  for (const [name, place] of [
    ["first", 100],
    ["middle", bytes.length >> 1],
    ["last", bytes.length - 5],
  ]) {
    const copy = join(folder, name);
    cpSync(store.dir, copy, { recursive: true });
    chmodSync(copy, 0o700);
    const spoilt = Buffer.from(bytes);
    spoilt[place] ^= 1;
    writeFileSync(join(copy, "vault.db"), spoilt, { mode: 0o600 });
    const found = await json(DAMAGED, ["check", copy, ...KEY]);
    assert.equal(found.ok, false);
    assert.ok(found.problems.length > 0);
    for (const problem of found.problems) assert.match(problem.where, /\w/);
    const plain = await expect(DAMAGED, ["check", copy, ...KEY]);
    assert.match(plain.out, /pages/);
    const daemon = await serve({ dir: copy }); // locked
    assert.deepEqual(await json(DAMAGED, ["check", copy, ...KEY]), found);
    assert.equal(await daemon.stop(), 0);
  }
  const copy = join(folder, "keys");
  cpSync(store.dir, copy, { recursive: true });
  chmodSync(copy, 0o700);
  for (const text of ["", "{}", "not even JSON", `${bytesOf(join(store.dir, "keys.json"))}x`]) {
    writeFileSync(join(copy, "keys.json"), text, { mode: 0o600 });
    await expect(DAMAGED, ["sources", copy, ...KEY]);
  }
  const sound = await json(DONE, ["check", store.dir, ...KEY]);
  assert.deepEqual([sound.ok, sound.problems], [true, []]);
  put(store.dir, "notes.txt", "what is this");
  const more = await json(DAMAGED, ["check", store.dir, ...KEY]);
  assert.match(more.problems[0].what, /no part of a store/);
});

test("another user than root does all of it too", { skip: process.getuid?.() !== 0 }, async () => {
  const folder = makeFolder();
  chmodSync(folder, 0o777);
  const before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const program = put(folder, "traboule", bytesOf(process.env.TRABOULE ?? "build/dev/traboule"));
  chmodSync(program, 0o755);
  const file = put(folder, "courbe.csv", makeCurve({ start, watts }));
  const dir = join(folder, "store");
  const key = ["--key-file", join(folder, "key")];
  const as = { before, program, cwd: folder, input: "a good long passphrase\n" };
  await expect(DONE, ["init", dir, ...key, ...KDF], as);
  await expect(FAILED, ["sources", dir, ...KEY]); // root is not its owner
  await expect(DONE, ["import", dir, file, ...key], as);
  const daemon = await serve({ dir }, key, { before, program });
  assert.equal((await json(DONE, ["import", dir, file, ...key], as)).files[0].same, 48);
  await expect(DONE, ["check", dir, ...key], as);
  assert.equal(await daemon.stop(), 0);
  await expect(DONE, ["check", dir, ...key], as);
});
