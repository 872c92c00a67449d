/* Documents, over HTTP and on the command line: what is kept, found, sent in part, shown, deleted; and what a kill,
 * a lock and a very large file do to them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Client, makeForm, makeStore, NIGHTLY, put, run, serve } from "./program_common.mjs";

const store = await makeStore();
const key = ["--key-file", store.key];
const owned = async (daemon, of = store) => {
  const owner = new Client(daemon.url);
  assert.equal((await owner.signIn(of.passphrase)).status, 200);
  return owner;
};
let daemon = await serve(store);
let owner = await owned(daemon);
const soon = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const files = () => readdirSync(join(store.dir, "files"));

const add = (parts, path = "/api/documents", headers = {}) => {
  const form = makeForm(parts);
  return owner.post(path, form.body, { "Content-Type": form.type, ...headers });
};
const fact = (field, text) => ({ field, text });
const file = (name, text) => ({ name, text });
const list = async (query = "") => (await owner.get(`/api/documents${query}`)).json.documents;

test("a document is kept as it is told, facts before and after the file", async () => {
  const text = "Consommation d'électricité : 412 kWh";
  const made = await add([
    fact("kind", "energy-bill"),
    fact("title", "Facture de janvier"),
    file("facture.txt", text),
    fact("number", "F-2026-001"),
    fact("issuer", "Énergie de Lyon"),
    fact("issued", "2026-01-31"),
    fact("expires", "2027-01-31"),
    fact("tags", "maison, caf,,maison"),
    fact("note", "payée\nle 3"),
  ]);
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers.etag, '"1"');
  const d = made.json;
  assert.equal(made.headers.location, `/api/documents/${d.id}`);
  assert.deepEqual(
    [d.kind, d.title, d.number, d.issued],
    ["energy-bill", "Facture de janvier", "F-2026-001", "2026-01-31"],
  );
  assert.deepEqual(d.tags, ["caf", "maison"]);
  assert.equal(d.sha256, createHash("sha256").update(text).digest("hex"));
  assert.deepEqual(
    [d.file, d.type, d.size, d.versions.length],
    ["facture.txt", "text/plain", Buffer.byteLength(text), 1],
  );
  const got = await owner.get(`/api/documents/${d.id}`);
  assert.deepEqual(got.json, d);
  assert.equal((await owner.get(`/api/documents/${d.id}`, { "If-None-Match": '"1"' })).status, 304);
  const content = await owner.get(`/api/documents/${d.id}/content`);
  assert.equal(content.text, text);
  assert.equal(content.headers["content-type"], "text/plain; charset=utf-8");
  assert.match(content.headers["content-disposition"], /^attachment; filename="facture.txt"/);
});

test("what breaks a rule is refused, and nothing of it stays", async () => {
  const before = files().length;
  for (const [parts, status] of [
    [[fact("kind", "poem"), file("a", "x")], 400],
    [[file("a", "x"), fact("kind", "poem")], 400],
    [[file("a", "x"), fact("issued", "31/01/2026")], 400],
    [[file("a", "x"), fact("owner", "me")], 400],
    [[fact("title", "un"), fact("title", "deux"), file("a", "x")], 400],
    [[fact("tags", "un"), file("a", "x"), fact("tags", "deux")], 400],
    [[{ field: "title", name: "t.txt", text: "x" }, file("a", "x")], 400],
    [[file("a", "x"), file("b", "y")], 400],
    [[fact("title", "sans fichier")], 400],
    [[fact("file", "pas un fichier")], 400],
    [[file("", "")], 400],
    [[fact("title", "x".repeat(600)), file("a", "x")], 400],
  ])
    assert.equal((await add(parts)).status, status, JSON.stringify(parts.map((p) => p.field)));
  assert.equal(files().length, before);
  const json = await owner.post("/api/documents", { title: "x" });
  assert.equal(json.status, 415);
});

test("words are found without accents or case, by a beginning, and no query language passes", async () => {
  for (const [words, count] of [
    ["electricite", 1],
    ["ÉLECTRICITÉ", 1],
    ["consommation 412", 1],
    ["janv", 1],
    ["f-2026", 1],
    ["energie de lyon", 1],
    ["maison", 1],
    ["facture OR absent", 0],
    ["title:janvier", 0],
    ['"', 0],
    ["*", 0],
    ["absent", 0],
  ])
    assert.equal((await list(`?q=${encodeURIComponent(words)}`)).length, count, words);
  assert.equal((await list("?kind=energy-bill&tag=caf&expiring=2027-02-01")).length, 1);
  assert.equal((await list("?tag=absent")).length, 0);
  assert.equal((await owner.get("/api/documents?kind=absent")).status, 400);
  const kinds = (await owner.get("/api/documents/kinds")).json.kinds;
  assert.ok(kinds.length >= 16 && kinds.every((k) => k.name && k.fr && k.en));
});

test("a change names the revision it was made on, or is made on whatever is there", async () => {
  const { id } = (await add([file("bail.txt", "un bail")])).json;
  const path = `/api/documents/${id}`;
  const change = (body, headers) => owner.ask("PATCH", path, body, headers);
  const done = await change(
    { title: "Bail", tags: ["toit"], remind_days: 10 },
    { "If-Match": '"1"' },
  );
  assert.equal(done.status, 200, done.text);
  assert.equal(done.headers.etag, '"2"');
  assert.deepEqual(
    [done.json.title, done.json.tags, done.json.remind_days],
    ["Bail", ["toit"], 10],
  );
  assert.equal((await change({ title: "Autre" }, { "If-Match": '"1"' })).status, 412);
  assert.equal((await owner.ask("DELETE", path, undefined, { "If-Match": '"1"' })).status, 412);
  assert.equal((await change({ expires: "2030-01-01" })).json.expires, "2030-01-01");
  assert.equal((await change({ expires: null })).json.expires, null);
  for (const body of [
    { title: 3 },
    { nothing: "x" },
    { tags: "a" },
    { title: null },
    { remind_days: -1 },
  ])
    assert.equal((await change(body)).status, 400, JSON.stringify(body));
  assert.equal((await owner.ask("PATCH", "/api/documents/absent", { title: "x" })).status, 404);
});

test("versions: the newest is the file, those before are still there", async () => {
  const { id } = (await add([file("v1.txt", "premier texte")])).json;
  const path = `/api/documents/${id}`;
  const second = await add([file("v2.csv", "a;b\n1;2\n")], `${path}/versions`, {
    "If-Match": '"1"',
  });
  assert.equal(second.status, 201, second.text);
  assert.deepEqual(
    [second.json.file, second.json.type, second.json.revision],
    ["v2.csv", "text/csv", 2],
  );
  assert.equal(
    (await add([file("v3", "x")], `${path}/versions`, { "If-Match": '"1"' })).status,
    412,
  );
  assert.equal((await add([fact("title", "x"), file("v3", "x")], `${path}/versions`)).status, 400);
  assert.equal((await add([file("v", "x")], "/api/documents/absent/versions")).status, 404);
  assert.equal((await owner.get(`${path}/content`)).text, "a;b\n1;2\n");
  assert.equal((await owner.get(`${path}/content?version=1`)).text, "premier texte");
  assert.equal((await owner.get(`${path}/content?version=3`)).status, 404);
});

test("a file is sent in part, as asked", async () => {
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7919) % 251));
  const { id, sha256 } = (await add([{ name: "l’été.bin", text: bytes }])).json;
  const path = `/api/documents/${id}/content`;
  const ask = (range, headers = {}) => owner.get(path, { Range: range, ...headers });
  for (const [range, from, to] of [
    ["bytes=0-0", 0, 0],
    ["bytes=65530-65545", 65530, 65545],
    ["bytes=131072-", 131072, 199_999],
    ["bytes=-5", 199_995, 199_999],
    ["bytes=100-9999999", 100, 199_999],
  ]) {
    const part = await ask(range);
    assert.equal(part.status, 206, range);
    assert.equal(part.headers["content-range"], `bytes ${from}-${to}/200000`);
    assert.equal(part.headers["content-length"], String(to - from + 1));
    assert.ok(part.body.equals(bytes.subarray(from, to + 1)), range);
  }
  const beyond = await ask("bytes=200000-");
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers["content-range"], "bytes */200000");
  for (const range of ["bytes=0-1,5-6", "bytes=5-1", "lines=1-2"])
    assert.equal((await ask(range)).status, 200);
  assert.equal((await ask("bytes=0-1", { "If-Range": `"${sha256}"` })).status, 206);
  assert.equal((await ask("bytes=0-1", { "If-Range": '"other"' })).status, 200);
  const whole = await owner.get(path);
  assert.equal(whole.headers.etag, `"${sha256}"`);
  assert.equal(whole.headers["accept-ranges"], "bytes");
  assert.equal(whole.headers["content-length"], "200000");
  assert.match(
    whole.headers["content-disposition"],
    /filename\*=UTF-8''l%E2%80%99%C3%A9t%C3%A9\.bin$/,
  );
  assert.equal((await owner.get(path, { "If-None-Match": whole.headers.etag })).status, 304);
  const head = await owner.ask("HEAD", path);
  assert.deepEqual(
    [head.status, head.headers["content-length"], head.body.length],
    [200, "200000", 0],
  );
});

