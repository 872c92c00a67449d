/* Many stores behind one daemon: what a thousand cost, and how long one at rest takes to answer. */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, median, memory, mib, ms, row } from "./lab.mjs";

const MEMORY_MIB = 256;
const COLD_MS = 20;

const percentile = (numbers, share) =>
  [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))];

/** The stores are copies of one: the daemon shares nothing between them, and making each would take minutes. */
export async function many(lab) {
  const count = lab.quick ? 100 : 1000;
  const store = lab.makeStore();
  const house = join(lab.folder(), "house");
  mkdirSync(house, { mode: 0o700 });
  for (let i = 0; i < count; i++) cpSync(store.dir, join(house, `store-${i}`), { recursive: true });
  const child = spawn(
    lab.program("traboule"),
    ["serve", "--stores", house, "--listen", "127.0.0.1:0", "--key-file", store.key, "--kdf-memory-mib", "64"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const server = await lab.watch(child, () => "");
  const before = memory(server.pid);
  const time = async (i) => {
    const begun = process.hrtime.bigint();
    const answer = await ask(server, "GET", `/@store-${i}/jwks`); // public, and out of the store
    if (answer.status !== 200) throw new Error(`store-${i}: ${answer.status} ${answer.text}`);
    return Number(process.hrtime.bigint() - begun) / 1e6;
  };
  const cold = [];
  const warm = [];
  for (let round = 0; round < (lab.quick ? 1 : 2); round++) {
    for (let i = 0; i < count; i++) {
      cold.push(await time(i)); // none of the 64 that are open
      warm.push(await time(i));
    }
  }
  await sleep(1500);
  const after = memory(server.pid);
  await server.stop();
  lab.figures.many = { count, before, after, cold, warm };
  const late = percentile(cold, 0.99);
  return [
    row(
      `memory, ${count} stores of one daemon, each used once (baseline: none yet)`,
      mib(before.rss),
      `${mib(after.rss)} (own ${after.own.toFixed(1)})`,
      null,
      `≤ ${MEMORY_MIB} MiB`,
      after.rss <= MEMORY_MIB,
    ),
    row(
      "first answer of a store at rest, half of them (baseline: an open one)",
      ms(median(warm)),
      ms(median(cold)),
      null,
      `≤ ${COLD_MS} ms`,
      median(cold) <= COLD_MS,
    ),
    row(
      "first answer of a store at rest, p99 (baseline: an open one)",
      ms(percentile(warm, 0.99)),
      ms(late),
      null,
      `≤ ${COLD_MS} ms`,
      late <= COLD_MS,
    ),
  ];
}
