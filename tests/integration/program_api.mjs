/* The owner's addresses, from outside: who may, what is answered, what a refusal looks like. Uploads are in
 * program_upload.mjs, sign-in and its throttle in program_door.mjs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, CONSUMPTION, makeCurve, makeStore, serve } from "./program_common.mjs";

const store = await makeStore();
const daemon = await serve(store);
const stranger = new Client(daemon.url);
const owner = new Client(daemon.url);
const records = `/api/records/${CONSUMPTION}`;
const start = Date.parse("2024-05-01T22:00:00Z");
const watts = Array.from({ length: 48 }, (_, i) => 200 + 2 * i);
const routes = Object.entries((await stranger.get("/api/openapi.json")).json.paths).flatMap(
  ([path, methods]) => Object.keys(methods).map((method) => [method.toUpperCase(), path]),
);
const OPEN_TO_ALL = new Set([
  ...["GET /health", "GET /metrics", "GET /api/openapi.json", "GET /", "GET /{path}"],
  ...["POST /api/session", "POST /api/recover", "GET /jwks"],
]);
const ownersRoutes = routes.filter(([method, path]) => !OPEN_TO_ALL.has(`${method} ${path}`));
const concrete = (path) =>
  path.replace("{dataset}", CONSUMPTION).replace(/\{\w+\}/, "01J00000000000000000000000");

/** An answer must be a problem document of this status; a 401 or 403 tells nothing but its type. */
function problem(answer, status, type) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers["content-type"], "application/problem+json");
  const { type: urn, title, status: told, detail } = answer.json;
  assert.match(urn, /^urn:traboule:problem:[a-z-]+$/);
  if (type) assert.equal(urn, `urn:traboule:problem:${type}`);
  assert.ok(title.length > 5);
  assert.equal(told, status);
  if (status === 401 || status === 403) assert.equal(detail, undefined);
  if (status === 503 || status === 429) assert.match(answer.headers["retry-after"], /^[1-9]\d*$/);
  return answer.json;
}

const SECURITY = {
  "content-security-policy":
    /^default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'$/,
  "x-content-type-options": /^nosniff$/,
  "referrer-policy": /^no-referrer$/,
  "cross-origin-opener-policy": /^same-origin$/,
  "cross-origin-resource-policy": /^same-origin$/,
  "permissions-policy": /camera=\(\)/,
};

test("locked: each of the owner's addresses answers 503 with Retry-After, and tells nothing", async () => {
  assert.ok(ownersRoutes.length >= 10);
  const told = new Set();
  for (const [method, path] of ownersRoutes) {
    const answer = await stranger.ask(method, concrete(path), undefined, {
      Cookie: `traboule=${"A".repeat(43)}`,
      "X-CSRF-Token": "A".repeat(43),
    });
    problem(answer, 503, "locked");
    told.add(answer.text);
  }
  problem(await stranger.get("/api/records/no.such.dataset"), 503, "locked");
  problem(await stranger.get(`${records}?from=nonsense`), 503, "locked");
  assert.equal(told.size, 1, "all alike");
  assert.doesNotMatch([...told][0], /energy|import|session|record/);
  assert.equal((await stranger.get("/health")).text, '{"status":"locked"}\n');
  assert.match((await stranger.get("/metrics")).text, /^traboule_store_open 0$/m);
});

test("signing in opens it; without a session each of the owner's addresses answers 401", async () => {
  const answer = await owner.signIn(store.passphrase);
  assert.equal(answer.status, 200);
  assert.equal((await stranger.get("/health")).json.status, "open");
  for (const [method, path] of ownersRoutes) {
    const refused = await stranger.ask(method, concrete(path));
    problem(refused, 401, "unauthenticated");
    assert.equal(refused.headers["set-cookie"], undefined);
  }
  for (const cookie of ["traboule=", `traboule=${"A".repeat(43)}`, "traboule=x", "a=b; traboule=é"])
    problem(await stranger.get("/api/datasets", { Cookie: cookie }), 401);
  const twice = `${owner.cookie}; traboule=${"A".repeat(43)}`;
  problem(await stranger.get("/api/datasets", { Cookie: twice }), 401);
  assert.equal(
    (await stranger.get("/api/datasets", { Cookie: `a=b; ${owner.cookie}` })).status,
    200,
  );
});