test("what a browser could run is only ever downloaded", async () => {
  for (const [name, text, shown] of [
    ["page.html", "<!doctype html><script>alert(1)</script>", 200], // as plain text
    ["image.svg", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 200], // as plain text
    ["photo.png", Buffer.from("\x89PNG\r\n\x1a\n\0\0", "latin1"), 200],
    ["page.pdf", "%PDF-1.7 <html>", 200],
    ["mhtml.html", Buffer.from("\0<script>", "latin1"), 415],
    ["a.csv", "=cmd()", 415],
  ]) {
    const { id } = (await add([{ name, text }])).json;
    const kept = await owner.get(`/api/documents/${id}/content`);
    assert.match(kept.headers["content-disposition"], /^attachment/, name);
    const inline = await owner.get(`/api/documents/${id}/content?inline=1`);
    assert.equal(inline.status, shown, name);
    for (const answer of shown === 200 ? [kept, inline] : [kept]) {
      assert.doesNotMatch(answer.headers["content-type"], /html|svg|xml|script/, name);
      assert.equal(answer.headers["x-content-type-options"], "nosniff");
      assert.equal(answer.headers["content-security-policy"], "sandbox; default-src 'none'");
    }
  }
});

test("bundles", async () => {
  const [one, two] = await list("?limit=2");
  const made = await owner.post("/api/bundles", {
    title: "Dossier CAF",
    documents: [one.id, two.id],
  });
  assert.equal(made.status, 201, made.text);
  const path = `/api/bundles/${made.json.id}`;
  assert.equal((await list(`?bundle=${made.json.id}`)).length, 2);
  assert.deepEqual((await owner.get(`/api/documents/${one.id}`)).json.bundles, [made.json.id]);
  const changed = await owner.ask("PUT", path, { title: "CAF", documents: [two.id] });
  assert.deepEqual(changed.json, { id: made.json.id, title: "CAF", documents: [two.id] });
  assert.equal((await owner.ask("PUT", path, { title: "CAF", documents: ["absent"] })).status, 400);
  assert.equal(
    (await owner.ask("PUT", "/api/bundles/absent", { title: "x", documents: [] })).status,
    404,
  );
  assert.equal((await owner.get("/api/bundles")).json.bundles.length, 1);
  assert.equal((await owner.ask("DELETE", path)).status, 204);
  assert.equal((await owner.ask("DELETE", path)).status, 404);
  assert.equal((await list(`?bundle=${made.json.id}`)).length, 0);
});

