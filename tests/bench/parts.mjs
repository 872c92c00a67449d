/* The parts of the measurement; each gives rows of the table. Targets are those of docs/performance.md. */
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ask,
  CONSUMPTION,
  median,
  memory,
  mib,
  ms,
  PLAIN_CACHE_KIB,
  perSecond,
  ratioOf,
  row,
  seconds,
  writePortalFile,
} from "./lab.mjs";

const FIRST_YEAR = 2015;
const YEARS = 10;

const cpu = (runs) => runs.map((run) => run.cpu_s);

/** SQLite's speedtest1 with plain SQLite, in the vault, by SQLCipher, in CPU seconds. */
export function sql(lab, { sqlcipher, speedtest }) {
  if (!speedtest)
    return [row("speedtest1 through the vault", "", "its source could not be fetched", null)];
  checkSpeedtest(lab, sqlcipher);
  const works = lab.quick
    ? [{ cache: 2000, size: 50, most: 1.35 }]
    : [
        { cache: 2000, size: 50, most: 1.35 },
        { cache: 2000, size: 100, most: 1.35 },
        { cache: 64000, size: 100, most: 1.1 },
      ];
  return works.flatMap(({ cache, size, most }) => {
    const what = `speedtest1, ${Math.round(cache / 1000)} MB cache, size ${size}, CPU`;
    const runs = alternateSql(lab, sqlcipher, "speedtest1", cache, size, lab.quick ? 2 : 5);
    return speedtestRows(what, runs, most, sqlcipher);
  });
}

/* Every way of keeping gives the same answers. */
function checkSpeedtest(lab, sqlcipher) {
  const kinds = sqlcipher === true ? ["plain", "sealed", "sqlcipher"] : ["plain", "sealed"];
  const hashes = kinds.map((kind) => {
    const text = lab.sqlText(kind, "speedtest1-verify", 2000, 5);
    return text.match(/Verification Hash: *(.*)/)[1];
  });
  if (hashes.some((hash) => hash !== hashes[0]))
    throw new Error("the answers differ between the ways of keeping");
}

function alternateSql(lab, sqlcipher, work, cache, size, rounds) {
  const kinds =
    sqlcipher === true ? ["plain", "sealed", "sqlcipher", "unkeyed"] : ["plain", "sealed"];
  const ways = Object.fromEntries(
    kinds.map((kind) => [kind, () => lab.sql(kind, work, cache, size)]),
  );
  const runs = lab.alternate(rounds, ways);
  lab.figures[`${work} ${cache} ${size}`] = runs;
  return runs;
}

function speedtestRows(what, runs, most, sqlcipher) {
  const ours = cpu(runs.sealed);
  const against = (name, baseline, limit) => {
    const ratio = ratioOf(ours, baseline);
    return row(
      `${what}: against ${name}`,
      seconds(median(baseline)),
      seconds(median(ours)),
      ratio,
      `≤ ${limit.toFixed(2)} ×`,
      ratio <= limit,
    );
  };
  const rows = [against("plain SQLite", cpu(runs.plain), most)];
  if (sqlcipher !== true)
    return [...rows, row(`${what}: against SQLCipher`, "", sqlcipher, null, "≤ 0.70 ×")];
  rows.push(against("SQLCipher", cpu(runs.sqlcipher), 0.7));
  const added = runs.sealed.map((run, i) => run.cpu_s - runs.plain[i].cpu_s);
  const theirs = runs.sqlcipher.map((run, i) => run.cpu_s - runs.unkeyed[i].cpu_s);
  rows.push(
    row(
      `${what}: what sealing adds, against what SQLCipher adds to itself without a key`,
      seconds(median(theirs)),
      seconds(median(added)),
      median(added) / median(theirs),
    ),
  );
  return rows;
}

