/* Documents and bundles of them: what the program tells and is told. */
import { call, search, sendForm } from "./api.js";
import { daysBetween, localOf } from "./calendar.js";
import { dayName } from "./format.js";
import { ours, plural, t } from "./language.js";
import { BASE } from "./router.js";
import { Signal } from "./signal.js";

/** @typedef {{name: string, fr: string, en: string, remind_days: number}} Kind */
/** @typedef {{version: number, file: string, type: string, size: number, added: string}} Version */
/** What the owner tells of a document. @typedef {{kind: string, title: string, number: string,
 *   issuer: string, issued: string | null, expires: string | null, remind_days: number, tags: string[],
 *   note: string}} Facts */
/** @typedef {Facts & {id: string, revision: number, created: string, updated: string, file: string,
 *   type: string, size: number, versions?: Version[], bundles?: string[]}} Paper */
/** @typedef {{id: string, title: string, documents: string[]}} Bundle */

const ROWS = "50";

/** The closed list of kinds, once asked. */
export const kinds = new Signal(/** @type {Kind[]} */ ([]));

export async function loadKinds() {
  if (!kinds.value.length) kinds.set((await call("GET", "api/documents/kinds")).kinds);
}

/** @param {string} name */
export function kindName(name) {
  const kind = kinds.value.find((one) => one.name === name);
  const text = kind ? ours(kind) : name;
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

/** @param {string} id */
const path = (id) => `api/documents/${encodeURIComponent(id)}`;

/** @param {{q?: string, kind?: string, tag?: string, bundle?: string, expiring?: string, cursor?: string}} wanted
 * @returns {Promise<{documents: Paper[], next: string | null}>} */
export const papers = (wanted) => call("GET", `api/documents${search({ ...wanted, limit: ROWS })}`);

/** Every document, page by page. @returns {Promise<Paper[]>} */
export async function allPapers() {
  const all = [];
  let cursor = "";
  do {
    const page = await papers({ cursor });
    all.push(...page.documents);
    cursor = page.next ?? "";
  } while (cursor);
  return all;
}

/** Those whose reminder or expiry has come. @returns {Promise<Paper[]>} */
export const expiring = async () => (await papers({ expiring: today() })).documents;

/** @param {string} id @returns {Promise<Paper>} */
export const paper = (id) => call("GET", path(id));

/** Where a browser finds the file. @param {string} id @param {number} [version] 0: the newest */
export const contentOf = (id, version = 0) =>
  `${BASE}${path(id)}/content${version ? `?version=${version}` : ""}`;

/** @param {File} file @param {Record<string, any>} facts @param {(share: number) => void} onProgress
 * @returns {Promise<Paper>} */
export function addPaper(file, facts, onProgress) {
  const form = new FormData();
  for (const [name, value] of Object.entries(facts)) if (value) form.append(name, String(value));
  form.append("file", file, file.name);
  return sendForm("api/documents", form, onProgress);
}

/** @param {Paper} one @param {File} file @param {(share: number) => void} onProgress */
export function addVersion({ id }, file, onProgress) {
  const form = new FormData();
  form.append("file", file, file.name);
  return sendForm(`${path(id)}/versions`, form, onProgress);
}

/** @param {Paper} one @param {Record<string, any>} facts */
export const changePaper = ({ id, revision }, facts) =>
  call("PATCH", path(id), facts, { revision });

/** @param {Paper} one */
export const deletePaper = ({ id, revision }) => call("DELETE", path(id), undefined, { revision });

/** @returns {Promise<Bundle[]>} */
export const bundles = async () => (await call("GET", "api/bundles")).bundles;

/** A new one when `id` is empty. @param {string} id @param {string} title @param {string[]} documents */
export const putBundle = (id, title, documents) =>
  id
    ? call("PUT", `api/bundles/${encodeURIComponent(id)}`, { title, documents })
    : call("POST", "api/bundles", { title, documents });

/** @param {string} id */
export const deleteBundle = (id) => call("DELETE", `api/bundles/${encodeURIComponent(id)}`);

/** The day it is where the owner lives. */
const today = () => localOf(Date.now()).day;

/** How a document stands with its expiry: `state` for the eye, `words` for the reader; null without one.
 * @param {{expires: string | null, remind_days: number}} one
 * @returns {{state: "over" | "soon" | "far", words: string} | null} */
export function expiry({ expires, remind_days }) {
  if (!expires) return null;
  const days = daysBetween(today(), expires);
  if (days < 0) return { state: "over", words: t("expiry.over", { day: dayName(expires) }) };
  if (days === 0) return { state: "soon", words: t("expiry.today") };
  if (days <= Math.max(remind_days, 30)) return { state: "soon", words: plural("expiry.in", days) };
  return { state: "far", words: t("expiry.until", { day: dayName(expires) }) };
}
