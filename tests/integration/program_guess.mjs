/* Somebody guesses passphrases from fifty addresses at once. Few guesses are tried, the honest owner gets in all the
 * same, and memory stays that of two derivations (security brief 5, row 22; rule 4.3). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Client, makeStore, NIGHTLY, serve } from "./program_common.mjs";

const ADDRESSES = 50;
const GUESSES = NIGHTLY ? 1000 : 150;
const HONEST = NIGHTLY ? 20 : 4;
const HONEST_EACH_MS = NIGHTLY ? 2500 : 300;
const HONEST_MS = 5000;
const FREE = 5; // wrong passphrases of an address before the delay begins
const A_MINUTE = 20; // derivations for one address, beyond those
const DERIVATION_MIB = 64;
const soon = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const memory = (pid, line) =>
  Number(
    new RegExp(`^${line}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1],
  ) / 1024;

test(`${GUESSES} guesses from ${ADDRESSES} addresses`, { timeout: 600_000 }, async () => {
  const store = await makeStore("guessed");
  const daemon = await serve(store, ["--proxy", "127.0.0.1"]);
  const owner = new Client(daemon.url);
  const from = (address) => ({ "X-Forwarded-For": address });
  const signIn = async (client, passphrase, address) => {
    const begun = performance.now();
    const answer = await client.post("/api/session", { passphrase }, from(address));
    return { status: answer.status, ms: performance.now() - begun, answer };
  };
  assert.equal((await signIn(owner, store.passphrase, "192.0.2.200")).status, 200);

  const begun = performance.now();
  const tried = new Map(); // address → how many of its guesses were tried
  const tally = { tried: 0, refused: 0 };
  let left = GUESSES;
  const guesser = async (n) => {
    const client = new Client(daemon.url);
    const address = `198.51.100.${n}`;
    while (left-- > 0) {
      const { status } = await signIn(client, `guess ${left} of somebody`, address);
      assert.ok(status === 401 || status === 429, String(status));
      tally[status === 401 ? "tried" : "refused"]++;
      if (status === 401) tried.set(address, (tried.get(address) ?? 0) + 1);
      await soon(10);
    }
    client.close();
  };
  const crowd = Promise.all(Array.from({ length: ADDRESSES }, (_, n) => guesser(n + 1)));
  const waits = [];
  for (let i = 0; i < HONEST; i++) {
    const start = performance.now();
    let one;
    do {
      one = await signIn(owner, store.passphrase, "192.0.2.200");
      if (one.status === 429) await soon(200); // nine others are waiting: the owner tries again
    } while (one.status === 429 && performance.now() - start < 4 * HONEST_MS);
    assert.equal(one.status, 200, one.answer.text);
    waits.push(performance.now() - start);
    await soon(HONEST_EACH_MS);
  }
  await crowd;
  const minutes = (performance.now() - begun) / 60_000;
  const highest = memory(daemon.pid, "VmHWM");
  console.log(
    `${GUESSES} guesses from ${ADDRESSES} addresses in ${(minutes * 60).toFixed(1)} s: ${JSON.stringify(tally)}, at most ` +
      `${Math.max(...tried.values())} of one address; the owner in after at most ${Math.round(Math.max(...waits))} ms; ` +
      `memory up to ${highest.toFixed(1)} MiB`,
  );
  for (const [address, count] of tried)
    assert.ok(count <= FREE + A_MINUTE * Math.max(1, minutes), `${address}: ${count} tried`);
  assert.ok(Math.max(...waits) <= HONEST_MS, `the owner waited ${waits}`);
  assert.ok(highest <= 2 * DERIVATION_MIB + 16, `${highest} MiB`);
  owner.close();
  assert.equal(await daemon.stop(), 0);
});