/** The table of records: batches in, a range, a sum. */
export function records(lab, { sqlcipher }) {
  const count = lab.quick ? 100_000 : 1_000_000;
  const runs = alternateSql(lab, sqlcipher, "records", 2000, count, lab.quick ? 2 : 5);
  if (new Set(Object.values(runs).map(([first]) => first.digest)).size !== 1)
    throw new Error("records: the answers differ between the ways of keeping");
  const speed = (kind, part) => runs[kind].map((run) => count / run.parts[part]);
  const least = { "batch insert": 0, "range scan": 0.65, aggregate: 0.75 };
  const rows = [];
  for (const [part, limit] of Object.entries(least))
    for (const kind of sqlcipher === true ? ["plain", "sqlcipher"] : ["plain"]) {
      const ours = speed("sealed", part);
      const baseline = speed(kind, part);
      const ratio = ratioOf(ours, baseline);
      const judged = kind === "plain" && limit;
      rows.push(
        row(
          `records, ${part}: rows a CPU second against ${kind === "plain" ? "plain SQLite" : "SQLCipher"}`,
          perSecond(median(baseline)),
          perSecond(median(ours)),
          ratio,
          judged ? `≥ ${limit} ×` : "",
          judged ? ratio >= limit : null,
        ),
      );
    }
  return rows;
}

/** Durable writes over HTTP: each request is one new record, on the disk before it is answered. */
export async function writes(lab) {
  const store = lab.makeStore();
  const server = await lab.serve(store);
  await lab.signIn(server, store.passphrase);
  const path = `/api/records/${CONSUMPTION}`;
  const body = '{"records":[{"start":"@start@","end":"@end@","value":12}]}';
  const runs = lab.alternate(lab.quick ? 3 : 13, {
    plain: () => lab.sql("plain", "commits", PLAIN_CACHE_KIB, lab.quick ? 1 : 2),
    one: () => lab.load(server, 1, path, { body }),
    many: () => lab.load(server, 16, path, { body }),
  });
  await server.stop();
  lab.figures.writes = runs;
  const rate = Object.fromEntries(
    Object.entries(runs).map(([name, list]) => [name, list.map((r) => r.per_s)]),
  );
  const [plain, one, many] = [median(rate.plain), median(rate.one), median(rate.many)];
  const toPlain = ratioOf(rate.one, rate.plain);
  const toOne = ratioOf(rate.many, rate.one);
  const p99 = median(runs.many.map((r) => r.p99_ms));
  return [
    row(
      "durable writes over HTTP, 1 client, against plain SQLite's commits",
      perSecond(plain),
      perSecond(one),
      toPlain,
      "≥ 0.55 ×",
      toPlain >= 0.55,
    ),
    row(
      "durable writes over HTTP, 16 clients, against 1 client",
      perSecond(one),
      perSecond(many),
      toOne,
      "≥ 4 ×",
      toOne >= 4,
    ),
    row(
      "durable writes over HTTP, 16 clients, against plain SQLite's commits",
      perSecond(plain),
      perSecond(many),
      ratioOf(rate.many, rate.plain),
      "≥ 8,000/s",
      many >= 8000,
    ),
    row(
      "durable writes over HTTP, 16 clients, p99",
      ms(median(runs.one.map((r) => r.p99_ms))),
      ms(p99),
      null,
      "≤ 10 ms",
      p99 <= 10,
    ),
  ];
}

/** Small answers beside the least that the HTTP library can do. */
export async function requests(lab) {
  const hello = await lab.serveHello();
  const store = lab.tenYears();
  const server = await lab.serve(store);
  await lab.signIn(server, store.passphrase);
  const month = `/api/records/${CONSUMPTION}?step=P1D&from=2020-03-01&to=2020-04-01`;
  const runs = lab.alternate(lab.quick ? 3 : 13, {
    hello: () => lab.load(hello, 16, "/"),
    session: () => lab.load(server, 16, "/api/session"),
    month: () => lab.load(server, 16, month),
  });
  await Promise.all([hello.stop(), server.stop()]);
  lab.figures.requests = runs;
  const rate = (name) => runs[name].map((r) => r.per_s);
  const ratio = ratioOf(rate("session"), rate("hello"));
  const base = perSecond(median(rate("hello")));
  return [
    row(
      "small owner GET (the session), 16 clients, against libmicrohttpd's hello",
      base,
      perSecond(median(rate("session"))),
      ratio,
      "≥ 0.60 ×",
      ratio >= 0.6,
    ),
    row(
      "a month by day, 16 clients, against libmicrohttpd's hello",
      base,
      perSecond(median(rate("month"))),
      ratioOf(rate("month"), rate("hello")),
    ),
  ];
}

