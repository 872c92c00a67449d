/* Inputs that are too much: deep, wide, long, packed a thousand to one, inside each other. Each is refused, soon and
 * in little memory, and leaves nothing behind; the daemon goes on (security brief 5, row 16). */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { crc32 as libraryCrc, deflateRawSync, gzipSync } from "node:zlib";
import {
  Client,
  CONSUMPTION,
  makeStore,
  NIGHTLY,
  PROGRAM,
  put,
  run,
  serve,
} from "./program_common.mjs";

const SOON_MS = 10_000;
const MEMORY_MIB = 256;
const POINTS_MOST = 10_000_000;
const help = spawnSync(PROGRAM, ["--help"], { encoding: "utf8" }).stdout;
const COMMANDS = new Set([...help.matchAll(/^ {2}([a-z]+) /gm)].map((found) => found[1]));

const store = await makeStore("bombed");
const key = ["--key-file", store.key];
const daemon = await serve(store, key);
const owner = new Client(daemon.url);
assert.equal((await owner.signIn(store.passphrase)).status, 200);
const folder = () => readdirSync(store.dir, { recursive: true }).sort();
const before = { folder: folder() };
const tally = { refused: 0, slowest: 0 };

/* Memory that the daemon had at most since it was last asked. */
const proc = (name) => `/proc/${daemon.pid}/${name}`;
function peak() {
  const status = readFileSync(proc("status"), "utf8");
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)[1]) / 1024;
}

/** It is refused in time; `refused` says whether the answer says so. */
async function refuse(what, asked, refused) {
  const begun = performance.now();
  const answer = await asked();
  const ms = performance.now() - begun;
  assert.ok(
    refused(answer),
    `${what}: ${answer.status} ${(answer.text ?? answer.err).slice(0, 300)}`,
  );
  assert.ok(ms <= SOON_MS, `${what}: ${Math.round(ms)} ms`);
  assert.ok(peak() <= MEMORY_MIB, `${what}: ${peak()} MiB`);
  tally.refused++;
  tally.slowest = Math.max(tally.slowest, Math.round(ms));
}
const isRefused = ({ status }) => status >= 400 && status < 500;
const failed = ({ status }) => status === 1;

test("JSON: deep, wide, long, twice the same key", async () => {
  const post = (body) => () =>
    owner.post(`/api/records/${CONSUMPTION}`, body, { "Content-Type": "application/json" });
  const row = '{"start":"2024-01-01T00:00:00Z","end":"2024-01-01T00:30:00Z","value":1}';
  for (const [what, body] of Object.entries({
    "arrays in arrays": `{"records":${"[".repeat(100_000)}`,
    "objects in objects": `{"records":${'{"a":'.repeat(40_000)}`,
    "many keys": `{"records":[{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":1`).join()}}]}`,
    "a long number": `{"records":[{"value":${"9".repeat(200_000)}}]}`,
    "a long text": `{"records":[{"start":"${"x".repeat(200_000)}"}]}`,
    "more than a body may have": `{"records":[${Array(8000).fill(row).join()}]}`,
    "a key twice": `{"records":[],"records":[${row}]}`,
  }))
    await refuse(`JSON, ${what}`, post(body), isRefused);
});

test("packed bodies, a thousand ranges, a hundred headers", async () => {
  const packed = gzipSync(Buffer.alloc(50_000_000));
  await refuse(
    "a packed body",
    () =>
      owner.post(`/api/records/${CONSUMPTION}`, packed, {
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
      }),
    isRefused,
  );
  const ranges = Array.from({ length: 1000 }, (_, i) => `${i}-${i}`).join();
  const answer = await owner.get("/", { Range: `bytes=${ranges}` });
  assert.ok(answer.status !== 206 && answer.status < 500, `1,000 ranges: ${answer.status}`);
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`X-${i}`, "x"]));
  await refuse("100 headers", () => owner.get("/", many), isRefused);
});

const intake = (what, text) =>
  refuse(
    what,
    () => run(["import", store.dir, put(store.folder, "bomb.csv", text), ...key, "--json"]),
    failed,
  );

test("files: one endless line, a thousand columns, an endless field", async () => {
  const head = "Identifiant PRM;Type de donnees;Date de debut;Date de fin\n";
  await intake("one line", Buffer.alloc(NIGHTLY ? 512 << 20 : 16 << 20, "7;"));
  await intake("one line after a head", head + "7;".repeat(4 << 20));
  await intake("a thousand columns", `${"a;".repeat(1000)}\n${"1;".repeat(1000)}\n`);
  await intake("an endless field", `${head}"${"x".repeat(2 << 20)}`);
  await intake("zeros", Buffer.alloc(4 << 20));
  await intake("packed", gzipSync(Buffer.alloc(50_000_000, "1;")));
});

