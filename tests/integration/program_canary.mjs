/* Values that occur nowhere else are put through every input; then nothing of them may be found where the owner's data
 * must not be: in the store's files, the log, metrics, the daemon's arguments and environment (security brief 5,
 * row 8), nor, once the store is locked, what opened it in the daemon's memory (row 20). */
import assert from "node:assert/strict";
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  constants,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateRawSync,
  inflateSync,
} from "node:zlib";
import {
  Client,
  CONSUMPTION,
  makeCurve,
  makeFolder,
  makeForm,
  makeRandom,
  makeStore,
  put,
  run,
  serve,
} from "./program_common.mjs";

const { between } = makeRandom();
const LETTERS = "bcdfghjkmnpqrtvwxzBCDFGHJKMNPQRTVWXZ";
const canaries = new Map(); // value → what it was put in as
const words = new Map(); // value → what it is

/** A text that nobody else writes. */
function canary(place) {
  const value = Array.from({ length: 14 }, () => LETTERS[between(0, LETTERS.length - 1)]).join("");
  canaries.set(value, place);
  return value;
}

function digits(place, count, first = between(1, 9)) {
  const value = String(first) + Array.from({ length: count - 1 }, () => between(0, 9)).join("");
  canaries.set(value, place);
  return value;
}

/** The ways in which a value may lie in a file: as it is, hexadecimal, UTF-16, base64 at each of its three places. */
function shapes(value) {
  const raw = Buffer.from(value);
  const found = [
    raw,
    Buffer.from(raw.toString("hex")),
    Buffer.from(raw.toString("hex").toUpperCase()),
    Buffer.from(value, "utf16le"),
  ];
  for (const shift of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(shift), raw])
      .toString("base64")
      .replace(/=+$/, "");
    const whole = text.slice(shift && shift + 1, text.length - ((raw.length + shift) % 3 ? 1 : 0));
    found.push(Buffer.from(whole), Buffer.from(whole.replaceAll("+", "-").replaceAll("/", "_")));
  }
  return found;
}

/** What is packed inside these bytes: streams of gzip and zlib, and what zips hold. */
function* packed(bytes) {
  const begins = [
    ["1f8b08", (at) => gunzipSync(bytes.subarray(at), LENIENT)],
    ["7801", (at) => inflateSync(bytes.subarray(at), LENIENT)],
    ["789c", (at) => inflateSync(bytes.subarray(at), LENIENT)],
    ["78da", (at) => inflateSync(bytes.subarray(at), LENIENT)],
    [
      "504b0304",
      (at) =>
        inflateRawSync(
          bytes.subarray(at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28)),
          LENIENT,
        ),
    ],
  ];
  for (const [mark, open] of begins) {
    const start = Buffer.from(mark, "hex");
    for (let at = bytes.indexOf(start); at >= 0; at = bytes.indexOf(start, at + 1)) {
      try {
        yield open(at);
      } catch {} // it only looked like a beginning
    }
  }
}
const LENIENT = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 64 << 20 };

/** What of the values is in these bytes. */
function search(bytes, values) {
  const hits = [];
  for (const text of [bytes, ...packed(bytes)])
    for (const [value, place] of values)
      if (shapes(value).some((shape) => text.includes(shape))) hits.push(place);
  return hits;
}

/** Every file below a folder; sockets are none. */
const everyFile = (dir) =>
  readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    return entry.isDirectory() ? everyFile(path) : entry.isFile() ? [path] : [];
  });

const passphrase = `${canary("passphrase")} and ${canary("passphrase, its second word")}`;
const store = await makeStore("store", passphrase);
const temporary = makeFolder();
const daemon = await serve(store, [], { env: { TMPDIR: temporary } });
const owner = new Client(daemon.url);
const asked = []; // the status of each answer
for (const file of readdirSync(new URL("../../pds/store/datasets", import.meta.url)))
  words.set(file.replace(/\.json$/, ""), `the name of dataset ${file}`);
