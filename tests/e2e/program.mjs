/* The program under test, in a folder of its own: made, filled and served as a person would. */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const PROGRAM = process.env.TRABOULE ?? "build/release/traboule";
const READY_MS = 20_000;

export const PASSPHRASE = "quatre chevaux traversent la Saone";

/** Make a store. @returns {Promise<{folder: string, store: string, secret: string, code: string}>} */
export async function makeStore() {
  const folder = await mkdtemp(join(tmpdir(), "traboule-e2e-"));
  const store = join(folder, "store");
  const secret = join(folder, "passphrase");
  await writeFile(secret, PASSPHRASE, { mode: 0o600 });
  const { stdout, stderr } = await run(PROGRAM, ["init", store, "--passphrase-file", secret]);
  const code = /[0-9A-Za-z]{2,}(?:-[0-9A-Za-z]{2,}){3,}/.exec(`${stdout}\n${stderr}`)?.[0] ?? "";
  return { folder, store, secret, code };
}

/** Serve a store, locked; resolves once it listens.
 * @param {string} store @returns {Promise<{address: string, stop: () => Promise<void>}>} */
export function serve(store) {
  const child = spawn(PROGRAM, ["serve", store, "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  return new Promise((resolve, reject) => {
    let said = "";
    const late = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`the program did not say where it listens: ${said}`));
    }, READY_MS);
    /** @param {Buffer} bytes */
    const listen = (bytes) => {
      said += bytes.toString();
      const address = /http:\/\/127\.0\.0\.1:\d+\//.exec(said)?.[0];
      if (!address) return;
      clearTimeout(late);
      resolve({ address, stop });
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.once("error", reject);
    child.once("exit", (status) => {
      clearTimeout(late);
      reject(new Error(`the program ended (${status}): ${said}`));
    });
  });
}

/** @param {string} folder */
export const discard = (folder) => rm(folder, { recursive: true, force: true });