/* Zips by hand: entries of [name, bytes, {told: size that is told instead, at: place of another's header}]. */
const TABLE = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});
const sumOf = (bytes) => {
  if (libraryCrc) return libraryCrc(bytes);
  let c = 0xffffffff;
  for (const byte of bytes) c = TABLE[(c ^ byte) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
};

function zip(entries, made = new Map()) {
  const pieces = [];
  const central = [];
  let at = 0;
  for (const [name, bytes, { told, place } = {}] of entries) {
    const label = Buffer.from(name);
    if (!made.has(bytes)) made.set(bytes, [deflateRawSync(bytes), sumOf(bytes)]);
    const [packed, sum] = made.get(bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(sum, 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(told ?? bytes.length, 18);
    common.writeUInt16LE(label.length, 22);
    const here = Buffer.concat([Buffer.from("PK\x03\x04"), common, label, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(place ?? at, 10);
    central.push(Buffer.from("PK\x01\x02\x14\x00", "latin1"), common, tail, label);
    if (place === undefined) {
      pieces.push(here);
      at += here.length;
    }
  }
  const index = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(entries.length & 0xffff, 8);
  end.writeUInt16LE(entries.length & 0xffff, 10);
  end.writeUInt32LE(index.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...pieces, index, end]);
}

test("zips: packed a thousand to one, inside each other, overlapping, endless", {
  skip: !COMMANDS.has("merge"),
}, async () => {
  const zeros = Buffer.alloc(NIGHTLY ? 256 << 20 : 32 << 20);
  const inner = zip([["datapackage.json", zeros]]);
  const million = zeros.subarray(0, 1 << 20);
  const overlapping = Array.from({ length: 1000 }, (_, i) => [
    `data/${i}.csv`,
    million,
    i ? { place: 0 } : {},
  ]);
  const made = new Map(); // what lies in many places is packed once
  for (const [what, entries] of Object.entries({
    "a thousand to one": [["datapackage.json", zeros]],
    "a zip in a zip": [["datapackage.json", zip([["datapackage.json", inner]])]],
    "ten thousand and one": Array.from({ length: 10_001 }, (_, i) => [
      `${i}.csv`,
      Buffer.from("1"),
    ]),
    overlapping,
    "a size that is a lie": [["datapackage.json", million, { told: 10 }]],
    "a name that climbs": [["../../datapackage.json", Buffer.from("{}")]],
    "a name that is a root": [["/etc/passwd", Buffer.from("{}")]],
  })) {
    const path = put(store.folder, "bomb.zip", zip(entries, made));
    await refuse(`zip, ${what}`, () => run(["merge", store.dir, path, ...key]), failed);
  }
  await refuse(
    "zip, its first half",
    () => run(["merge", store.dir, put(store.folder, "half.zip", inner.subarray(0, 400)), ...key]),
    failed,
  );
});

test("more points than a file may have", { skip: !NIGHTLY, timeout: 600_000 }, async () => {
  const path = join(store.folder, "points.csv");
  const file = openSync(path, "w");
  writeSync(
    file,
    "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur metier;Etape metier;Unite;Pas en minutes\n" +
      "01234567890123;Courbe de charge;01/01/2000;01/01/2090;Energie active;Consommation;Comptage Brut;W;\nHorodate;Valeur\n",
  );
  for (let i = 0; i <= POINTS_MOST; i += 100_000) {
    const lines = Array.from({ length: 100_000 }, (_, k) => {
      const at = new Date(Date.UTC(2000, 0, 1) + (i + k + 1) * 300_000).toISOString().slice(0, 19);
      return `${at}+00:00;${k % 1000}\n`;
    });
    writeSync(file, lines.join(""));
  }
  closeSync(file);
  const begun = performance.now();
  const done = await run(["import", store.dir, path, ...key, "--json"], { killAfter: 500_000 });
  const seconds = (performance.now() - begun) / 1000;
  assert.equal(done.status, 1, `${done.out.slice(0, 200)}${done.err}`);
  assert.ok(peak() <= MEMORY_MIB, `${peak()} MiB`);
  console.log(`10 million points and one: refused in ${seconds.toFixed(0)} s`);
});

test("nothing is left behind, and the daemon goes on", async () => {
  const { sources } = (await owner.get("/api/sources")).json;
  assert.deepEqual(sources, []);
  const files = folder().filter((name) => name !== "vault.db-wal");
  assert.deepEqual(
    files,
    before.folder.filter((name) => name !== "vault.db-wal"),
  );
  console.log(
    `${tally.refused} inputs that are too much, refused in ${tally.slowest} ms at most; ${peak().toFixed(0)} MiB at most`,
  );
  owner.close();
  assert.equal(await daemon.stop(), 0);
  const check = await run(["check", store.dir, ...key]);
  assert.equal(check.status, 0, check.err);
});
