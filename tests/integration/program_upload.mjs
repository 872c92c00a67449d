/* Files over HTTP: what is taken, what is refused with which status, and that nothing of a refusal stays. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { Client, CONSUMPTION, makeCurve, makeForm, makeStore, serve } from "./program_common.mjs";

const store = await makeStore();
const daemon = await serve(store);
const owner = new Client(daemon.url);
assert.equal((await owner.signIn(store.passphrase)).status, 200);
const start = Date.parse("2024-05-01T22:00:00Z");
const DAY_MS = 86_400_000;
const curve = (day, count = 48) =>
  makeCurve({ start: start + day * DAY_MS, watts: Array(count).fill(400) });
const form = (files) => owner.upload(files);
const send = (type, body) =>
  owner.post("/api/imports", Buffer.from(body), { "Content-Type": type });
const imports = async () => (await owner.get("/api/imports")).json.imports;
const count = async () =>
  (await owner.get(`/api/records/${CONSUMPTION}?limit=100000`)).json.records.length;

test("several files in one form, each with its entry; other fields are passed over", async () => {
  const answer = await form([
    { field: "note", text: "not a file" },
    { name: "un.csv", text: curve(0) },
    { field: "other", name: "autre.csv", text: curve(9) },
    { name: "deux.csv", text: curve(1) },
    { name: "l’été à Lyon.csv", text: curve(2) },
  ]);
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(
    answer.json.files.map((one) => [one.file, one.new]),
    [
      ["un.csv", 48],
      ["deux.csv", 48],
      ["l’été à Lyon.csv", 48],
    ],
  );
  assert.equal(await count(), 144);
});

test("a name is a label, never a path", async () => {
  for (const [name, kept] of [
    ["../../etc/passwd", "passwd"],
    ["C:\\\\Temp\\\\a.csv", "a.csv"],
  ]) {
    const answer = await form([{ name, text: curve(0) }]);
    assert.equal(answer.json.files[0].file, kept);
  }
});

test("dataset and timezone are asked for in the query", async () => {
  const file = [{ name: "un.csv", text: curve(0) }];
  assert.equal((await owner.upload(file, `?dataset=${CONSUMPTION}`)).json.files[0].same, 48);
  assert.equal(
    (await owner.upload(file, "?dataset=water.consumption")).json.files[0].dataset,
    null,
  );
  assert.equal((await owner.upload(file, "?timezone=Europe/Paris")).status, 200);
  assert.equal((await owner.upload(file, "?dataset=none")).status, 404);
  assert.equal((await owner.upload(file, "?zone=Europe/Paris")).status, 400);
  assert.ok([400, 404].includes((await owner.upload(file, "?timezone=Mars/Olympus")).status));
});

const { type } = makeForm([]);
const whole = makeForm([{ name: "x.csv", text: curve(30) }]).body.toString();
for (const [name, status, how, body] of [
  [
    "a format that nothing reads",
    415,
    type,
    makeForm([{ name: "a.txt", text: "a letter to a friend" }]).body,
  ],
  [
    "a workbook",
    415,
    type,
    makeForm([{ name: "a.xlsx", text: "PK\u0003\u0004xl/workbook.xml" }]).body,
  ],
  ["an empty file", 415, type, makeForm([{ name: "a.csv", text: "" }]).body],
  ["no file in the form", 400, type, makeForm([{ field: "note", text: "x" }]).body],
  [
    "no field of that name",
    400,
    type,
    makeForm([{ field: "document", name: "x.csv", text: curve(30) }]).body,
  ],
  ["a form without parts", 400, type, makeForm([]).body],
  ["no body at all", 415, type, ""],
  ["not multipart", 415, "text/csv", curve(30)],
  ["multipart without a boundary", 400, "multipart/form-data", whole],
  ["another boundary than its own", 400, "multipart/form-data; boundary=other", whole],
  ["cut in the middle of a file", 400, type, whole.slice(0, whole.length >> 1)],
  ["without the closing boundary", 400, type, whole.slice(0, -18)],
  ["a part without a disposition", 400, type, whole.replace(/Content-Disposition[^\r]*\r\n/, "")],
  [
    "more than 64 files",
    413,
    type,
    makeForm(Array(65).fill({ name: "x.csv", text: curve(0, 1) })).body,
  ],
])
  test(`${status}: ${name}`, async () => {
    const before = [await imports(), await count()];
    const answer = await send(how, body);
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.headers["content-type"], "application/problem+json");
    const after = [await imports(), await count()];
    if (status !== 413) assert.deepEqual(after, before, "nothing is kept");
  });

test("a file that cannot be read stands in the answer with why; the others are kept", async () => {
  const answer = await form([
    { name: "odd.txt", text: "a letter to a friend" },
    { name: "bon.csv", text: curve(40) },
  ]);
  assert.equal(answer.status, 200, answer.text);
  const [odd, good] = answer.json.files;
  assert.equal(odd.error.type, "unsupported");
  assert.deepEqual([good.file, good.new], ["bon.csv", 48]);
  assert.equal((await imports())[0].file, "bon.csv");
});

/* The head of an upload on a socket of its own; resolves when the daemon reads on: its handler wants the body. */
function begin(declared) {
  const { hostname, port } = new URL(daemon.url);
  const socket = connect(Number(port), hostname);
  const head = [
    "POST /api/imports HTTP/1.1",
    `Host: ${hostname}:${port}`,
    `Cookie: ${owner.cookie}`,
    `X-CSRF-Token: ${owner.csrf}`,
    `Content-Type: ${type}`,
    `Content-Length: ${declared}`,
    "Expect: 100-continue",
  ];
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("data", (bytes) => {
      assert.match(bytes.toString(), /^HTTP\/1\.1 100 /);
      resolve(socket);
    });
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
  });
}

