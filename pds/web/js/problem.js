/* A failure in plain words, in the page's language. */
import { Problem } from "./api.js";
import { plural, t } from "./language.js";

/** @param {unknown} failed @returns {string} */
export function inWords(failed) {
  if (!(failed instanceof Problem)) throw failed; // a fault of the page itself: let it be seen
  if (failed.status === 0) return t("problem.silent");
  if (failed.status === 429) return plural("problem.wait", Math.ceil(failed.retryAfter) || 1);
  const words =
    failed.status === 415
      ? t("problem.unknown_format")
      : failed.title || t("problem.other", { status: failed.status });
  return failed.detail ? t("problem.detail", { words, detail: failed.detail }) : words;
}