/** A portal file, end to end and sealed, beside plain SQLite inserting as many rows. */
export function imports(lab) {
  const { file, count } = lab.portal();
  const runs = lab.alternate(lab.quick ? 3 : 11, {
    plain: () => {
      const dir = lab.folder();
      const use = lab.spend("bench_plain", dir, "inserts", PLAIN_CACHE_KIB, count);
      rmSync(dir, { recursive: true });
      return use;
    },
    ours: () => {
      const store = lab.makeStore();
      const use = lab.spend(
        "traboule",
        "import",
        store.dir,
        file,
        "--key-file",
        store.key,
        "--json",
      );
      rmSync(store.dir, { recursive: true });
      return use;
    },
  });
  lab.figures.import = runs;
  return [
    ["wall_s", "by the clock"],
    ["cpu_s", "by CPU"],
  ].map(([name, words]) => {
    const [ours, plain] = [runs.ours, runs.plain].map((list) => list.map((r) => count / r[name]));
    const ratio = ratioOf(ours, plain);
    const what = `import of a portal file of ${count.toLocaleString("en")} rows, rows a second ${words}`;
    return row(
      what,
      perSecond(median(plain)),
      perSecond(median(ours)),
      ratio,
      "≥ 0.50 ×",
      ratio >= 0.5,
    );
  });
}

/** Ten years read: all of it as JSON, a year by day, a year of half-hours. */
export async function reads(lab) {
  const store = lab.tenYears();
  const { count } = lab.portal();
  const rounds = lab.quick ? 3 : 11;
  const command = lab.alternate(rounds, {
    plain: () => count / lab.sql("plain", "records", 2000, count).parts["range scan"],
    ours: () =>
      count /
      lab.spend("traboule", "query", store.dir, CONSUMPTION, "--key-file", store.key).wall_s,
  });
  const hello = await lab.serveHello();
  const server = await lab.serve(store);
  await lab.signIn(server, store.passphrase);
  const path = `/api/records/${CONSUMPTION}`;
  const overHttp = lab.alternate(rounds, {
    hello: () => lab.load(hello, 1, "/"),
    all: () => lab.load(server, 1, `${path}?limit=100000`),
    days: () => lab.load(server, 1, `${path}?step=P1D&from=@year@&to=@next@`),
    halves: () => lab.load(server, 1, `${path}?from=@year@&to=@next@`),
  });
  await Promise.all([hello.stop(), server.stop()]);
  lab.figures.reads = { command, overHttp };
  const p99 = (name) => median(overHttp[name].map((r) => r.p99_ms));
  const streamed = overHttp.all.map((r) => r.per_s * Math.min(count, 100_000));
  const rows = (what, list) => {
    const most = median(list);
    return row(
      what,
      perSecond(median(command.plain)),
      perSecond(most),
      ratioOf(list, command.plain),
      "≥ 1,500,000/s",
      most >= 1.5e6,
    );
  };
  const late = (what, name, limit) =>
    row(what, ms(p99("hello")), ms(p99(name)), null, `≤ ${limit} ms`, p99(name) <= limit);
  return [
    rows(
      "ten years as JSON by `traboule query`, rows a second, against plain SQLite's scan",
      command.ours,
    ),
    rows("100,000 rows as JSON over HTTP, rows a second, against plain SQLite's scan", streamed),
    late("ten-year store: a year by day over HTTP, p99 (baseline: hello)", "days", 5),
    late("ten-year store: a year of half-hours over HTTP, p99 (baseline: hello)", "halves", 40),
  ];
}

