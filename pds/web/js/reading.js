/* What the energy view asks of the store for one period: the slots to draw, and those to compare. */
import { records } from "./api.js";
import { buckets, localOf, midnight, periodAt, shift, yearBefore } from "./calendar.js";
import { meet } from "./series.js";

/** @typedef {import("./api.js").Dataset} Dataset */
/** @typedef {import("./calendar.js").Period} Period */
/** `slots` are drawn by `step`; `days` are compared and counted, by `dayStep`; `total` is the
 * store's own number for the whole period, null without one.
 * @typedef {{dataset: Dataset, period: Period, before: Period, step: string, slots: import("./series.js").Slot[],
 *   dayStep: string, days: import("./series.js").Slot[], total: number | null}} Reading */

const LADDER = ["PT30M", "PT1H", "P1D", "P1W", "P1M", "P1Y"];

/** The steps that a kind of period may be drawn by, the usual one first.
 * @type {Record<Period["kind"], string[]>} */
const STEPS = { year: ["P1M", "P1D"], month: ["P1D"], week: ["PT1H", "P1D"], day: ["PT30M"] };

/** The bucket that is the whole period. @type {Record<Period["kind"], string>} */
const OWN = { year: "P1Y", month: "P1M", week: "P1W", day: "P1D" };

/** The steps a dataset can be drawn by, the usual one first; never empty.
 * @param {Dataset} dataset @param {Period["kind"]} kind */
export function stepsFor(dataset, kind) {
  const able = STEPS[kind].filter((step) => dataset.steps.includes(step));
  if (able.length) return able;
  const from = LADDER.indexOf(STEPS[kind][0]);
  return [LADDER.slice(from).find((step) => dataset.steps.includes(step)) ?? STEPS[kind][0]];
}

/** @param {string} name @param {Period} period @param {string} step */
async function ask(name, period, step) {
  const from = new Date(midnight(period.start)).toISOString();
  const to = new Date(midnight(period.end)).toISOString();
  return (await records(name, from, to, step)).records;
}

/** The period by a step, or by the next coarser one that has data, up to days.
 * @param {(by: string) => Promise<import("./api.js").DataRecord[][]>} pair
 * @param {string[]} able @param {string} step */
async function finest(pair, able, step) {
  const wanted = await pair(step);
  if (wanted[0].length) return { step, drawn: wanted };
  for (const by of LADDER.slice(LADDER.indexOf(step) + 1, LADDER.indexOf("P1D") + 1)) {
    const drawn = able.includes(by) ? await pair(by) : [[]];
    if (drawn[0].length) return { step: by, drawn };
  }
  return { step, drawn: wanted };
}

/** @param {Dataset} dataset @param {Period} period @param {string} wanted the step to draw by, where
 * the data is as fine @returns {Promise<Reading>} */
export async function readPeriod(dataset, period, wanted) {
  const before = yearBefore(period);
  /** @param {string} by */
  const pair = (by) => Promise.all([ask(dataset.name, period, by), ask(dataset.name, before, by)]);
  const own = OWN[period.kind];
  const [{ step, drawn }, alone] = await Promise.all([
    finest(pair, dataset.steps, wanted),
    dataset.steps.includes(own) ? ask(dataset.name, period, own) : [],
  ]);
  const dayStep = period.kind === "day" || !dataset.steps.includes("P1D") ? step : "P1D";
  const counted = dayStep === step ? null : await pair(dayStep);
  const now = Date.now();
  /** @param {string} by @param {import("./api.js").DataRecord[][]} answers */
  const slots = (by, answers) =>
    meet(buckets(period, by), answers[0], buckets(before, by), answers[1], now);
  const drawnSlots = slots(step, drawn);
  return {
    dataset,
    period,
    before,
    step,
    slots: drawnSlots,
    dayStep,
    days: counted ? slots(dayStep, counted) : drawnSlots,
    total: alone.length ? alone[0].value : null,
  };
}

/** The last months with data, as slots without a year before.
 * @param {Dataset} dataset one that is filled @param {number} count */
export async function readMonths(dataset, count) {
  const last = periodAt("month", localOf(Date.parse(String(dataset.last)) - 1).day);
  const months = Array.from({ length: count }, (_, back) => shift(last, back + 1 - count));
  const answers = ask(dataset.name, { ...last, start: months[0].start }, "P1M");
  const wanted = months.flatMap((month) => buckets(month, "P1M"));
  return meet(wanted, await answers, [], [], Date.now());
}
