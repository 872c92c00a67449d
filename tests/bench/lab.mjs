/* What the measurements share: programs run in turn, a served store, load on it, rows of the table. */
import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  cpSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { join } from "node:path";

export const CONSUMPTION = "energy.electricity.consumption";
export const PLAIN_CACHE_KIB = 8000; /* what our writer has (pds/vault/db.c) */
const PASSPHRASE = "a store that is measured and thrown away";
const SERVE_MS = 30_000;

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** One measuring: where programs and throw-away files are, how long things take, what is still running. */
export class Lab {
  constructor(build, quick) {
    this.build = build;
    this.quick = quick;
    this.work = join(build, "work");
    this.folders = 0;
    this.daemons = new Set();
    this.figures = {};
    rmSync(this.work, { recursive: true, force: true });
    mkdirSync(this.work, { recursive: true, mode: 0o700 });
    process.on("exit", () => this.clean());
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
  }

  clean() {
    for (const daemon of this.daemons) daemon.kill("SIGKILL");
    rmSync(this.work, { recursive: true, force: true });
  }

  program(name) {
    return join(this.build, name);
  }

  folder() {
    const path = join(this.work, `d${++this.folders}`);
    mkdirSync(path, { mode: 0o700 });
    return path;
  }

  /** Run a program to its end; its standard output. */
  run(name, ...args) {
    const ended = spawnSync(this.program(name), args.map(String), {
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    });
    if (ended.status !== 0)
      throw new Error(`${name} ${args[0]}: ${ended.stderr || ended.error || ended.status}`);
    return ended.stdout;
  }

  json(name, ...args) {
    return JSON.parse(this.run(name, ...args));
  }

  /** A program's wall clock, CPU seconds and largest memory. */
  spend(name, ...args) {
    const use = this.json("bench_child", "spend", this.program(name), ...args);
    if (use.status !== 0) throw new Error(`${name} ${args[0]} ended with ${use.status}`);
    return use;
  }

  /** Copy a folder of files to a place where nothing stays, each synced; seconds that it took. */
  copySynced(from, to) {
    const begun = process.hrtime.bigint();
    cpSync(from, to, { recursive: true });
    for (const entry of readdirSync(to, { recursive: true, withFileTypes: true })) {
      const fd = openSync(join(entry.path, entry.name), "r");
      fsyncSync(fd);
      closeSync(fd);
    }
    const took = Number(process.hrtime.bigint() - begun) / 1e9;
    rmSync(to, { recursive: true });
    return took;
  }

  /** Database work in a folder of its own; kind is plain, sealed, sqlcipher or unkeyed: SQLCipher that does not seal. */
  sql(kind, work, cacheKib, size) {
    const text = this.sqlText(kind, work, cacheKib, size);
    return JSON.parse(text.trimEnd().split("\n").at(-1));
  }

  sqlText(kind, work, cacheKib, size) {
    const dir = this.folder();
    const name = kind === "unkeyed" ? "bench_sqlcipher" : `bench_${kind}`;
    if (kind === "unkeyed") process.env.UNKEYED = "1";
    try {
      return this.run(name, dir, work, cacheKib, size);
    } finally {
      delete process.env.UNKEYED;
      rmSync(dir, { recursive: true });
    }
  }

  /** Run the ways in turn, A B A B, so that a machine that slows down slows all of them.
   * @returns {Record<string, any[]>} each way's outcomes, in order */
  alternate(rounds, ways) {
    const out = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
    for (let i = 0; i < rounds; i++)
      for (const [name, way] of Object.entries(ways)) out[name].push(way());
    return out;
  }

  /** A store with a key file, as cheap to open as is allowed. */
  makeStore() {
    const folder = this.folder();
    const at = (name) => join(folder, name);
    const store = {
      dir: at("store"),
      key: at("key"),
      code: at("code"),
      secret: at("passphrase"),
      passphrase: PASSPHRASE,
    };
    writeFileSync(store.secret, `${PASSPHRASE}\n`, { mode: 0o600 });
    const made = this.json(
      ...["traboule", "init", store.dir, "--passphrase-file", store.secret, "--json"],
      ...["--key-file", store.key, "--kdf-memory-mib", "64"],
    );
    writeFileSync(store.code, `${made.recovery_code}\n`, { mode: 0o600 });
    return store;
  }

  /** Serve a store on a free port; options.locked without its key. */
  async serve(store, { locked = false } = {}) {
    const log = join(this.work, "serve.txt");
    const err = openSync(log, "a");
    const args = ["serve", store.dir, "--listen", "127.0.0.1:0", "--kdf-memory-mib", "64"];
    if (!locked) args.push("--key-file", store.key);
    const child = spawn(this.program("traboule"), args, { stdio: ["ignore", "pipe", err] });
    closeSync(err);
    return this.watch(child, () => readFileSync(log, "utf8"));
  }

  async serveHello() {
    const child = spawn(this.program("bench_hello"), [], { stdio: ["ignore", "pipe", "inherit"] });
    return this.watch(child, () => "");
  }

