/* Whether a transparency log goes on from an older checkpoint: RFC 6962 2.1 and the texts of C2SP, computed here,
 * so that the answer does not rest on the word of the program that is asked. */
import { sha256 } from "./sha256.js";

/** A checkpoint note (C2SP tlog-checkpoint): origin, size, root. @typedef {{origin: string, size: number, root: string}} Checkpoint */

/** @param {string} note @returns {Checkpoint} */
export function readCheckpoint(note) {
  const [origin = "", size = "", root = ""] = note.split("\n");
  return { origin, size: /^\d+$/.test(size) ? Number(size) : 0, root };
}

/** @param {string} text base64 */
const bytesOf = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));

/** @param {Uint8Array} bytes */
const textOf = (bytes) => btoa(String.fromCharCode(...bytes));

/** @param {Uint8Array} left @param {Uint8Array} right */
const parent = (left, right) => sha256(Uint8Array.from([1, ...left, ...right]));

/** The path and the note of a proof (C2SP tlog-proof). @param {string} text */
export function readProof(text) {
  const [head, ...rest] = text.split("\n\n");
  const path = head.split("\n").filter((line) => /^[A-Za-z0-9+/]{43}=$/.test(line));
  return { path, note: rest.join("\n\n") };
}

/** The root over `size` leaves that the path of leaf `index` leads to, and that over the first index + 1: of the
 * last leaf of those, the left neighbours are all there was.
 * @param {number} index @param {number} size @param {string} leaf its hash @param {string[]} path
 * @returns {{root: string, before: string}} */
export function rootsOf(index, size, leaf, path) {
  /** @type {Uint8Array} */
  let now = bytesOf(leaf);
  /** @type {Uint8Array} */
  let before = now;
  let at = index;
  let last = size - 1;
  for (const step of path.map(bytesOf)) {
    if (at % 2 === 1 || at === last) {
      now = parent(step, now);
      before = parent(step, before);
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else {
      now = parent(now, step);
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return { root: last === 0 ? textOf(now) : "", before: textOf(before) };
}

/** Whether what a proof of the leaf before `old.size` tells goes on from `old`.
 * @param {Checkpoint} old @param {string} leaf that leaf's hash @param {string} proof */
export function goesOn(old, leaf, proof) {
  const { path, note } = readProof(proof);
  const now = readCheckpoint(note);
  if (old.origin !== now.origin || now.size < old.size) return false;
  const { root, before } = rootsOf(old.size - 1, now.size, leaf, path);
  return root === now.root && before === old.root;
}
