/* The period in three facts: how much, against the year before, and how much of it is known. */
import { localOf, midnight } from "../calendar.js";
import { extent } from "../dataset.js";
import { bucketName, dayName, percent, periodName, quantity } from "../format.js";
import { html } from "../html.js";
import { plural, t } from "../language.js";
import { compare, peak, tally, whole } from "../series.js";

/** @typedef {import("../reading.js").Reading} Reading */
/** @typedef {{figure: string, title: string, words: string[]}} Fact */

/** The total, and the strongest moment. @param {Reading} reading @returns {Fact} */
function amount({ dataset, days, slots, dayStep, period, total }) {
  const { aggregate, unit } = dataset;
  const sum = total ?? whole(slots, aggregate);
  const title =
    aggregate === "max"
      ? t("facts.max")
      : aggregate === "last"
        ? t("facts.last")
        : t("facts.total");
  if (sum === null) return { title, figure: "–", words: [t("facts.nothing")] };
  const words = [];
  if (period.end > localOf(Date.now()).day) words.push(t("facts.so_far"));
  const top = aggregate === "sum" ? peak(days) : null;
  if (top?.value && days.length > 1)
    words.push(
      t("facts.peak", {
        when: bucketName(top, dayStep),
        value: quantity(top.value, unit),
      }),
    );
  return { title, figure: quantity(sum, unit), words };
}

/** Only what adds up is compared. @param {Reading} reading @returns {Fact} */
function difference({ dataset, days, dayStep, before }) {
  const { unit } = dataset;
  const title = t("facts.compare", { period: periodName(before) });
  const found = compare(days);
  if (!found) {
    const known = days.some((slot) => slot.before !== null);
    return { title, figure: "–", words: [known ? t("facts.no_common") : t("facts.no_before")] };
  }
  const words = [
    t("facts.against", { now: quantity(found.now, unit), before: quantity(found.before, unit) }),
  ];
  if (found.slots < found.of)
    words.push(
      dayStep === "P1D"
        ? plural("facts.common_days", found.slots)
        : plural("facts.common_steps", found.slots),
    );
  return { title, figure: percent(found.change, true), words };
}

/** What is known of the period, and what is missing from it. @param {Reading} reading @returns {Fact} */
function known({ dataset, days, dayStep, period }) {
  const byDay = dayStep === "P1D";
  const { first, last } = extent(dataset);
  const start = midnight(first);
  const end = Date.parse(String(dataset.last));
  const inside = tally(days.filter((slot) => slot.end > start && slot.start < end));
  const over = days.filter((slot) => slot.state !== "later").length;
  const withData = inside.full + inside.part;
  const words = [];
  if (first > period.start && first < period.end)
    words.push(t("facts.starts", { day: dayName(first) }));
  if (last >= period.start && end < midnight(period.end) && over > withData + inside.hole)
    words.push(t("facts.stops", { day: dayName(last) }));
  if (inside.hole) words.push(plural(byDay ? "facts.hole_days" : "facts.hole_steps", inside.hole));
  if (inside.part) words.push(plural(byDay ? "facts.part_days" : "facts.part_steps", inside.part));
  if (!words.length && withData) words.push(t("facts.complete"));
  if (!withData) words.push(t("facts.nothing"));
  return {
    title: byDay ? t("facts.days") : t("facts.steps"),
    figure: t("facts.share", { known: withData, of: over }),
    words,
  };
}

/** The period in one breath, to be read aloud. @param {Reading} reading */
export function inShort(reading) {
  return t("energy.said", {
    period: periodName(reading.period),
    total: amount(reading).figure,
    known: known(reading).words.join(" "),
  });
}

/** @param {{reading: Reading}} props */
export function Facts({ reading }) {
  const adds = reading.dataset.aggregate === "sum";
  const facts = [amount(reading), ...(adds ? [difference(reading)] : []), known(reading)];
  return html`
    <dl class="facts">
      ${facts.map(
        ({ title, figure, words }) => html`
          <div>
            <dt>${title}</dt>
            <dd>
              <span class="figure">${figure}</span>
              ${words.map((text) => html`<span class="hint">${text}</span>`)}
            </dd>
          </div>`,
      )}
    </dl>`;
}