test("security headers stand on every answer, whatever its status", async () => {
  const asked = [
    ...routes.map(([method, path]) => [method, concrete(path).replace("{path}", "none.js")]),
    ["GET", "/index.html"],
    ["HEAD", "/"],
    ["GET", "/none"],
    ["PUT", "/health"],
    ["GET", "/%00"],
    ["GET", "/api/datasets?x=%zz"],
  ];
  for (const [method, path] of asked) {
    if (path === "/api/lock" || (path === "/api/session" && method === "DELETE")) continue;
    for (const client of [owner, stranger]) {
      const { headers } = await client.ask(method, path);
      for (const [name, wanted] of Object.entries(SECURITY))
        assert.match(headers[name] ?? "", wanted, `${name} of ${method} ${path}`);
      if (path.startsWith("/api") || path === "/health")
        assert.equal(headers["cache-control"], "no-store", `${method} ${path}`);
      assert.equal(headers.server, undefined);
      assert.equal(headers["access-control-allow-origin"], undefined);
    }
  }
});

test("a change needs the CSRF token of its own session", async () => {
  const other = new Client(daemon.url);
  await other.signIn(store.passphrase);
  assert.notEqual(other.csrf, owner.csrf);
  const body = JSON.stringify({
    records: [{ start: "2020-01-01T00:00:00Z", end: "2020-01-01T00:30:00Z", value: 1 }],
  });
  const headers = { Cookie: owner.cookie, "Content-Type": "application/json" };
  for (const token of [
    undefined,
    "",
    "x",
    other.csrf,
    owner.csrf.slice(1),
    `${owner.csrf}A`,
    owner.csrf.toLowerCase(),
  ]) {
    const given = token === undefined ? {} : { "X-CSRF-Token": token };
    problem(
      await stranger.send("POST", records, { body, headers: { ...headers, ...given } }),
      403,
      "forbidden",
    );
  }
  const right = { ...headers, "X-CSRF-Token": owner.csrf };
  assert.equal((await stranger.send("POST", records, { body, headers: right })).status, 200);
  problem(
    await stranger.send("DELETE", "/api/session", { headers: { Cookie: owner.cookie } }),
    403,
  );
  assert.equal(
    (await owner.get("/api/session")).json.csrf,
    owner.csrf,
    "told again to its own session",
  );
  assert.equal((await other.ask("DELETE", "/api/session")).status, 204);
  problem(await other.get("/api/session"), 401);
  assert.equal((await owner.get("/api/session")).status, 200, "ending one leaves the others");
});

test("a change from elsewhere is refused, from our own pages it is not", async () => {
  const host = new URL(daemon.url).host;
  const undo = (headers) =>
    owner.post("/api/imports/01J00000000000000000000000/undo", undefined, headers);
  for (const headers of [
    { Origin: "https://evil.example" },
    { Origin: `https://${host}` },
    { Origin: "http://127.0.0.1:1" },
    { Origin: `http://${host}.evil.example` },
    { Origin: "null" },
    { Origin: "" },
    { "Sec-Fetch-Site": "cross-site" },
    { "Sec-Fetch-Site": "same-site" },
    { "Sec-Fetch-Site": "none" },
    { Origin: `http://${host}`, "Sec-Fetch-Site": "cross-site" },
  ]) {
    problem(await undo(headers), 403, "forbidden");
    problem(
      await stranger.post("/api/session", { passphrase: store.passphrase }, headers),
      403,
      "forbidden",
    );
  }
  problem(
    await undo({ Origin: `http://${host}`, "Sec-Fetch-Site": "same-origin" }),
    404,
    "not-found",
  );
  problem(await undo({}), 404, "not-found");
});

