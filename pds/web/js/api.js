/* The program's addresses: the only file that fetches. What fails throws a `Problem`. */
import { BASE } from "./router.js";
import { Signal } from "./signal.js";

/** @typedef {{fr: string, en: string}} Text */
/** @typedef {{name: string, title: Text, description: Text, unit: string,
 *   aggregate: "sum" | "max" | "last", steps: string[], records: number,
 *   first: string | null, last: string | null}} Dataset */
/** @typedef {{start: string, end: string, value: number, quality?: string,
 *   coverage?: number}} DataRecord */
/** @typedef {{id: string, file: string, format: string, at: string, new: number, same: number,
 *   replaced: number, rejected: number, undone_at: string | null,
 *   failure?: string | null}} Import */
/** @typedef {{line: number, reason: string}} Warning */
/** @typedef {{file: string, format: string, dataset: string, new: number, same: number,
 *   replaced: number, rejected: number, first: string | null, last: string | null,
 *   total: number | null, unit: string, gaps?: number | {start: string, end: string}[],
 *   warnings?: Warning[]}} Outcome */
/** @typedef {{id: number, provider: string, reference: string, records: number,
 *   first: string | null, last: string | null}} Source */
/** @typedef {{csrf: string, idle_seconds?: number, expires_at?: string, damaged?: string}} Session */

/** What the program answered instead of what was asked (RFC 9457), or `status` 0: no answer. */
export class Problem extends Error {
  /** @param {number} status @param {any} [document] @param {number} [retryAfter] seconds */
  constructor(status, document, retryAfter = 0) {
    super(document?.detail || document?.title || String(status));
    this.status = status;
    this.type = typeof document?.type === "string" ? document.type : "";
    /** What kind of problem, in the reader's language; empty when the program said nothing. */
    this.title = String(document?.title ?? "");
    /** What was seen, this time. */
    this.detail = String(document?.detail ?? "");
    this.retryAfter = retryAfter;
  }

  /** The last word of the type's address: "locked", "damaged"…
   * @param {string} word */
  is(word) {
    return this.type.endsWith(word);
  }
}

/** The last problem that concerns the whole page, whoever met it: 401, locked, damaged. */
export const trouble = new Signal(/** @type {Problem | null} */ (null));

/** When the program last answered a call of this page, in ms; 0: never. */
export const spoke = { at: 0 };

let language = "fr";
let csrf = "";

/** @param {string} code */
export function setLanguage(code) {
  language = code;
}

/** @param {string} token */
export function setCsrf(token) {
  csrf = token;
}

/** @param {number} status @param {string} text @param {string | null} retryAfter */
function problem(status, text, retryAfter) {
  let document = null;
  try {
    document = JSON.parse(text);
  } catch {
    // A body that is not ours (a proxy's page) tells nothing: the status remains.
  }
  return new Problem(status, document, Math.max(0, Number(retryAfter) || 0));
}

/** Tell the page when the problem is everybody's. Damage is, whoever asked. @param {Problem} failed
 * @param {boolean} [quiet] */
function report(failed, quiet = false) {
  const damaged = failed.status === 503 && failed.is("damaged");
  const ours =
    (failed.status === 401 && !failed.is("wrong-key")) ||
    (failed.status === 503 && failed.is("locked"));
  if (damaged || (ours && !quiet)) trouble.set(failed);
}

/** `quiet`: what fails concerns who asked alone; `revision`: of the thing that is changed, as it was seen.
 * @typedef {{quiet?: boolean, revision?: number}} Manner */

/** @type {Manner} */
const QUIET = { quiet: true };

/** @template T
 * @param {string} method @param {string} path @param {any} body @param {Manner} manner
 * @param {(response: Response) => Promise<T>} take of a good answer @returns {Promise<T>} */
async function ask(method, path, body, { quiet = false, revision = 0 }, take) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json", "Accept-Language": language };
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (revision) headers["If-Match"] = `"${revision}"`;
  let response;
  let text = "";
  try {
    response = await fetch(BASE + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-cache",
    });
    if (response.ok) {
      const taken = await take(response);
      if (!quiet) spoke.at = Date.now();
      return taken;
    }
    text = await response.text();
  } catch {
    throw new Problem(0);
  }
  const failed = problem(response.status, text, response.headers.get("Retry-After"));
  report(failed, quiet);
  throw failed;
}

/** @param {string} method @param {string} path @param {any} [body] @param {Manner} [manner]
 * @returns {Promise<any>} */
export const call = (method, path, body, manner = {}) =>
  ask(method, path, body, manner, async (response) => {
    const text = await response.text();
    return text ? JSON.parse(text) : null;
  });

