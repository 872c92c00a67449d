/* The line under the chart that says the bar looked at, and leads into it. */
import { html } from "../html.js";
import { t } from "../language.js";

/** @param {{slot: import("./chart.js").NamedSlot | undefined, onOpen: (() => void) | null}} props */
export function Readout({ slot, onOpen }) {
  return html`
    <div class="readout">
      <p>${slot ? slot.words : t("readout.hint")}</p>
      ${slot && onOpen && html`<button type="button" class="quiet" onClick=${onOpen}>${t("readout.open")}</button>`}
    </div>`;
}
