/* The built program as the tests hold it: run, served, asked over HTTP, killed. Nothing outlives the test. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

export const PROGRAM = process.env.TRABOULE ?? "build/dev/traboule";
export const NIGHTLY = process.env.TRABOULE_NIGHTLY === "1";
export const CONSUMPTION = "energy.electricity.consumption";
const READY_MS = 30_000;
const COMMAND_MS = 60_000;

const folders = new Set();
const children = new Set();
const killAll = () => {
  for (const child of children) child.kill("SIGKILL");
};
after(killAll);
process.on("exit", () => {
  killAll();
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/** A folder of the test's own. */
export function makeFolder() {
  const path = mkdtempSync(join(tmpdir(), "traboule-program-"));
  folders.add(path);
  return path;
}

/** Numbers that look random; the seed is printed, and taken back from TEST_SEED. */
export function makeRandom() {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`TEST_SEED=${seed}`);
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
  const between = (least, most) => least + Math.floor(next() * (most - least + 1));
  return { seed, next, between };
}

/** Run a command to its end, or kill it after some milliseconds. Its environment holds nothing but what is given.
 * @returns {Promise<{status: number | null, out: string, err: string, json: any}>} */
export function run(
  args,
  { input = "", env = {}, program = PROGRAM, before = [], cwd, killAfter = COMMAND_MS } = {},
) {
  const words = [...before, program, ...args];
  const child = spawn(words[0], words.slice(1), {
    env: { PATH: process.env.PATH, ...env },
    cwd,
    stdio: "pipe",
    timeout: killAfter,
    killSignal: "SIGKILL",
  });
  children.add(child);
  const text = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (bytes) => (text.out += bytes));
  child.stderr.setEncoding("utf8").on("data", (bytes) => (text.err += bytes));
  child.stdin.on("error", () => {}); // a command that fails early reads nothing
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      children.delete(child);
      resolve({
        status,
        ...text,
        get json() {
          return JSON.parse(text.out);
        },
      });
    });
  });
}

/** Make a store with passphrase, recovery code and key file, as cheap to open as is allowed. */
export async function makeStore(name = "store", passphrase = "quatre chevaux traversent la Saone") {
  const folder = makeFolder();
  const store = {
    folder,
    dir: join(folder, name),
    key: join(folder, "key"),
    secret: join(folder, "passphrase"),
    passphrase,
    code: "",
  };
  writeFileSync(store.secret, `${passphrase}\n`, { mode: 0o600 });
  const made = await run([
    ...["init", store.dir, "--passphrase-file", store.secret, "--key-file", store.key],
    ...["--kdf-memory-mib", "64", "--json"],
  ]);
  if (made.status !== 0) throw new Error(`init: ${made.err}`);
  store.code = made.json.recovery_code;
  return store;
}

/** Serve a store on a free port; resolves once it listens. Its log is collected. */
export function serve(store, args = [], { env = {}, before = [], program = PROGRAM } = {}) {
  const words = [...before, program, "serve", store.dir, "--listen", "127.0.0.1:0"];
  const child = spawn(words[0], [...words.slice(1), "--kdf-memory-mib", "64", ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  const daemon = {
    pid: child.pid,
    url: "",
    out: "",
    err: "",
    status: null,
    kill: null,
    stop: null,
  };
  daemon.ended = new Promise((resolve) => {
    child.once("close", (status) => {
      children.delete(child);
      daemon.status = status;
      resolve(status);
    });
  });
  daemon.kill = (signal = "SIGKILL") => {
    child.kill(signal);
    return daemon.ended;
  };
  daemon.stop = () => daemon.kill("SIGTERM");
  child.stderr.setEncoding("utf8").on("data", (bytes) => (daemon.err += bytes));
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`serve says nothing: ${daemon.out}${daemon.err}`));
    }, READY_MS);
    child.stdout.setEncoding("utf8").on("data", (bytes) => {
      daemon.out += bytes;
      const found = / at (http:\/\/127\.0\.0\.1:\d+)\/\n/.exec(daemon.out);
      if (!found || daemon.url) return;
      clearTimeout(late);
      daemon.url = found[1];
      resolve(daemon);
    });
    child.once("error", reject);
    daemon.ended.then((status) => {
      clearTimeout(late);
      const failure = new Error(`serve ended (${status}): ${daemon.err}`);
      failure.status = status;
      failure.said = daemon.err;
      reject(failure);
    });
  });
}

