/* The trail from outside: what is told in it, and that nothing can be altered, dropped, moved, cut or rolled back
 * unnoticed. Three programs must say the same of every file: ours, one written from the specifications
 * (trail_verifier.mjs), and one on golang.org/x/mod (trail_verifier.go), where there is Go. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Client, CONSUMPTION, instant, makeCurve, makeRandom, makeStore, NIGHTLY, put, run, serve } from "./program_common.mjs";
import { readCheckpoint, verifyCheckpoint, verifyProof, verifyTrail } from "./trail_verifier.mjs";

const GOPATH = "/usr/share/gocode";
const LINES = NIGHTLY ? 2000 : 45;

await test("the trail", async (t) => {
const store = await makeStore();
const key = ["--key-file", store.key];
const trailOf = async (...args) => {
  const answer = await run(["trail", store.dir, ...key, ...args]);
  assert.equal(answer.status, 0, answer.err);
  return answer;
};
const last = async () => (await trailOf("--json")).json.entries.at(-1);

/* ---- What is told ---- */

const curve = put(store.folder, "curve.csv", makeCurve({ start: Date.parse("2024-01-01T00:00:00Z"), watts: [100, 200, 300] }));
const imported = await run(["import", store.dir, curve, ...key, "--json"]);
assert.equal(imported.status, 0);
const importId = imported.json.files[0].import;
const early = (await trailOf("--checkpoint")).out; // what an owner may have kept
const old = join(store.folder, "old");
cpSync(store.dir, old, { recursive: true });

await t.test("commands leave their lines, with ids and datasets alone", async () => {
  const [begun, import_, ...more] = (await trailOf("--json")).json.entries;
  assert.deepEqual(more, []);
  assert.equal(begun.kind, "trail.begun");
  assert.deepEqual([import_.kind, import_.who, import_.what, import_.consent], ["imported", "owner", `${importId} ${CONSUMPTION}`, null]);
  assert.equal((await run(["imports", store.dir, "undo", importId, ...key])).status, 0);
  assert.deepEqual([(await last()).kind, (await last()).what], ["import.undone", importId]);
  const fresh = put(store.folder, "fresh", `${store.passphrase} encore`);
  const words = ["--passphrase-file", store.secret, "--new-passphrase-file", fresh, "--kdf-memory-mib", "64"];
  assert.equal((await run(["passphrase", store.dir, ...words])).status, 0);
  assert.equal((await last()).kind, "passphrase.changed");
  const code = put(store.folder, "code", store.code);
  const recover = ["--recovery-code-file", code, "--new-passphrase-file", store.secret, "--kdf-memory-mib", "64"];
  assert.equal((await run(["recover", store.dir, ...recover])).status, 0);
  assert.equal((await last()).kind, "recovery.used");
});

await t.test("what the owner reads leaves no line", async () => {
  const before = (await last()).index;
  for (const words of [["query", store.dir, CONSUMPTION], ["datasets", store.dir], ["trail", store.dir], ["check", store.dir]])
    assert.equal((await run([...words, ...key])).status, 0);
  assert.equal((await last()).index, before);
});

const daemon = await serve(store, key);
const client = new Client(daemon.url);

await t.test("the daemon tells who came in, and who tried", async () => {
  assert.equal((await last()).kind, "store.opened");
  for (let i = 0; i < 3; i++) assert.equal((await client.signIn("not the passphrase")).status, 401);
  assert.equal((await client.signIn(store.passphrase)).status, 200);
  const [failed, in_] = (await trailOf("--json")).json.entries.slice(-2);
  assert.deepEqual([failed.kind, failed.what, in_.kind], ["sign-in.failed", "3", "sign-in"]);
});

await t.test("tries while the owner is in are told of, once a minute at most", async () => {
  const stranger = new Client(daemon.url);
  assert.equal((await stranger.signIn("not the passphrase")).status, 401);
  assert.equal((await client.get("/api/imports")).status, 200);
  assert.deepEqual([(await last()).kind, (await last()).what], ["sign-in.failed", "1"]);
  assert.equal((await stranger.signIn("not the passphrase")).status, 401);
  const before = (await last()).index;
  assert.equal((await client.get("/api/imports")).status, 200);
  assert.equal((await last()).index, before);
  stranger.close();
});

