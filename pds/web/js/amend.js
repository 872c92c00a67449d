/* What the owner says of their own records: corrections, deletions, notes. */
import { call, search } from "./api.js";

/** A record as it is, with where it came from.
 * @typedef {{start: string, end: string, value: number, quality: string, source: number, grain: string,
 *   import: string | null, line: number | null}} RawRecord */
/** What a record says, or said. @typedef {{value: number, quality: string, import: string | null,
 *   file: string | null, format: string | null, line: number | null, at: string | null,
 *   replaced_at: string | null}} Version */
/** @typedef {{id: string, dataset: string, start: string, end: string, text: string, revision: number,
 *   created: string, updated: string}} Note */

const ROWS = "1500"; // of a period that is shown: a day of minutes, a week of quarters of an hour

/** @param {string} dataset */
const path = (dataset) => `api/records/${encodeURIComponent(dataset)}`;

/** @param {string} dataset @param {string} from @param {string} to
 * @returns {Promise<{records: RawRecord[], next: string | null}>} */
export const rawRecords = (dataset, from, to) =>
  call("GET", path(dataset) + search({ from, to, provenance: "1", limit: ROWS }));

/** @param {RawRecord} record */
const key = ({ source, grain, start, end }) => ({ source, grain, start, end });

/** @param {string} dataset @param {RawRecord} record @param {number} value @param {string} note
 * @returns {Promise<{replaced: boolean}>} */
export const correct = (dataset, record, value, note) =>
  call("POST", `${path(dataset)}/corrections`, { ...key(record), value, ...(note && { note }) });

/** What a record says first, then what it said before. @param {string} dataset @param {RawRecord} record
 * @returns {Promise<Version[]>} */
export const versionsOf = async (dataset, record) => {
  const fields = { ...key(record), source: String(record.source) };
  return (await call("GET", `${path(dataset)}/history${search(fields)}`)).versions;
};

/** For good. @param {string} dataset @param {string} from @param {string} to @param {string} source "" for all
 * @returns {Promise<{removed: number}>} */
export const deleteRecords = (dataset, from, to, source) =>
  call("DELETE", path(dataset) + search({ from, to, source }));

/** Those that touch a period. @param {string} dataset @param {string} from @param {string} to
 * @returns {Promise<Note[]>} */
export const notes = async (dataset, from, to) =>
  (await call("GET", `api/annotations${search({ dataset, from, to })}`)).annotations;

/** @param {string} dataset @param {string} start @param {string} end @param {string} text */
export const addNote = (dataset, start, end, text) =>
  call("POST", "api/annotations", { dataset, start, end, text });

/** @param {Note} note @param {string} text */
export const changeNote = ({ id, revision }, text) =>
  call("PATCH", `api/annotations/${encodeURIComponent(id)}`, { text }, { revision });

/** @param {Note} note */
export const deleteNote = ({ id, revision }) =>
  call("DELETE", `api/annotations/${encodeURIComponent(id)}`, undefined, { revision });
