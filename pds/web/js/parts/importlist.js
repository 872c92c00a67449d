/* Files that came in, each with the way to take it back. */
import { announce } from "../announce.js";
import { undoImport } from "../api.js";
import { loadDatasets } from "../dataset.js";
import { moment } from "../format.js";
import { html, useState } from "../html.js";
import { plural, t } from "../language.js";
import { inWords } from "../problem.js";
import { importName, isCorrection } from "../source.js";
import { Dialog } from "./dialog.js";

/** @typedef {import("../api.js").Import} Import */

/** @param {{one: Import, onClose: () => void, onUndone: () => void}} props */
function UndoDialog({ one, onClose, onUndone }) {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const undo = async () => {
    if (busy) return;
    setBusy(true);
    try {
      const { removed, restored } = await undoImport(one.id);
      await loadDatasets();
      const words = [];
      if (removed || !restored) words.push(plural("undo.removed", removed));
      if (restored) words.push(plural("undo.restored", restored));
      announce(words.join(" "));
      onUndone();
      onClose();
    } catch (failed) {
      setBusy(false);
      setError(inWords(failed));
    }
  };
  return html`
    <${Dialog} title=${t("undo.title")} onClose=${onClose}>
      <p>${isCorrection(one) ? t("undo.correction") : t("undo.lead", { file: importName(one) })}</p>
      ${one.file && html`<p>${t("undo.again")}</p>`}
      ${error && html`<p class="error" role="alert">${error}</p>`}
      <p class="actions">
        <button type="button" class="main" aria-disabled=${busy ? "true" : undefined} onClick=${undo}>
          ${t("undo.confirm")}
        </button>
        <button type="button" autofocus onClick=${onClose}>${t("undo.keep")}</button>
      </p>
    <//>`;
}

/** @param {Import} one */
function counts(one) {
  if (isCorrection(one)) return plural("imports.corrected", one.replaced);
  const parts = [plural("outcome.new", one.new)];
  if (one.same) parts.push(plural("outcome.same", one.same));
  if (one.replaced) parts.push(plural("outcome.replaced", one.replaced));
  if (one.rejected) parts.push(plural("outcome.rejected", one.rejected));
  return parts.join(" · ");
}

/** What there is to say of it now. @param {Import} one */
function became(one) {
  if (one.failure) return t("imports.failed");
  return one.undone_at ? t("imports.undone", { when: moment(one.undone_at) }) : counts(one);
}

/** @param {{imports: Import[], onChange: () => void}} props */
export function ImportList({ imports, onChange }) {
  const [asking, setAsking] = useState(/** @type {Import | null} */ (null));
  return html`
    <ul class="imports">
      ${imports.map(
        (one) => html`
          <li key=${one.id} class=${one.undone_at ? "undone" : ""}>
            <div>
              <p class="file">${importName(one)}</p>
              <p class="hint">${t("imports.came", { when: moment(one.at) })}</p>
              <p class="hint">
                ${became(one)}
              </p>
            </div>
            ${
              !one.undone_at &&
              html`
                <button
                  type="button"
                  aria-label="${t("imports.undo")} – ${importName(one)}"
                  onClick=${() => setAsking(one)}
                >${t("imports.undo")}</button>`
            }
          </li>`,
      )}
    </ul>
    ${asking && html`<${UndoDialog} one=${asking} onClose=${() => setAsking(null)} onUndone=${onChange} />`}`;
}
