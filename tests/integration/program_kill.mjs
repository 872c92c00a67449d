/* kill -9 of the real daemon at random moments under acknowledged writes: what was answered is there, what
 * was not is whole or absent, and the store is sound (security brief 5, row 4).
 *
 *   TRABOULE=build/dev/traboule node tests/integration/program_kill.mjs    (TRABOULE_NIGHTLY=1: more rounds)
 *
 * The records of each writer lie in half-hours of its own, small imports in days of their own, large ones (several
 * batches each) at meters of their own, so that each can be looked for by itself. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  Client,
  CONSUMPTION,
  HALF_HOUR_MS,
  instant,
  makeCurve,
  makeForm,
  makeRandom,
  makeStore,
  NIGHTLY,
  PROGRAM,
  put,
  run,
  serve,
} from "./program_common.mjs";

const ROUNDS = Number(process.env.KILL_ROUNDS ?? (NIGHTLY ? 1000 : 200));
const WRITERS = 6;
const CHECK_EACH = 50; // rounds
const SMALL = 20; // records of a small import: within a day
const LARGE = 5000; // of a large one: two batches
const DAY_MS = 86_400_000;
const TYPED_FROM = Date.parse("2010-01-01T00:00:00Z");
const SMALL_FROM = Date.parse("2040-01-01T08:00:00Z");
const LARGE_FROM = Date.parse("1995-01-01T00:00:00Z");

const help = spawnSync(PROGRAM, ["--help"], { encoding: "utf8" }).stdout;
const COMMANDS = new Set([...help.matchAll(/^ {2}([a-z]+) /gm)].map((found) => found[1]));
const { between, next } = makeRandom();

/* Half of the rounds go on beside, with a store of their own: a round mostly waits. */
const HALF = process.env.KILL_HALF === "1";
const rounds = HALF ? ROUNDS : ROUNDS / 2;
const other = HALF
  ? undefined
  : spawn(process.execPath, [fileURLToPath(import.meta.url)], {
      env: { ...process.env, KILL_HALF: "1", KILL_ROUNDS: String(rounds) },
      stdio: "inherit",
    });
const otherEnds = other ? once(other, "exit") : Promise.resolve([0]);
process.on("exit", () => other?.kill());

const store = await makeStore();
const typed = new Map(); // start → {acked: value | undefined, open: Set of values sent, not answered}
const smalls = []; // {day, watts, state}: "sent", "acked"
const larges = []; // {meter, state}: "sent", "acked", "undoing", "undone"
const papers = []; // {title, size, state}: "sent", "acked", "deleting", "deleted"
const tally = {
  papers: 0,
  backups: 0,
  acked: 0,
  open: 0,
  corrected: 0,
  small: 0,
  large: 0,
  undone: 0,
  commands: 0,
};
let slots = 0;
let daemon;
let client;

async function open() {
  daemon = await serve(store, ["--key-file", store.key]);
  client = new Client(daemon.url);
  assert.equal((await client.signIn(store.passphrase)).status, 200);
}

/** An answer, or null when the daemon went away before it. */
const tried = (promise) => promise.catch(() => null);

async function putRecord(at, value) {
  const row = typed.get(at) ?? { acked: undefined, open: new Set() };
  typed.set(at, row);
  row.open.add(value);
  const answer = await tried(
    client.post(`/api/records/${CONSUMPTION}`, {
      records: [
        { start: instant(at), end: instant(at + HALF_HOUR_MS), value, quality: "measured" },
      ],
    }),
  );
  if (!answer) {
    tally.open++;
    return false;
  }
  assert.equal(answer.status, 200, answer.text);
  tally.acked++;
  row.acked = value;
  row.open.clear();
  return true;
}

async function writer(isOver) {
  let mine;
  while (!isOver()) {
    if (mine !== undefined && next() < 0.25) tally.corrected++;
    else mine = TYPED_FROM + slots++ * HALF_HOUR_MS;
    if (!(await putRecord(mine, between(1, 1e6)))) return;
  }
}

function newSmall() {
  const one = { day: SMALL_FROM + smalls.length * DAY_MS, watts: [], state: "sent" };
  one.watts = Array.from({ length: SMALL }, () => 2 * between(0, 4000));
  one.text = makeCurve({ start: one.day, watts: one.watts });
  smalls.push(one);
  return one;
}

async function smallImports(isOver) {
  while (!isOver()) {
    const one = newSmall();
    const answer = await tried(client.upload([{ name: "small.csv", text: one.text }]));
    if (!answer) return;
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.files[0].new, SMALL);
    one.state = "acked";
    tally.small++;
  }
}

