/* Which period is shown: its kind, and the way to the one before and the one after. */

import { periodName } from "../format.js";
import { html } from "../html.js";
import { t } from "../language.js";

/** @typedef {import("../calendar.js").Kind} Kind */

/** @type {Kind[]} */
const KINDS = ["year", "month", "week", "day"];

/** @returns {Record<Kind, string>} */
const names = () => ({
  year: t("period.year"),
  month: t("period.month"),
  week: t("period.week"),
  day: t("period.day"),
});

/** @returns {Record<Kind, [string, string]>} */
const ways = () => ({
  year: [t("period.year_before"), t("period.year_after")],
  month: [t("period.month_before"), t("period.month_after")],
  week: [t("period.week_before"), t("period.week_after")],
  day: [t("period.day_before"), t("period.day_after")],
});

/** @param {{back: boolean}} props */
const Arrow = ({ back }) => html`
  <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d=${back ? "M15 5l-7 7 7 7" : "M9 5l7 7-7 7"} />
  </svg>`;

/** `hasBefore`, `hasAfter`: is there any data that way?
 * @param {{period: import("../calendar.js").Period, hasBefore: boolean, hasAfter: boolean,
 *   onKind: (kind: Kind) => void, onStep: (count: number) => void}} props */
export function PeriodBar({ period, hasBefore, hasAfter, onKind, onStep }) {
  const [before, after] = ways()[period.kind];
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowLeft" && hasBefore) onStep(-1);
    else if (event.key === "ArrowRight" && hasAfter) onStep(1);
    else return;
    event.preventDefault();
  };
  return html`
    <div class="periodbar">
      <div class="kinds" role="group" aria-label=${t("period.label")}>
        ${KINDS.map(
          (kind) => html`
            <button
              type="button"
              aria-pressed=${kind === period.kind ? "true" : "false"}
              onClick=${() => onKind(kind)}
            >${names()[kind]}</button>`,
        )}
      </div>
      <div class="steps" role="group" aria-label=${t("period.step")} onKeyDown=${press}>
        <button
          type="button"
          class="arrow"
          aria-label=${before}
          title=${before}
          aria-disabled=${hasBefore ? undefined : "true"}
          onClick=${() => hasBefore && onStep(-1)}
        ><${Arrow} back=${true} /></button>
        <h2 class="period" aria-live="polite">${periodName(period)}</h2>
        <button
          type="button"
          class="arrow"
          aria-label=${after}
          title=${after}
          aria-disabled=${hasAfter ? undefined : "true"}
          onClick=${() => hasAfter && onStep(1)}
        ><${Arrow} back=${false} /></button>
      </div>
    </div>`;
}
