/* The chart's numbers as a table, for those who cannot see it or would rather read. */
import { percent, quantity } from "../format.js";
import { html, useState } from "../html.js";
import { t } from "../language.js";

/** @typedef {import("../series.js").Slot & {name: string}} Row */

/** How much of a slot is known, in words. @param {import("../series.js").Slot} slot */
export function stateInWords(slot) {
  if (slot.state === "hole") return t("state.hole");
  if (slot.state === "later") return t("state.later");
  if (slot.state === "part")
    return t("state.part", { share: percent(Math.min(slot.coverage, 0.99)) });
  return slot.estimated ? t("state.estimated") : t("state.full");
}

/** The value a year before, and whether it lacks something. @param {import("../series.js").Slot} slot
 * @param {string} unit */
export function beforeInWords({ before, beforePart }, unit) {
  if (before === null) return "–";
  return quantity(before, unit) + (beforePart ? ` (${t("legend.part")})` : "");
}

/** @param {{rows: Row[], unit: string, caption: string, before: string, what: string}} props */
export function SeriesTable({ rows, unit, caption, before, what }) {
  const [open, setOpen] = useState(false); // a year of days is not laid out unless asked for
  return html`
    <details
      class="numbers"
      open=${open}
      onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}
    >
      <summary>${t("table.show")}</summary>
      ${
        open &&
        html`
          <div class="scroll" tabindex="0" role="region" aria-label=${caption}>
            <table>
              <caption>${caption}</caption>
              <thead>
                <tr>
                  <th scope="col">${t("table.when")}</th>
                  <th scope="col" class="number">${what}</th>
                  <th scope="col" class="number">${before}</th>
                  <th scope="col">${t("table.known")}</th>
                </tr>
              </thead>
              <tbody>
                ${rows.map(
                  (row) => html`
                    <tr key=${row.start} class=${row.state}>
                      <th scope="row">${row.name}</th>
                      <td class="number">${row.value === null ? "–" : quantity(row.value, unit)}</td>
                      <td class="number">${beforeInWords(row, unit)}</td>
                      <td>${stateInWords(row)}</td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
      }
    </details>`;
}