test("a client that leaves in mid-upload leaves nothing, and the daemon goes on", async () => {
  const before = [await imports(), await count()];
  const long = makeForm([{ name: "long.csv", text: curve(100, 20_000) }]).body;
  for (const part of [0, 0.0001, 0.3, 0.6, 0.95, 0.99999]) {
    const socket = await begin(long.length);
    await new Promise((resolve) => socket.write(long.subarray(0, long.length * part), resolve));
    socket.destroy();
  }
  /* A lock waits for whoever is inside: when it is answered the six are gone. */
  assert.equal((await owner.post("/api/lock")).status, 204);
  assert.equal((await owner.signIn(store.passphrase)).status, 200);
  const after = [(await imports()).filter((one) => one.failure === null), await count()];
  assert.deepEqual(after, before);
  assert.deepEqual((await owner.get("/api/check")).json.problems, []);
});

test("a lock does not wait for the end of an upload, which hears why", async () => {
  const long = makeForm([{ name: "verrou.csv", text: curve(1000, 20_000) }]).body;
  const socket = await begin(long.length);
  let sent = 0;
  const trickle = setInterval(() => {
    socket.write(long.subarray(sent, sent + 100));
    sent += 100;
  }, 20);
  const answered = new Promise((resolve) => socket.once("data", resolve));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const begun = Date.now();
  assert.equal((await owner.post("/api/lock")).status, 204);
  assert.ok(Date.now() - begun < 2000, `${Date.now() - begun} ms`);
  clearInterval(trickle);
  socket.write(long.subarray(sent)); // the answer comes behind the body: HTTP/1.1 clients listen then
  assert.match((await answered).toString(), /^HTTP\/1\.1 503 [\s\S]*being locked/);
  socket.destroy();
});

test("an upload that stands still does not hold a lock either; nothing of it is there afterwards", async () => {
  assert.equal((await owner.signIn(store.passphrase)).status, 200);
  const before = await count();
  const long = makeForm([{ name: "verrou.csv", text: curve(1000, 20_000) }]).body;
  const socket = await begin(long.length);
  socket.write(long.subarray(0, 100_000));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const begun = Date.now();
  assert.equal((await owner.post("/api/lock")).status, 204);
  assert.ok(Date.now() - begun < 2000, `${Date.now() - begun} ms`);
  socket.destroy();
  assert.equal((await owner.signIn(store.passphrase)).status, 200);
  assert.equal(await count(), before);
});

test("an upload without a session, or without the CSRF token, is refused before its body", async () => {
  const stranger = new Client(daemon.url);
  assert.equal((await stranger.upload([{ name: "x.csv", text: curve(0) }])).status, 401);
  stranger.cookie = owner.cookie;
  assert.equal((await stranger.upload([{ name: "x.csv", text: curve(0) }])).status, 403);
  stranger.close();
});

test("the daemon ended well", async () => {
  assert.equal(await daemon.stop(), 0);
});
