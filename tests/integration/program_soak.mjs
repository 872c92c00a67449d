/* A mixed load for half an hour or more: memory, descriptors and threads stay what they were once warm, and nothing
 * fails (security brief 5, row 33). Not a part of each change's run: ./tests/nightly soak.
 *
 *   TRABOULE=build/dev/traboule TRABOULE_SOAK_MINUTES=30 node tests/integration/program_soak.mjs */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  Client,
  CONSUMPTION,
  HALF_HOUR_MS,
  instant,
  makeCurve,
  makeRandom,
  makeStore,
  PROGRAM,
  put,
  run,
  serve,
} from "./program_common.mjs";

const MINUTES = Number(process.env.TRABOULE_SOAK_MINUTES ?? 30);
const WARM = 0.6; // of the time: caches of pages fill up as the store grows
const GROWTH_MIB = 1;
const SAMPLE_MS = 2000;
const SLOTS = 2000; // half-hours that are corrected again and again
const RECORDS_FROM = Date.parse("2015-01-01T00:00:00Z");
const FILE_FROM = Date.parse("2020-01-01T00:00:00Z");
const { between } = makeRandom();
const help = spawnSync(PROGRAM, ["--help"], { encoding: "utf8" }).stdout;
const COMMANDS = new Set([...help.matchAll(/^ {2}([a-z]+) /gm)].map((found) => found[1]));

const store = await makeStore("soaked");
const key = ["--key-file", store.key];
const daemon = await serve(store, key);
const owner = new Client(daemon.url);
assert.equal((await owner.signIn(store.passphrase)).status, 200);
const until = Date.now() + MINUTES * 60_000;
const tally = {};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const ok = (answer, ...statuses) => {
  assert.ok([200, ...statuses].includes(answer.status), `${answer.status} ${answer.text}`);
  return answer;
};

/* What goes on at once; each line is one loop, with how long it rests. */
const WORK = {
  records: [
    5,
    async () => {
      const at = RECORDS_FROM + between(0, SLOTS - 1) * HALF_HOUR_MS;
      const record = {
        start: instant(at),
        end: instant(at + HALF_HOUR_MS),
        value: between(0, 1e5),
      };
      ok(await owner.post(`/api/records/${CONSUMPTION}`, { records: [record] }));
    },
  ],
  imports: [
    100,
    async () => {
      const watts = Array.from({ length: 500 }, () => 2 * between(0, 4000));
      const text = makeCurve({ start: FILE_FROM, watts });
      const { files } = ok(await owner.upload([{ name: "soak.csv", text }])).json;
      ok(await owner.post(`/api/imports/${files[0].import}/undo`));
    },
  ],
  reads: [10, async () => ok(await owner.get(`/api/records/${CONSUMPTION}?step=P1D`))],
  pages: [20, async () => ok(await new Client(daemon.url).get("/health", { Connection: "close" }))],
  wrong: [200, async () => ok(await owner.get("/api/records/no.such"), 400, 404)],
  commands: [
    500,
    async () => {
      const done = await run(["query", store.dir, CONSUMPTION, ...key]);
      assert.equal(done.status, 0, done.err);
    },
  ],
  checks: [
    20_000,
    async () => {
      const done = await run(["check", store.dir, ...key]);
      assert.equal(done.status, 0, done.err);
    },
  ],
  sessions: [
    5_000,
    async () => {
      const other = new Client(daemon.url);
      ok(await other.signIn(store.passphrase));
      ok(await other.ask("DELETE", "/api/session"), 204);
      other.close();
    },
  ],
};
if (COMMANDS.has("documents"))
  WORK.documents = [
    300,
    async () => {
      const paper = put(store.folder, "paper.txt", "paper ".repeat(between(1, 50_000)));
      const added = await run(["documents", store.dir, "add", paper, ...key, "--json"]);
      assert.equal(added.status, 0, added.err);
      const gone = await run(["documents", store.dir, "delete", added.json.id, ...key]);
      assert.equal(gone.status, 0, gone.err);
    },
  ];
if (COMMANDS.has("backup"))
  WORK.backups = [
    15_000,
    async () => {
      const out = join(store.folder, `backup-${between(0, 1e9)}.age`);
      const done = await run(["backup", store.dir, "-o", out, ...key]);
      assert.equal(done.status, 0, done.err);
      spawnSync("rm", ["-f", out]);
    },
  ];

async function repeat(name, [rest, work]) {
  tally[name] = 0;
  while (Date.now() < until) {
    await work();
    tally[name]++;
    await pause(rest);
  }
}

const proc = (file) => `/proc/${daemon.pid}/${file}`;
const memory = () =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(proc("status"), "utf8"))[1]) / 1024;
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

/* The least of each minute or so: what comes and goes is no growth. */
async function sample(list) {
  while (Date.now() < until) {
    list.push({
      memory: memory(),
      descriptors: readdirSync(proc("fd")).length,
      threads: readdirSync(proc("task")).length,
    });
    await pause(SAMPLE_MS);
  }
}

test(`${MINUTES} minutes of mixed load`, { timeout: (MINUTES + 5) * 60_000 }, async () => {
  const samples = [];
  const loops = Object.entries(WORK).map(([name, row]) => repeat(name, row));
  await Promise.all([sample(samples), ...loops]);
  await pause(1000);
  const rested = readdirSync(proc("fd")).length;

  const warm = samples.slice(Math.floor(samples.length * WARM));
  const part = Math.max(1, Math.floor(warm.length / 4));
  const early = warm.slice(0, part);
  const late = warm.slice(-part);
  const growth = median(late.map((one) => one.memory)) - median(early.map((one) => one.memory));
  const most = (list, field) => Math.max(...list.map((one) => one[field]));
  console.log(
    `${MINUTES} min: ${JSON.stringify(tally)}; memory ${median(early.map((one) => one.memory)).toFixed(1)} MiB, ` +
      `${growth >= 0 ? "+" : ""}${growth.toFixed(2)} MiB at the end; descriptors at most ` +
      `${most(early, "descriptors")} early, ${most(late, "descriptors")} late, ${rested} at rest; ` +
      `threads ${most(early, "threads")} early, ${most(late, "threads")} late`,
  );
  const tenth = Math.ceil(samples.length / 10);
  const course = Array.from({ length: 10 }, (_, i) => samples.slice(i * tenth, (i + 1) * tenth));
  console.log(
    `memory by tenths: ${course
      .filter((list) => list.length)
      .map((list) => median(list.map((one) => one.memory)).toFixed(1))
      .join(" ")} MiB`,
  );
  assert.ok(growth <= GROWTH_MIB, `${growth.toFixed(2)} MiB more`);
  assert.ok(most(late, "descriptors") <= most(early, "descriptors") + 4, "descriptors grow");
  assert.ok(most(late, "threads") <= most(early, "threads"), "threads grow");
  owner.close();
  assert.equal(await daemon.stop(), 0);
  assert.doesNotMatch(daemon.err, /"level":"error"/);
  const check = await run(["check", store.dir, ...key]);
  assert.equal(check.status, 0, check.err);
});