/** Every byte of the store's folder. */
function grep(dir, needles) {
  const found = [];
  for (const name of readdirSync(dir)) {
    const path = join(dir, name);
    const facts = statSync(path);
    if (facts.isDirectory()) found.push(...grep(path, needles));
    else if (facts.isFile()) {
      const bytes = readFileSync(path);
      found.push(...needles.filter((n) => bytes.includes(n) || path.includes(n)));
    }
  }
  return found;
}

test("nothing of a document stands in clear in the store's folder", async () => {
  const needles = [
    "CanariTitre",
    "CANARI-880692",
    "canari-fichier",
    "CanariContenu",
    "canaritag",
    "CanariBundle",
  ];
  const made = await add([
    fact("title", "CanariTitre"),
    fact("number", "CANARI-880692"),
    fact("tags", "canaritag"),
    file("canari-fichier.txt", "CanariContenu ".repeat(5000)),
  ]);
  await owner.post("/api/bundles", { title: "CanariBundle", documents: [made.json.id] });
  assert.equal((await list("?q=canaricontenu")).length, 1);
  assert.deepEqual(grep(store.dir, needles), []);
  const trail = await owner.get("/api/trail?limit=1000");
  if (trail.status === 200)
    assert.deepEqual(
      needles.filter((n) => trail.text.includes(n)),
      [],
    );
  const before = files().length;
  assert.equal((await owner.ask("DELETE", `/api/documents/${made.json.id}`)).status, 204);
  assert.equal(files().length, before - 1);
  assert.equal((await list("?q=canaricontenu")).length, 0);
  assert.equal((await owner.get(`/api/documents/${made.json.id}/content`)).status, 404);
});