for (const word of ["SQLite format 3", "enedis", "Enedis", "import", "record", "series"])
  words.set(word, `the word ${word}`);

test("the searcher finds what is there, in each of its shapes", () => {
  const value = "Qz7planted-value-Xk";
  const values = new Map([[value, "planted"]]);
  const raw = Buffer.from(value);
  for (const front of ["", "a", "ab", "abc"]) {
    const planted = Buffer.concat([Buffer.from(front), raw, Buffer.from("tail")]);
    for (const bytes of [
      planted,
      Buffer.from(planted.toString("hex")),
      Buffer.from(planted.toString("base64")),
      Buffer.from(planted.toString("base64url")),
      Buffer.from(planted.toString(), "utf16le"),
      gzipSync(planted),
      deflateSync(planted),
    ])
      assert.deepEqual(search(Buffer.concat([Buffer.alloc(5000, 7), bytes]), values), ["planted"]);
  }
  assert.deepEqual(search(Buffer.alloc(5000, 7), values), []);
});

test("values go in by every way", async () => {
  const note = (answer) => asked.push(answer.status);
  /* Before it is open. */
  for (let i = 0; i < 3; i++)
    note(await owner.post("/api/session", { passphrase: canary(`wrong passphrase ${i}`) }));
  note(
    await owner.post("/api/session", { [canary("unknown key of a sign-in")]: canary("its value") }),
  );
  note(
    await owner.post("/api/recover", {
      code: canary("wrong recovery code"),
      passphrase: `${canary("passphrase of a wrong recovery")}xx`,
    }),
  );
  note(await owner.get(`/api/records/${canary("dataset, locked")}`));
  note(
    await owner.post("/api/session", `{"passphrase": "${canary("broken JSON")}`, {
      "Content-Type": "application/json",
    }),
  );
  note(
    await owner.post("/api/session", {
      passphrase: canary("wrong passphrase, of a refused body"),
      more: canary("wrong passphrase, of a key too many"),
    }),
  );
  note(
    await owner.post("/api/session", `{"passphrase": "${canary("passphrase, sent as text")}"}`, {
      "Content-Type": "text/plain",
    }),
  );
  assert.equal((await owner.signIn(passphrase)).status, 200);
  canaries
    .set(owner.cookie.split("=")[1], "session token")
    .set(owner.csrf, "CSRF token")
    .set(store.code, "recovery code");
  canaries.set(store.code.replaceAll("-", ""), "recovery code without its marks");

  /* Records. */
  for (let i = 0; i < 6; i++) {
    const value = Number(digits(`value of a record ${i}`, 9));
    const day = `2024-03-${String(i + 1).padStart(2, "0")}`;
    note(
      await owner.post(`/api/records/${CONSUMPTION}`, {
        records: [{ start: `${day}T00:00:00Z`, end: `${day}T00:30:00Z`, value }],
      }),
    );
  }
  assert.deepEqual([...new Set(asked.slice(-6))], [200]);
  const record = { start: "2024-01-01T00:00:00Z", end: "2024-01-01T00:30:00Z", value: 1 };
  for (const one of [
    { ...record, value: canary("value that is no number") },
    { ...record, quality: canary("unknown quality") },
    { ...record, start: canary("start that is no time") },
    { ...record, end: canary("end that is no time") },
  ])
    note(await owner.post(`/api/records/${CONSUMPTION}`, { records: [one] }));
  note(await owner.post(`/api/records/${canary("dataset in a path")}`, { records: [record] }));
  note(
    await owner.post(`/api/records/${CONSUMPTION}`, {
      records: [record],
      [canary("unknown key")]: canary("its value"),
    }),
  );
  note(
    await owner.post(`/api/records/${CONSUMPTION}`, canary("text as JSON"), {
      "Content-Type": canary("content type"),
    }),
  );

  /* Files: meter, values, name, lines that cannot be read, columns nobody knows. */
  const start = Date.parse("2024-05-01T22:00:00Z");
  const watts = Array.from({ length: 8 }, (_, i) => digits(`value in a file ${i}`, 7, 2));
  const meter = digits("meter number", 14, 1);
  const good = makeCurve({ meter, start, watts });
  const bad = `${good}${canary("time in a file")};12\n2024-05-03T01:00:00+02:00;${canary("value in a file that is no number")}\n`;
  for (const [name, text] of [
    [`${canary("file name")}.csv`, good],
    [`${canary("file name, bad lines")}.csv`, bad],
    [`${canary("file name, unknown")}.txt`, `${canary("text of an unknown file")}\n`],
    [
      `${canary("file name, odd columns")}.csv`,
      `${canary("column one")};${canary("column two")}\n1;2\n`,
    ],
    [`../../${canary("folder in a file name")}/x.csv`, good],
  ])
    note(await owner.upload([{ name, text }]));
  const told = asked.slice(-5);
  assert.deepEqual(told, [200, 200, 415, 415, 200]);
  note(
    await owner.upload([
      {
        field: canary("field of a form"),
        name: canary("file of that field"),
        text: canary("its text"),
      },
    ]),
  );
  note(
    await owner.post("/api/imports", canary("broken multipart"), {
      "Content-Type": `multipart/form-data; boundary=${canary("boundary")}`,
    }),
  );
  note(
    await owner.upload(
      [{ name: "a.csv", text: good }],
      `?${canary("unknown parameter of an import")}=${canary("its value")}`,
    ),
  );
  note(await owner.upload([{ name: "a.csv", text: good }], `?timezone=${canary("time zone")}`));
  note(await owner.post(`/api/imports/${canary("import to undo")}/undo`));

  /* Queries, headers, cookies, paths, methods. */
  for (const name of ["from", "to", "step", "format", "limit", "cursor"])
    note(await owner.get(`/api/records/${CONSUMPTION}?${name}=${canary(`parameter ${name}`)}`));
  note(await owner.get(`/api/imports?cursor=${canary("cursor of imports")}`));
  note(await owner.get(`/api/sources?${canary("unknown parameter")}=${canary("its value")}`));
  for (const name of [
    "User-Agent",
    "Referer",
    "Accept",
    "Accept-Language",
    "If-None-Match",
    "X-Forwarded-For",
    "X-CSRF-Token",
    "Origin",
    "Host",
    "Authorization",
    "Range",
    "Cookie",
  ])
    note(await owner.get("/api/datasets", { [name]: canary(`header ${name}`) }));
  note(await owner.get("/api/datasets", { [canary("name of a header")]: "x" }));
  note(await owner.get("/api/datasets", { Cookie: `traboule=${canary("short cookie")}` }));
  note(
    await owner.get("/api/datasets", {
      Cookie: `${canary("name of a cookie")}=${canary("its value")}; ${owner.cookie}`,
    }),
  );
  note(await owner.post("/api/lock", undefined, { "X-CSRF-Token": canary("wrong CSRF token") }));
  note(await owner.get(`/${canary("path")}/${canary("path, second part")}`));
  note(await owner.get(`/js/${canary("page file")}.js`));
  note(await owner.get(`/api/datasets?a=%zz%00${canary("bad escape")}`));

  /* The commands that the daemon carries out. */
  const path = put(
    store.folder,
    `${canary("file of a command")}.csv`,
    makeCurve({
      meter: digits("meter of a command", 14, 1),
      start,
      watts: [digits("value of a command", 7, 2), 2, 4, 6],
    }),
  );
  assert.equal((await run(["import", store.dir, path, "--key-file", store.key])).status, 0);
  await run(["query", store.dir, canary("dataset of a command"), "--key-file", store.key]);
  await run(["imports", store.dir, "undo", canary("import of a command"), "--key-file", store.key]);
  await run([
    "query",
    store.dir,
    CONSUMPTION,
    "--from",
    canary("option of a command"),
    "--key-file",
    store.key,
  ]);
  await writePapers(note);
  assert.ok(
    asked.every((status) => status < 500 || status === 503),
    String(asked),
  );
  assert.ok(canaries.size >= 200, `${canaries.size} values`);
  console.log(`${canaries.size} values`);
});