await t.test("each put is a line, durable when it is answered", async () => {
  const from = (await last()).index + 1;
  for (let i = 0; from + i < LINES; i++) {
    const start = Date.parse("2024-03-01T00:00:00Z") + i * 3_600_000;
    const records = [{ start: instant(start), end: instant(start + 3_600_000), value: 100 + i }];
    const answer = await client.post(`/api/records/${CONSUMPTION}`, { records });
    assert.equal(answer.status, 200);
    if (i === 0) assert.deepEqual([(await last()).kind, (await last()).what], ["records.put", `${answer.json.import} ${CONSUMPTION}`]);
  }
  assert.equal((await last()).index, LINES - 1);
});

/* ---- Over HTTP ---- */

await t.test("the addresses tell the same as the command", async () => {
  const whole = (await trailOf("--json")).json;
  const answer = (await client.get("/api/trail?limit=1000")).json;
  assert.deepEqual(answer.entries, whole.entries.slice(0, 1000));
  assert.equal(answer.vkey, whole.vkey);
  const page = (await client.get("/api/trail?limit=2&order=desc")).json;
  assert.deepEqual(page.entries.map((entry) => entry.index), [LINES - 1, LINES - 2]);
  const next = (await client.get(`/api/trail?limit=2&order=desc&cursor=${page.next}`)).json;
  assert.deepEqual(next.entries.map((entry) => entry.index), [LINES - 3, LINES - 4]);
  const tries = (await client.get("/api/trail?kind=sign-in.failed&who=stranger")).json.entries;
  assert.deepEqual(tries.map((entry) => entry.what), ["3", "1"]);
  assert.equal((await client.get("/api/trail?from=2000-01-01&to=2001-01-01")).json.entries.length, 0);
  assert.equal((await client.get("/api/trail/checkpoint")).text, whole.checkpoint);
  const proof = await client.get("/api/trail/1/proof");
  assert.match(proof.headers["content-type"], /^text\/plain/);
  assert.equal(verifyProof(proof.text, whole.vkey), "");
  assert.equal((await client.get(`/api/trail/${LINES}/proof`)).status, 404);
  for (const query of ["kind=nothing", "order=up", "cursor=x", "cursor=-1", "limit=0", "from=yesterday", "what=1"])
    assert.equal((await client.get(`/api/trail?${query}`)).status, 400, query);
  const stranger = new Client(daemon.url);
  for (const path of ["/api/trail", "/api/trail/checkpoint", "/api/trail/0/proof"])
    assert.equal((await stranger.get(path)).status, 401, path);
  stranger.close();
});

await t.test("anyone gets the keys, and not of a locked store", async () => {
  const whole = (await trailOf("--json")).json;
  const stranger = new Client(daemon.url);
  const { keys } = (await stranger.get("/jwks")).json;
  assert.equal(keys.length, 2);
  const [name, id, ...rest] = whole.vkey.split("+");
  const base64 = rest.join("+");
  assert.deepEqual(keys[0], {
    ...{ kty: "OKP", crv: "Ed25519", use: "sig", alg: "EdDSA", kid: name },
    x: Buffer.from(base64, "base64").subarray(1).toString("base64url"),
  });
  assert.deepEqual(keys[1], { ...keys[0], kid: `${name}+${id}` });
  assert.equal((await client.post("/api/lock")).status, 204);
  assert.equal((await stranger.get("/jwks")).status, 503);
  assert.equal((await client.signIn(store.passphrase)).status, 200);
  assert.deepEqual((await trailOf("--json")).json.entries.slice(-3).map((entry) => entry.kind), ["store.locked", "sign-in.failed", "sign-in"]);
  stranger.close();
});

await t.test("a key changed by a command beside the daemon is told of, open or locked", async () => {
  const code = put(store.folder, "code", store.code);
  const cheap = ["--new-passphrase-file", store.secret, "--kdf-memory-mib", "64"];
  for (const where of ["open", "locked"]) {
    if (where === "locked") assert.equal((await client.post("/api/lock")).status, 204);
    const changed = await run(["passphrase", store.dir, "--passphrase-file", store.secret, ...cheap]);
    assert.deepEqual([changed.status, changed.err], [0, "The passphrase is changed.\n"]);
    assert.equal((await last()).kind, "passphrase.changed", where);
    const recovered = await run(["recover", store.dir, "--recovery-code-file", code, ...cheap]);
    assert.equal(recovered.status, 0);
    assert.equal((await last()).kind, "recovery.used", where);
  }
  assert.equal((await client.get("/health")).json.status, "locked");
  assert.equal((await client.signIn(store.passphrase)).status, 200);
});