test("the command line, while the daemon runs and while it does not", async () => {
  const path = put(store.folder, "attestation.txt", "Attestation d'assurance habitation");
  const out = join(store.folder, "out.txt");
  for (const running of [true, false]) {
    if (!running) await daemon.stop();
    const documents = (...words) => run(["documents", store.dir, ...words, ...key]);
    const added = await documents(
      "add",
      path,
      "--kind",
      "insurance-certificate",
      "--tags",
      "toit,assurance",
      "--json",
    );
    assert.equal(added.status, 0, added.err);
    assert.deepEqual(
      [added.json.file, added.json.tags],
      ["attestation.txt", ["assurance", "toit"]],
    );
    const { id } = added.json;
    assert.deepEqual(
      (await documents("find", "assurance", "habit", "--json")).json.documents.map((d) => d.id),
      [id],
    );
    assert.match((await documents()).out, new RegExp(id));
    assert.equal((await documents("--limit", "1", "--json")).json.documents.length, 1);
    assert.equal((await documents("get", id)).out, "Attestation d'assurance habitation");
    assert.equal((await documents("get", id, "-o", out)).status, 0);
    assert.equal(readFileSync(out, "utf8"), "Attestation d'assurance habitation");
    rmSync(out);
    assert.equal((await documents("delete", id)).status, 0);
    assert.equal((await documents("get", id, "-o", out)).status, 1);
    assert.throws(() => statSync(out));
    assert.equal((await documents("add", path, "--kind", "poem")).status, 2);
    assert.equal((await documents("add")).status, 2);
    assert.equal((await documents("lend", id)).status, 2);
    assert.equal((await documents("--expiring", "demain")).status, 1);
  }
  daemon = await serve(store);
  owner = await owned(daemon);
});

const PIECE = Buffer.alloc(1024 * 1024, "Traboule ");

/** Send a form with a file of so many pieces, as fast as it is taken; stops early when told. */
function pour(pieces, { stopAfter = pieces, hash } = {}) {
  const [head, tail] = makeForm([file("grand.bin", "@")])
    .body.toString("latin1")
    .split("@");
  const { hostname, port } = new URL(daemon.url);
  const asked = request({
    ...{ hostname, port, path: "/api/documents", method: "POST" },
    headers: {
      Cookie: owner.cookie,
      "X-CSRF-Token": owner.csrf,
      "Content-Type": "multipart/form-data; boundary=xTraboulex",
      "Content-Length": head.length + pieces * PIECE.length + tail.length,
    },
  });
  const answered = new Promise((resolve, reject) => {
    asked.once("error", reject);
    asked.once("response", async (answer) => {
      const all = [];
      for await (const bytes of answer) all.push(bytes);
      resolve({ status: answer.statusCode, text: Buffer.concat(all).toString() });
    });
  });
  const sent = (async () => {
    asked.write(head);
    for (let i = 0; i < stopAfter; i++) {
      PIECE.writeUInt32LE(i, 0);
      hash?.update(PIECE);
      if (!asked.write(Buffer.from(PIECE))) await once(asked, "drain");
    }
    if (stopAfter === pieces) asked.end(tail);
  })();
  return { answered, sent, asked };
}

test("a kill in the middle of an upload leaves nothing once the store is open again", async () => {
  const before = files().length;
  const { answered, sent } = pour(64, { stopAfter: 8 });
  answered.catch(() => {}); // the daemon dies under it
  await sent;
  while (
    files().length === before ||
    statSync(
      join(
        store.dir,
        "files",
        files().find((n) => n.includes(".new")),
      ),
    ).size < 1e6
  )
    await soon(10);
  await daemon.kill();
  assert.equal(files().length, before + 1);
  daemon = await serve(store);
  owner = await owned(daemon);
  assert.equal(files().length, before);
  assert.equal((await run(["check", store.dir, ...key, "--json"])).json.ok, true);
});

