/* One value as it was measured: set right by hand, with what it said before; and a period deleted for good. */
import { correct, deleteRecords, versionsOf } from "../amend.js";
import { announce } from "../announce.js";
import { addDays, instantsOf, isDay } from "../calendar.js";
import { exact, moment, parseNumber, shownUnit } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { plural, t } from "../language.js";
import { inWords } from "../problem.js";
import { importName, sourceName } from "../source.js";
import { SelectField, TextArea, TextField } from "./inputs.js";
import { Question } from "./question.js";

/** @typedef {import("../amend.js").RawRecord} RawRecord */
/** @typedef {import("../amend.js").Version} Version */

/** @type {Record<string, string>} */
const QUALITIES = {
  estimated: "quality.estimated",
  measured: "quality.measured",
  corrected: "quality.corrected",
  definitive: "quality.definitive",
};

/** @param {string} quality */
export const qualityName = (quality) => (QUALITIES[quality] ? t(QUALITIES[quality]) : quality);

/** A file and its line. @param {{file: string | null, format: string | null, line: number | null}} one */
export const origin = (one) =>
  one.line ? t("raw.line", { file: importName(one), line: one.line }) : importName(one);

/** @param {{versions: Version[], unit: string}} props */
function History({ versions, unit }) {
  return html`
    <h3>${t("correct.history")}</h3>
    <ul class="versions">
      ${versions.map(
        (one) => html`
          <li>
            <strong>${exact(one.value, unit)}</strong>${", "}${qualityName(one.quality)}
            <br />
            <span class="hint">${origin(one)}${one.at && `, ${moment(one.at)}`}</span>
          </li>`,
      )}
    </ul>`;
}

/** @param {{dataset: import("../api.js").Dataset, record: RawRecord, name: string, onClose: () => void,
 *   onDone: () => void}} props */
export function CorrectDialog({ dataset, record, name, onClose, onDone }) {
  const { factor, name: unit } = shownUnit(dataset.unit);
  const [value, setValue] = useState(exact(record.value, dataset.unit, false));
  const [note, setNote] = useState("");
  const [versions, setVersions] = useState(/** @type {Version[]} */ ([]));
  const [error, setError] = useState("");

  useEffect(() => {
    let current = true;
    versionsOf(dataset.name, record).then(
      (all) => current && setVersions(all),
      (failed) => current && setError(inWords(failed)),
    );
    return () => {
      current = false;
    };
  }, []);

  const act = async () => {
    const typed = parseNumber(value);
    if (typed === null) return t("correct.no_number");
    const stored = Math.round((typed / factor) * 1e6) / 1e6;
    const { replaced } = await correct(dataset.name, record, stored, note.trim());
    const same = note.trim() ? t("notes.saved") : t("correct.same");
    announce(replaced ? t("correct.done") : same);
    onDone();
  };
  return html`
    <${Question} title=${t("correct.title")} confirm=${t("correct.save")} act=${act} onClose=${onClose} onStale=${onDone}>
      <p>${name}</p>
      <${TextField} id="correct-value" inputmode="decimal" label=${t("correct.value", { unit })}
        value=${value} onInput=${setValue} hint=${t("correct.hint")} />
      <${TextArea} id="correct-note" rows=${2} label=${t("correct.note")} value=${note} onInput=${setNote} />
      ${error && html`<p class="error">${error}</p>`}
      ${versions.length > 0 && html`<${History} versions=${versions} unit=${dataset.unit} />`}
    <//>`;
}

/** @param {{dataset: import("../api.js").Dataset, period: import("../calendar.js").Period,
 *   sources: import("../api.js").Source[], onClose: () => void, onDone: () => void}} props */
export function DeleteDialog({ dataset, period, sources, onClose, onDone }) {
  const [from, setFrom] = useState(period.start);
  const [to, setTo] = useState(addDays(period.end, -1));
  const [source, setSource] = useState("");
  const act = async () => {
    if (!(isDay(from) && isDay(to) && from <= to)) return t("amend.bad_period");
    const { start, end } = instantsOf(from, to);
    const { removed } = await deleteRecords(dataset.name, start, end, source);
    announce(plural("delete.done", removed));
    onDone();
  };
  const options = [
    { value: "", name: t("delete.all_sources") },
    ...sources.map((one) => ({ value: String(one.id), name: sourceName(one) })),
  ];
  return html`
    <${Question} title=${t("delete.title")} confirm=${t("delete.confirm")} danger asks keep=${t("delete.keep")}
      act=${act} onClose=${onClose}>
      <p>${t("delete.lead")}</p>
      <div class="pair">
        <${TextField} id="delete-from" type="date" label=${t("amend.from")} value=${from} onInput=${setFrom} />
        <${TextField} id="delete-to" type="date" label=${t("amend.to")} value=${to} onInput=${setTo} />
      </div>
      ${
        sources.length > 1 &&
        html`
          <${SelectField} id="delete-source" label=${t("delete.source")} value=${source} options=${options}
            onInput=${setSource} />`
      }
    <//>`;
}
