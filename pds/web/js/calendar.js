/* Periods of the calendar as a household lives them: years, months, weeks and days of Paris time.
 *
 * A day is a text `YYYY-MM-DD`; an instant is milliseconds since 1970, UTC. A local day has 46, 48 or
 * 50 half-hours: nothing here assumes 24 hours. */

/** @typedef {"year" | "month" | "week" | "day"} Kind */
/** `end` is the day after the last. @typedef {{kind: Kind, start: string, end: string}} Period */
/** `key` is the same for the bucket at the same place of another period; that of an hour or half-hour
 * which the clock gives a second time ends in " 2".
 * @typedef {{start: number, end: number, key: string}} Bucket */

export const ZONE = "Europe/Paris";
const DAY_MS = 86_400_000;

const clock = new Intl.DateTimeFormat("en-GB", {
  timeZone: ZONE,
  hourCycle: "h23",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
});

/** The local reading of an instant. @param {number} at */
export function localOf(at) {
  /** @type {Record<string, string>} */
  const part = {};
  for (const { type, value } of clock.formatToParts(at)) part[type] = value;
  return { day: `${part.year}-${part.month}-${part.day}`, time: `${part.hour}:${part.minute}` };
}

/** The instant of a day's local midnight. @param {string} day */
export function midnight(day) {
  const wanted = Date.parse(`${day}T00:00:00Z`);
  let at = wanted - 3_600_000; // winter's guess; Paris changes its clocks at 01:00 UTC, never here
  const read = localOf(at);
  at -= Date.parse(`${read.day}T${read.time}:00Z`) - wanted;
  return at;
}

/** The instants where a day starts and where another ends, as the program writes them.
 * @param {string} from @param {string} to the last day */
export const instantsOf = (from, to) => ({
  start: new Date(midnight(from)).toISOString(),
  end: new Date(midnight(addDays(to, 1))).toISOString(),
});

/** @param {string} day @param {number} count */
export function addDays(day, count) {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY_MS).toISOString().slice(0, 10);
}

/** From a day to another, in days. @param {string} from @param {string} to */
export function daysBetween(from, to) {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS);
}

/** The first of a month, some months away. @param {string} day @param {number} count */
function addMonths(day, count) {
  const [year, month] = day.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1 + count, 1)).toISOString().slice(0, 10);
}

/** Weeks begin on Monday. @param {string} day */
function monday(day) {
  return addDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7));
}

/** A day of a year that data can be of. @param {string} text @returns {boolean} */
export function isDay(text) {
  return /^(19|20)\d{2}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
}

/** The period of a kind that holds a day. @param {Kind} kind @param {string} day @returns {Period} */
export function periodAt(kind, day) {
  if (kind === "year") {
    const year = Number(day.slice(0, 4));
    return { kind, start: `${year}-01-01`, end: `${year + 1}-01-01` };
  }
  if (kind === "month") return { kind, start: addMonths(day, 0), end: addMonths(day, 1) };
  if (kind === "week") return { kind, start: monday(day), end: addDays(monday(day), 7) };
  return { kind, start: day, end: addDays(day, 1) };
}

/** The period some steps away. @param {Period} period @param {number} count */
export function shift(period, count) {
  const { kind, start } = period;
  if (kind === "year") return periodAt(kind, addMonths(start, 12 * count));
  if (kind === "month") return periodAt(kind, addMonths(start, count));
  return periodAt(kind, addDays(start, (kind === "week" ? 7 : 1) * count));
}

/** The same period a year before: same dates; for a week, the one 52 weeks before, so that a Monday
 * meets a Monday. @param {Period} period @returns {Period} */
export function yearBefore(period) {
  const { kind, start } = period;
  if (kind === "week") return periodAt(kind, addDays(start, -364));
  const year = Number(start.slice(0, 4)) - 1;
  const rest = start.slice(4);
  return periodAt(kind, year + (rest === "-02-29" ? "-02-28" : rest));
}

/** @param {Period} period @param {number} hours */
function slices(period, hours) {
  /** @type {Bucket[]} */
  const out = [];
  const seen = new Map(); // the hour that comes twice in October is told apart by a mark
  const end = midnight(period.end);
  for (let at = midnight(period.start); at < end; at += hours * 3_600_000) {
    const { day, time } = localOf(at);
    const label = `${daysBetween(period.start, day)} ${time}`;
    const times = (seen.get(label) ?? 0) + 1;
    seen.set(label, times);
    out.push({ start: at, end: at + hours * 3_600_000, key: `${label} ${times}` });
  }
  return out;
}

/** The buckets of a period, in order and without gaps.
 * @param {Period} period @param {string} step @returns {Bucket[]} */
export function buckets(period, step) {
  if (step === "PT30M") return slices(period, 0.5);
  if (step === "PT1H") return slices(period, 1);
  /** @type {Kind} */
  const kind = step === "P1Y" ? "year" : step === "P1M" ? "month" : step === "P1W" ? "week" : "day";
  const out = [];
  for (let at = periodAt(kind, period.start); at.start < period.end; at = shift(at, 1)) {
    const place = period.kind === "week" ? daysBetween(period.start, at.start) : at.start.slice(5);
    out.push({ start: midnight(at.start), end: midnight(at.end), key: String(place) });
  }
  return out;
}
