/* Every function of the lower modules that others can call and that allocates, directly or through what it calls, has
 * a test in which each of these allocations fails (security brief 5, row 2).
 *
 *   node tests/lint/allocations.mjs ROOT BUILD
 *
 * Who calls whom is read from the compiled libraries, calls through pointers excepted. A test names the function
 * inside FAIL_EACH_ALLOCATION(), in a function of its own that it calls there, or beside mem_fail_at() or a function
 * of its own that calls that. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [root, build] = process.argv.slice(2);
const MODULES = ["pds/base", "pds/crypto", "pds/vault", "pds/audit", "connectors/files"];
const ROOTS = /^(mem_(new|array|grow|resize|copy)\w*|buf_(reserve|grow)\w*)$/;

const read = (...path) => readFileSync(join(root, ...path), "utf8");

/** Functions declared in the headers of a folder: but internal ones, and those that cannot fail. */
function declared(folder) {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".h") && !name.endsWith("_internal.h"))
    .flatMap((name) =>
      [...read(folder, name).matchAll(/MUST_CHECK\s+[^;{}]*?\b(\w+)\s*\([^;{}]*\)[^;{}]*;/g)].map(
        (found) => found[1],
      ),
    );
}

const graph = new Map(); // "object function" → names that it calls
const homes = new Map(); // function that others can call → its object

/** What each function of a library calls. */
function readCalls(library) {
  const text = execFileSync("objdump", ["-drt", "--no-show-raw-insn", library], {
    encoding: "utf8",
    maxBuffer: 1 << 29,
  });
  let object;
  let current;
  for (const line of text.split("\n")) {
    const member = /^(\S+\.o): +file format/.exec(line);
    const symbol = /^[0-9a-f]+ g +F \.text\S*\s+[0-9a-f]+ (?:\.hidden )?(\w+)$/.exec(line);
    const begins = /^[0-9a-f]+ <([\w.]+)>:$/.exec(line);
    const target = /(?:R_X86_64_(?:PLT32|PC32)\s+|call\s+[0-9a-f]+ <)(\w+)/.exec(line);
    if (member) object = `${library} ${member[1]}`;
    else if (symbol) homes.set(symbol[1], object);
    else if (begins) graph.set((current = `${object} ${begins[1].split(".")[0]}`), new Set());
    else if (target && current) graph.get(current).add(target[1]);
  }
}

for (const name of readdirSync(build))
  if (/^lib(pds|connectors)_\w+\.a$/.test(name)) readCalls(join(build, name));

const known = new Map();
function allocates(name, from, on = new Set()) {
  if (ROOTS.test(name)) return true;
  const own = `${from} ${name}`;
  const at = graph.has(own) ? from : homes.get(name);
  const place = `${at} ${name}`;
  if (known.has(place) || on.has(place)) return known.get(place) ?? false;
  on.add(place);
  const found = [...(graph.get(place) ?? [])].some((one) => allocates(one, at, on));
  known.set(place, found);
  return found;
}

/* Words inside FAIL_EACH_ALLOCATION(…), and inside the functions of the test that stand there. */
const tested = new Set();
const common = new Map(); // functions of the tests' own headers
for (const name of readdirSync(join(root, "tests/unit")).sort(
  (a, b) => b.endsWith(".h") - a.endsWith(".h"),
)) {
  const text = read("tests/unit", name);
  const bodies = new Map([
    ...common,
    ...[
      ...text.matchAll(
        /^(?:static )?(?:inline )?[\w *]*?\b(\w+)\([^;{}]*\)\n\{\n([\s\S]*?)\n\}$/gm,
      ),
    ].map((m) => [m[1], m[2]]),
  ]);
  if (name.endsWith(".h")) for (const [word, body] of bodies) common.set(word, body);
  const look = (words, depth) => {
    for (const [word] of words.matchAll(/\w+/g)) {
      tested.add(word);
      if (depth && bodies.has(word)) look(bodies.get(word), depth - 1);
    }
  };
  for (const [, words] of text.matchAll(/FAIL_EACH_ALLOCATION\s*\(([^;{]*)/g)) look(words, 3);
  const failing = new Set(["mem_fail_at"]); // what lets one fail, itself or through what it names
  for (let more = true; more; ) {
    more = false;
    for (const [word, body] of bodies) {
      if (word === "main" || failing.has(word)) continue;
      if (![...body.matchAll(/\w+/g)].some(([one]) => failing.has(one))) continue;
      failing.add(word);
      look(body, 3);
      more = true;
    }
  }
}

/* What these call has its allocations fail too. */
const reached = new Set();
function reach(name, from) {
  const own = `${from} ${name}`;
  const at = graph.has(own) ? from : homes.get(name);
  const place = `${at} ${name}`;
  if (reached.has(place)) return;
  reached.add(place);
  for (const one of graph.get(place) ?? []) reach(one, at);
}
for (const name of tested) if (homes.has(name)) reach(name);

let bad = 0;
const tally = { functions: 0, allocating: 0, "tested by name": 0, "through a caller": 0 };
for (const folder of MODULES) {
  if (!existsSync(join(root, folder))) continue;
  for (const name of new Set(declared(folder))) {
    tally.functions++;
    if (!allocates(name)) continue;
    tally.allocating++;
    if (tested.has(name)) tally["tested by name"]++;
    else if (reached.has(`${homes.get(name)} ${name}`)) tally["through a caller"]++;
    if (tested.has(name) || reached.has(`${homes.get(name)} ${name}`)) continue;
    console.log(`${folder}: ${name} allocates, and no test lets that fail`);
    bad = 1;
  }
}
console.log(JSON.stringify(tally));
process.exit(bad);
