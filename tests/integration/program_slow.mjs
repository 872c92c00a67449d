/* Crowds that are slow on purpose, from other machines: headers, bodies and answers that take for ever. Others are
 * served meanwhile, the owner at this machine is, and memory stays what it was (security brief 5, row 15).
 *
 * It needs addresses of other machines: a network of its own (unshare, ip), and a certificate (openssl), since the
 * program does not listen there without one. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect } from "node:tls";
import {
  CONSUMPTION,
  makeCurve,
  makeStore,
  NIGHTLY,
  PROGRAM,
  put,
  run,
} from "./program_common.mjs";

const CROWD = NIGHTLY ? 500 : 300;
const LASTS_MS = NIGHTLY ? 60_000 : 1_000;
const CROWDED = Array.from({ length: 6 }, (_, i) => `10.1.0.${i + 1}`); // addresses; each is given 32 connections
const MANY = Array.from({ length: 40 }, (_, i) => `10.2.0.${i + 1}`);
const OTHERS = Array.from({ length: 8 }, (_, i) => `10.3.0.${i + 1}`); // none asks more than a minute allows
const PORT = 8443;
const HOST = "store.example";
const P99_MS = NIGHTLY ? 250 : 1000; // of so few, in a run of many, the worst is nobody's measure
const MEMORY_MIB = 32;

if (!process.env.SLOW_INSIDE) {
  const commands = [...CROWDED, ...MANY, ...OTHERS].map((ip) => `ip addr add ${ip}/8 dev lo`);
  const script = `ip link set lo up && ${commands.join(" && ")}`;
  const inside = (...words) =>
    spawnSync("unshare", ["-rn", "sh", "-c", ...words], {
      stdio: "inherit",
      env: { ...process.env, SLOW_INSIDE: "1" },
    });
  if (inside(`${script} && openssl version >/dev/null`).status !== 0) {
    console.log("No network of our own here (unshare, ip, openssl): slow crowds are not tested.");
    process.exit(0);
  }
  const file = fileURLToPath(import.meta.url);
  process.exit(inside(`${script} && exec "$0" "$@"`, process.execPath, file).status ?? 1);
}

const soon = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const store = await makeStore();
const cert = join(store.folder, "cert.pem");
const keyFile = join(store.folder, "key.pem");
spawnSync("openssl", [
  ...[
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
  ],
  ...["-subj", "/CN=store.example", "-keyout", keyFile, "-out", cert],
]);
const watts = Array.from({ length: 40_000 }, (_, i) => 2 * (i % 900));
const year = put(
  store.folder,
  "y.csv",
  makeCurve({ start: Date.parse("2020-01-01T00:00:00Z"), watts }),
);
assert.equal((await run(["import", store.dir, year, "--key-file", store.key])).status, 0);

const daemon = spawn(
  PROGRAM,
  [
    ...[
      "serve",
      store.dir,
      "--listen",
      `0.0.0.0:${PORT}`,
      "--tls-cert",
      cert,
      "--tls-key",
      keyFile,
    ],
    ...["--key-file", store.key, "--kdf-memory-mib", "64", "--base-url", `https://${HOST}`],
  ],
  { env: {}, stdio: ["ignore", "pipe", "pipe"] },
);
let said = "";
daemon.stderr.setEncoding("utf8").on("data", (text) => (said += text));
process.on("exit", () => daemon.kill("SIGKILL"));
await Promise.race([
  once(daemon.stdout.setEncoding("utf8"), "data"),
  once(daemon, "exit").then(() => assert.fail(`serve ended: ${said}`)),
]);

/** One request on a connection of its own. @returns {Promise<{status, text, ms, headers}>} */
function ask(from, path, { method = "GET", headers = {}, body } = {}) {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        ...{ host: from, port: PORT, path, method, localAddress: from, agent: false },
        ...{ rejectUnauthorized: false, headers: { Host: HOST, ...headers }, timeout: 30_000 },
      },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (piece) => (text += piece));
        answer.once("error", reject);
        answer.once("end", () =>
          resolve({
            ...{ status: answer.statusCode, headers: answer.headers, text },
            ms: performance.now() - begun,
          }),
        );
      },
    );
    asked.once("timeout", () => asked.destroy(new Error("no answer in 30 s")));
    asked.once("error", reject);
    asked.end(body);
  });
}

