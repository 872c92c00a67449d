/* Runs the parts and prints the table: tests/bench/run builds first and calls this. */
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { backups, files, millions } from "./keep.mjs";
import { Lab } from "./lab.mjs";
import { many } from "./many.mjs";
import {
  equip,
  imports,
  memories,
  reads,
  records,
  requests,
  sql,
  start,
  writes,
} from "./parts.mjs";

const PARTS = { sql, records, writes, requests, import: imports, reads, start, memory: memories, files, backup: backups, millions, many };
const BUSY_LOAD = 1.5;

const args = process.argv.slice(2);
const option = (name) => {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
};
const only = option("--only");
if (only && !PARTS[only]) {
  console.error(`There is no part ${only}: ${Object.keys(PARTS).join(" ")}.`);
  process.exit(2);
}

function print(rows) {
  const cells = rows.map((r) => [
    r.what,
    r.baseline,
    r.ours,
    r.ratio,
    r.target,
    { true: "yes", false: "no" }[r.met] ?? "",
  ]);
  const table = [["what", "baseline", "ours", "ratio", "target", "met"], ...cells];
  const widths = table[0].map((_, i) => Math.max(...table.map((line) => line[i].length)));
  const line = (words) => `| ${words.map((word, i) => word.padEnd(widths[i])).join(" | ")} |`;
  console.log(line(table[0]));
  console.log(`|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`);
  for (const words of table.slice(1)) console.log(line(words));
}

const lab = new Lab(option("--build"), args.includes("--quick"));
equip(lab);
const load = loadavg()[0];
console.log(`${cpus().length} processors (${cpus()[0].model}), load ${load.toFixed(2)} before.`);
if (load > BUSY_LOAD)
  console.log("The machine is busy with something else: the figures below are not to be quoted.");

const rows = [];
let failed = 0;
for (const [name, part] of Object.entries(PARTS)) {
  if (only && only !== name) continue;
  const begun = Date.now();
  try {
    rows.push(
      ...(await part(lab, {
        sqlcipher: option("--without-sqlcipher") ?? true,
        speedtest: !args.includes("--without-speedtest"),
      })),
    );
  } catch (error) {
    failed++;
    rows.push({
      what: name,
      baseline: "",
      ours: `not measured: ${error.message.trim()}`,
      ratio: "",
      target: "",
      met: null,
    });
  }
  console.error(`${name}: ${((Date.now() - begun) / 1000).toFixed(0)} s`);
}
console.log();
print(rows);
const judged = rows.filter((r) => r.met !== null);
console.log(
  `\n${judged.filter((r) => r.met).length} of ${judged.length} targets met, ${failed} parts not measured.`,
);
writeFileSync(
  join(lab.build, "results.json"),
  JSON.stringify({ load, rows, figures: lab.figures }, null, 1),
);
process.exit(failed ? 1 : 0);