test("an owner's request carries no Authorization; another host is not ours", async () => {
  problem(await owner.get("/api/datasets", { Authorization: "Bearer x" }), 400, "invalid");
  problem(await owner.get("/api/datasets", { Host: "evil.example" }), 421, "misdirected");
  problem(await owner.get("/", { Host: "127.0.0.1.evil.example" }), 421);
});

test("records: put, read, as JSON and CSV, with ETag, by pages", async () => {
  const entry = (await owner.upload([{ name: "c.csv", text: makeCurve({ start, watts }) }])).json
    .files[0];
  assert.equal(entry.new, 48);
  const window = `${records}?from=2024-05-02&to=2024-05-03`;
  const whole = await owner.get(window);
  assert.equal(whole.headers["content-type"], "application/json");
  assert.equal(whole.json.records.length, 48);
  assert.deepEqual([whole.json.coverage, whole.json.next, whole.json.unit], [1, null, "Wh"]);

  const tag = whole.headers.etag;
  assert.match(tag, /^"[^"]+"$/);
  for (const match of [tag, `W/${tag}`, "*", `"other", ${tag}`]) {
    const same = await owner.get(window, { "If-None-Match": match });
    assert.deepEqual([same.status, same.body.length, same.headers.etag], [304, 0, tag], match);
  }
  assert.equal((await owner.get(window, { "If-None-Match": '"other"' })).status, 200);

  const csv = await owner.get(`${window}&format=csv`);
  assert.equal(csv.headers["content-type"], "text/csv; charset=utf-8");
  assert.equal(csv.text.split("\r\n")[0], "start,end,value,quality");
  assert.equal(csv.text.split("\r\n").length, 50);
  assert.equal((await owner.get(window, { Accept: "text/csv" })).text, csv.text);
  assert.equal((await owner.get(`${window}&format=json`, { Accept: "text/csv" })).text, whole.text);

  const day = (await owner.get(`${window}&step=P1D`)).json.records;
  assert.deepEqual(
    day.map((row) => row.value),
    [watts.reduce((sum, w) => sum + w / 2, 0)],
  );

  const sources = (await owner.get("/api/sources")).json.sources;
  const source = sources.reduce((most, one) => (one.records > most.records ? one : most));
  assert.deepEqual((await owner.get(`${window}&source=${source.id}`)).json, whole.json);
  assert.deepEqual((await owner.get(`${window}&source=999`)).json.records, []);
  const [far] = (await owner.get(`${records}?step=P1D&timezone=Indian/Reunion`)).json.records;
  assert.equal(far.start.slice(11), "20:00:00Z");

  for (const limit of [1, 7, 47, 48, 100]) {
    const rows = [];
    let cursor = "";
    let pages = 0;
    do {
      const page = (await owner.get(`${window}&limit=${limit}${cursor}`)).json;
      assert.ok(page.records.length <= limit);
      rows.push(...page.records);
      cursor = page.next ? `&cursor=${encodeURIComponent(page.next)}` : "";
      pages++;
    } while (cursor);
    assert.deepEqual(rows, whole.json.records, `pages of ${limit}`);
    assert.equal(pages, Math.ceil(48 / limit));
  }

  const put = (list) => owner.post(records, { records: list });
  const one = { start: "2021-01-01T00:00:00Z", end: "2021-01-01T00:30:00Z", value: 12.5 };
  const counts = ({ json }) => [json.new, json.same, json.replaced, json.rejected];
  assert.deepEqual(counts(await put([one])), [1, 0, 0, 0]);
  assert.deepEqual(counts(await put([one])), [0, 1, 0, 0]);
  assert.deepEqual(counts(await put([{ ...one, value: 13, quality: "corrected" }])), [0, 0, 1, 0]);
  assert.deepEqual(counts(await put([{ ...one, value: 14, quality: "estimated" }])), [0, 0, 0, 1]);
  const read = (await owner.get(`${records}?from=2021-01-01&to=2021-01-02`)).json.records;
  assert.deepEqual(read, [{ start: one.start, end: one.end, value: 13, quality: "corrected" }]);
});