/* Documents with all that is told of them, notes beside data; and the trail of all of it. */
async function writePapers(note) {
  const body = Array.from({ length: 100 }, (_, i) => canary(`content of a document, ${i}`));
  const parts = ["title", "number", "issuer", "note", "tags"].map((field) => ({
    field,
    text: canary(`${field} of a document`),
  }));
  const sheet = { name: `${canary("file name of a document")}.txt`, text: body.join("\n") };
  const packedSheet = {
    name: `${canary("file name of a packed document")}.gz`,
    text: gzipSync(body.join(" ")),
  };
  for (const file of [sheet, packedSheet]) {
    const form = makeForm([...parts, file]);
    const made = await owner.post("/api/documents", form.body, { "Content-Type": form.type });
    assert.equal(made.status, 201, made.text);
    const { id } = made.json;
    note(await owner.ask("PATCH", `/api/documents/${id}`, { title: canary("changed title") }));
    note(await owner.get(`/api/documents/${id}/content`));
  }
  note(await owner.get(`/api/documents?words=${canary("words to find")}`));
  note(await owner.get(`/api/documents/${canary("id of a document")}`));
  note(
    await owner.post("/api/annotations", {
      dataset: CONSUMPTION,
      start: "2024-03-01T00:00:00Z",
      end: "2024-03-02T00:00:00Z",
      text: canary("note beside data"),
    }),
  );
  assert.ok([200, 201].includes(asked.at(-1)), `a note: ${asked.at(-1)}`);
  note(await owner.get(`/api/trail?cursor=${canary("cursor of the trail")}`));
  await run([
    "documents",
    store.dir,
    "find",
    canary("words of a command"),
    "--key-file",
    store.key,
  ]);
  const read = (await owner.get("/api/documents")).text;
  for (const part of parts)
    if (part.field !== "title") assert.ok(read.includes(part.text), part.field);
}

