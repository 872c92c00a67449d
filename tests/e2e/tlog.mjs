/* The page's own arithmetic of the trail, against Node's SHA-256 and a tree hashed as RFC 6962 tells it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { sha256 } from "../../pds/web/js/sha256.js";
import { goesOn, readCheckpoint, rootsOf } from "../../pds/web/js/tlog.js";

/** @param {Uint8Array} bytes */
const hash = (bytes) => createHash("sha256").update(bytes).digest();
/** @param {Uint8Array} bytes */
const base64 = (bytes) => Buffer.from(bytes).toString("base64");
/** @param {number} i */
const leaf = (i) => hash(Buffer.from([0, i]));
/** @param {Buffer} left @param {Buffer} right */
const join = (left, right) => hash(Buffer.concat([Buffer.from([1]), left, right]));

/** The largest power of two below n. @param {number} n */
const half = (n) => 2 ** Math.ceil(Math.log2(n) - 1);

/** @param {number} from @param {number} to @returns {Buffer} */
function root(from, to) {
  if (to - from === 1) return leaf(from);
  const middle = from + half(to - from);
  return join(root(from, middle), root(middle, to));
}

/** RFC 6962 2.1.1. @param {number} index @param {number} from @param {number} to @returns {Buffer[]} */
function path(index, from, to) {
  if (to - from === 1) return [];
  const middle = from + half(to - from);
  return index < middle
    ? [...path(index, from, middle), root(middle, to)]
    : [...path(index, middle, to), root(from, middle)];
}

/** @param {number} size @param {string} [origin] */
const note = (size, origin = "a.invalid/log") =>
  `${origin}\n${size}\n${base64(root(0, size))}\n\n— ${origin} AAAA\n`;

/** @param {number} index @param {number} size */
const proof = (index, size) =>
  `c2sp.org/tlog-proof@v1\nindex ${index}\n${path(index, 0, size)
    .map((one) => `${base64(one)}\n`)
    .join("")}\n${note(size)}`;

test("SHA-256 is that of the standard, for every length around a block", () => {
  for (const length of [0, 1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + length) % 256);
    assert.equal(base64(sha256(bytes)), base64(hash(bytes)), String(length));
  }
});

test("every path leads to both roots, and a log goes on from each of its pasts", () => {
  for (let size = 1; size <= 40; size++)
    for (let old = 1; old <= size; old++) {
      const steps = path(old - 1, 0, size).map(base64);
      const found = rootsOf(old - 1, size, base64(leaf(old - 1)), steps);
      assert.deepEqual(found, { root: base64(root(0, size)), before: base64(root(0, old)) });
      const kept = readCheckpoint(note(old));
      assert.equal(goesOn(kept, base64(leaf(old - 1)), proof(old - 1, size)), true);
    }
});

test("another past, a shorter log, another log, another leaf: it does not go on", () => {
  const kept = readCheckpoint(note(5));
  const good = /** @type {const} */ ([kept, base64(leaf(4)), proof(4, 9)]);
  assert.equal(goesOn(...good), true);
  assert.equal(goesOn({ ...kept, root: base64(leaf(1)) }, good[1], good[2]), false);
  assert.equal(goesOn(kept, base64(leaf(3)), good[2]), false);
  assert.equal(goesOn(readCheckpoint(note(5, "b.invalid/log")), good[1], good[2]), false);
  assert.equal(goesOn(readCheckpoint(note(9)), base64(leaf(8)), proof(4, 5)), false);
  assert.equal(goesOn(kept, good[1], proof(4, 9).replace(/\n[^\n]{43}=\n/, "\n")), false);
});
