/* A failure in plain words, in the page's language. */
import { Problem } from "./api.js";
import { locale, plural, t } from "./language.js";

/* What the program says in English of things that a person can mend, in the page's words. */
/** @type {[string, string][]} */
const DETAILS = [
  ["the passphrase only repeats a few characters", "passphrase.repeats"],
  ["the passphrase is among the commonest", "passphrase.common"],
  ["the passphrase is not plain text", "passphrase.not_text"],
  ["recovery code: ", "recover.wrong"],
];

/* What any answer of a status means to a person. */
/** @type {Record<number, string>} */
const PLAIN = {
  404: "problem.gone",
  412: "problem.changed",
  415: "problem.unknown_format",
  507: "problem.full",
};

/** @param {unknown} failed @returns {string} */
export function inWords(failed) {
  if (!(failed instanceof Problem)) throw failed; // a fault of the page itself: let it be seen
  if (failed.status === 0) return t("problem.silent");
  if (failed.status === 429) return plural("problem.wait", Math.ceil(failed.retryAfter) || 1);
  if (failed.is("wrong-key")) return t("unlock.wrong");
  const plain = PLAIN[failed.status] ?? (failed.is("busy") ? "problem.busy" : "");
  if (plain) return t(plain);
  const known = DETAILS.find(([phrase]) => failed.detail.includes(phrase));
  if (known) return t(known[1]);
  const words = failed.title || t("problem.other", { status: failed.status });
  // Other details are written for whoever mends the program, in English.
  return failed.detail && locale().startsWith("en")
    ? t("problem.detail", { words, detail: failed.detail })
    : words;
}