/* Large imports, each taken back at once. */
async function largeImports(isOver) {
  while (!isOver()) {
    const one = { meter: `09${String(larges.length).padStart(12, "0")}`, state: "sent" };
    larges.push(one);
    const text = makeCurve({
      meter: one.meter,
      start: LARGE_FROM,
      watts: Array(LARGE).fill(2 * between(0, 4000)),
    });
    const answer = await tried(client.upload([{ name: `${one.meter}.csv`, text }]));
    if (!answer) return;
    assert.equal(answer.status, 200, answer.text);
    one.state = "acked";
    tally.large++;
    await undo(one, answer.json.files[0].import);
  }
}

async function undo(one, id) {
  one.state = "undoing";
  const answer = await tried(client.post(`/api/imports/${id}/undo`));
  if (!answer) return;
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.removed, LARGE);
  one.state = "undone";
  tally.undone++;
}

/* Documents: each sealed in a file of its own, and every second one deleted again. */
async function paperwork(isOver) {
  while (COMMANDS.has("documents") && !isOver()) {
    const one = { size: between(1, 200_000), state: "sent" };
    const form = makeForm([{ name: `paper-${papers.length}.txt`, text: "p".repeat(one.size) }]);
    one.title = `paper-${papers.length}.txt`;
    papers.push(one);
    const added = await tried(
      client.post("/api/documents", form.body, { "Content-Type": form.type }),
    );
    if (!added) return;
    assert.equal(added.status, 201, added.text);
    one.state = "acked";
    tally.papers++;
    if (papers.length % 2) continue;
    one.state = "deleting";
    const gone = await tried(client.ask("DELETE", `/api/documents/${added.json.id}`));
    if (!gone) return;
    assert.equal(gone.status, 204, gone.text);
    one.state = "deleted";
  }
}

async function checkPapers() {
  if (!COMMANDS.has("documents")) return;
  const found = new Map();
  let cursor = "";
  do {
    const answer = await client.get(`/api/documents?limit=500${cursor}`);
    assert.equal(answer.status, 200, answer.text);
    for (const one of answer.json.documents) found.set(one.title, one);
    cursor = answer.json.next ? `&cursor=${answer.json.next}` : "";
  } while (cursor);
  for (const one of papers) {
    const there = found.get(one.title);
    const wanted = { sent: [0, 1], acked: [1], deleting: [0, 1], deleted: [0] }[one.state];
    assert.ok(wanted.includes(there ? 1 : 0), `${one.title}, ${one.state}: ${Boolean(there)}`);
    if (there) assert.equal(there.size, one.size);
    one.state = there ? "acked" : "deleted";
  }
  const last = papers.findLast((one) => one.state === "acked");
  if (!last) return;
  const path = `/api/documents/${found.get(last.title).id}/content`;
  assert.equal((await client.get(path)).text, "p".repeat(last.size));
}

/* A backup that the kill may meet: told done, it is whole; otherwise there is none. */
async function backup() {
  const out = join(store.folder, "backup.age");
  rmSync(out, { force: true });
  const done = await run(["backup", store.dir, "-o", out, "--key-file", store.key]);
  assert.equal(existsSync(out), done.status === 0, `backup: exit ${done.status} ${done.err}`);
  if (done.status === 0) tally.backups++;
}

/* A command of the owner's that the kill may meet on its way: it ends with 0 only when its data is safe. */
async function command() {
  const one = newSmall();
  const file = put(store.folder, "typed.csv", one.text);
  const done = await run(["import", store.dir, file, "--key-file", store.key, "--json"]);
  if (done.status !== 0) return;
  assert.equal(done.json.files[0].new, SMALL);
  one.state = "acked";
  tally.commands++;
}

async function load(round) {
  let over = false;
  const isOver = () => over;
  const work = [...Array(WRITERS).fill(writer), smallImports, largeImports].map((loop) =>
    loop(isOver),
  );
  work.push(paperwork(isOver));
  if (round % 5 === 0) work.push(command());
  if (round % 5 === 2 && COMMANDS.has("backup")) work.push(backup());
  await new Promise((resolve) => setTimeout(resolve, between(5, 100))); // the moment of the kill is random
  const killed = daemon.kill("SIGKILL");
  over = true;
  await Promise.all([killed, ...work]);
  client.close();
}

async function read(from, to) {
  const path = `/api/records/${CONSUMPTION}?from=${instant(from)}&to=${instant(to)}`;
  const rows = new Map();
  let cursor = "";
  do {
    const answer = await client.get(path + cursor);
    assert.equal(answer.status, 200, answer.text);
    for (const row of answer.json.records) rows.set(Date.parse(row.start), row.value);
    cursor = answer.json.next ? `&cursor=${answer.json.next}` : "";
  } while (cursor);
  return rows;
}

