/* Gather the owner's pages into one folder: exactly the tree that the program serves.
 *
 *   node pds/web/assemble.mjs OUTPUT [NODE_MODULES]
 *
 * There is no bundler. Our own files are copied as they are; of the npm modules named in the lock
 * file, only the few files in VENDOR are. A browser resolves no bare name such as "preact" (an
 * import map would be an inline script, which our policy refuses), so a bare import of a vendored
 * module is rewritten to the path of its neighbour. Works with the Node 18 of Debian 12. */
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const OWN = ["index.html", "favicon.svg", "style", "js", "i18n"];
const FONT = "@fontsource-variable/figtree";

/** From npm: where a file lies in its package, and its name under /vendor. */
const VENDOR = [
  ["preact/dist/preact.mjs", "preact.mjs"],
  ["preact/hooks/dist/hooks.mjs", "preact-hooks.mjs"],
  ["htm/dist/htm.mjs", "htm.mjs"],
  ["uplot/dist/uPlot.esm.js", "uplot.mjs"],
  ["uplot/dist/uPlot.min.css", "uplot.css"],
  ["i18next/dist/esm/i18next.js", "i18next.mjs"],
  [`${FONT}/files/figtree-latin-wght-normal.woff2`, "figtree.woff2"],
];

/** Bare names that vendored modules import, and who stands for them. */
const NEIGHBOUR = new Map([["preact", "./preact.mjs"]]);

/** Rewrite bare imports to neighbours, and drop the mark of a source map that is not served.
 * @param {string} source
 * @param {string} name */
function settle(source, name) {
  const out = source
    .replace(/(\bfrom\s*|\bimport\s*)(["'])([\w@][\w@/.-]*)\2/g, (_all, word, quote, bare) => {
      const neighbour = NEIGHBOUR.get(bare);
      if (!neighbour) throw new Error(`${name} imports "${bare}", which is not vendored`);
      return `${word}${quote}${neighbour}${quote}`;
    })
    .replace(/\n?\/\/# sourceMappingURL=.*\n?$/, "\n");
  return out;
}

/** @param {string} output @param {string} modules */
async function assemble(output, modules) {
  await rm(output, { recursive: true, force: true });
  await mkdir(join(output, "vendor"), { recursive: true });
  for (const name of OWN)
    await cp(join(HERE, name), join(output, name), {
      recursive: true,
      filter: (path) => !path.endsWith(".d.ts"),
    });
  for (const [from, name] of VENDOR) {
    const bytes = await readFile(join(modules, from));
    const isModule = name.endsWith(".mjs");
    await writeFile(
      join(output, "vendor", name),
      isModule ? settle(bytes.toString("utf8"), name) : bytes,
    );
  }
  await preload(output);
}

/** Every script below a folder, as paths from it, in order. @param {string} folder @returns {Promise<string[]>} */
async function scripts(folder) {
  const found = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory())
      for (const path of await scripts(join(folder, entry.name)))
        found.push(`${entry.name}/${path}`);
    else if (/\.m?js$/.test(entry.name)) found.push(entry.name);
  }
  return found.sort();
}

/** Have the browser fetch every module at once. @param {string} output */
async function preload(output) {
  const page = join(output, "index.html");
  const links = (await scripts(output)).map((path) => `<link rel="modulepreload" href="${path}">`);
  const source = await readFile(page, "utf8");
  const whole = source.replace(/<!-- modules: .*? -->/, links.join("\n    "));
  await writeFile(page, whole);
  await writeFile(join(output, "index-below.html"), below(whole));
}

/** The page for an address one folder down (`/consent/ID`): it is served under any prefix, and the policy has no
 * room for a base, so that its files are found by going up. @param {string} source */
const below = (source) => source.replace(/(\b(?:href|src)=")(?![./#]|[a-z]+:)/g, "$1../");

const [output, modules] = process.argv.slice(2);
if (!output) {
  process.stderr.write(`usage: node ${basename(process.argv[1])} OUTPUT [NODE_MODULES]\n`);
  process.exit(2);
}
await assemble(output, modules ?? join(HERE, "..", "..", "node_modules"));
