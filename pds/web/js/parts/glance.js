/* The last twelve months at a glance: small bars, one figure. The energy view has the rest. */
import { quantity, shortMonth, span } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { t } from "../language.js";
import { inWords } from "../problem.js";
import { readMonths } from "../reading.js";
import { whole } from "../series.js";

/** @typedef {import("../series.js").Slot} Slot */

const WIDE = 24; // of a month, in the drawing's own units
const HIGH = 88;

/** @param {{slots: Slot[], label: string}} props */
function Bars({ slots, label }) {
  const most = Math.max(...slots.map((slot) => slot.value ?? 0), 1);
  return html`
    <svg viewBox="0 0 ${slots.length * WIDE} ${HIGH + 20}" role="img" aria-label=${label}>
      ${slots.map((slot, index) => {
        const height = ((slot.value ?? 0) / most) * HIGH;
        return html`
          <g>
            ${
              slot.value === null
                ? html`<path class="none" d="M${index * WIDE + 5} ${HIGH - 1}h${WIDE - 10}" />`
                : html`
                  <rect class=${slot.state} x=${index * WIDE + 4} y=${Math.round(HIGH - height)}
                    width=${WIDE - 8} height=${Math.round(height)} rx="2" />`
            }
            <text x=${index * WIDE + WIDE / 2} y=${HIGH + 15}>${shortMonth(slot.start)}</text>
          </g>`;
      })}
    </svg>`;
}

/** @param {{dataset: import("../api.js").Dataset}} props */
export function Glance({ dataset }) {
  const [slots, setSlots] = useState(/** @type {Slot[] | null} */ (null));
  useEffect(() => {
    let current = true;
    readMonths(dataset, 12).then(
      (answer) => current && setSlots(answer),
      (failed) => inWords(failed), // the view around it tells what is wrong
    );
    return () => {
      current = false;
    };
  }, [dataset.name, dataset.last, dataset.records]);
  const total = slots && whole(slots, "sum");
  if (!slots || total === null) return html`<div class="glance"></div>`;
  const first = slots.find((slot) => slot.value !== null) ?? slots[0];
  const from = Math.max(first.start, Date.parse(String(dataset.first)));
  const when = span(new Date(from).toISOString(), String(dataset.last));
  const missing = slots.some((slot) => slot.state === "hole" || slot.state === "part");
  return html`
    <div class="glance">
      <p class="hint">${t("glance.title")}</p>
      <p class="figure">${quantity(total, dataset.unit)}</p>
      <${Bars} slots=${slots} label=${t("glance.label", { total: quantity(total, dataset.unit), when })} />
      ${missing && html`<p class="hint">${t("glance.missing")}</p>`}
    </div>`;
}
