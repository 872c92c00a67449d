/* A second verifier of the trail, of its checkpoints and proofs, written from their specifications with node:crypto
 * alone: RFC 6962, RFC 8785, c2sp.org/signed-note, tlog-checkpoint, tlog-proof, and docs/trail.md. It shares nothing
 * with the program that it is held against. Each function gives "" when all holds, else the first place that does not. */
import { createHash, createHmac, createPublicKey, verify } from "node:crypto";

const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const leafHash = (data) => sha256(Buffer.of(0), data);
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);

/** Bytes of strict base64, or null. */
function bytesOf(text) {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}

/** RFC 8785; the content of a line has no numbers. */
function canonical(value) {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value).sort(); // by UTF-16 code units
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

/** RFC 6962 2.1 */
function rootOf(leaves) {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0];
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

/** RFC 9162 2.1.3.2, which is RFC 6962 2.1.1 the other way round. */
function rootByPath(hash, index, size, path) {
  let fn = index;
  let sn = size - 1;
  let r = hash;
  for (const p of path) {
    if (sn === 0) return null;
    if (fn % 2 === 1 || fn === sn) {
      r = nodeHash(p, r);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else {
      r = nodeHash(r, p);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 ? r : null;
}

function readKey(vkey) {
  const [name, hash, ...rest] = vkey.split("+");
  const raw = bytesOf(rest.join("+"));
  const id = raw && sha256(Buffer.from(`${name}\n`), raw).subarray(0, 4);
  if (!raw || raw.length !== 33 || raw[0] !== 1 || id.toString("hex") !== hash) return null;
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw.subarray(1)]); // RFC 8410
  return { name, id, key: createPublicKey({ key: der, format: "der", type: "spki" }) };
}

/** The checkpoint in a note that the key signed, or null. */
export function readCheckpoint(note, vkey) {
  const known = readKey(vkey);
  const end = note.lastIndexOf("\n\n");
  if (!known || end < 0 || !note.endsWith("\n") || /[\0-\t\v-\x1f]/.test(note)) return null;
  const text = note.slice(0, end + 1);
  const signatures = note.slice(end + 2, -1).split("\n");
  let signed = false;
  for (const line of signatures) {
    const [, name, base64] = /^— (\S+) (\S+)$/.exec(line) ?? [];
    const raw = base64 && bytesOf(base64);
    if (!raw || raw.length < 5) return null;
    if (name !== known.name || !raw.subarray(0, 4).equals(known.id)) continue;
    if (!verify(null, Buffer.from(text), known.key, raw.subarray(4))) return null;
    signed = true;
  }
  const [origin, size, hash, ...extra] = text.slice(0, -1).split("\n");
  const root = hash && bytesOf(hash);
  if (!signed || origin !== known.name || !/^(0|[1-9]\d*)$/.test(size) || root?.length !== 32) return null;
  return extra.includes("") ? null : { size: Number(size), root };
}

export const verifyCheckpoint = (note, vkey) => (readCheckpoint(note, vkey) ? "" : "checkpoint");

export function verifyProof(text, vkey) {
  const lines = text.split("\n");
  if (lines.shift() !== "c2sp.org/tlog-proof@v1") return "proof";
  const extra = lines[0].startsWith("extra ") ? lines.shift().slice(6) : "";
  const [, index] = /^index (0|[1-9]\d*)$/.exec(lines.shift() ?? "") ?? [];
  const gap = lines.indexOf("");
  const path = lines.slice(0, gap).map(bytesOf);
  if (index === undefined || gap < 0 || path.some((hash) => hash?.length !== 32)) return "proof";
  const checkpoint = readCheckpoint(lines.slice(gap + 1).join("\n"), vkey);
  if (!checkpoint) return "checkpoint";
  let leaf;
  try {
    const beside = JSON.parse(Buffer.from(extra, "base64").toString("utf8"));
    leaf = beside.content
      ? leafHash(createHmac("sha256", bytesOf(beside.salt)).update(beside.content).digest())
      : bytesOf(beside.leaf_hash);
  } catch {
    return "proof";
  }
  if (Number(index) >= checkpoint.size) return "proof";
  const root = rootByPath(leaf, Number(index), checkpoint.size, path);
  return root?.equals(checkpoint.root) ? "" : "proof";
}

function lineHolds(entry, index, before, leaf) {
  const { time, kind, who, what, consent, salt } = entry;
  if (entry.index !== index || leaf?.length !== 32 || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(time)) return false;
  if (before && time < before.time) return false;
  if (salt === null) return kind === null && who === null && what === null && consent === null;
  const content = Buffer.from(canonical({ time, kind, who, what, consent }));
  return leafHash(createHmac("sha256", bytesOf(salt) ?? "").update(content).digest()).equals(leaf);
}

export function verifyTrail(text, vkey) {
  let trail;
  try {
    trail = JSON.parse(text);
  } catch {
    return "file";
  }
  const leaves = [];
  for (const [index, entry] of trail.entries.entries()) {
    const leaf = bytesOf(entry.leaf_hash);
    if (!lineHolds(entry, index, trail.entries[index - 1], leaf)) return `entry ${index}`;
    leaves.push(leaf);
  }
  if (trail.next !== null) return "next";
  const checkpoint = readCheckpoint(trail.checkpoint, vkey);
  if (!checkpoint || checkpoint.size !== leaves.length || !checkpoint.root.equals(rootOf(leaves))) return "checkpoint";
  return "";
}
