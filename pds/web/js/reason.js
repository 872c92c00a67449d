/* Why a line of a file was left out or doubted: the program's English phrase in the page's words. A
 * phrase that is not in the table is shown as it came. */
import { t } from "./language.js";

/** @type {Record<string, string>} */
const KEYS = {
  "the value is not a number": "reason.no_number",
  "an index is not a number": "reason.no_number",
  "the line is not a daily index": "reason.no_number",
  "the power is negative": "reason.negative",
  "an index is negative": "reason.negative",
  "the power is over 10 MW": "reason.too_large",
  "an index is larger than a meter can show": "reason.too_large",
  "the index rises by more than 10 MW could make it: no energy is told": "reason.too_large",
  "the line is too short: it has no value": "reason.no_value",
  "the line is too short: it has no index": "reason.no_value",
  "the time cannot be read": "reason.no_time",
  "the year is not between 1990 and 2100": "reason.no_time",
  "the time falls in the hour that the spring change leaves out": "reason.spring",
  "in the hour that comes twice in autumn only one of two times is there: which one is a guess from the order of lines":
    "reason.autumn",
  "the same time stands twice with different values: the later line is kept": "reason.twice",
  "the same date stands twice with different indexes: the later line is kept": "reason.twice",
  "its neighbours leave open how long this interval is: the length of the nearest known one was taken":
    "reason.length",
  "the step in minutes is none that meters have: the times of the lines tell it instead":
    "reason.length",
  "no neighbour tells how long this interval is": "reason.no_length",
  "the index falls, as after a change of meter: counting begins anew here": "reason.new_meter",
  "the meter's counter was full: the peak is not known": "reason.counter_full",
  "the meter number cannot be read: the section is kept without it": "reason.no_meter",
  "the section holds a type of data that is not read here": "reason.other_data",
  "the section holds a quantity that is not read here": "reason.other_data",
  "the section is in a unit that is not known": "reason.other_data",
  "the columns of the section have other names than those that are read": "reason.other_data",
  "no line above names the columns": "reason.other_data",
  "the line is longer than 1 MiB": "reason.bad_line",
  "the line has more than 512 columns": "reason.bad_line",
  "a column is longer than 64 KiB": "reason.bad_line",
  "text stands behind a closing quote": "reason.bad_line",
  "a quote is not closed": "reason.bad_line",
};

/** @param {string} phrase @returns {string} */
export function reasonInWords(phrase) {
  return KEYS[phrase] ? t(KEYS[phrase]) : phrase;
}
