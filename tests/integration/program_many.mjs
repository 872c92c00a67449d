/* Many stores behind one daemon: each as if it were alone, none told of, few open at a time. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import {
  Client,
  CONSUMPTION,
  makeCurve,
  makeFolder,
  NIGHTLY,
  PROGRAM,
  put,
  run,
  serve,
} from "./program_common.mjs";

const PASSPHRASE = "quatre chevaux traversent la Saone";
const STORES = 20;
const KEYS = 4; // the others are copies: who shares a passphrase, and even a key, is as apart
const OPEN_AT_ONCE = 64;
const DERIVATIONS = 2; // at once, a process
const folder = makeFolder();
const house = join(folder, "house");
const key = join(folder, "key");
const secret = join(folder, "passphrase");
mkdirSync(house, { mode: 0o700 });
writeFileSync(secret, `${PASSPHRASE}\n`, { mode: 0o600 });
const byKey = ["--key-file", key];
const dirOf = (name) => join(house, name);
const soon = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function make(name, ...args) {
  const made = await run([
    ...["init", dirOf(name), "--passphrase-file", secret, "--kdf-memory-mib", "64"],
    ...args,
  ]);
  assert.equal(made.status, 0, made.err);
}

/** Do something for each, a few at a time. */
async function each(list, few, work) {
  const left = [...list];
  const one = async () => {
    while (left.length > 0) await work(left.shift());
  };
  await Promise.all(Array.from({ length: few }, one));
}

const serveHouse = (...args) => serve({ dir: `--stores=${house}` }, args);

/** Whoever asks one store of the house. */
class Visitor extends Client {
  constructor(daemon, name) {
    super(daemon.url);
    this.name = name;
  }
  send(method, path, options) {
    return super.send(method, `/@${this.name}${path}`, options);
  }
}

async function owner(daemon, name) {
  const visitor = new Visitor(daemon, name);
  const answer = await visitor.signIn(PASSPHRASE);
  assert.equal(answer.status, 200, `${name}: ${answer.text}`);
  return visitor;
}

/** What an answer says, but for when it was said. */
const said = (answer) => {
  const { date: _, ...headers } = answer.headers;
  return { status: answer.status, headers, text: answer.text };
};

const names = Array.from({ length: STORES }, (_, i) => `store-${i}`);
await make(names[0], ...byKey);
await each([...names.slice(1, KEYS), "alone"], DERIVATIONS, (name) =>
  make(name, ...(name === "alone" ? [] : ["--use-key-file", key])),
); // the house's key does not open "alone"
for (const [i, name] of names.entries())
  if (i >= KEYS) cpSync(dirOf(names[i % KEYS]), dirOf(name), { recursive: true });
mkdirSync(dirOf("no-store"), { mode: 0o700 });
mkdirSync(dirOf("Upper"), { mode: 0o700 });

