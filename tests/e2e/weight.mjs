/* What a browser fetches stays small, and the assembled tree holds no way out. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const BUDGET = 250 * 1024; // script and style, gzip
const FONT_BUDGET = 40 * 1024;
const ASSEMBLE = fileURLToPath(new URL("../../pds/web/assemble.mjs", import.meta.url));

/** @param {string} folder @returns {Promise<string[]>} */
async function walk(folder) {
  const found = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await walk(path)));
    else found.push(path);
  }
  return found;
}

test("script and style stay within their budget", async (t) => {
  const tree = await mkdtemp(join(tmpdir(), "traboule-web-"));
  t.after(() => rm(tree, { recursive: true, force: true }));
  await promisify(execFile)(process.execPath, [ASSEMBLE, tree]);
  let code = 0;
  let fonts = 0;
  for (const path of await walk(tree)) {
    const bytes = await readFile(path);
    const kind = extname(path);
    if (kind === ".woff2") fonts += bytes.length;
    else code += gzipSync(bytes, { level: 9 }).length;
    if (kind === ".js" || kind === ".mjs")
      for (const [, name] of bytes
        .toString("utf8")
        .matchAll(/^\s*(?:import|export)\b[^"'`;]*?\bfrom\s*["']([^"']+)["']/gm))
        assert.match(name, /^\.\.?\//, `${path} imports ${name}`);
    if (kind === ".html")
      assert.doesNotMatch(bytes.toString("utf8"), /<style|style=|<script(?![^>]*src=)|https?:/);
  }
  t.diagnostic(`${code} bytes of script, style and text, ${fonts} of font`);
  assert.ok(code <= BUDGET, `${code} bytes`);
  assert.ok(fonts <= FONT_BUDGET, `${fonts} bytes of font`);
});