/** What the program answers as plain text. @param {string} path @returns {Promise<string>} */
export const plain = (path) => ask("GET", path, undefined, {}, (response) => response.text());

/** What the program answers as a file, and the name it gives it.
 * @param {string} method @param {string} path @param {any} [body]
 * @returns {Promise<{name: string, bytes: Blob}>} */
export const file = (method, path, body) =>
  ask(method, path, body, {}, async (response) => {
    const told = response.headers.get("Content-Disposition") ?? "";
    return { name: /filename="([^"]+)"/.exec(told)?.[1] ?? "", bytes: await response.blob() };
  });

/** @param {Record<string, string | undefined | null>} fields */
export function search(fields) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value) query.set(name, value);
  const text = query.toString();
  return text ? `?${text}` : "";
}

/** @returns {Promise<{status: "open" | "locked", damaged?: boolean}>} */
export const health = () => call("GET", "health", undefined, QUIET);

/** @returns {Promise<Session>} */
export const session = () => call("GET", "api/session", undefined, QUIET);

/** @param {string} passphrase @returns {Promise<Session>} */
export const signIn = (passphrase) => call("POST", "api/session", { passphrase }, QUIET);

export const signOut = () => call("DELETE", "api/session", undefined, QUIET);

export const lock = () => call("POST", "api/lock");

/** @param {string} code @param {string} passphrase */
export const recover = (code, passphrase) =>
  call("POST", "api/recover", { code, passphrase }, QUIET);

/** A wrong current passphrase may answer 401, which does not end the session: it is not reported.
 * @param {string} current @param {string} next */
export const changePassphrase = (current, next) =>
  call("POST", "api/passphrase", { current, new: next }, QUIET);

/** @returns {Promise<Dataset[]>} */
export async function datasets() {
  /** @type {Dataset[]} */
  const all = [];
  let cursor = "";
  do {
    const page = await call("GET", `api/datasets${search({ cursor })}`);
    all.push(...page.datasets);
    cursor = page.next ?? "";
  } while (cursor);
  return all;
}

/** Every record of a window, however many pages it takes.
 * @param {string} dataset @param {string} from @param {string} to @param {string} step
 * @returns {Promise<{records: DataRecord[], coverage: number | null, unit: string}>} */
export async function records(dataset, from, to, step) {
  /** @type {DataRecord[]} */
  const all = [];
  let cursor = "";
  let page;
  do {
    const path = `api/records/${encodeURIComponent(dataset)}`;
    page = await call("GET", path + search({ from, to, step, cursor }));
    all.push(...page.records);
    cursor = page.next ?? "";
  } while (cursor);
  return { records: all, coverage: page.coverage ?? null, unit: page.unit };
}

/** @param {string} [cursor] @param {string} [limit]
 * @returns {Promise<{imports: Import[], next: string | null}>} */
export const imports = (cursor, limit) => call("GET", `api/imports${search({ cursor, limit })}`);

/** @param {string} id @returns {Promise<{removed: number, restored: number}>} */
export const undoImport = (id) => call("POST", `api/imports/${encodeURIComponent(id)}/undo`);

/** @returns {Promise<{sources: Source[], next: string | null}>} */
export const sources = () => call("GET", "api/sources");

/** Send a form, which may hold files.
 * @param {string} path @param {FormData} form
 * @param {(share: number) => void} onProgress from 0 to 1
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} */
export function sendForm(path, form, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", BASE + path);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Accept-Language", language);
    request.setRequestHeader("X-CSRF-Token", csrf);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) {
        spoke.at = Date.now();
        try {
          resolve(JSON.parse(request.responseText));
        } catch {
          reject(new Problem(request.status)); // not ours: something between has answered
        }
        return;
      }
      const retryAfter = request.getResponseHeader("Retry-After");
      const failed = problem(request.status, request.responseText, retryAfter);
      report(failed);
      reject(failed);
    });
    request.addEventListener("error", () => reject(new Problem(0)));
    request.addEventListener("abort", () => reject(signal?.reason));
    signal?.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

/** Import a file. The program imports while it receives, so what is sent is what is done.
 * @param {File} file
 * @param {(share: number) => void} onProgress from 0 to 1
 * @param {AbortSignal} signal
 * @returns {Promise<Outcome[]>} */
export async function sendFile(file, onProgress, signal) {
  const form = new FormData();
  form.append("file", file, file.name);
  return (await sendForm("api/imports", form, onProgress, signal)).files;
}

/** The texts of a language, by key. @param {string} code @returns {Promise<any>} */
export const texts = (code) => call("GET", `i18n/${code}.json`, undefined, QUIET);
