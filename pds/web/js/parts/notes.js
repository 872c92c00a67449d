/* Notes beside a period of a dataset: read, added, changed, deleted. */
import { addNote, changeNote, deleteNote } from "../amend.js";
import { announce } from "../announce.js";
import { addDays, instantsOf, isDay } from "../calendar.js";
import { span } from "../format.js";
import { html, useState } from "../html.js";
import { t } from "../language.js";
import { TextArea, TextField } from "./inputs.js";
import { Question } from "./question.js";
import { useRefocus } from "./refocus.js";

/** @typedef {import("../amend.js").Note} Note */

/** @param {{dataset: string, period: import("../calendar.js").Period, note: Note | null,
 *   onClose: () => void, onDone: () => void}} props */
function NoteDialog({ dataset, period, note, onClose, onDone }) {
  const [text, setText] = useState(note?.text ?? "");
  const [from, setFrom] = useState(period.start);
  const [to, setTo] = useState(addDays(period.end, -1));
  const act = async () => {
    if (!text.trim()) return t("notes.empty");
    if (!note && !(isDay(from) && isDay(to) && from <= to)) return t("amend.bad_period");
    if (note) await changeNote(note, text.trim());
    else {
      const { start, end } = instantsOf(from, to);
      await addNote(dataset, start, end, text.trim());
    }
    announce(t("notes.saved"));
    onDone();
  };
  return html`
    <${Question} title=${note ? t("notes.change") : t("notes.add")} confirm=${t("notes.save")}
      act=${act} onClose=${onClose} onStale=${onDone}>
      <${TextArea} id="note-text" label=${t("notes.text")} value=${text} onInput=${setText} />
      ${
        !note &&
        html`
          <div class="pair">
            <${TextField} id="note-from" type="date" label=${t("amend.from")} value=${from} onInput=${setFrom} />
            <${TextField} id="note-to" type="date" label=${t("amend.to")} value=${to} onInput=${setTo} />
          </div>`
      }
    <//>`;
}

/** @param {{note: Note, onClose: () => void, onDone: () => void}} props */
function DeleteNote({ note, onClose, onDone }) {
  const act = async () => {
    await deleteNote(note);
    announce(t("notes.deleted"));
    onDone();
  };
  return html`
    <${Question} title=${t("notes.delete_title")} confirm=${t("notes.delete_confirm")} danger act=${act}
      onClose=${onClose} onStale=${onDone}>
      <p class="quote">${note.text}</p>
    <//>`;
}

/** Where a note lies, in days. @param {Note} note */
const when = ({ start, end }) =>
  span(start, start === end ? new Date(Date.parse(start) + 1000).toISOString() : end);

/** @param {{dataset: string, period: import("../calendar.js").Period, notes: Note[],
 *   onChange: () => void}} props */
export function Notes({ dataset, period, notes, onChange }) {
  const title = useRefocus(notes.length);
  const [editing, setEditing] = useState(/** @type {Note | null | undefined} */ (undefined));
  const [deleting, setDeleting] = useState(/** @type {Note | null} */ (null));
  return html`
    <section class="notes" aria-labelledby="notes-title">
      <h2 id="notes-title" tabindex="-1" ref=${title}>${t("notes.title")}</h2>
      ${!notes.length && html`<p class="hint">${t("notes.none")}</p>`}
      <ul class="sources" hidden=${!notes.length}>
        ${notes.map(
          (note) => html`
            <li key=${note.id}>
              <div>
                <p class="quote">${note.text}</p>
                <p class="hint">${when(note)}</p>
              </div>
              <div class="few">
                <button type="button" aria-label="${t("notes.edit")} – ${note.text.slice(0, 40)}"
                  onClick=${() => setEditing(note)}>${t("notes.edit")}</button>
                <button type="button" aria-label="${t("notes.delete")} – ${note.text.slice(0, 40)}"
                  onClick=${() => setDeleting(note)}>${t("notes.delete")}</button>
              </div>
            </li>`,
        )}
      </ul>
      <button type="button" onClick=${() => setEditing(null)}>${t("notes.add")}…</button>
      ${
        editing !== undefined &&
        html`
          <${NoteDialog} dataset=${dataset} period=${period} note=${editing}
            onClose=${() => setEditing(undefined)} onDone=${onChange} />`
      }
      ${
        deleting &&
        html`
          <${DeleteNote} note=${deleting} onDone=${onChange} onClose=${() => setDeleting(null)} />`
      }
    </section>`;
}