test("a file that was changed is never sent as if it were whole, and is named by a check", async () => {
  const other = await makeStore("changed");
  const path = put(other.folder, "grand.bin", Buffer.alloc(900_000, "Traboule "));
  const added = await run(["documents", other.dir, "add", path, "--key-file", other.key, "--json"]);
  const [name] = readdirSync(join(other.dir, "files"));
  const sealed = join(other.dir, "files", name);
  const bytes = readFileSync(sealed);
  bytes[700_000] ^= 1;
  writeFileSync(sealed, bytes);
  const served = await serve(other);
  const client = await owned(served, other);
  const content = `/api/documents/${added.json.id}/content`;
  assert.equal((await client.get(content, { Range: "bytes=0-99" })).status, 206);
  await assert.rejects(client.get(content));
  await assert.rejects(client.get(content, { Range: "bytes=699000-701000" }));
  const out = join(other.folder, "out.bin");
  const words = ["get", added.json.id, "-o", out, "--key-file", other.key];
  assert.equal((await run(["documents", other.dir, ...words])).status, 3);
  assert.throws(() => statSync(out));
  const check = await run(["check", other.dir, "--key-file", other.key, "--json"]);
  assert.equal(check.status, 3);
  assert.deepEqual(
    check.json.problems.map((one) => one.where),
    [`files/${name}`],
  );
  client.close();
  await served.stop();
});

test("a store that lost its empty folder of files opens, and takes some", async () => {
  const other = await makeStore("other");
  rmSync(join(other.dir, "files"), { recursive: true });
  const path = put(other.folder, "a.txt", "a");
  const added = await run(["documents", other.dir, "add", path, "--key-file", other.key, "--json"]);
  assert.equal(added.status, 0, added.err);
  assert.equal(readdirSync(join(other.dir, "files")).length, 1);
});

const memory = () => {
  const text = readFileSync(`/proc/${daemon.pid}/status`, "utf8");
  return Number(/RssAnon:\s+(\d+)/.exec(text)[1]) / 1024; // what files take besides is the system's cache
};

/** The most memory the daemon has meanwhile, in MiB. */
async function watch(work) {
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, memory());
  }, 20);
  const value = await work();
  clearInterval(timer);
  return { value, most: Math.max(most, memory()) };
}

test("memory stays flat under a file of any size", async () => {
  const pieces = NIGHTLY ? 2048 : 256; // of 1 MiB: at night the largest that is taken
  const warm = pour(2);
  assert.equal((await warm.answered).status, 201);
  const before = memory();
  const hash = createHash("sha256");
  const up = await watch(async () => {
    const { answered, sent } = pour(pieces, { hash });
    await sent;
    return answered;
  });
  assert.equal(up.value.status, 201, up.value.text);
  const { id, sha256, size } = JSON.parse(up.value.text);
  assert.equal(size, pieces * PIECE.length);
  assert.equal(sha256, hash.digest("hex"));
  const down = await watch(async () => {
    const got = createHash("sha256");
    const { hostname, port } = new URL(daemon.url);
    const asked = request({
      hostname,
      port,
      path: `/api/documents/${id}/content`,
      headers: { Cookie: owner.cookie },
    });
    asked.end();
    const [answer] = await once(asked, "response");
    for await (const bytes of answer) got.update(bytes);
    return got.digest("hex");
  });
  assert.equal(down.value, sha256);
  console.log(
    `memory: ${before.toFixed(1)} MiB, up +${(up.most - before).toFixed(1)}, down +${(down.most - before).toFixed(1)}`,
  );
  assert.ok(up.most - before <= 4, `up: ${up.most - before} MiB more`);
  assert.ok(down.most - before <= 4, `down: ${down.most - before} MiB more`);
});

test("a lock cuts a download that nobody reads, and an upload, within a second or two", async () => {
  const [big] = await list("?q=grand&limit=1");
  const socket = connect(new URL(daemon.url).port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(
    `GET /api/documents/${big.id}/content HTTP/1.1\r\nHost: ${new URL(daemon.url).host}\r\nCookie: ${owner.cookie}\r\n\r\n`,
  );
  await once(socket, "data");
  socket.pause();
  const { answered, sent } = pour(64, { stopAfter: 2 });
  const upload = answered.then(
    (answer) => answer.status,
    () => "cut",
  );
  await sent;
  await soon(200);
  const begun = performance.now();
  assert.equal((await owner.post("/api/lock")).status, 204);
  const ms = performance.now() - begun;
  assert.ok(ms < 1000, `${ms} ms`);
  assert.equal((await owner.get("/health")).json.status, "locked");
  socket.on("error", () => {});
  socket.resume();
  await once(socket, "close");
  assert.ok([503, "cut"].includes(await upload));
  assert.equal((await owner.get(`/api/documents/${big.id}/content`)).status, 503);
  assert.equal((await owner.signIn(store.passphrase)).status, 200);
  assert.deepEqual(
    files().filter((name) => name.includes(".new")),
    [],
  );
  owner.close();
  await daemon.stop();
});
