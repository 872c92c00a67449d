/* Numbers, quantities and dates as the page's language writes them. */
import { addDays, localOf, ZONE } from "./calendar.js";
import { language, locale, t } from "./language.js";

/** @typedef {import("./calendar.js").Period} Period */

const FIXED = "\u00a0"; // no line break parts a number from its unit, a day from its month

/** How a stored unit is shown: the stored value times `factor`, in `name`. @type {Record<string, {factor: number, name: string}>} */
const SHOWN = {
  Wh: { factor: 0.001, name: "kWh" },
  W: { factor: 0.001, name: "kW" },
  VA: { factor: 0.001, name: "kVA" },
};

/** @param {string} unit */
export function shownUnit(unit) {
  return SHOWN[unit] ?? { factor: 1, name: unit };
}

/** @type {Map<string, Intl.NumberFormat>} */
const numbers = new Map();
/** @type {Map<string, Intl.DateTimeFormat>} */
const dates = new Map();

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
export function number(value, options = {}) {
  const key = locale() + JSON.stringify(options);
  let format = numbers.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale(), options);
    numbers.set(key, format);
  }
  return format.format(value).replace(/^-/, "\u2212");
}

/** A stored value for reading: two decimals at most, and none from 100 on. @param {number} value @param {string} unit */
export function quantity(value, unit) {
  const shown = shownUnit(unit);
  const size = Math.abs(value * shown.factor);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const text = number(value * shown.factor, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return shown.name ? text + FIXED + shown.name : text;
}

/** A stored value with all its digits. @param {number} value @param {string} unit @param {boolean} [named] */
export function exact(value, unit, named = true) {
  const shown = shownUnit(unit);
  const text = number(value * shown.factor, { maximumFractionDigits: 6, useGrouping: named });
  return named && shown.name ? text + FIXED + shown.name : text;
}

/** A number as a person types it, with a comma or a point; null when it is none. @param {string} text */
export function parseNumber(text) {
  const plain = text
    .replace(/[\s\u00a0\u202f]/g, "")
    .replace(",", ".")
    .replace("\u2212", "-");
  return /^-?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : null;
}

/** "1,2 Mo", of a file; bytes in full, for English has no plural of their short form. @param {number} bytes */
export function bytesInWords(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const at = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return number(bytes / 1000 ** at, {
    style: "unit",
    unit: units[at],
    unitDisplay: at ? "short" : "long",
    maximumFractionDigits: at > 1 ? 1 : 0,
  });
}

/** @param {number} share 0.12 is 12 % @param {boolean} [signed] */
export function percent(share, signed = false) {
  const digits = Math.abs(share) < 0.0995 && share !== 0 ? 1 : 0;
  return number(share, {
    style: "percent",
    maximumFractionDigits: digits,
    signDisplay: signed ? "exceptZero" : "auto",
  });
}

/** @param {number} at @param {Intl.DateTimeFormatOptions} options */
function date(at, options) {
  const key = locale() + JSON.stringify(options);
  let format = dates.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale(), { timeZone: ZONE, hourCycle: "h23", ...options });
    dates.set(key, format);
  }
  // French counts the first of a month with an ordinal.
  return format
    .formatToParts(at)
    .map(({ type, value }) =>
      type === "day" && value === "1" && language.value === "fr" && options.month ? "1er" : value,
    )
    .join("");
}

/** @param {string} day */
const noon = (day) => Date.parse(`${day}T12:00:00Z`);

/** "1er mai 2024". @param {string} day */
export function dayName(day) {
  const text = date(noon(day), { day: "numeric", month: "long", year: "numeric" });
  return text.replaceAll(" ", FIXED);
}

/** A day's number in its month: "1er", "2"… @param {string} day */
function dayNumber(day) {
  const number = String(Number(day.slice(8)));
  return number === "1" && language.value === "fr" ? "1er" : number;
}

/** A letter for a month. @param {number} at */
export function shortMonth(at) {
  return date(at, { month: "narrow" });
}

/** "1er mai 2024 à 14 h 05". @param {string} instant RFC 3339 */
export function moment(instant) {
  const at = Date.parse(instant);
  return t("date.at", {
    day: dayName(localOf(at).day),
    time: clockTime(at),
  });
}

/** "du 1er mai 2024 au 30 avril 2025", of the instants where data starts and ends.
 * @param {string} first @param {string} last */
export function span(first, last) {
  const from = localOf(Date.parse(first)).day;
  const to = localOf(Date.parse(last) - 1).day;
  if (from === to) return t("date.on", { day: dayName(from) });
  return t("date.span", { from: dayName(from), to: dayName(to) });
}

/** "2024", "mai 2024", "semaine du 29 avril 2024", "mercredi 1er mai 2024". @param {Period} period */
export function periodName(period) {
  const at = noon(period.start);
  if (period.kind === "year") return period.start.slice(0, 4);
  if (period.kind === "month") return date(at, { month: "long", year: "numeric" });
  if (period.kind === "day")
    return date(at, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
  const last = addDays(period.end, -1);
  const sameMonth = last.slice(0, 7) === period.start.slice(0, 7);
  return t("date.week", {
    from: sameMonth ? dayNumber(period.start) : date(at, { day: "numeric", month: "long" }),
    to: dayName(last),
  });
}

/** What a bucket is, in full: a month, a day, an hour (told apart when the clock gives it twice).
 * @param {import("./calendar.js").Bucket} bucket @param {string} step */
export function bucketName({ start, end, key }, step) {
  if (step === "P1M") return date(start, { month: "long", year: "numeric" });
  if (step === "P1Y") return date(start, { year: "numeric" });
  const day = date(start, { weekday: "long", day: "numeric", month: "long" });
  if (step === "P1D" || step === "P1W") return day;
  const name = t("date.hours", { day, from: clockTime(start), to: clockTime(end) });
  return key.endsWith(" 2") ? t("date.winter", { name }) : name;
}

/** "de 14 h à 14 h 30", of a bucket whose day is told beside it. @param {number} start @param {number} end */
export const hoursName = (start, end) =>
  t("date.clock", { from: clockTime(start), to: clockTime(end) });

/** "14:30", or "14 h 30" and "7 h" in French. @param {number} at */
function clockTime(at) {
  const { time } = localOf(at);
  if (language.value !== "fr") return time;
  const [hour, minute] = time.split(":");
  return `${Number(hour)}${FIXED}h${minute === "00" ? "" : FIXED + minute}`;
}

/** The mark under the axis where a bucket starts something worth naming, else "".
 * @param {number} start @param {string} step @param {Period["kind"]} kind */
export function tickName(start, step, kind) {
  const { day, time } = localOf(start);
  const first = day.endsWith("-01");
  if (step === "P1M") return date(start, { month: "short" });
  if (kind === "year") return first ? date(start, { month: "short" }) : "";
  if (kind === "month") return String(Number(day.slice(8)));
  if (kind === "week" || step === "P1D")
    return time === "00:00" ? date(start, { weekday: "short", day: "numeric" }) : "";
  if (!time.endsWith(":00") || Number(time.slice(0, 2)) % 3) return "";
  return language.value === "fr" ? `${Number(time.slice(0, 2))}${FIXED}h` : time;
}
