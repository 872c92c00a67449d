/* The disk of tests/harness/faultshim.c, as the tests hold it: below one folder, a chosen call fails, or the space
 * ends. It is told through a file that both have, while the program runs. */
import { closeSync, existsSync, openSync, readSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { PROGRAM, put } from "./program_common.mjs";

export const SHIM = process.env.FAULTSHIM ?? join(dirname(PROGRAM), "libfaultshim.so");

/** It is not built together with sanitizers, which want to be the first themselves. */
export const HAS_SHIM = existsSync(SHIM);

/* As in struct state. */
const FIELDS = [
  ...["calls", "hits", "nth", "kind", "stays", "mask", "op", "budget", "refused", "kept", "keeper"],
];
export const OPS = [
  ...["open", "read", "write", "sync", "rename", "unlink", "truncate", "allocate", "folder"],
];
export const EVERY_OP = (1 << OPS.length) - 1;
const bit = (name) => 1 << OPS.indexOf(name);
export const TRANSFERS = bit("read") | bit("write");
export const OPENINGS = bit("open");

/** The ways in which a call fails. */
export const FAULTS = [
  { name: "EIO once", kind: 1, stays: 0, mask: EVERY_OP },
  { name: "EIO from then on", kind: 1, stays: 1, mask: EVERY_OP },
  { name: "full once", kind: 2, stays: 0, mask: EVERY_OP & ~bit("read") },
  { name: "full from then on", kind: 2, stays: 1, mask: EVERY_OP & ~bit("read") & ~bit("unlink") },
  { name: "short once", kind: 3, stays: 0, mask: TRANSFERS },
  { name: "killed", kind: 4, stays: 0, mask: EVERY_OP },
];

/** A disk below a folder; its own file lies beside that. */
export class Disk {
  constructor(below, home = dirname(below)) {
    const path = put(home, `disk-${process.hrtime.bigint()}`, Buffer.alloc(FIELDS.length * 8));
    this.file = openSync(path, "r+");
    this.env = { LD_PRELOAD: SHIM, FAULTSHIM_BELOW: below, FAULTSHIM_STATE: path };
    this.quiet();
  }

  get(field) {
    const bytes = Buffer.alloc(8);
    readSync(this.file, bytes, 0, 8, 8 * FIELDS.indexOf(field));
    return Number(bytes.readBigUInt64LE());
  }

  set(field, value) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    writeSync(this.file, bytes, 0, 8, 8 * FIELDS.indexOf(field));
  }

  /** Nothing fails; calls that one of OPS makes are counted from 0. */
  quiet(mask = EVERY_OP) {
    for (const field of FIELDS) this.set(field, 0);
    this.set("mask", mask);
  }

  /** The nth call from now fails. */
  arm(nth, { kind, stays, mask }) {
    this.quiet(mask);
    this.set("kind", kind);
    this.set("stays", stays);
    this.set("nth", nth);
  }

  /** Files may grow by so many bytes from now on. */
  limit(bytes) {
    this.set("budget", bytes + 1);
  }

  unlimit() {
    this.set("budget", 0);
  }

  get left() {
    return this.get("budget") - 1;
  }

  /** What was made to fail first, or nothing. */
  get failed() {
    return this.get("hits") ? OPS[this.get("op")] : undefined;
  }

  close() {
    closeSync(this.file);
  }
}
