/* What is drawn and told of a period: its buckets met with the records, and with a year before.
 *
 * Pure: time is passed in. A bucket without a record is a hole, never zero. */

/** `part`: some of the bucket has no data. `later`: not over yet, and nothing came in.
 * @typedef {"full" | "part" | "hole" | "later"} SlotState */
/** @typedef {{start: number, end: number, key: string, state: SlotState, value: number | null,
 *   coverage: number, estimated: boolean, before: number | null,
 *   beforePart: boolean}} Slot */
/** @typedef {import("./calendar.js").Bucket} Bucket */
/** @typedef {import("./api.js").DataRecord} DataRecord */

const WHOLE = 1; // the store never says 1 of a bucket that lacks anything

/** @param {DataRecord[]} records */
function byStart(records) {
  return new Map(records.map((record) => [Date.parse(record.start), record]));
}

/** @param {Bucket[]} buckets @param {DataRecord[]} records
 * @param {Bucket[]} bucketsBefore @param {DataRecord[]} recordsBefore @param {number} now
 * @returns {Slot[]} */
export function meet(buckets, records, bucketsBefore, recordsBefore, now) {
  const found = byStart(records);
  const foundBefore = byStart(recordsBefore);
  const placeBefore = new Map(bucketsBefore.map((bucket) => [bucket.key, bucket.start]));
  return buckets.map((bucket) => {
    const record = found.get(bucket.start);
    const before = foundBefore.get(placeBefore.get(bucket.key) ?? Number.NaN);
    const coverage = record ? (record.coverage ?? 1) : 0;
    return {
      ...bucket,
      state: record ? (coverage < WHOLE ? "part" : "full") : bucket.end > now ? "later" : "hole",
      value: record ? record.value : null,
      coverage,
      estimated: record?.quality === "estimated",
      before: before ? before.value : null,
      beforePart: before ? (before.coverage ?? 1) < WHOLE : false,
    };
  });
}

/** The period's one number, or null without any data.
 * @param {Slot[]} slots @param {"sum" | "max" | "last"} aggregate @returns {number | null} */
export function whole(slots, aggregate) {
  const values = slots.flatMap((slot) => (slot.value === null ? [] : [slot.value]));
  if (!values.length) return null;
  if (aggregate === "max") return Math.max(...values);
  if (aggregate === "last") return values[values.length - 1];
  return values.reduce((sum, value) => sum + value, 0);
}

/** How many slots of each state. @param {Slot[]} slots @returns {Record<SlotState, number>} */
export function tally(slots) {
  const count = { full: 0, part: 0, hole: 0, later: 0 };
  for (const slot of slots) count[slot.state] += 1;
  return count;
}

/** The difference with a year before, over the slots that are whole in both: `slots` of `of`.
 * Null when there is none. `change` is a share of the year before.
 * @param {Slot[]} slots
 * @returns {{slots: number, of: number, now: number, before: number, change: number} | null} */
export function compare(slots) {
  const both = slots.filter(
    (slot) => slot.state === "full" && slot.before !== null && !slot.beforePart,
  );
  const now = both.reduce((sum, slot) => sum + (slot.value ?? 0), 0);
  const before = both.reduce((sum, slot) => sum + (slot.before ?? 0), 0);
  if (!both.length || before <= 0) return null;
  return { slots: both.length, of: slots.length, now, before, change: (now - before) / before };
}

/** The slot with the highest value among the whole ones; null when there is none.
 * @param {Slot[]} slots @returns {Slot | null} */
export function peak(slots) {
  let best = null;
  for (const slot of slots)
    if (slot.state === "full" && (best === null || (slot.value ?? 0) > (best.value ?? 0)))
      best = slot;
  return best;
}