  /** Wait for a server's first line, which ends with its port. */
  watch(child, story) {
    this.daemons.add(child);
    const ended = new Promise((resolve) => child.once("close", resolve)).then(() =>
      this.daemons.delete(child),
    );
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("a server did not start")), SERVE_MS);
      child.once("error", reject);
      child.once("close", () => reject(new Error(`a server ended: ${story()}`)));
      child.stdout.setEncoding("utf8").on("data", (text) => {
        clearTimeout(late);
        const port = Number(text.match(/(\d+)\/?\s*$/)?.[1]);
        const stop = () => {
          child.kill("SIGTERM");
          return ended;
        };
        resolve({ port, pid: child.pid, stop, headers: [] });
      });
    });
  }

  /** Sign in; later load carries the session. Milliseconds that it took. */
  async signIn(server, passphrase) {
    const body = JSON.stringify({ passphrase });
    const begun = process.hrtime.bigint();
    const answer = await ask(server, "POST", "/api/session", body, [
      "Content-Type: application/json",
    ]);
    const took = Number(process.hrtime.bigint() - begun) / 1e6;
    if (answer.status !== 200) throw new Error(`sign-in: ${answer.status} ${answer.text}`);
    const cookie = answer.headers["set-cookie"][0].split(";")[0];
    server.headers = [`Cookie: ${cookie}`, `X-CSRF-Token: ${JSON.parse(answer.text).csrf}`];
    return took;
  }

  /** Load for some seconds (bench_load). Any answer but 2xx is a failure of the measurement. */
  load(server, clients, path, { body = "", method = body ? "POST" : "GET" } = {}) {
    const seconds = this.quick ? 1 : 2;
    const headers = body ? [...server.headers, "Content-Type: application/json"] : server.headers;
    const cpu = cpuSeconds(server.pid);
    const out = this.json(
      ...[
        "bench_load",
        server.port,
        clients,
        seconds,
        server.next ?? 0,
        method,
        path,
        body,
        ...headers,
      ],
    );
    if (out.failed)
      throw new Error(`${method} ${path}: ${out.failed} answers such as ${out.bad_status}`);
    out.cpu_us = ((cpuSeconds(server.pid) - cpu) * 1e6) / (out.next - (server.next ?? 0));
    server.next = out.next;
    return out;
  }
}

/** One request of ours. */
export function ask(server, method, path, body = "", headers = []) {
  const fields = Object.fromEntries(
    [...server.headers, ...headers].map((line) => line.split(/: (.*)/s, 2)),
  );
  return new Promise((resolve, reject) => {
    const sent = request(
      { port: server.port, host: "127.0.0.1", method, path, headers: fields },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (bytes) => (text += bytes));
        answer.on("end", () =>
          resolve({ status: answer.statusCode, headers: answer.headers, text }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** CPU seconds of a running process, user and system, to a hundredth. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Memory of a running process in MiB: resident, its share of what is shared, its own. */
export function memory(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const mib = (...names) =>
    names.reduce(
      (sum, name) => sum + Number(text.match(new RegExp(`^${name}: *(\\d+)`, "m"))[1]),
      0,
    ) / 1024;
  return { rss: mib("Rss"), pss: mib("Pss"), own: mib("Private_Clean", "Private_Dirty") };
}

/** A load curve of the Enedis portal: half-hours of ten years in Paris. Number of readings. */
export function writePortalFile(path, firstYear, years) {
  const HALF_HOUR = 1_800_000;
  const end = Date.UTC(firstYear + years, 0, 1) - 3_600_000;
  const lines = [
    "\ufeffIdentifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur metier;" +
      "Etape metier;Unite;Pas en minutes",
    `01234567890123;Courbe de charge;01/01/${firstYear};01/01/${firstYear + years};Energie active;Consommation;` +
      "Comptage Brut;W;",
    "Horodate;Valeur",
  ];
  for (let at = Date.UTC(firstYear, 0, 1) - 3_600_000 + HALF_HOUR; at <= end; at += HALF_HOUR) {
    const hours = isSummer(at) ? 2 : 1;
    const local = new Date(at + hours * 3_600_000).toISOString().slice(0, 19);
    lines.push(`${local}+0${hours}:00;${200 + (((at / HALF_HOUR) * 7919) % 2400)}`);
  }
  writeFileSync(path, `${lines.join("\n")}\n`);
  return lines.length - 3;
}

/* Summer time begins and ends at 01:00 UTC on the last Sunday of March and of October. */
function isSummer(at) {
  const year = new Date(at).getUTCFullYear();
  const lastSunday = (month) => {
    const day = new Date(Date.UTC(year, month, 31, 1));
    return day.getTime() - day.getUTCDay() * 86_400_000;
  };
  return at >= lastSunday(2) && at < lastSunday(9);
}

/* A row of the table. Numbers are judged; texts are shown. */

const round = (x, digits) => (x >= 100 ? Math.round(x).toLocaleString("en") : x.toFixed(digits));
export const times = (x) => `${x.toFixed(2)} ×`;
export const perSecond = (x) => `${round(x, 1)}/s`;
export const ms = (x) => `${round(x, 2)} ms`;
export const seconds = (x) => `${x.toFixed(3)} s`;
export const mib = (x) => `${x.toFixed(1)} MiB`;

/** @param what what is measured @param baseline,ours texts @param ratio number or null
 * @param target text, "" without one @param met true, false or null */
export function row(what, baseline, ours, ratio, target = "", met = null) {
  return { what, baseline, ours, ratio: ratio === null ? "" : times(ratio), target, met };
}

/** Ratio of each pair of neighbouring runs; their median. */
export function ratioOf(ours, baseline) {
  return median(ours.map((x, i) => x / baseline[i]));
}
