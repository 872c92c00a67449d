/* Where data comes from, as people call it. */
import { t } from "./language.js";

/** Those who measure. @type {Record<string, string>} */
const PROVIDERS = { enedis: "sources.enedis", owner: "sources.owner" };

/** Formats of what the owner typed, which has no file. @type {Record<string, string>} */
const TYPED = { "owner.correction": "imports.correction", "owner.json": "imports.typed" };

/** @param {{format: string | null}} one */
export const isCorrection = ({ format }) => format === "owner.correction";

/** @param {string} provider */
export const providerName = (provider) => (PROVIDERS[provider] ? t(PROVIDERS[provider]) : provider);

/** With its reference, which tells two meters apart. @param {import("./api.js").Source} source */
export function sourceName({ provider, reference }) {
  const name = providerName(provider);
  return reference ? t("sources.named", { name, reference }) : name;
}

/** @param {{file: string | null, format: string | null}} one an import, or what told of one */
export const importName = ({ file, format }) =>
  TYPED[format ?? ""] ? t(TYPED[format ?? ""]) : file || t("imports.nameless");