test("lists: ETag, pages, undo", async () => {
  for (const path of ["/api/datasets", "/api/sources"]) {
    const first = await owner.get(path);
    const again = await owner.get(path, { "If-None-Match": first.headers.etag });
    assert.deepEqual([again.status, again.body.length], [304, 0], path);
  }
  for (const [path, key] of [
    ["/api/imports", "imports"],
    ["/api/sources", "sources"],
  ]) {
    const whole = (await owner.get(path)).json[key];
    const found = [];
    let cursor = "";
    do {
      const page = (await owner.get(`${path}?limit=1${cursor}`)).json;
      found.push(...page[key]);
      cursor = page.next ? `&cursor=${page.next}` : "";
    } while (cursor);
    assert.ok(whole.length >= 2);
    assert.deepEqual(found, whole, path);
  }
  const { id } = (await owner.get("/api/imports")).json.imports.find((one) => one.file === "c.csv");
  const undone = await owner.post(`/api/imports/${id}/undo`);
  assert.deepEqual(undone.json, { id, removed: 48, restored: 0 });
  problem(await owner.post(`/api/imports/${id}/undo`), 409, "conflict");
  assert.equal(
    (await owner.get(`${records}?from=2024-05-02&to=2024-05-03`)).json.records.length,
    0,
  );
  const checked = await owner.get("/api/check");
  assert.deepEqual(checked.json.problems, []);
  // Begun before the store is read: a large one takes longer than a handler may.
  assert.equal(checked.headers["transfer-encoding"], "chunked");
});

