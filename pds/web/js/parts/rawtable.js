/* The records of a day or a week as they came in: from which file and line, and the way to set one right. */
import { rawRecords } from "../amend.js";
import * as api from "../api.js";
import { addDays, instantsOf } from "../calendar.js";
import { bucketName, exact, hoursName, moment } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { t } from "../language.js";
import { inWords } from "../problem.js";
import { sourceName } from "../source.js";
import { CorrectDialog, DeleteDialog, origin, qualityName } from "./correct.js";

/** @typedef {import("../amend.js").RawRecord} RawRecord */

const HOUR_MS = 3_600_000;

/** What a record covers, in words. @param {RawRecord} record */
function nameOf({ start, end }) {
  if (start === end) return moment(start);
  const bucket = { start: Date.parse(start), end: Date.parse(end), key: "" };
  const length = bucket.end - bucket.start;
  return bucketName(bucket, length > 2 * HOUR_MS ? "P1D" : "PT1H");
}

/** The same under a caption that tells the day. @param {RawRecord} record @param {boolean} oneDay */
function shortName(record, oneDay) {
  const [start, end] = [Date.parse(record.start), Date.parse(record.end)];
  return oneDay && end > start && end - start <= 2 * HOUR_MS
    ? hoursName(start, end)
    : nameOf(record);
}

/** @param {{dataset: api.Dataset, rows: RawRecord[], oneDay: boolean, sources: api.Source[], imports: api.Import[],
 *   caption: string, onCorrect: (record: RawRecord) => void}} props */
function Table({ dataset, rows, oneDay, sources, imports, caption, onCorrect }) {
  const several = new Set(rows.map(({ source }) => source)).size > 1;
  /** @param {RawRecord} row */
  const from = (row) => {
    const one = imports.find(({ id }) => id === row.import);
    return origin({ file: one?.file ?? null, format: one?.format ?? null, line: row.line });
  };
  /** @param {number} id */
  const named = (id) => {
    const one = sources.find((source) => source.id === id);
    return one ? sourceName(one) : String(id);
  };
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label=${caption}>
      <table class="acted">
        <caption>${caption}</caption>
        <thead>
          <tr>
            <th scope="col">${t("table.when")}</th>
            <th scope="col" class="number">${t("raw.value")}</th>
            <th scope="col">${t("raw.quality")}</th>
            ${several && html`<th scope="col">${t("raw.source")}</th>`}
            <th scope="col">${t("raw.from")}</th>
            <th scope="col"><span class="unseen">${t("raw.action")}</span></th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) => html`
              <tr key=${`${row.start} ${row.end}`} class=${row.quality}>
                <th scope="row">${shortName(row, oneDay)}</th>
                <td class="number">${exact(row.value, dataset.unit)}</td>
                <td>${qualityName(row.quality)}</td>
                ${several && html`<td>${named(row.source)}</td>`}
                <td>${from(row)}</td>
                <td>
                  <button type="button" class="small" aria-label="${t("raw.correct")} – ${nameOf(row)}"
                    onClick=${() => onCorrect(row)}>${t("raw.correct")}</button>
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

/** @param {{dataset: api.Dataset, period: import("../calendar.js").Period, caption: string,
 *   onChange: () => void}} props */
export function RawTable({ dataset, period, caption, onChange }) {
  const [open, setOpen] = useState(false);
  const [rows, setRows] = useState(/** @type {RawRecord[] | null} */ (null));
  const [cut, setCut] = useState(false);
  const [sources, setSources] = useState(/** @type {api.Source[]} */ ([]));
  const [imports, setImports] = useState(/** @type {api.Import[]} */ ([]));
  const [correcting, setCorrecting] = useState(/** @type {RawRecord | null} */ (null));
  const [deleting, setDeleting] = useState(false);
  const [error, setError] = useState("");
  const [turn, setTurn] = useState(0);
  const near = period.kind === "day" || period.kind === "week";

  useEffect(() => {
    if (!open) return;
    let current = true;
    const { start, end } = instantsOf(period.start, addDays(period.end, -1));
    Promise.all([
      near ? rawRecords(dataset.name, start, end) : { records: [], next: null },
      api.sources(),
      near ? api.imports("", "1000") : { imports: [] },
    ]).then(
      ([raw, origins, list]) => {
        if (!current) return;
        setRows(raw.records);
        setCut(raw.next !== null);
        setSources(origins.sources);
        setImports(list.imports);
        setError("");
      },
      (failed) => current && setError(inWords(failed)),
    );
    return () => {
      current = false;
    };
  }, [open, dataset.name, dataset.records, period.kind, period.start, turn]);

  const done = () => {
    setTurn(turn + 1);
    onChange();
  };
  return html`
    <details class="numbers" open=${open} onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
      <summary>${t("raw.show")}</summary>
      ${error && html`<p class="error" role="alert">${error}</p>`}
      ${open && !near && html`<p class="hint">${t("raw.nearer")}</p>`}
      ${open && near && rows && !rows.length && html`<p class="hint">${t("raw.none")}</p>`}
      ${
        open &&
        rows &&
        rows.length > 0 &&
        html`
          <${Table} dataset=${dataset} rows=${rows} oneDay=${period.kind === "day"} sources=${sources} imports=${imports} caption=${caption}
            onCorrect=${setCorrecting} />`
      }
      ${open && cut && rows && html`<p class="hint">${t("raw.first", { n: rows.length })}</p>`}
      ${open && html`<p><button type="button" onClick=${() => setDeleting(true)}>${t("raw.delete")}</button></p>`}
      ${
        correcting &&
        html`
          <${CorrectDialog} dataset=${dataset} record=${correcting} name=${nameOf(correcting)}
            onClose=${() => setCorrecting(null)} onDone=${done} />`
      }
      ${
        deleting &&
        html`
          <${DeleteDialog} dataset=${dataset} period=${period} sources=${sources}
            onClose=${() => setDeleting(false)} onDone=${done} />`
      }
    </details>`;
}
