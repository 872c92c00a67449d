/* What became of each file, in words: what was new, known, replaced, and each line left out. */
import { localOf } from "../calendar.js";
import { datasets, datasetTitle } from "../dataset.js";
import { dayName, quantity, span } from "../format.js";
import { html, useEffect, useRef } from "../html.js";
import { plural, t } from "../language.js";
import { reasonInWords } from "../reason.js";
import { useSignal } from "../signal.js";
import { clearUpload, conclusion, upload } from "../upload.js";

/** @typedef {import("../api.js").Outcome} Outcome */

/** The holes of an outcome in words; "" without any. @param {Outcome["gaps"]} gaps */
function holes(gaps) {
  if (!gaps || (Array.isArray(gaps) && !gaps.length)) return "";
  if (typeof gaps === "number") return plural("outcome.gaps", gaps);
  const first = gaps[0];
  return plural("outcome.gaps_from", gaps.length, {
    day: dayName(localOf(Date.parse(first.start)).day),
  });
}

/** @param {{one: Outcome}} props */
function Counts({ one }) {
  const gaps = holes(one.gaps);
  return html`
    <ul class="counts">
      <li class=${one.new ? "good" : ""}>${plural("outcome.new", one.new)}</li>
      ${one.same > 0 && html`<li>${plural("outcome.same", one.same)}</li>`}
      ${one.replaced > 0 && html`<li>${plural("outcome.replaced", one.replaced)}</li>`}
      ${one.rejected > 0 && html`<li class="bad">${plural("outcome.rejected", one.rejected)}</li>`}
      ${gaps && html`<li class="hole">${gaps}</li>`}
    </ul>`;
}

/** @param {{warnings: import("../api.js").Warning[]}} props */
function Warnings({ warnings }) {
  return html`
    <details open=${warnings.length <= 5}>
      <summary>${t("outcome.lines")}</summary>
      <ul class="lines">
        ${warnings.map(
          ({ line, reason }) => html`
            <li>${line > 0 ? t("outcome.line", { line, reason: reasonInWords(reason) }) : reasonInWords(reason)}</li>`,
        )}
      </ul>
    </details>`;
}

/** @param {{one: Outcome}} props */
function Imported({ one }) {
  return html`
    <div class="imported">
      <p>
        <strong>${one.dataset ? datasetTitle(one.dataset) : t("outcome.empty")}</strong>
        ${one.first && one.last && html`, ${span(one.first, one.last)}`}
        ${one.total !== null && one.total !== undefined && html`${" – "}${t("outcome.total", { total: quantity(one.total, one.unit) })}`}
      </p>
      <${Counts} one=${one} />
      ${one.warnings && one.warnings.length > 0 && html`<${Warnings} warnings=${one.warnings} />`}
    </div>`;
}

export function Outcomes() {
  const { state, results, stopped } = useSignal(upload);
  useSignal(datasets);
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (state === "done") heading.current?.focus();
  }, [state]);
  if (state !== "done") return null;
  const failed = !stopped && results.length > 0 && results.every((result) => result.problem);
  return html`
    <section class="outcomes ${failed ? "failed" : ""}" aria-labelledby="outcome-title">
      <h2 id="outcome-title" tabindex="-1" ref=${heading}>${conclusion()}</h2>
      ${results.map(
        (result) => html`
          <article>
            <h3>${result.file}</h3>
            ${result.problem && html`<p class="error">${result.problem}</p>`}
            ${result.outcomes.map((one) => html`<${Imported} one=${one} />`)}
          </article>`,
      )}
      <button type="button" onClick=${clearUpload}>${t("outcome.close")}</button>
    </section>`;
}
