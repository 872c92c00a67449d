/* The page's language: French first, English beside it; the texts are in /i18n. */
import i18next from "../vendor/i18next.mjs";
import { setLanguage, texts } from "./api.js";
import { Signal } from "./signal.js";

export const LANGUAGES = ["fr", "en"];
const MEMORY = "traboule.language";

/** The code of the language shown; who draws text watches it. */
export const language = new Signal("fr");

/** The person's earlier choice, else the first of the browser's languages that we have. */
function preferred() {
  const wanted = [remembered(), ...navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())];
  return wanted.find((code) => LANGUAGES.includes(code)) ?? "fr";
}

function remembered() {
  try {
    return localStorage.getItem(MEMORY) ?? "";
  } catch {
    return ""; // storage is refused: the choice lasts as long as the page
  }
}

/** @param {string} code */
async function load(code) {
  if (!i18next.hasResourceBundle(code, "page"))
    i18next.addResourceBundle(code, "page", await texts(code));
  await i18next.changeLanguage(code);
  setLanguage(code);
  document.documentElement.lang = code;
  language.set(code);
}

export async function startLanguage() {
  await i18next.init({
    lng: "fr",
    resources: {},
    ns: ["page"],
    defaultNS: "page",
    fallbackLng: false,
    keySeparator: false, // the keys are flat: "home.title"
    nsSeparator: false,
    interpolation: { escapeValue: false }, // the page takes text as text
  });
  await load(preferred());
}

/** @param {string} code one of LANGUAGES */
export async function chooseLanguage(code) {
  await load(code);
  try {
    localStorage.setItem(MEMORY, code);
  } catch {
    // as in remembered()
  }
}

/** The text of a key, with its {{names}} filled.
 * @param {string} key @param {Record<string, any>} [values] @returns {string} */
export function t(key, values) {
  return i18next.t(key, values);
}

/** The text of a key that counts something: `key_one` for one, `key` for the others. The count is
 * {{n}}, written as the language writes numbers.
 * @param {string} key @param {number} count @param {Record<string, any>} [values] */
export function plural(key, count, values) {
  return i18next.t(key, { count, n: new Intl.NumberFormat(locale()).format(count), ...values });
}

/** For Intl: which French, which English. */
export function locale() {
  return language.value === "fr" ? "fr-FR" : "en-GB";
}

/** Ours among a text given in both languages.
 * @param {{fr: string, en: string}} text @returns {string} */
export function ours(text) {
  return language.value === "fr" ? text.fr : text.en;
}