test("nothing in a backup, sealed to the recovery code or to a passphrase", async () => {
  const secret = put(
    store.folder,
    "backup-passphrase",
    `${canary("passphrase of a backup")} and more\n`,
  );
  for (const [name, more] of [
    ["one.age", []],
    ["two.age", ["--with-passphrase-file", secret]],
  ]) {
    const path = join(store.folder, name);
    const made = await run(["backup", store.dir, "-o", path, ...more, "--key-file", store.key]);
    assert.equal(made.status, 0, made.err);
    const bytes = readFileSync(path);
    assert.ok(bytes.length > 100_000);
    assert.deepEqual(search(bytes, new Map([...canaries, ...words])), [], name);
  }
});

const keyBytes = readFileSync(store.key).toString("latin1");

function checkFiles() {
  const files = everyFile(store.dir);
  assert.ok(files.some((path) => path.endsWith("vault.db")));
  for (const path of files) {
    const bytes = readFileSync(path);
    const all = path.endsWith("keys.json") ? canaries : new Map([...canaries, ...words]);
    assert.deepEqual(search(bytes, all), [], path);
    assert.equal(
      bytes.includes(Buffer.from(keyBytes, "latin1")),
      false,
      "the bytes of the key file",
    );
    for (const value of canaries.keys()) assert.equal(path.includes(value), false, path);
  }
}

test("the values can be read by their owner: they did go in", async () => {
  const rows = (await owner.get(`/api/records/${CONSUMPTION}`)).text;
  const sources = (await owner.get("/api/sources")).text;
  const imports = (await owner.get("/api/imports")).text;
  const seen = [...canaries]
    .filter(([value]) => `${rows}${sources}${imports}`.includes(value))
    .map(([, place]) => place);
  for (const place of [
    "value of a record 0",
    "meter number",
    "meter of a command",
    "file name",
    "file of a command",
  ])
    assert.ok(seen.includes(place), place);
});

test("nothing in the store's files while it is open", checkFiles);

