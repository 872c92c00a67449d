/* What each drawing of the chart means; only those that are there. */
import { html } from "../html.js";
import { t } from "../language.js";

/** @param {{slots: import("../series.js").Slot[], now: string, before: string, noted: boolean}} props */
export function Legend({ slots, now, before, noted }) {
  const items = [
    { mark: "now", text: now, there: true },
    { mark: "before", text: before, there: slots.some((slot) => slot.before !== null) },
    { mark: "part", text: t("legend.part"), there: slots.some((slot) => slot.state === "part") },
    { mark: "hole", text: t("legend.hole"), there: slots.some((slot) => slot.state === "hole") },
    { mark: "noted", text: t("legend.noted"), there: noted },
  ];
  return html`
    <ul class="legend" aria-hidden="true">
      ${items
        .filter(({ there }) => there)
        .map(({ mark, text }) => html`<li><i class=${mark}></i>${text}</li>`)}
    </ul>`;
}
