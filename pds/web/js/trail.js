/* The trail: what happened in the store, line by line, and whether its past is still the one that was seen. */
import { call, Problem, plain, search } from "./api.js";
import { datasetTitle } from "./dataset.js";
import { moment, span } from "./format.js";
import { plural, t } from "./language.js";
import { BASE } from "./router.js";
import { readCheckpoint, goesOn as tlogGoesOn } from "./tlog.js";

/** `kind`, `who`, `what` are null where the content was erased.
 * @typedef {{index: number, time: string, kind: string | null, who: string | null, what: string | null,
 *   consent: string | null}} Entry */
/** What this browser saw last. @typedef {{note: string, size: number, at: string}} Seen */

const MEMORY = `traboule.checkpoint ${BASE}`;
const ROWS = "50";

/** What is told of each kind. @type {Record<string, string>} */
const KINDS = {
  "trail.begun": "event.begun",
  "sign-in": "event.sign_in",
  "sign-in.failed": "event.sign_in_failed",
  "store.opened": "event.opened",
  "store.locked": "event.locked",
  "passphrase.changed": "event.passphrase",
  "recovery.used": "event.recovery_used",
  "recovery.changed": "event.recovery_changed",
  rekeyed: "event.rekeyed",
  imported: "event.imported",
  "import.undone": "event.import_undone",
  "records.put": "event.put",
  "records.corrected": "event.corrected",
  "records.deleted": "event.deleted",
  annotated: "event.annotated",
  "document.added": "event.document_added",
  "document.changed": "event.document_changed",
  "document.deleted": "event.document_deleted",
  erased: "event.erased",
  exported: "event.exported",
  merged: "event.merged",
  "backed-up": "event.backed_up",
  restored: "event.restored",
};

/** Every kind with its words. */
export const kinds = () =>
  Object.keys(KINDS).map((kind) => ({ value: kind, name: t(KINDS[kind]) }));

/** @param {Entry} entry */
export function kindInWords({ kind }) {
  if (kind === null) return t("event.blank");
  return KINDS[kind] ? t(KINDS[kind]) : kind;
}

/** @type {Record<string, string>} */
const WORDS = {
  everything: "event.everything",
  "a period": "event.period",
  source: "event.source",
  bundle: "event.bundle",
  passphrase: "event.by_passphrase",
  "key file": "journal.keyfile",
};

/** The words of what a line is about: some are two. */
const PARTS = /a period|key file|[^\s,]+/g;

/** What tells a person nothing: the id of an import, a document, a key; the number of a source. */
const IDS = /^(import|\d+|[0-9a-f]{8}|[0-9A-HJKMNP-TV-Z]{26}|[\w-]{32,})$/;

const INTERVAL = /^(\d{4}-[\dT:.-]+Z)\/(\d{4}-[\dT:.-]+Z)$/;

/** A word of what a line is about, for a reader; "" for what tells nothing. @param {string} word */
function wordOf(word) {
  const period = INTERVAL.exec(word);
  if (period) {
    const [, from, to] = period;
    return from === to ? moment(from) : span(from, to);
  }
  if (IDS.test(word)) return "";
  if (WORDS[word]) return t(WORDS[word]);
  return datasetTitle(word);
}

/** What a line is about: datasets by their titles, periods by their days. @param {Entry} entry */
export function subjectInWords({ kind, what }) {
  if (!what) return "";
  if (kind === "sign-in.failed" && /^\d+$/.test(what)) return plural("event.times", Number(what));
  return (what.match(PARTS) ?? []).map(wordOf).filter(Boolean).join(", ");
}

/** Those who are no service, connector or person with an id. @type {Record<string, string>} */
const WHO = { owner: "journal.you", stranger: "journal.stranger", keyfile: "journal.keyfile" };

/** @param {string | null} who */
export const whoInWords = (who) => (WHO[who ?? ""] ? t(WHO[who ?? ""]) : (who ?? ""));

/** Newest first. @param {{kind: string, from: string, to: string, cursor?: string}} wanted
 * @returns {Promise<{entries: Entry[], checkpoint: string, next: string | null}>} */
export const entries = ({ kind, from, to, cursor }) =>
  call("GET", `api/trail${search({ kind, from, to, cursor, order: "desc", limit: ROWS })}`);

/** @returns {Promise<string>} the signed note */
export const checkpoint = () => plain("api/trail/checkpoint");

/** Whether the trail goes on from a note that was kept. @param {string} note @returns {Promise<boolean>} */
export async function goesOn(note) {
  const old = readCheckpoint(note);
  const last = old.size - 1;
  if (last < 0) return true;
  try {
    const [page, proof] = await Promise.all([
      call("GET", `api/trail${search({ cursor: last > 0 ? String(last - 1) : "", limit: "1" })}`),
      plain(`api/trail/${last}/proof`),
    ]);
    return page.entries.length === 1 && tlogGoesOn(old, page.entries[0].leaf_hash, proof);
  } catch (failed) {
    if (failed instanceof Problem && failed.status === 404) return false; // it is shorter than it was
    throw failed;
  }
}

/** The length that a note signs. @param {string} note */
export const sizeOf = (note) => readCheckpoint(note).size;

/** @returns {Seen | null} */
export function lastSeen() {
  try {
    const seen = JSON.parse(localStorage.getItem(MEMORY) ?? "null");
    return seen && typeof seen.note === "string" ? seen : null;
  } catch {
    return null; // storage is refused, or holds something else
  }
}

/** @param {string} note */
export function remember(note) {
  try {
    const seen = { note, size: sizeOf(note), at: new Date().toISOString() };
    localStorage.setItem(MEMORY, JSON.stringify(seen));
  } catch {
    // as in lastSeen()
  }
}