for (const [status, method, path, body, headers] of [
  [404, "GET", "/api/records/no.such.dataset"],
  [400, "GET", `${records}?from=yesterday`],
  [400, "GET", `${records}?from=2024-02-30`],
  [400, "GET", `${records}?to=2024-01-01T00:00`],
  [400, "GET", `${records}?from=2024-01-02&to=2024-01-01`],
  [400, "GET", `${records}?from=2024-01-01&to=2024-01-01`],
  [400, "GET", `${records}?step=PT7M`],
  [400, "GET", `${records}?step=`],
  [400, "GET", `${records}?source=0`],
  [400, "GET", `${records}?source=x`],
  [404, "GET", `${records}?timezone=Mars/Olympus`],
  [400, "GET", `${records}?format=xml`],
  [400, "GET", `${records}?limit=0`],
  [400, "GET", `${records}?limit=-1`],
  [400, "GET", `${records}?limit=1e3`],
  [400, "GET", `${records}?limit=99999999999999999999`],
  [400, "GET", `${records}?cursor=x`],
  [400, "GET", `${records}?form=2024`],
  [400, "GET", `${records}?from=2024-01-01&from=2024-01-02`],
  [400, "GET", `${records}?from=%zz`],
  [400, "GET", `${records}?from=%00`],
  [400, "GET", "/api/imports?limit=0"],
  [400, "GET", "/api/imports?limit=x"],
  [400, "GET", "/api/sources?cursor=x"],
  [404, "POST", "/api/imports/none/undo"],
  [415, "POST", records, "{}", { "Content-Type": "text/plain" }],
  [415, "POST", records, "{}", {}],
  [400, "POST", records, "{"],
  [400, "POST", records, "[]"],
  [400, "POST", records, "{}"],
  [400, "POST", records, '{"records":[]}'],
  [400, "POST", records, '{"records":{}}'],
  [400, "POST", records, '{"records":[1]}'],
  [400, "POST", records, '{"records":[],"records":[]}'],
  [400, "POST", records, '{"records":[],"more":1}'],
  [400, "POST", records, `${"[".repeat(40)}${"]".repeat(40)}`],
  [413, "POST", records, " ".repeat(256 * 1024 + 1)],
  [
    400,
    "POST",
    records,
    '{"records":[{"start":"2024-01-01T00:00:00Z","end":"2024-01-01T00:00:00Z","value":1}]}',
  ],
  [
    400,
    "POST",
    records,
    '{"records":[{"start":"2024-01-01T01:00:00Z","end":"2024-01-01T00:00:00Z","value":1}]}',
  ],
  [
    400,
    "POST",
    records,
    '{"records":[{"start":"2024-01-01T00:00:00Z","end":"2024-01-01T01:00:00Z"}]}',
  ],
  [
    400,
    "POST",
    records,
    '{"records":[{"start":"2024-01-01T00:00:00Z","end":"2024-01-01T01:00:00Z","value":"1"}]}',
  ],
  [
    400,
    "POST",
    records,
    '{"records":[{"start":"2024-01-01T00:00:00Z","end":"2024-01-01T01:00:00Z","value":1e300}]}',
  ],
  [
    400,
    "POST",
    records,
    '{"records":[{"start":"2024-01-01T00:00:00Z","end":"2024-01-01T01:00:00Z","value":9223372036854775807}]}',
  ],
  [400, "POST", records, '{"records":[{"start":"now","end":"2024-01-01T01:00:00Z","value":1}]}'],
  [
    400,
    "POST",
    records,
    '{"records":[{"start":"2024-01-01T00:00:00Z","end":"2024-01-01T01:00:00Z","value":1,"quality":"good"}]}',
  ],
  [404, "POST", "/api/records/no.such", '{"records":[]}'],
  [400, "POST", "/api/session", "{}"],
  [400, "POST", "/api/session", '{"passphrase":1}'],
  [400, "POST", "/api/session", '{"passphrase":"x","more":1}'],
  [413, "POST", "/api/session", `{"passphrase":"${"x".repeat(1025)}"}`],
  [400, "POST", "/api/passphrase", '{"current":"x","new":"short"}'],
  [400, "POST", "/api/recover", '{"code":"x","passphrase":"short"}'],
  [404, "GET", "/none.js"],
  [404, "GET", "/api"],
  [404, "GET", "/api/none"],
  [400, "GET", "/..%2f..%2fetc%2fpasswd"],
  [400, "GET", "/../etc/passwd"],
  [400, "GET", "/%2e%2e/etc/passwd"],
  [400, "GET", "/%ff"],
])
  test(`${status}: ${method} ${path.slice(0, 60)} ${(body ?? "").slice(0, 90)}`, async () => {
    const type = headers ?? (body === undefined ? {} : { "Content-Type": "application/json" });
    const seen = {};
    for (const language of ["en", "fr"])
      seen[language] = problem(
        await owner.ask(method, path, body, { ...type, "Accept-Language": language }),
        status,
      );
    assert.equal(seen.en.type, seen.fr.type);
    assert.notEqual(seen.en.title, seen.fr.title);
  });

test("nothing of a refused list of records is kept", async () => {
  const good = { start: "2019-01-01T00:00:00Z", end: "2019-01-01T01:00:00Z", value: 1 };
  problem(await owner.post(records, { records: [good, { ...good, value: "x" }] }), 400);
  assert.deepEqual((await owner.get(`${records}?to=2020-01-01`)).json.records, []);
});

test("HEAD answers as GET without a body; other methods are refused with what is allowed", async () => {
  for (const path of ["/", "/health", "/api/datasets", records, "/api/openapi.json"]) {
    const head = await owner.ask("HEAD", path);
    const get = await owner.get(path);
    assert.equal(head.status, 200);
    assert.equal(head.body.length, 0);
    for (const name of ["content-type", "etag", "content-length"])
      assert.equal(head.headers[name], get.headers[name], `${name} of ${path}`);
  }
  for (const [method, path, allow] of [
    ["POST", "/health", "GET, HEAD"],
    ["PUT", records, "GET, HEAD, POST, DELETE"],
    ["PUT", "/api/session", "GET, HEAD, POST, DELETE"],
    ["PUT", "/api/lock", "POST, GET, HEAD"],
    ["OPTIONS", "/api/imports", "GET, HEAD, POST"],
    ["PATCH", "/", "GET, HEAD"],
    ["TRACE", "/api/datasets", "GET, HEAD"],
  ]) {
    const refused = await owner.ask(method, path);
    problem(refused, 405, "method");
    assert.equal(refused.headers.allow, allow, `${method} ${path}`);
  }
});