/* ---- The command, here and in the daemon ---- */

await t.test("the command tells parts, and checks against an older checkpoint, here and in the daemon", async () => {
  const kept = put(store.folder, "early.note", early);
  const never = put(store.folder, "never.note", early.replace("\n2\n", "\n3\n"));
  for (const where of ["daemon", "here"]) {
    if (where === "here") await daemon.stop();
    const page = (await trailOf("--json", "--limit", "2", "--cursor", "3")).json;
    assert.deepEqual(page.entries.map((entry) => entry.index), [4, 5]);
    assert.equal(page.next, "5");
    assert.equal((await trailOf("--kind", "imported")).out.split("\n").length, 2, where);
    assert.match((await trailOf("--vkey")).out, /^traboule\.invalid\/[0-9a-f]{32}\+[0-9a-f]{8}\+[\w/+]{44}\n$/);
    assert.equal((await trailOf("--vkey", "--json")).json.vkey, (await trailOf("--json")).json.vkey);
    assert.deepEqual((await trailOf("--since", kept, "--json")).json, { ok: true });
    assert.equal((await run(["trail", store.dir, ...key, "--since", never])).status, 3, where);
    assert.equal((await run(["trail", store.dir, ...key, "--since", join(store.folder, "none")])).status, 1);
    for (const words of [["--limit", "0"], ["--kind", "nothing"], ["--order", "up"], ["--vkey", "--checkpoint"], ["--from", "x"]])
      assert.equal((await run(["trail", store.dir, ...key, ...words])).status, 2, words.join(" "));
    assert.equal((await run(["trail", store.dir, ...key, "--proof", "99999"])).status, 1);
  }
  client.close();
});

/* ---- Row 12 of the test plan: altered, dropped, moved, cut, rolled back ---- */

const whole = (await trailOf("--json")).json;
const { vkey } = whole;
const files = []; // {kind, name, path, text, bad}
const add = (kind, name, text, bad) =>
  files.push({ kind, name, text, bad, path: put(store.folder, `case-${files.length}`, text) });

function addTrails(random) {
  const put_ = (name, bad, change) => {
    const copy = structuredClone(whole);
    change(copy, copy.entries);
    add("trail", name, JSON.stringify(copy), bad);
  };
  add("trail", "whole", JSON.stringify(whole), "");
  add("trail", "spaced out", JSON.stringify(whole, null, 2), "");
  const count = whole.entries.length;
  for (let i = 0; i < (NIGHTLY ? 200 : 12); i++) {
    const at = random.between(1, count - 2);
    const field = ["kind", "who", "what", "consent"][i % 4];
    put_(`${field} of ${at} altered`, `entry ${at}`, (_, entries) => (entries[at][field] = "other"));
    put_(`${at} dropped`, `entry ${at}`, (_, entries) => entries.splice(at, 1));
    put_(`${at} dropped, the rest renumbered`, "checkpoint", (_, entries) => {
      entries.splice(at, 1);
      for (const entry of entries.slice(at)) entry.index -= 1;
    });
    put_(`${at} and the next exchanged`, `entry ${at}`, (_, entries) => entries.splice(at, 2, entries[at + 1], entries[at]));
    put_(`cut at ${at}`, "checkpoint", (_, entries) => entries.splice(at));
    put_(`salt of ${at} altered`, `entry ${at}`, (_, entries) => (entries[at].salt = entries[at - 1].salt));
    put_(`hash of ${at} altered`, `entry ${at}`, (_, entries) => (entries[at].leaf_hash = entries[at - 1].leaf_hash));
    put_(`${at} told erased`, "", (_, entries) => {
      for (const name of ["kind", "who", "what", "consent", "salt"]) entries[at][name] = null;
    }); // its hash is the same: that is what erasing is
    put_(`${at} told erased with another hash`, "checkpoint", (_, entries) => {
      for (const name of ["kind", "who", "what", "consent", "salt"]) entries[at][name] = null;
      entries[at].leaf_hash = entries[at - 1].leaf_hash;
    });
    put_(`${at} earlier`, `entry ${at}`, (_, entries) => (entries[at].time = "2001-01-01T00:00:00Z"));
  }
  put_("an older checkpoint", "checkpoint", (copy) => (copy.checkpoint = early));
  put_("a part", "next", (copy) => (copy.next = "7"));
  put_("nothing", "checkpoint", (_, entries) => entries.splice(0));
}

