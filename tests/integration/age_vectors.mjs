// The public test vectors of age (npm package cctv-age, C2SP) against the reader of backups, and both directions
// between the writer and the public age program. AGE_PROGRAM is tests/integration/age_program.c, built.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import * as vectors from "cctv-age";

const PROGRAM = process.env.AGE_PROGRAM;
assert(PROGRAM, "AGE_PROGRAM names the program under test");

function run(program, args, input) {
  const done = spawnSync(program, args, { input, maxBuffer: 1 << 28 });
  assert(!done.error || done.error.code === "EPIPE", String(done.error)); // it may end before it has read all
  return { status: done.status, out: done.stdout, err: done.stderr.toString() };
}

// A vector: lines "key: value", an empty line, a file of age.
function parse(bytes) {
  const text = Buffer.from(bytes);
  const end = text.indexOf("\n\n");
  const fields = {};
  for (const line of text.subarray(0, end).toString().split("\n")) {
    const at = line.indexOf(": ");
    const key = line.slice(0, at);
    fields[key] = [...(fields[key] ?? []), line.slice(at + 2)];
  }
  let file = text.subarray(end + 2);
  if (fields.compressed) file = inflateSync(file);
  return { fields, file };
}

// Identities of kinds that a backup never has: post-quantum ones.
const isOther = (identity) => !identity.startsWith("AGE-SECRET-KEY-1");

// For the files that are broken before any key matters: that of age's own specification.
const SOME_IDENTITY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

// What the outcome of a failed run may be, by what the vector expects: the stage and the code that are told.
const EXPECTED = {
  "header failure": /^header (invalid|unsupported|damaged)/,
  "armor failure": /^(header (invalid|unsupported)|payload damaged)/,
  "no match": /^header wrong-key/,
  "HMAC failure": /^header damaged/,
  "payload failure": /^(header damaged: the age file is cut|payload damaged)/,
};

function check(name, { fields, file }) {
  const keys = fields.passphrase
    ? fields.passphrase.map((key) => ["passphrase", key])
    : fields.identity.map((key) => ["identity", key]);
  const outcomes = keys.map(([kind, key]) => run(PROGRAM, ["open", kind, key], file));
  const [expect] = fields.expect;
  // Several keys are tried one after the other: the first that is for the file decides.
  const done = outcomes.find((o) => !/^header wrong-key/.test(o.err)) ?? outcomes[0];

  if (expect === "success") assert.equal(done.status, 0, `${name}: ${done.err}`);
  else {
    assert.equal(done.status, 1, `${name}: ${done.status} ${done.err}`);
    assert.match(done.err, EXPECTED[expect], `${name}, where ${expect} was expected`);
  }
  if (fields.payload) {
    const hash = createHash("sha256").update(done.out).digest("hex");
    assert.equal(hash, fields.payload[0], `${name}: what was let out`);
  } else assert.equal(done.out.length, 0, `${name}: something was let out`);
}

let applied = 0;
const apart = [];
for (const [name, bytes] of Object.entries(vectors)) {
  const vector = parse(bytes);
  vector.fields.identity ??= [SOME_IDENTITY];
  if (!vector.fields.passphrase && vector.fields.identity.every(isOther)) {
    apart.push(name);
    continue;
  }
  check(name, vector);
  applied++;
}
console.log(`${applied} vectors hold; ${apart.length} are of kinds that a backup is not: ${apart.join(", ")}`);

// Both directions with age itself.
const folder = mkdtempSync(join(tmpdir(), "age-vectors-"));
try {
  const key = run("age-keygen", [], "");
  const identity = key.out.toString().match(/AGE-SECRET-KEY-1\S+/)[0];
  const recipient = key.out.toString().match(/age1\S+/)[0];
  writeFileSync(join(folder, "key"), `${identity}\n`);
  for (const size of [0, 1, 65535, 65536, 65537, 131072, 1_000_000]) {
    const plain = randomBytes(size);
    const ours = run(PROGRAM, ["seal", "recipient", recipient], plain);
    assert.equal(ours.status, 0, ours.err);
    const opened = run("age", ["-d", "-i", join(folder, "key")], ours.out);
    assert.equal(opened.status, 0, opened.err);
    assert(opened.out.equals(plain), `${size} bytes of ours, opened by age`);
    for (const armor of [[], ["-a"]]) {
      const theirs = run("age", [...armor, "-r", recipient], plain);
      assert.equal(theirs.status, 0, theirs.err);
      const read = run(PROGRAM, ["open", "identity", identity], theirs.out);
      assert.equal(read.status, 0, read.err);
      assert(read.out.equals(plain), `${size} bytes of age's, opened by ours`);
    }
    const phrase = run(PROGRAM, ["seal", "passphrase", "a phrase of tests"], plain);
    const back = run(PROGRAM, ["open", "passphrase", "a phrase of tests"], phrase.out);
    assert(back.status === 0 && back.out.equals(plain), `${size} bytes under a passphrase`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