test("the pages: found, gzip, 304; the same document for each view", async () => {
  const index = await stranger.get("/");
  assert.match(index.headers["content-type"], /^text\/html/);
  assert.equal((await stranger.get("/energy")).text, index.text);
  assert.equal((await stranger.get("/", { "If-None-Match": index.headers.etag })).status, 304);
  const packed = await stranger.get("/", { "Accept-Encoding": "gzip" });
  if (packed.headers["content-encoding"])
    assert.deepEqual([...packed.body.subarray(0, 2)], [0x1f, 0x8b]);
  assert.equal((await stranger.get("/api/openapi.json")).json.openapi, "3.1.0");
});

test("metrics: Prometheus text, for this machine, and figures that move", async () => {
  const figures = async () =>
    Object.fromEntries(
      [
        ...(await stranger.get("/metrics")).text.matchAll(/^(traboule_\w+(?:\{[^}]*\})?) (\d+)$/gm),
      ].map(([, k, v]) => [k, +v]),
    );
  const before = await figures();
  await owner.post(records, {
    records: [{ start: "2018-01-01T00:00:00Z", end: "2018-01-01T00:30:00Z", value: 1 }],
  });
  const after = await figures();
  assert.equal(after.traboule_store_open, 1);
  assert.ok(after.traboule_http_requests_total > before.traboule_http_requests_total);
  assert.ok(after.traboule_vault_writes_total > before.traboule_vault_writes_total);
});

test("a passphrase changed over HTTP; the lock ends every session and shuts the store", async () => {
  const fresh = "deux fleuves et une colline";
  problem(
    await owner.post("/api/passphrase", { current: "not the right one", new: fresh }),
    401,
    "wrong-key",
  );
  assert.equal(
    (await owner.post("/api/passphrase", { current: store.passphrase, new: fresh })).status,
    204,
  );
  const other = new Client(daemon.url);
  problem(await other.signIn(store.passphrase), 401, "wrong-key");
  assert.equal((await other.signIn(fresh)).status, 200);
  const locked = await owner.post("/api/lock");
  assert.equal(locked.status, 204);
  assert.match(locked.headers["set-cookie"][0], /^traboule=; .*Max-Age=0/);
  for (const client of [owner, other]) problem(await client.get("/api/session"), 503, "locked");
  assert.equal((await stranger.get("/health")).json.status, "locked");
  assert.equal((await other.signIn(fresh)).status, 200);
  problem(await owner.get("/api/session"), 401);
});

test("recovery over HTTP ends every session", async () => {
  const client = new Client(daemon.url);
  assert.equal((await client.signIn("deux fleuves et une colline")).status, 200);
  const typo = store.code.replace(/^./, (c) => (c === "A" ? "B" : "A"));
  problem(
    await stranger.post("/api/recover", { code: typo, passphrase: store.passphrase }),
    400,
    "invalid",
  );
  const done = await stranger.post("/api/recover", {
    code: store.code,
    passphrase: store.passphrase,
  });
  assert.equal(done.status, 204);
  problem(await client.get("/api/session"), 401);
  problem(await client.signIn("deux fleuves et une colline"), 401);
  assert.equal((await client.signIn(store.passphrase)).status, 200);
});

test("the daemon ended well and logged no failure", async () => {
  assert.equal(await daemon.stop(), 0);
  assert.doesNotMatch(daemon.err, /"level":"error"/);
});