function addNotes(random) {
  const note = whole.checkpoint;
  add("checkpoint", "checkpoint", note, "");
  add("checkpoint", "early checkpoint", early, "");
  const witness = `${note}— witness.example ${Buffer.alloc(76, 7).toString("base64")}\n`;
  add("checkpoint", "cosigned", witness, "");
  for (let i = 0; i < (NIGHTLY ? 200 : 20); i++) {
    const at = random.between(0, note.length - 2);
    const letter = note[at] === "A" ? "B" : "A";
    add("checkpoint", `byte ${at}`, note.slice(0, at) + letter + note.slice(at + 1), "checkpoint");
    add("checkpoint", `cut at ${at}`, note.slice(0, at), "checkpoint");
  }
}

async function addProofs(random) {
  const count = whole.entries.length;
  for (const index of [0, 1, count - 1, random.between(2, count - 2)]) {
    const proof = (await trailOf("--proof", `${index}`)).out;
    const lines = proof.split("\n");
    add("proof", `proof of ${index}`, proof, "");
    add("proof", "another index", proof.replace(/\nindex \d+\n/, `\nindex ${(index + 1) % count}\n`), "proof");
    add("proof", "a hash dropped", [...lines.slice(0, 3), ...lines.slice(4)].join("\n"), "proof");
    add("proof", "a hash twice", [...lines.slice(0, 3), lines[3], ...lines.slice(3)].join("\n"), "proof");
    add("proof", "another checkpoint", proof.slice(0, proof.indexOf("\n\n") + 2) + early, "proof");
    const beside = JSON.parse(Buffer.from(lines[1].slice(6), "base64").toString());
    beside.content = beside.content.replace("owner", "stranger").replace("stranger", "stranger ");
    const extra = `extra ${Buffer.from(JSON.stringify(beside)).toString("base64")}`;
    add("proof", "another content", [lines[0], extra, ...lines.slice(2)].join("\n"), "proof");
  }
}

const random = makeRandom();
addTrails(random);
addNotes(random);
await addProofs(random);

await t.test(`ours: ${files.length} files, each bad one told with its place`, async () => {
  for (const { kind, name, path, bad } of files) {
    const answer = await run(["verify", path, "--vkey", vkey, "--json"]);
    if (bad === "") assert.equal(answer.status, 0, `${kind} ${name}: ${answer.err}`);
    else assert.notEqual(answer.status, 0, `${kind} ${name}`);
    if (bad !== "" && kind !== "checkpoint") {
      assert.equal(answer.status, 3, `${kind} ${name}`);
      assert.equal(answer.json.problems[0].where, bad, `${kind} ${name}`);
    }
  }
});

await t.test("a verifier from the specifications says the same", () => {
  const verifiers = { trail: verifyTrail, checkpoint: verifyCheckpoint, proof: verifyProof };
  for (const { kind, name, text, bad } of files) assert.equal(verifiers[kind](text, vkey), bad, `${kind} ${name}`);
  assert.equal(readCheckpoint(whole.checkpoint, vkey).size, whole.entries.length);
});

const go = spawnSync("go", ["version"], { stdio: "ignore" }).status === 0 && existsSync(`${GOPATH}/src/golang.org/x/mod/sumdb`);
await t.test("golang.org/x/mod says the same", { skip: go ? false : "skipped: no Go here" }, () => {
  const env = { ...process.env, GO111MODULE: "off", GOPATH, GOFLAGS: "", GOCACHE: join(store.folder, "go-cache") };
  const program = join(store.folder, "trail_verifier");
  const built = spawnSync("go", ["build", "-o", program, "tests/integration/trail_verifier.go"], { env });
  assert.equal(built.status, 0, `${built.stderr}`);
  for (let i = 0; i < files.length; i += 100) {
    const part = files.slice(i, i + 100);
    const said = spawnSync(program, [vkey, ...part.flatMap(({ kind, path }) => [kind, path])], { encoding: "utf8" });
    assert.equal(said.status, 0, said.stderr);
    const lines = said.stdout.split("\n");
    for (const [n, { kind, name, bad }] of part.entries()) assert.equal(lines[n], bad, `${kind} ${name}`);
  }
});