/** Whoever asks a daemon: with the session of signIn(), once there is one. */
export class Client {
  constructor(url) {
    this.url = url;
    this.agent = new Agent({ keepAlive: true, maxSockets: 16 });
    this.cookie = "";
    this.csrf = "";
  }

  close() {
    this.agent.destroy();
  }

  /** One request as it is told. @returns {Promise<{status: number, headers: any, body: Buffer, text: string, json: any}>} */
  send(method, path, { headers = {}, body } = {}) {
    return new Promise((resolve, reject) => {
      const fields =
        body === undefined ? headers : { "Content-Length": Buffer.byteLength(body), ...headers };
      const { hostname, port } = new URL(this.url); // the path goes as it is, not put in order
      const asked = request(
        { hostname, port, path, method, headers: fields, agent: this.agent },
        (answer) => {
          const pieces = [];
          answer.on("data", (piece) => pieces.push(piece));
          answer.once("error", reject);
          answer.once("end", () => {
            const bytes = Buffer.concat(pieces);
            resolve({
              status: answer.statusCode,
              headers: answer.headers,
              body: bytes,
              get text() {
                return bytes.toString("utf8");
              },
              get json() {
                return JSON.parse(bytes.toString("utf8"));
              },
            });
          });
        },
      );
      asked.once("error", reject);
      asked.end(body);
    });
  }

  /** As the signed-in owner; a value that is no text goes as JSON. */
  ask(method, path, body, headers = {}) {
    const json = body !== undefined && typeof body !== "string" && !Buffer.isBuffer(body);
    return this.send(method, path, {
      body: json ? JSON.stringify(body) : body,
      headers: {
        ...(this.cookie && { Cookie: this.cookie }),
        ...(this.csrf && method !== "GET" && method !== "HEAD" && { "X-CSRF-Token": this.csrf }),
        ...(json && { "Content-Type": "application/json" }),
        ...headers,
      },
    });
  }

  get(path, headers) {
    return this.ask("GET", path, undefined, headers);
  }

  post(path, body, headers) {
    return this.ask("POST", path, body, headers);
  }

  async signIn(passphrase) {
    this.cookie = this.csrf = "";
    const answer = await this.post("/api/session", { passphrase });
    if (answer.status === 200) {
      this.cookie = answer.headers["set-cookie"][0].split(";")[0];
      this.csrf = answer.json.csrf;
    }
    return answer;
  }

  upload(files, query = "", headers = {}) {
    const form = makeForm(files);
    return this.post(`/api/imports${query}`, form.body, { "Content-Type": form.type, ...headers });
  }
}

/** A multipart form: [{field, name, text}]. */
export function makeForm(files, boundary = "xTraboulex") {
  const parts = files.map(({ field = "file", name, text }) =>
    Buffer.concat([
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${field}"`),
      Buffer.from(
        name === undefined ? "\r\n\r\n" : `; filename="${name}"\r\nContent-Type: text/csv\r\n\r\n`,
      ),
      Buffer.from(text),
      Buffer.from("\r\n"),
    ]),
  );
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
  };
}

export const HALF_HOUR_MS = 1_800_000;
export const instant = (ms) => new Date(ms).toISOString().replace(".000Z", "Z");

/** A load curve of the Enedis portal: half-hours from start, values in W (Wh are half of them). */
export function makeCurve({ meter = "01234567890123", start, watts }) {
  const stamp = (i) => instant(start + (i + 1) * HALF_HOUR_MS).replace("Z", "+00:00");
  const french = (ms) => instant(ms).slice(0, 10).split("-").reverse().join("/");
  return [
    "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur metier;Etape metier;Unite;Pas en minutes",
    `${meter};Courbe de charge;${french(start)};${french(start + watts.length * HALF_HOUR_MS)};Energie active;Consommation;Comptage Brut;W;`,
    "Horodate;Valeur",
    ...watts.map((value, i) => `${stamp(i)};${value}`),
    "",
  ].join("\n");
}

/** Write a file for the program to read; gives its path. */
export function put(folder, name, text) {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

export const bytesOf = (path) => readFileSync(path);
