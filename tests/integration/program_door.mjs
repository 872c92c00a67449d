/* The door: sign-in, its cookie, its throttle; what a wrong passphrase costs whom (security brief 4.3, row 22). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, makeStore, serve } from "./program_common.mjs";

const store = await makeStore();
const daemon = await serve(store);

const attempt = async (client, passphrase, headers) => {
  const began = performance.now();
  const answer = await client.post("/api/session", { passphrase }, headers);
  return {
    status: answer.status,
    after: Number(answer.headers["retry-after"] ?? 0),
    ms: performance.now() - began,
    answer,
  };
};

test("the cookie: HttpOnly, Strict, for the whole site and this host; token and CSRF token new each time", async () => {
  const seen = new Set();
  for (let i = 0; i < 3; i++) {
    const client = new Client(daemon.url);
    const answer = await client.signIn(store.passphrase);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["set-cookie"].length, 1);
    const [pair, ...flags] = answer.headers["set-cookie"][0].split("; ");
    assert.match(pair, /^traboule=[A-Za-z0-9_-]{43}$/);
    assert.deepEqual(flags.sort(), ["HttpOnly", "Path=/", "SameSite=Strict"]);
    assert.deepEqual(Object.keys(answer.json).sort(), ["csrf", "expires_at", "idle_seconds"]);
    assert.match(answer.json.csrf, /^[A-Za-z0-9_-]{43}$/);
    assert.notEqual(answer.json.csrf, pair.split("=")[1]);
    seen.add(pair).add(answer.json.csrf);
    assert.equal((await client.get("/api/session")).json.csrf, answer.json.csrf);
    const out = await client.ask("DELETE", "/api/session");
    assert.equal(out.status, 204);
    assert.match(out.headers["set-cookie"][0], /^traboule=; .*Max-Age=0/);
    assert.equal(
      (await client.get("/api/session")).status,
      401,
      "the token is dead, not only forgotten",
    );
    client.close();
  }
  assert.equal(seen.size, 6);
});

test("many sign-ins at once are answered, or told to wait, each with a time", async () => {
  const clients = Array.from({ length: 16 }, () => new Client(daemon.url));
  const answers = await Promise.all(clients.map((client) => attempt(client, store.passphrase)));
  const tally = { 200: 0, 429: 0 };
  for (const { status, after } of answers) {
    tally[status]++;
    if (status === 429) assert.ok(after >= 1);
  }
  assert.equal(tally[200] + tally[429], 16);
  assert.ok(tally[200] >= 2, `${tally[200]} in`);
  for (const client of clients) client.close();
});

test("after five failures the wait doubles from a second; it is told, kept, and ends", async () => {
  const client = new Client(daemon.url);
  for (let i = 1; i <= 5; i++) {
    const { status, answer } = await attempt(client, `wrong passphrase number ${i}`);
    assert.equal(status, 401);
    assert.equal(answer.json.type, "urn:traboule:problem:wrong-key");
    assert.equal(answer.json.detail, undefined);
  }
  /* Now a second; then two. What is refused costs no derivation, and the right passphrase waits as well. */
  for (const wait of [1, 2]) {
    const early = await attempt(client, "wrong passphrase again");
    assert.equal(early.status, 429);
    assert.equal(early.after, wait);
    assert.equal(early.answer.json.type, "urn:traboule:problem:throttled");
    assert.equal((await attempt(client, store.passphrase)).status, 429);
    const recover = await client.post("/api/recover", { code: "x", passphrase: store.passphrase });
    assert.equal(recover.status, 429, "the recovery code stands behind the same gate");
    await new Promise((resolve) => setTimeout(resolve, early.after * 1000)); // the time that was told
    assert.equal((await attempt(client, "wrong passphrase again")).status, 401);
  }
  const long = await attempt(client, store.passphrase);
  assert.deepEqual([long.status, long.after], [429, 4]);
  assert.equal((await client.get("/health")).status, 200, "everything else goes on");
  await new Promise((resolve) => setTimeout(resolve, long.after * 1000));
  assert.equal((await attempt(client, store.passphrase)).status, 200, "never locked out for ever");
  for (let i = 1; i <= 4; i++)
    assert.equal((await attempt(client, "wrong once more, it is free")).status, 401);
  assert.equal((await attempt(client, store.passphrase)).status, 200, "a success clears the count");
  client.close();
});

test("behind a proxy each address has a count of its own; without one the header counts for nothing", async () => {
  const other = await makeStore("proxied");
  const proxied = await serve(other, ["--proxy", "127.0.0.1"]);
  const client = new Client(proxied.url);
  const from = (address) => ({ "X-Forwarded-For": address });
  for (let i = 0; i < 5; i++)
    assert.equal((await attempt(client, "a wrong passphrase", from("192.0.2.7"))).status, 401);
  assert.equal((await attempt(client, other.passphrase, from("192.0.2.7"))).status, 429);
  assert.equal((await attempt(client, other.passphrase, from("192.0.2.1, 192.0.2.7"))).status, 429);
  assert.equal((await attempt(client, other.passphrase, from("192.0.2.8"))).status, 200);
  assert.equal((await client.get("/metrics")).status, 403, "nobody is this machine behind a proxy");
  client.close();
  await proxied.stop();

  const plain = new Client(daemon.url);
  for (let i = 0; i < 5; i++)
    assert.equal((await attempt(plain, "a wrong passphrase", from(`192.0.2.${i}`))).status, 401);
  assert.equal((await attempt(plain, "a wrong passphrase", from("192.0.2.99"))).status, 429);
  plain.close();
});

test("a wrong passphrase takes as long as the right one", async () => {
  const other = await makeStore("timed");
  const timed = await serve(other);
  const client = new Client(timed.url);
  const spent = { right: [], wrong: [] };
  for (let i = 0; i < 4; i++) {
    spent.wrong.push((await attempt(client, "a wrong passphrase")).ms);
    spent.right.push((await attempt(client, other.passphrase)).ms);
  }
  const least = (list) => Math.min(...list);
  assert.ok(least(spent.wrong) > least(spent.right) / 3, JSON.stringify(spent));
  client.close();
  await timed.stop();
});

test("the daemon ended well and logged no failure", async () => {
  assert.equal(await daemon.stop(), 0);
  assert.doesNotMatch(daemon.err, /"level":"error"/);
});