/* One of the crowd: it connects again whenever it is cut off, until stopped. */
const KINDS = {
  headers: { begin: (host) => `GET / HTTP/1.1\r\nHost: ${host}\r\nX-Slow: `, drip: "x" },
  bodies: {
    begin: (host) =>
      `POST /api/session HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n`,
    drip: " ",
  },
  readers: {
    begin: (host) => `GET ${largest} HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(8),
    deaf: true,
  },
};
let largest = "/";

function makeCrowd(kind, size, addresses) {
  const { begin, drip, deaf } = KINDS[kind];
  const sockets = new Set();
  const crowd = { admitted: 0, cut: 0, open: true };
  const join_ = (from) => {
    if (!crowd.open) return;
    const socket = connect({
      host: from,
      port: PORT,
      localAddress: from,
      rejectUnauthorized: false,
    });
    let clock;
    sockets.add(socket);
    socket.once("secureConnect", () => {
      crowd.admitted++;
      if (deaf) socket.pause();
      socket.write(begin(HOST));
      if (drip) clock = setInterval(() => socket.write(drip), 1000);
    });
    socket.on("error", () => {});
    socket.on("data", () => {});
    if (deaf) socket.pause();
    socket.once("close", () => {
      clearInterval(clock);
      sockets.delete(socket);
      crowd.cut++;
      setTimeout(join_, 3000, from);
    });
  };
  for (let i = 0; i < size; i++) join_(addresses[i % addresses.length]);
  crowd.end = () => {
    crowd.open = false;
    for (const socket of sockets) socket.destroy();
  };
  return crowd;
}

const resident = () =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${daemon.pid}/status`, "utf8"))[1]) / 1024;
const p99 = (list) => list.toSorted((a, b) => a - b)[Math.ceil(list.length * 0.99) - 1];

let cookie;
async function signIn() {
  const answer = await ask("127.0.0.1", "/api/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ passphrase: store.passphrase }),
  });
  assert.equal(answer.status, 200, answer.text);
  [cookie] = answer.headers["set-cookie"][0].split(";");
}

const asOwner = () =>
  ask("127.0.0.1", `/api/records/${CONSUMPTION}?from=2020-03-01&to=2020-04-01&step=P1D`, {
    headers: { Cookie: cookie },
  });

async function measure(kind, size, addresses, others) {
  const before = resident();
  const crowd = makeCrowd(kind, size, addresses);
  const spent = { other: [], owner: [] };
  let most = before;
  await soon(500); // they come
  const until = Date.now() + LASTS_MS;
  while (Date.now() < until) {
    if (others) {
      const answer = await ask(OTHERS[spent.other.length % OTHERS.length], "/health");
      assert.equal(answer.status, 200);
      spent.other.push(answer.ms);
    }
    const owned = await asOwner();
    assert.equal(owned.status, 200, owned.text);
    spent.owner.push(owned.ms);
    most = Math.max(most, resident());
    await soon(20);
  }
  crowd.end();
  const round = Math.round;
  console.log(
    `${size} slow ${kind} from ${addresses.length} addresses, ${LASTS_MS / 1000} s: ${crowd.admitted} admitted, ` +
      `${crowd.cut} cut or refused; p99 of others ${others ? round(p99(spent.other)) : "-"} ms, ` +
      `of the owner ${round(p99(spent.owner))} ms (${spent.owner.length} each); ` +
      `memory ${before.toFixed(1)} to ${most.toFixed(1)} MiB`,
  );
  if (others) assert.ok(p99(spent.other) <= P99_MS, `others: ${p99(spent.other)} ms`);
  assert.ok(p99(spent.owner) <= P99_MS, `the owner: ${p99(spent.owner)} ms`);
  assert.ok(most - before <= MEMORY_MIB, `${(most - before).toFixed(1)} MiB more`);
  await soon(500);
}

test("the store is open, and the largest page is known", async () => {
  await signIn();
  const page = await ask("127.0.0.1", "/");
  const scripts = [...page.text.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map((m) => m[1]);
  const sized = await Promise.all(
    scripts.map(async (path) => {
      const at = path.startsWith("/") ? path : `/${path}`;
      return [(await ask("127.0.0.1", at)).text.length, at];
    }),
  );
  [, largest] = sized.sort((a, b) => b[0] - a[0])[0] ?? [0, "/"];
  for (let i = 0; i < 20; i++) await asOwner(); // warm
});

for (const kind of Object.keys(KINDS)) {
  test(`slow ${kind} from a few addresses: others are served`, { timeout: 600_000 }, () =>
    measure(kind, CROWD, CROWDED, true),
  );
  test(`slow ${kind} from many addresses: the owner here is served`, { timeout: 600_000 }, () =>
    measure(kind, CROWD, MANY, false),
  );
}

test("the daemon ended well", async () => {
  daemon.kill("SIGTERM");
  assert.deepEqual(await once(daemon, "exit"), [0, null]);
  assert.doesNotMatch(said, /"level":"error"/);
});
