/* Locking and ending, whatever the others do: who does not read, who does not write, who takes all descriptors.
 * And the door behind a proxy that speaks TLS, or of a store that is damaged. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import {
  Client,
  CONSUMPTION,
  makeCurve,
  makeStore,
  PROGRAM,
  put,
  run,
  serve,
} from "./program_common.mjs";

const store = await makeStore();
const key = ["--key-file", store.key];
const year = makeCurve({
  start: Date.parse("2023-01-01T00:00:00Z"),
  watts: Array.from({ length: 40_000 }, (_, i) => 200 + 2 * (i % 400)),
});
const file = put(store.folder, "year.csv", year);
assert.equal((await run(["import", store.dir, file, ...key])).status, 0);
const soon = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** How long a promise takes, in ms, and what comes of it. */
async function timed(promise) {
  const begun = performance.now();
  const value = await promise;
  return { value, ms: performance.now() - begun };
}

/** A command whose output nobody reads. */
function unread(words) {
  const child = spawn(PROGRAM, words, {
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { err: "" };
  child.stderr.setEncoding("utf8").on("data", (text) => (said.err += text));
  child.stdout.pause();
  return { child, said, ended: once(child, "exit") };
}

/** Ask for all records, and read none of them. */
async function stand(client) {
  const socket = connect(new URL(client.url).port, "127.0.0.1");
  await once(socket, "connect");
  socket.pause();
  socket.write(
    `GET /api/records/${CONSUMPTION} HTTP/1.1\r\nHost: ${new URL(client.url).host}\r\nCookie: ${client.cookie}\r\n\r\n`,
  );
  return socket;
}

async function owned(daemon) {
  const owner = new Client(daemon.url);
  assert.equal((await owner.signIn(store.passphrase)).status, 200);
  return owner;
}

test("a query into a pipe that nobody reads holds neither a lock nor the end", async () => {
  const daemon = await serve(store);
  const owner = await owned(daemon);
  const query = unread(["query", store.dir, CONSUMPTION, ...key]);
  await soon(700);
  const lock = await timed(owner.post("/api/lock"));
  assert.equal(lock.value.status, 204);
  assert.ok(lock.ms < 2000, `${lock.ms} ms`);
  assert.deepEqual(await query.ended, [1, null]);
  assert.match(query.said.err, /the store is being locked/);

  const again = unread(["query", store.dir, CONSUMPTION, ...key]);
  await soon(700);
  const end = await timed(daemon.stop());
  assert.equal(end.value, 0);
  assert.ok(end.ms < 5000, `${end.ms} ms`);
  assert.deepEqual(await again.ended, [1, null]);
});

test("a file that is a pipe nobody writes to holds neither", async () => {
  const daemon = await serve(store);
  const owner = await owned(daemon);
  const pipe = join(store.folder, "pipe");
  assert.equal(spawnSync("mkfifo", [pipe]).status, 0);
  const writer = spawn("sh", ["-c", `exec sleep 60 > "${pipe}"`]);
  const entry = unread(["import", store.dir, pipe, ...key]);
  await soon(700);
  const lock = await timed(owner.post("/api/lock"));
  assert.equal(lock.value.status, 204);
  assert.ok(lock.ms < 2000, `${lock.ms} ms`);
  assert.equal((await entry.ended)[0], 1);
  assert.match(entry.said.err, /the store is being locked/);
  writer.kill();
  assert.equal(await daemon.stop(), 0);
});

test("a client that stops reading a stream is cut when the store is locked", async () => {
  const daemon = await serve(store);
  const owner = await owned(daemon);
  const sockets = await Promise.all([stand(owner), stand(owner), stand(owner)]);
  await soon(700);
  const lock = await timed(owner.post("/api/lock"));
  assert.equal(lock.value.status, 204);
  assert.ok(lock.ms < 1000, `${lock.ms} ms`);
  assert.equal((await new Client(daemon.url).get("/health")).text, '{"status":"locked"}\n');
  const again = await owned(daemon);
  assert.equal((await again.get("/api/datasets")).status, 200);
  for (const socket of sockets) socket.destroy();
  assert.equal(await daemon.stop(), 0);
});

test("without descriptors commands wait, and go on when there are some again", async () => {
  const daemon = await serve(store, key, { before: ["sh", "-c", 'ulimit -n 48; exec "$@"', "sh"] });
  const port = new URL(daemon.url).port;
  const taken = [];
  for (let i = 0; i < 60; i++) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    taken.push(socket);
  }
  await soon(500);
  const waiting = run(["datasets", store.dir, ...key, "--json"]);
  await soon(1000);
  for (const socket of taken) socket.destroy();
  await waiting; // it may have been refused, but it ends
  let answer;
  const patience = Date.now() + 10000; // the daemon closes its ends of the connections first
  do answer = await run(["datasets", store.dir, ...key, "--json"]);
  while (answer.status !== 0 && Date.now() < patience);
  assert.equal(answer.status, 0, answer.err);
  assert.equal(await daemon.stop(), 0);
});

test("behind a proxy that speaks TLS: the origin is https, the cookie Secure", async () => {
  const daemon = await serve(store, [
    "--proxy",
    "127.0.0.1",
    "--base-url",
    "https://store.example",
  ]);
  const client = new Client(daemon.url);
  const ask = (origin) =>
    client.post(
      "/api/session",
      { passphrase: store.passphrase },
      { Host: "store.example", Origin: origin },
    );
  assert.equal((await ask("http://store.example")).status, 403);
  assert.equal((await ask("https://other.example")).status, 403);
  const signed = await ask("https://store.example");
  assert.equal(signed.status, 200);
  const [cookie] = signed.headers["set-cookie"];
  assert.match(cookie, /^__Host-traboule=/);
  assert.match(cookie, /; Secure/);
  const headers = {
    Host: "store.example",
    Cookie: cookie.split(";")[0],
    "X-CSRF-Token": signed.json.csrf,
  };
  assert.equal(
    (
      await client.send("DELETE", "/api/session", {
        headers: { ...headers, Origin: "https://store.example" },
      })
    ).status,
    204,
  );
  assert.equal(await daemon.stop(), 0);
});

test("changing the passphrase ends all sessions but the one that did it", async () => {
  const daemon = await serve(store);
  const [mine, other] = [await owned(daemon), await owned(daemon)];
  const fresh = "une autre phrase assez longue";
  assert.equal(
    (await mine.post("/api/passphrase", { current: store.passphrase, new: fresh })).status,
    204,
  );
  assert.equal((await mine.get("/api/session")).status, 200);
  assert.equal((await other.get("/api/session")).status, 401);
  assert.equal(
    (await mine.post("/api/passphrase", { current: fresh, new: store.passphrase })).status,
    204,
  );
  assert.equal(await daemon.stop(), 0);
});

test("a session does not come back when the store is opened again", async () => {
  const daemon = await serve(store);
  const before = await owned(daemon);
  await before.post("/api/lock");
  await owned(daemon);
  assert.equal((await before.get("/api/session")).status, 401);
  assert.equal(await daemon.stop(), 0);
});

test("keys that are gone are damage, and no path is told", async () => {
  const daemon = await serve(store);
  const keys = join(store.dir, "keys.json");
  renameSync(keys, join(store.folder, "away"));
  const answer = await new Client(daemon.url).post("/api/session", {
    passphrase: store.passphrase,
  });
  renameSync(join(store.folder, "away"), keys);
  assert.equal(answer.status, 503);
  assert.equal(answer.json.type, "urn:traboule:problem:damaged");
  assert.equal(answer.json.detail, undefined);
  assert.equal(answer.headers["retry-after"], undefined);
  assert.equal(await daemon.stop(), 0);
});

test("damage met while open is told by /health and by the session", async () => {
  const other = await makeStore("damaged");
  const source = put(other.folder, "year.csv", year);
  assert.equal((await run(["import", other.dir, source, "--key-file", other.key])).status, 0);
  const daemon = await serve(other);
  const owner = new Client(daemon.url);
  await owner.signIn(other.passphrase);
  assert.deepEqual((await owner.get("/health")).json, { status: "open" });
  assert.equal((await owner.get("/api/session")).json.damaged, undefined);
  const path = join(other.dir, "vault.db");
  const bytes = readFileSync(path);
  for (let at = 40_000; at < bytes.length - 4096; at += 4096) bytes[at] ^= 1;
  writeFileSync(path, bytes);
  const met = await owner.get(`/api/records/${CONSUMPTION}?step=P1Y`);
  assert.equal(met.status, 503);
  assert.equal(met.json.type, "urn:traboule:problem:damaged");
  assert.equal(met.headers["retry-after"], undefined);
  assert.match(met.json.detail, /vault\.db/, "the owner hears where");
  assert.deepEqual((await owner.get("/health")).json, { status: "open", damaged: true });
  assert.match((await owner.get("/api/session")).json.damaged, /vault\.db/);
  await daemon.stop();
});

test("init whose code cannot be shown leaves no store", async () => {
  const words = [
    "init",
    join(store.folder, "full"),
    "--passphrase-file",
    store.secret,
    "--kdf-memory-mib",
    "64",
  ];
  for (const more of [[], ["--json"]]) {
    const keyFile = join(store.folder, "full.key");
    const line = [PROGRAM, ...words, ...more, "--key-file", keyFile]
      .map((word) => `'${word}'`)
      .join(" ");
    const made = spawnSync("sh", ["-c", `${line} > /dev/full`], { encoding: "utf8" });
    assert.equal(made.status, 1, made.stderr);
    assert.match(made.stderr, /recovery code|writing/);
    assert.throws(() => statSync(join(store.folder, "full")), { code: "ENOENT" });
    assert.throws(() => statSync(keyFile), { code: "ENOENT" });
  }
});

test("serve: a passphrase file that was named and cannot be read is no locked start", async () => {
  const none = join(store.folder, "none");
  const folder = join(store.folder, "credentials");
  mkdirSync(join(folder, "traboule"), { recursive: true }); // a folder is no passphrase
  for (const [words, env] of [
    [["--passphrase-file", none], {}],
    [[], { TRABOULE_PASSPHRASE_FILE: none }],
    [[], { CREDENTIALS_DIRECTORY: folder }],
  ]) {
    const failed = await serve(store, words, { env }).then(
      (daemon) => daemon.stop().then(() => assert.fail("it started")),
      (failure) => failure,
    );
    assert.equal(failed.status, 1, failed.said);
  }
});

test("serve waits a moment for a command that has the store", async () => {
  const child = unread(["query", store.dir, CONSUMPTION, ...key]); // stands still, and has the store
  await soon(700);
  setTimeout(() => child.child.stdout.resume(), 700);
  const daemon = await serve(store, key);
  assert.match(daemon.out, /an open store/);
  assert.equal(await daemon.stop(), 0);
});

test("lists page, and bounds that make no sense are a matter of usage", async () => {
  const list = async (...words) => (await run([...words, ...key, "--json"])).json;
  assert.equal((await run(["import", store.dir, file, ...key])).status, 0);
  const whole = await list("imports", store.dir);
  assert.ok(whole.imports.length >= 2);
  const first = await list("imports", store.dir, "--limit", "1");
  assert.deepEqual(first.imports, whole.imports.slice(0, 1));
  const second = await list("imports", store.dir, "--limit", "1", "--cursor", first.next);
  assert.deepEqual(second.imports, whole.imports.slice(1, 2));
  assert.equal((await list("sources", store.dir, "--limit", "5000")).sources.length, 1);
  for (const words of [
    ["imports", store.dir, "--limit", "0"],
    ["sources", store.dir, "--limit", "x"],
    ["sources", store.dir, "--cursor", "x"],
    ["query", store.dir, CONSUMPTION, "--from", "2024-01-02", "--to", "2024-01-01"],
    ["query", store.dir, CONSUMPTION, "--from", "2024-01-01", "--to", "2024-01-01"],
    ["import", store.dir, file, "--dataset", "no.such"],
  ])
    assert.equal((await run([...words, ...key])).status, 2, words.join(" "));
  assert.equal((await run(["query", store.dir, "no.such", ...key])).status, 1);
});

test("what a cut change of the keys left is no damage, and goes", async () => {
  const left = join(store.dir, "keys.json.new-AbCdEf");
  writeFileSync(left, "x", { mode: 0o600 });
  const check = await run(["check", store.dir, ...key, "--json"]);
  assert.equal(check.json.ok, true);
  assert.ok(!readdirSync(store.dir).includes("keys.json.new-AbCdEf"));
});

test("HTTP: several types in Accept, a limit over the most", async () => {
  const daemon = await serve(store);
  const owner = await owned(daemon);
  const records = `/api/records/${CONSUMPTION}?limit=2`;
  for (const [accept, type] of [
    ["text/csv", "text/csv; charset=utf-8"],
    ["text/csv, */*;q=0.1", "text/csv; charset=utf-8"],
    ["application/json;q=0.5, text/csv", "text/csv; charset=utf-8"],
    ["text/*", "text/csv; charset=utf-8"],
    ["text/csv;q=0, */*", "application/json"],
    ["text/csv, application/json", "application/json"],
    ["text/html, */*;q=0.8", "application/json"],
    ["", "application/json"],
  ])
    assert.equal(
      (await owner.get(records, { Accept: accept })).headers["content-type"],
      type,
      accept,
    );
  for (const path of ["/api/imports", "/api/sources", `/api/records/${CONSUMPTION}`]) {
    assert.equal((await owner.get(`${path}?limit=99999999`)).status, 200, path);
    assert.equal((await owner.get(`${path}?limit=0`)).status, 400, path);
  }
  assert.equal(await daemon.stop(), 0);
});