async function checkTyped(from) {
  const to = TYPED_FROM + slots * HALF_HOUR_MS;
  if (from >= to) return;
  const rows = await read(from, to);
  for (let at = from; at < to; at += HALF_HOUR_MS) {
    const { acked, open } = typed.get(at);
    const found = rows.get(at);
    rows.delete(at);
    assert.ok(
      found === acked || open.has(found),
      `record at ${instant(at)}: ${found}, acknowledged ${acked}, sent ${[...open]}`,
    );
    open.clear();
    typed.get(at).acked = found;
  }
  assert.deepEqual([...rows], [], "records that nobody sent");
}

async function checkSmalls(first) {
  if (first >= smalls.length) return;
  const rows = await read(SMALL_FROM + first * DAY_MS, SMALL_FROM + smalls.length * DAY_MS);
  for (const one of smalls.slice(first)) {
    const found = one.watts.map((_, i) => rows.get(one.day + i * HALF_HOUR_MS));
    const absent = found.every((value) => value === undefined);
    if (one.state !== "sent" || !absent)
      assert.deepEqual(
        found,
        one.watts.map((w) => w / 2),
        `import of ${instant(one.day)}, ${one.state}`,
      );
    one.state = absent ? "absent" : "acked";
    if (absent) one.watts = [];
  }
}

async function checkLarges() {
  const found = new Map();
  let cursor = "";
  do {
    const answer = await client.get(`/api/sources?limit=500${cursor}`);
    assert.equal(answer.status, 200, answer.text);
    for (const source of answer.json.sources) found.set(source.reference, source.records);
    cursor = answer.json.next ? `&cursor=${answer.json.next}` : "";
  } while (cursor);
  for (const one of larges) {
    const records = found.get(one.meter) ?? 0;
    const wanted = { sent: [0, LARGE], acked: [LARGE], undoing: [0, LARGE], undone: [0] }[
      one.state
    ];
    assert.ok(
      wanted.includes(records),
      `large import ${one.meter}, ${one.state}: ${records} records`,
    );
    one.state = records ? "acked" : "undone";
  }
}

/* Take back the large imports that stand, so that the store stays small. */
async function tidy() {
  const standing = larges.filter((one) => one.state === "acked");
  if (standing.length === 0) return;
  const list = (await client.get("/api/imports")).json.imports;
  for (const one of standing) {
    const { id } = list.find((entry) => entry.file === `${one.meter}.csv`);
    await undo(one, id);
  }
}

async function checkStore() {
  const check = await run(["check", store.dir, "--key-file", store.key, "--json"]);
  assert.equal(check.status, 0, `${check.out}${check.err}`);
  assert.deepEqual(check.json.problems, []);
  if (COMMANDS.has("trail")) await checkTrail();
}

/* No gap, and a line for each import that was acknowledged. */
async function checkTrail() {
  const trail = await run(["trail", store.dir, "--key-file", store.key, "--json"]);
  assert.equal(trail.status, 0, trail.err);
  const { entries } = trail.json;
  entries.forEach((entry, i) => assert.equal(entry.index, i, "a gap in the trail"));
  const told = entries.filter((entry) => entry.kind === "imported").length;
  const least = tally.small + tally.large + tally.commands;
  assert.ok(told >= least, `${told} lines of imports, ${least} acknowledged`);
  tally.lines = entries.length;
}

test(`${rounds} kills lose nothing that was acknowledged`, { timeout: rounds * 4000 }, async () => {
  const began = Date.now();
  let typedBefore = 0;
  let smallBefore = 0;
  await open();
  for (let round = 1; round <= rounds; round++) {
    await load(round);
    if (round % CHECK_EACH === 0) await checkStore();
    if (round % 10 === 0) {
      /* Also while it opens, and undoes what the kill before had cut. */
      const killAfter = between(2, 40);
      await run(["serve", store.dir, "--key-file", store.key, "--listen", "127.0.0.1:0"], {
        killAfter,
      });
    }
    await open();
    const whole = round % CHECK_EACH === 0;
    await checkTyped(whole ? TYPED_FROM : TYPED_FROM + typedBefore * HALF_HOUR_MS);
    await checkSmalls(whole ? 0 : smallBefore);
    await checkLarges();
    await checkPapers();
    await tidy();
    typedBefore = slots;
    smallBefore = smalls.length;
  }
  await checkTyped(TYPED_FROM);
  await checkSmalls(0);
  await checkLarges();
  await checkPapers();
  client.close();
  assert.equal(await daemon.stop(), 0);
  await checkStore();
  console.log(
    `${rounds} kills in ${Math.round((Date.now() - began) / 1000)} s: ${JSON.stringify(tally)}`,
  );
  assert.ok(tally.acked > rounds * 3, "the load was no load");
  assert.ok(tally.open > rounds, "kills met no write on its way");
  assert.deepEqual((await otherEnds)[0], 0, "the other half");
  assert.ok(tally.small > 0 && tally.undone > 0 && tally.commands > 0, "the load was not mixed");
});