/** Opening: what unlocking adds to the derivation, and the first answer of a start with a key file. */
export async function start(lab) {
  const store = lab.tenYears();
  const rounds = lab.quick ? 5 : 25;
  const server = await lab.serve(store, { locked: true });
  const unlock = { derivation: [], unlocked: [] };
  for (let i = 0; i < rounds; i++) {
    server.headers = [];
    unlock.unlocked.push(await lab.signIn(server, store.passphrase));
    server.headers = [];
    unlock.derivation.push(
      await lab.signIn(server, store.passphrase),
    ); /* open already: it derives, and that is all */
    await ask(server, "POST", "/api/lock");
  }
  await server.stop();
  const answer =
    (path, name, ...args) =>
    () =>
      lab.json("bench_child", "answer", path, lab.program(name), ...args).answer_ms;
  const first = lab.alternate(rounds, {
    hello: answer("/", "bench_hello"),
    ours: answer(
      "/health",
      "traboule",
      "serve",
      store.dir,
      "--listen",
      "127.0.0.1:0",
      "--key-file",
      store.key,
    ),
  });
  lab.figures.start = { unlock, first };
  const added = median(unlock.unlocked.map((x, i) => x - unlock.derivation[i]));
  const later = median(first.ours.map((x, i) => x - first.hello[i]));
  return [
    row(
      "sign-in that unlocks, against one that only derives",
      ms(median(unlock.derivation)),
      ms(median(unlock.unlocked)),
      null,
      `+ ≤ 10 ms (${added.toFixed(1)})`,
      added <= 10,
    ),
    row(
      "start to first answer with a key file, against hello's",
      ms(median(first.hello)),
      ms(median(first.ours)),
      null,
      `+ ≤ 10 ms (${later.toFixed(1)})`,
      later <= 10,
    ),
  ];
}

/** Memory of a daemon that waits, and the size of the program. */
export async function memories(lab) {
  const store = lab.tenYears();
  const at = {};
  const hello = await lab.serveHello();
  const locked = await lab.serve(store, { locked: true });
  await sleep(1500);
  at.hello = memory(hello.pid);
  at.locked = memory(locked.pid);
  await Promise.all([hello.stop(), locked.stop()]);
  const open = await lab.serve(store);
  await sleep(1500);
  at.open = memory(open.pid);
  await lab.signIn(open, store.passphrase); /* 64 MiB for a moment: given back? */
  lab.load(open, 16, `/api/records/${CONSUMPTION}?step=P1D&from=@year@&to=@next@`);
  await sleep(1500);
  at.after = memory(open.pid);
  await open.stop();
  lab.figures.memory = at;
  const say = (m) => `${mib(m.rss)} (own ${m.own.toFixed(1)})`;
  const memoryRow = (what, m, limit, words = "") =>
    row(
      what,
      say(at.hello),
      say(m),
      m.rss / at.hello.rss,
      `≤ ${limit} MiB${words}`,
      m.rss <= limit,
    );
  return [
    memoryRow("memory, idle and locked (baseline: hello)", at.locked, 8),
    memoryRow("memory, idle and open (baseline: hello)", at.open, 12),
    /* Eight readers of 2,000 KiB each: what their page caches may hold. */
    memoryRow(
      "memory, open, after a sign-in and 16 readers (baseline: hello)",
      at.after,
      28,
      ", of them 16 page cache",
    ),
    sizeRow(lab),
  ];
}

function sizeRow(lab) {
  const stripped = join(lab.work, "traboule");
  execFileSync("strip", ["-o", stripped, lab.program("traboule")]);
  const sum = (dir) =>
    readdirSync(dir, { withFileTypes: true }).reduce((total, entry) => {
      const path = join(dir, entry.name);
      return total + (entry.isDirectory() ? sum(path) : statSync(path).size);
    }, 0);
  const whole = statSync(stripped).size / 2 ** 20;
  const bare = whole - sum(join(lab.build, "web")) / 2 ** 20;
  lab.figures.size = { whole, bare };
  return row(
    "the program, stripped, without the pages (baseline: with them)",
    mib(whole),
    mib(bare),
    null,
    "≤ 4 MiB",
    bare <= 4,
  );
}

/** Files and stores that several parts use are made once. */
export function equip(lab) {
  let portal;
  let store;
  lab.portal = () => {
    if (!portal) {
      const file = join(lab.folder(), "portal.csv");
      portal = { file, count: writePortalFile(file, FIRST_YEAR, lab.quick ? 2 : YEARS) };
    }
    return portal;
  };
  lab.tenYears = () => {
    if (!store) {
      const { file, count } = lab.portal();
      store = lab.makeStore();
      const told = lab.json(
        "traboule",
        "import",
        store.dir,
        file,
        "--key-file",
        store.key,
        "--json",
      );
      if (told.files[0].new !== count)
        throw new Error(`${told.files[0].new} of ${count} rows were imported`);
    }
    return store;
  };
}
