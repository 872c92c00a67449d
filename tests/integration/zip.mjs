/* Zip files as bytes, read and made without any library: also those that no honest writer makes. */
import { createHash } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";

const TABLE = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function crc32(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = TABLE[(c ^ byte) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** Its entries by name, in order, by its central directory. @returns {Map<string, Buffer>} */
export function readZip(zip) {
  const end = zip.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  if (end < 0) throw new Error("no end of a central directory");
  const entries = new Map();
  let at = zip.readUInt32LE(end + 16);
  for (let n = zip.readUInt16LE(end + 10); n > 0; n--) {
    const method = zip.readUInt16LE(at + 10);
    const packed = zip.readUInt32LE(at + 20);
    const lengths = [28, 30, 32].map((place) => zip.readUInt16LE(at + place));
    const name = zip.toString("utf8", at + 46, at + 46 + lengths[0]);
    const local = zip.readUInt32LE(at + 42);
    const data = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const bytes = zip.subarray(data, data + packed);
    if (entries.has(name)) throw new Error(`${name} is there twice`);
    entries.set(name, method === 8 ? inflateRawSync(bytes) : Buffer.from(bytes));
    at += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  return entries;
}

/** A zip of these entries: {name, bytes, link, stored}. A link is one as unzip makes it; stored: not deflated. */
export function makeZip(entries) {
  const files = [];
  const directory = [];
  let at = 0;
  for (const { name, bytes, link = false, stored = false } of entries) {
    const plain = Buffer.from(bytes);
    const packed = stored ? plain : deflateRawSync(plain, { level: 9 });
    const label = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x0800, 2); // names in UTF-8
    common.writeUInt16LE(stored ? 0 : 8, 4);
    common.writeUInt32LE(0x58a10000, 6); // 2024-05-01
    common.writeUInt32LE(crc32(plain), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(plain.length, 18);
    common.writeUInt16LE(label.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((link ? 0o120777 : 0o100600) << 16) >>> 0, 6);
    tail.writeUInt32LE(at, 10);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, label, packed]);
    directory.push(Buffer.from("PK\x01\x02\x14\x03", "latin1"), common, tail, label);
    files.push(local);
    at += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...files, central, end]);
}

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** An export as ours are: {name, bytes, identity} each; told: bytes whose hash is told instead. */
export function makeExport(entries, about = { format: "traboule-export", version: 1 }) {
  const resources = entries
    .filter(({ untold }) => !untold)
    .map(({ name, bytes, identity, told = bytes }, i) => ({
      name: `r${i}`,
      path: name,
      bytes: Buffer.byteLength(told),
      hash: `sha256:${sha256(told)}`,
      ...(identity && { traboule: identity }),
    }));
  const descriptor = JSON.stringify({ name: "traboule-export", traboule: about, resources });
  return makeZip([{ name: "datapackage.json", bytes: descriptor }, ...entries]);
}