test("each store is under its name what one store is under /; the house tells nobody's", async () => {
  const daemon = await serveHouse(...byKey);
  const outside = new Client(daemon.url);
  const root = await outside.get("/");
  assert.equal(root.status, 200);
  assert.doesNotMatch(root.text, /store-|alone/);
  for (const [path, status] of [
    ["/health", 200],
    ["/metrics", 200],
    ["/api/openapi.json", 200],
    ["/api/datasets", 404],
    ["/js/main.js", 404],
    ["/@Upper/", 404],
    ["/@-a/", 404],
    [`/@${"a".repeat(33)}/`, 404],
    ["/%40store-0/health", 404],
  ])
    assert.equal((await outside.get(path)).status, status, path);
  const hasty = await outside.get("/@store-0");
  assert.deepEqual([hasty.status, hasty.headers.location], [308, "/@store-0/"]);
  assert.equal((await outside.get("/@nobody")).headers.location, "/@nobody/");

  const visitor = new Visitor(daemon, "store-0");
  const page = await visitor.get("/");
  assert.match(page.text, /<div id="app">/);
  for (const [, path] of page.text.matchAll(/(?:href|src)="([^"]+)"/g)) {
    assert.doesNotMatch(path, /^\//, "the pages' files are found beside them");
    assert.equal((await visitor.get(`/${path}`)).status, 200, path);
  }
  assert.equal((await visitor.get("/energy")).text, page.text);
  const below = await visitor.get("/consent/01JF8Z");
  for (const [, path] of below.text.matchAll(/(?:href|src)="([^"]+)"/g))
    assert.equal((await visitor.get(new URL(path, "http://x/consent/01JF8Z").pathname)).status, 200);
  assert.deepEqual(
    [...below.text.matchAll(/"(?:\.\.\/)?(js|style|vendor)\/[^"]+"/g)].length,
    [...page.text.matchAll(/"(js|style|vendor)\/[^"]+"/g)].length,
  );
  for (const path of ["/consent/", "/consent/a/b", "/energy/a"])
    assert.equal((await visitor.get(path)).status, 404, path);
  assert.deepEqual((await visitor.get("/health")).json, { status: "open" });
  assert.deepEqual((await new Visitor(daemon, "alone").get("/health")).json, { status: "locked" });
  const answer = await visitor.signIn(PASSPHRASE);
  assert.match(
    answer.headers["set-cookie"][0],
    /^traboule=[^;]+; Path=\/@store-0\/; HttpOnly; SameSite=Strict$/,
  );
  assert.equal((await visitor.get("/api/datasets")).status, 200);
  await daemon.stop();

  const proxied = await serveHouse("--proxy", "127.0.0.1", "--base-url", "https://coffres.example");
  const away = new Visitor(proxied, "alone");
  const headers = { Host: "coffres.example" };
  const secure = await away.post("/api/session", { passphrase: PASSPHRASE }, headers);
  assert.match(
    secure.headers["set-cookie"][0],
    /^__Secure-traboule=[^;]+; Path=\/@alone\/; HttpOnly; SameSite=Strict; Secure$/,
  );
  await proxied.stop();
});

test("nothing of one store is of use in another", async () => {
  const daemon = await serveHouse(...byKey);
  const owners = [];
  await each(names, DERIVATIONS, async (name) => owners.push(await owner(daemon, name)));
  const watts = (i) =>
    makeCurve({ start: Date.parse("2024-01-01T00:00:00Z"), watts: Array(48).fill(100 + 2 * i) });
  for (const [i, one] of owners.entries()) {
    const brought = await one.upload([{ name: "a.csv", text: watts(i) }]);
    assert.equal(brought.status, 200, brought.text);
    one.imported = (await one.get("/api/imports")).json.imports[0].id;
  }
  const refusals = { cookie: new Set(), csrf: new Set(), undo: new Set(), cursor: new Set() };
  const note = (kind, answer) => refusals[kind].add(JSON.stringify([answer.status, answer.text]));
  let tried = 0;
  await each(owners, 4, async (a) => {
    for (const b of owners) {
      if (a === b) continue;
      const intruder = new Visitor(daemon, b.name);
      intruder.agent = b.agent;
      Object.assign(intruder, { cookie: a.cookie, csrf: a.csrf });
      note("cookie", await intruder.get("/api/imports"));
      note("cookie", await intruder.post("/api/lock"));
      Object.assign(intruder, { cookie: b.cookie, csrf: a.csrf });
      note("csrf", await intruder.post(`/api/imports/${b.imported}/undo`));
      intruder.csrf = b.csrf;
      note("undo", await intruder.post(`/api/imports/${a.imported}/undo`));
      note("cursor", await intruder.get(`/api/imports?cursor=${a.imported}`));
      tried += 5;
    }
  });
  const status = (kind) => [...refusals[kind]].map((text) => JSON.parse(text)[0]);
  assert.equal(tried, STORES * (STORES - 1) * 5);
  assert.deepEqual(status("cookie"), [401], "all alike");
  assert.deepEqual(status("csrf"), [403]);
  for (const kind of ["undo", "cursor"])
    assert.deepEqual([...new Set(status(kind))], [kind === "undo" ? 404 : 400]);
  for (const one of owners) {
    const { imports } = (await one.get("/api/imports")).json;
    assert.deepEqual(
      [imports.length, imports[0].undone_at ?? null],
      [1, null],
      "nothing was changed",
    );
    assert.equal((await one.get("/api/session")).status, 200, "and nobody signed out");
    one.close();
  }
  await daemon.stop();
});

/** What an answer says, its keys being each store's own. */
const shape = (path, { text }) =>
  path === "/jwks"
    ? text
        .replace(/invalid\/[0-9a-f]{32}(\+[0-9a-f]{8})?"/g, 'invalid/ID$1"')
        .replace(/\+[0-9a-f]{8}"/g, '+KEY"')
        .replace(/"x":\s*"[\w-]{43}"/g, '"x":"KEY"')
    : text;

/** Everything that a stranger may try, and how long a sign-in takes at best. The try of the recovery code counts as
 * one of the five failures that are free. */
async function knock(daemon, name, tries) {
  const visitor = new Visitor(daemon, name);
  const answers = [];
  for (const [method, path, body] of [
    ["GET", "/"],
    ["GET", "/health"],
    ["GET", "/energy"],
    ["GET", "/nothing"],
    ["GET", "/api/openapi.json"],
    ["GET", "/api/datasets"],
    ["GET", "/api/session"],
    ["GET", `/api/records/${CONSUMPTION}`],
    ["GET", "/metrics"],
    ["GET", "/jwks"],
    ["GET", "/consent/01JF8Z"],
    ["PUT", "/api/session"],
    ["POST", "/api/lock"],
    ["POST", "/api/session", { pass: 1 }],
    ["POST", "/api/recover", { code: "AAAAA-AAAAA", passphrase: PASSPHRASE }],
  ]) {
    const answer = await visitor.ask(method, path, body);
    if (path === "/metrics") answer.headers["content-length"] = "some";
    const text = path === "/metrics" ? "" : shape(path, answer);
    answers.push({ method, path, ...said(answer), text });
  }
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < tries; i++) {
    const begun = performance.now();
    answers.push(said(await visitor.post("/api/session", { passphrase: `${PASSPHRASE}?` })));
    if (answers.at(-1).status === 401) best = Math.min(best, performance.now() - begun); // it was tried
  }
  visitor.close();
  return { answers, best };
}

test("a name without a store answers as one whose passphrase is wrong, and takes as long", async () => {
  for (const [args, name, tries] of [
    [byKey, "store-1", 5],
    [[], "alone", 2],
  ]) {
    const daemon = await serveHouse(...args);
    const there = await knock(daemon, name, tries);
    const nobody = await knock(daemon, "nobody", tries);
    assert.deepEqual(nobody.answers, there.answers);
    assert.deepEqual((await knock(daemon, "no-store", 1)).answers, there.answers.slice(0, 1 - tries));
    assert.equal(there.answers.at(-2).status, 401);
    if (tries === 5)
      assert.equal(there.answers.at(-1).status, 429, "each name has a count of its own");
    const ratio = nobody.best / there.best;
    assert.ok(ratio > 0.6 && ratio < 1.7, `${nobody.best} ms against ${there.best} ms`);
    await daemon.stop();
  }
});

test("few are open; who gives way comes back by itself, but not from a lock", async () => {
  const more = Array.from({ length: OPEN_AT_ONCE }, (_, i) => `copy-${i}`);
  for (const name of more) cpSync(dirOf("store-0"), dirOf(name), { recursive: true });
  const daemon = await serveHouse(...byKey);
  const first = await owner(daemon, "store-1");
  assert.ok(existsSync(join(dirOf("store-1"), "control")), "commands go to the daemon");
  const others = more.map((name) => new Visitor(daemon, name));
  const askAll = async () => {
    const seen = new Set();
    await each(others, 4, async (one) => seen.add((await one.get("/jwks")).status)); // public, out of the store
    return [...seen];
  };
  assert.deepEqual(await askAll(), [200]);
  assert.ok(!existsSync(join(dirOf("store-1"), "control")), "it is at rest");
  const open = Number(
    /^traboule_stores_open (\d+)$/m.exec((await new Client(daemon.url).get("/metrics")).text)[1],
  );
  assert.ok(open > 0 && open <= OPEN_AT_ONCE, `${open} are open`);

  const list = await run(["datasets", dirOf("store-1"), ...byKey, "--json"]);
  assert.equal(list.status, 0, list.err);
  const fifo = join(folder, "fifo");
  assert.equal(spawnSync("mkfifo", [fifo]).status, 0);
  const slow = spawn(PROGRAM, ["import", dirOf("store-1"), fifo, ...byKey, "--json"], {
    stdio: "ignore",
  });
  const writer = spawn("sh", ["-c", `exec cat > ${fifo}`], { stdio: ["pipe", "ignore", "ignore"] });
  for (let i = 0; i < 200 && !existsSync(join(dirOf("store-1"), "vault.db-wal")); i++)
    await soon(20);
  const busy = await first.get("/api/datasets");
  assert.deepEqual([busy.status, busy.headers["retry-after"]], [503, "1"], "a command has it");
  assert.equal((await first.get("/api/session")).status, 200, "the session is none the worse");
  writer.stdin.end(makeCurve({ start: Date.parse("2024-01-01T00:00:00Z"), watts: [100, 200] }));
  await new Promise((resolve) => slow.once("close", resolve));

  const begun = performance.now();
  const back = await first.get("/api/datasets");
  const cold = performance.now() - begun;
  assert.equal(back.status, 200, back.text);
  console.log(`first answer of a store at rest: ${cold.toFixed(1)} ms`);
  assert.ok(existsSync(join(dirOf("store-1"), "control")));
  const served = await run(["sources", dirOf("store-1"), ...byKey, "--json"]);
  assert.equal(served.status, 0, served.err);

  assert.equal((await first.post("/api/lock")).status, 204);
  assert.deepEqual((await first.get("/health")).json, { status: "locked" });
  assert.equal(
    (await first.get("/api/datasets")).status,
    503,
    "the house's key does not undo a lock",
  );
  assert.equal((await run(["sources", dirOf("store-1"), ...byKey, "--json"])).status, 0);
  assert.equal((await first.get("/api/datasets")).status, 503);
  assert.equal((await first.signIn(PASSPHRASE)).status, 200);
  assert.equal((await first.get("/api/datasets")).status, 200);

  assert.deepEqual(await askAll(), [200], "whoever asks is let in");
  for (const one of [...others, first]) one.close();
  await daemon.stop();
  assert.ok(!existsSync(join(dirOf("copy-1"), "control")));
  for (const name of more) rmSync(dirOf(name), { recursive: true });
});

test("stores come and go while the house is served", async () => {
  const daemon = await serveHouse(...byKey);
  const visitor = new Visitor(daemon, "late");
  assert.equal((await visitor.signIn(PASSPHRASE)).status, 401);
  await make("late", "--use-key-file", key);
  assert.equal((await visitor.signIn(PASSPHRASE)).status, 200);
  assert.equal((await visitor.get("/api/datasets")).status, 200);
  rmSync(dirOf("late"), { recursive: true });
  assert.equal((await visitor.get("/api/datasets")).status, 401, "its session went with it");
  await make("late", "--use-key-file", key);
  assert.equal((await visitor.get("/api/datasets")).status, 401, "another store of that name");
  assert.equal((await visitor.signIn(PASSPHRASE)).status, 200);
  rmSync(dirOf("late"), { recursive: true });
  await daemon.stop();
});

/** An upload that waits in the middle: it holds one worker. `finish` sends the rest. */
function hang({ name, url, cookie, csrf }) {
  const BODY = 1000;
  const part =
    '--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nHorodate';
  const { hostname, port, host } = new URL(url);
  const socket = connect(port, hostname);
  const upload = { socket, said: "" };
  upload.answered = new Promise((resolve) => {
    socket.setEncoding("utf8").on("data", (text) => {
      upload.said += text;
      resolve(upload.said);
    });
  });
  upload.finish = () => socket.write(" ".repeat(BODY - part.length));
  socket.on("error", () => {}); // the daemon may close first
  socket.write(
    `POST /@${name}/api/imports HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nX-CSRF-Token: ${csrf}\r\n` +
      `Content-Type: multipart/form-data; boundary=x\r\nContent-Length: ${BODY}\r\n\r\n${part}`,
  );
  return upload;
}

test("one store's long requests leave half of the workers to others, and its lock cuts its own alone", async () => {
  const daemon = await serveHouse(...byKey);
  const greedy = await owner(daemon, "store-2");
  const modest = await owner(daemon, "store-3");
  const held = Array.from({ length: 12 }, () => hang(greedy));
  await soon(300);
  const refused = held.filter(({ said }) => /^HTTP\/1.1 503 /.test(said));
  assert.equal(refused.length, 6);
  assert.equal((await greedy.get("/api/datasets")).status, 200, "what is short has a place");
  assert.equal((await modest.get("/api/datasets")).status, 200);
  const other = hang(modest);
  await soon(100);
  assert.equal((await greedy.post("/api/lock")).status, 204);
  for (const { socket } of held) socket.destroy();
  await soon(200);
  assert.equal((await greedy.signIn(PASSPHRASE)).status, 200);
  const one = hang(greedy);
  await soon(200);
  assert.equal((await greedy.post("/api/lock")).status, 204);
  one.finish();
  assert.match(await one.answered, /^HTTP\/1.1 503 /);
  assert.equal(other.said, "");
  other.finish();
  assert.match(
    await other.answered,
    /^HTTP\/1.1 4\d\d /,
    "another store's upload went on, to a broken end",
  );
  assert.equal((await modest.get("/api/imports")).status, 200);
  for (const { socket } of [one, other]) socket.destroy();
  await daemon.stop();
});

test("what makes no sense on the command line is told", async () => {
  for (const args of [
    ["serve"],
    ["serve", dirOf("store-0"), "--stores", house],
    ["serve", "--stores", house, "--passphrase-file", secret],
    ["serve", "--stores", house, "--idle-minutes", "0"],
    ["serve", "--stores", house, "--developer", "--proxy", "127.0.0.1"],
    [
      "serve",
      dirOf("store-0"),
      "--developer",
      "--listen",
      "0.0.0.0:0",
      "--base-url",
      "https://a.example",
    ],
    ["init", dirOf("x"), ...byKey, "--use-key-file", key, "--passphrase-file", secret],
  ])
    assert.equal((await run(args)).status, 2, args.join(" "));
  const daemon = await serveHouse("--developer");
  await daemon.stop();
});

if (NIGHTLY)
  test("with a thousand names asked for, a stranger's trouble stays small", async () => {
    const daemon = await serveHouse(...byKey);
    const visitor = new Client(daemon.url);
    for (let i = 0; i < 1000; i++)
      assert.equal((await visitor.get(`/@name-${i}/health`)).status, 200);
    await daemon.stop();
  });