test("nothing in a temporary file", () => assert.deepEqual(everyFile(temporary), []));

test("nothing in the log, on standard output, in metrics, arguments or environment; no core file", async () => {
  const metrics = (await owner.get("/metrics")).text;
  const proc = (name) => readFileSync(`/proc/${daemon.pid}/${name}`);
  const places = { log: daemon.err, output: daemon.out, metrics, cmdline: proc("cmdline") };
  try {
    places.environ = proc("environ");
  } catch (failure) {
    assert.equal(failure.code, "EACCES"); // only root may look
  }
  for (const [name, text] of Object.entries(places)) {
    assert.deepEqual(search(Buffer.from(text), canaries), [], name);
    assert.equal(Buffer.from(text).includes("energy."), false, name);
  }
  assert.match(proc("limits").toString(), /^Max core file size +0 +0 /m);
});

/** Every byte of the daemon's memory that can be read. */
function* memoryOf(pid) {
  const file = openSync(`/proc/${pid}/mem`, "r");
  for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
    const map = /^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+ *(.*)$/.exec(line);
    if (!map) continue;
    const [from, to] = [BigInt(`0x${map[1]}`), BigInt(`0x${map[2]}`)];
    const bytes = Buffer.alloc(Number(to - from));
    try {
      const got = readSync(file, bytes, 0, bytes.length, from);
      yield [map[3] || "memory", bytes.subarray(0, got)];
    } catch {} // a guard page
  }
  closeSync(file);
}

function inMemory(pid, secrets) {
  const hits = [];
  let size = 0;
  for (const [name, bytes] of memoryOf(pid)) {
    size += bytes.length;
    for (const [what, secret] of secrets)
      if (bytes.includes(secret)) hits.push(`${what} in ${name}`);
  }
  assert.ok(size > 1e6, "memory was read");
  return hits;
}

/** What opens the store, and what failed to. */
function openers() {
  const secrets = [["the passphrase", Buffer.from(passphrase)]];
  for (const [value, place] of canaries)
    if (/^(wrong passphrase|wrong recovery|passphrase)/.test(place))
      secrets.push([place, Buffer.from(value)]);
  return secrets;
}

test("a session ended, another that failed: no passphrase is left in memory, open as the store is", {
  skip: process.getuid?.() !== 0,
}, async () => {
  const other = new Client(daemon.url);
  assert.equal((await other.signIn(passphrase)).status, 200);
  assert.equal((await other.ask("DELETE", "/api/session")).status, 204);
  assert.equal((await other.signIn(canary("wrong passphrase, at last"))).status, 401);
  other.close();
  assert.deepEqual(inMemory(daemon.pid, openers()), []);
});

/* The session's token is not among them: it opens nothing once its session is over. */
test("signed in, then locked: what opened the store is nowhere in memory, nor what failed to", {
  skip: process.getuid?.() !== 0,
}, async () => {
  const secrets = [...openers(), ["the key file", Buffer.from(keyBytes, "latin1")]];
  for (const more of [[], ["--json"]]) {
    const words = ["recover", store.dir, "--new-code", "--key-file", store.key, ...more];
    const [code] = (await run(words)).out.match(/([0-9A-Z]{5}-){5}[0-9A-Z]{5}/);
    secrets.push(["a recovery code that was shown", Buffer.from(code)]);
  }
  const version = ["its own words", Buffer.from("Figures of the daemon, as Prometheus text")];
  assert.ok(inMemory(daemon.pid, [version]).length > 0, "what is there is found");
  assert.equal((await owner.post("/api/lock")).status, 204);
  owner.close();
  assert.deepEqual(inMemory(daemon.pid, secrets), []);
});

test("nothing in the store's files once it is locked, nor after the daemon has gone", async () => {
  checkFiles();
  assert.equal(await daemon.stop(), 0);
  checkFiles();
  assert.deepEqual(search(Buffer.from(daemon.err + daemon.out), canaries), []);
  assert.equal((await run(["check", store.dir, "--key-file", store.key])).status, 0);
});
