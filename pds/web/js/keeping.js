/* Keeping the store: check it, take it away, save it, destroy what is in it. */
import { call, file } from "./api.js";

/** @typedef {{ok: boolean, pages: number, files: number, problems: {where: string, what: string}[]}} Check */
/** What shall go: a dataset, a source, or everything. @typedef {{dataset?: string, source?: number, all?: boolean}} Erasure */

/** @returns {Promise<Check>} */
export const check = () => call("GET", "api/check");

/** Everything, in open formats. @param {string} passphrase */
export const exportAll = (passphrase) => file("POST", "api/export", { passphrase });

/** The store as it is, sealed. @param {string} passphrase */
export const backup = (passphrase) => file("POST", "api/backup", { passphrase });

/** For good. @param {Erasure} what @param {string} passphrase
 * @returns {Promise<{records: number, documents: number}>} */
export const erase = (what, passphrase) => call("POST", "api/erase", { ...what, passphrase });
