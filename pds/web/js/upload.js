/* Files on their way into the store. It lives beside the views: leaving the page's first view does
 * not stop what was started. */
import { announce } from "./announce.js";
import { Problem, sendFile } from "./api.js";
import { loadDatasets } from "./dataset.js";
import { plural, t } from "./language.js";
import { inWords } from "./problem.js";
import { Signal } from "./signal.js";

/** What became of one file: its outcomes (one a dataset), or why it was refused.
 * @typedef {{file: string, outcomes: import("./api.js").Outcome[], problem: string}} Result */
/** `share` is that of the file on its way, 0 to 1; at 1 the store is still writing it down.
 * @typedef {{state: "idle" | "sending" | "done", count: number, index: number, file: string,
 *   share: number, stopped: boolean, results: Result[]}} Upload */

/** @type {Upload} */
const IDLE = { state: "idle", count: 0, index: 0, file: "", share: 0, stopped: false, results: [] };

export const upload = new Signal(IDLE);

/** @type {AbortController | null} */
let stopper = null;

/** @param {Partial<Upload>} change */
function change(change) {
  upload.set({ ...upload.value, ...change });
}

/** @param {BeforeUnloadEvent} event */
function keepPage(event) {
  event.preventDefault();
}

/** Send files one after the other: one that is refused does not hold back the others.
 * @param {File[]} files */
export async function sendFiles(files) {
  if (!files.length || upload.value.state === "sending") return;
  stopper = new AbortController();
  const { signal } = stopper;
  upload.set({ ...IDLE, state: "sending", count: files.length });
  addEventListener("beforeunload", keepPage);
  announce(plural("upload.started", files.length));
  /** @type {Result[]} */
  const results = [];
  for (const [index, file] of files.entries()) {
    if (signal.aborted) break;
    change({ index, file: file.name, share: 0 });
    try {
      const outcomes = await sendFile(file, (share) => change({ share }), signal);
      results.push({ file: file.name, outcomes, problem: "" });
    } catch (failed) {
      if (signal.aborted) break;
      results.push({ file: file.name, outcomes: [], problem: inWords(failed) });
      if (failed instanceof Problem && failed.status === 401) break;
    }
    change({ results: [...results] });
  }
  removeEventListener("beforeunload", keepPage);
  change({ state: "done", stopped: signal.aborted, results });
  announce(conclusion());
  try {
    await loadDatasets();
  } catch (failed) {
    inWords(failed); // the import's own words are on the screen; the view asks again when shown
  }
}

export function stopUpload() {
  stopper?.abort();
}

/** Put the results away. */
export function clearUpload() {
  if (upload.value.state === "done") upload.set(IDLE);
}

/** @param {number} added @param {number} replaced @param {boolean} nothing was fit to be kept */
function kept(added, replaced, nothing) {
  if (added) return plural("upload.added", added);
  if (replaced) return plural("upload.replaced", replaced);
  return nothing ? t("upload.nothing_kept") : t("upload.nothing_new");
}

/** The whole upload in one sentence. */
export function conclusion() {
  const { results, stopped } = upload.value;
  if (stopped) return t("upload.stopped");
  const outcomes = results.flatMap((result) => result.outcomes);
  /** @param {"new" | "same" | "replaced" | "rejected"} what */
  const count = (what) => outcomes.reduce((sum, one) => sum + one[what], 0);
  const refused = results.filter((result) => result.problem).length;
  if (refused && refused === results.length) return plural("upload.refused", refused);
  const sentence = kept(count("new"), count("replaced"), count("rejected") > 0 && !count("same"));
  return refused ? `${sentence} ${plural("upload.refused", refused)}` : sentence;
}
