/* The datasets that the store holds, asked once and again after each change. */
import * as api from "./api.js";
import { addDays, daysBetween, localOf } from "./calendar.js";
import { ours } from "./language.js";
import { Signal } from "./signal.js";

/** @typedef {import("./api.js").Dataset} Dataset */

/** Null until the first answer. */
export const datasets = new Signal(/** @type {Dataset[] | null} */ (null));

/** @throws {api.Problem} */
export async function loadDatasets() {
  datasets.set(await api.datasets());
}

/** Those with something in them. @param {Dataset[] | null} all */
export function filled(all) {
  return (all ?? []).filter((dataset) => dataset.records > 0 && dataset.first && dataset.last);
}

/** A dataset's name in the page's language. @param {string} name */
export function datasetTitle(name) {
  const dataset = datasets.value?.find((one) => one.name === name);
  return dataset ? ours(dataset.title) : name;
}

/** First and last local days with data, and how many days they span. What lasts ends before `last`;
 * the reading of an index is an instant of its own.
 * @param {Dataset} dataset one that is filled */
export function extent(dataset) {
  const first = localOf(Date.parse(String(dataset.first))).day;
  const lasts = dataset.aggregate === "last" ? 0 : 1;
  const last = localOf(Date.parse(String(dataset.last)) - lasts).day;
  return { first, last, days: daysBetween(first, addDays(last, 1)) };
}