await t.test("keys: of the file itself, of a JWKS, of another store", async () => {
  const path = files[0].path;
  const own = await run(["verify", path, "--json"]);
  assert.deepEqual([own.status, own.json.trusted_key, own.json.key], [0, false, vkey]);
  const daemon2 = await serve(store, key);
  const client2 = new Client(daemon2.url);
  const jwks = put(store.folder, "jwks.json", (await client2.get("/jwks")).text);
  client2.close();
  await daemon2.stop();
  const trusted = await run(["verify", path, "--jwks", jwks, "--json"]);
  assert.deepEqual([trusted.status, trusted.json.trusted_key], [0, true]);
  const other = await makeStore();
  const strange = (await run(["trail", other.dir, "--key-file", other.key, "--vkey"])).out.trim();
  assert.equal((await run(["verify", path, "--vkey", strange])).status, 3);
  assert.equal((await run(["verify", path, "--vkey", "nonsense"])).status, 1);
  assert.equal((await run(["verify", files.find(({ kind }) => kind === "checkpoint").path])).status, 1);
  assert.equal((await run(["verify", store.secret])).status, 1);
  assert.equal((await run(["verify", join(store.folder, "none")])).status, 1);
});

await t.test("a byte altered anywhere is damage, not another kind of file", async () => {
  const text = JSON.stringify(whole);
  for (let i = 0; i < (NIGHTLY ? 500 : 40); i++) {
    const at = i < 20 ? i : random.between(0, text.length - 1);
    const bytes = Buffer.from(text);
    bytes[at] ^= 1;
    const answer = await run(["verify", put(store.folder, "flipped", bytes), "--vkey", vkey]);
    assert.equal(answer.status, 3, `byte ${at}: ${answer.err}`);
  }
});

await t.test("a store put back to an older state does not go on from a later checkpoint", async () => {
  const later = put(store.folder, "later.note", (await trailOf("--checkpoint")).out);
  rmSync(store.dir, { recursive: true });
  cpSync(old, store.dir, { recursive: true });
  const back = await run(["trail", store.dir, ...key, "--since", later]);
  assert.deepEqual([back.status, /older state/.test(back.err)], [3, true], back.err);
  const kept = put(store.folder, "early.note", early);
  assert.equal((await run(["trail", store.dir, ...key, "--since", kept])).status, 0);
  for (let i = 0; (await last()).index < whole.entries.length; i++) {
    const csv = makeCurve({ start: Date.parse("2025-01-01T00:00:00Z") + i * 1_800_000, watts: [100] });
    const many = Array.from({ length: 40 }, (_, n) => put(store.folder, `again-${n}.csv`, csv));
    assert.equal((await run(["import", store.dir, ...many, ...key])).status, 0);
  }
  const other = await run(["trail", store.dir, ...key, "--since", later]);
  assert.deepEqual([other.status, /rewritten/.test(other.err)], [3, true], other.err);
  assert.equal(verifyTrail((await trailOf("--json")).out, vkey), ""); // a past of its own, and a whole one
  assert.ok(readFileSync(later).length > 0);
});

await t.test("after a rekey the key that signs is found by the name in its notes, the older one by its own", async () => {
  const before = (await trailOf("--checkpoint")).out;
  const args = ["--passphrase-file", store.secret, "--key-file", store.key, "--kdf-memory-mib", "64"];
  assert.equal((await run(["rekey", store.dir, ...args])).status, 0);
  const daemon3 = await serve(store, key);
  const client3 = new Client(daemon3.url);
  const { keys } = (await client3.get("/jwks")).json;
  client3.close();
  await daemon3.stop();
  const jwks = put(store.folder, "jwks.json", JSON.stringify({ keys }));
  const [name, id] = vkey.split("+");
  const signer = keys.filter((one) => one.kid === name);
  assert.equal(signer.length, 1);
  const vkeyNow = (await trailOf("--vkey")).out.trim();
  assert.equal(Buffer.from(vkeyNow.split("+").slice(2).join("+"), "base64").subarray(1).toString("base64url"), signer[0].x);
  assert.equal(keys.filter((one) => one.kid === `${name}+${id}`).length, 1);
  for (const note of [before, (await trailOf("--checkpoint")).out])
    assert.equal((await run(["verify", put(store.folder, "note", note), "--jwks", jwks])).status, 0);
});
});
