/* The form of what is told of a document: for a new one with its file, or for one that is there. */
import { announce } from "../announce.js";
import { isDay } from "../calendar.js";
import { percent } from "../format.js";
import { html, useState } from "../html.js";
import { t } from "../language.js";
import * as papers from "../papers.js";
import { useSignal } from "../signal.js";
import { SelectField, TextArea, TextField } from "./inputs.js";
import { Question } from "./question.js";

/** @typedef {{kind: string, title: string, number: string, issuer: string, issued: string, expires: string,
 *   tags: string, note: string}} Typed */

/** @param {string} name of a file */
const titleOf = (name) => name.replace(/\.[^.]{1,5}$/, "").replaceAll("_", " ");

/** @param {File | null} file @param {papers.Paper | null} paper @returns {Typed} */
function begin(file, paper) {
  return {
    kind: paper?.kind ?? "other",
    title: paper?.title ?? titleOf(file?.name ?? ""),
    number: paper?.number ?? "",
    issuer: paper?.issuer ?? "",
    issued: paper?.issued ?? "",
    expires: paper?.expires ?? "",
    tags: (paper?.tags ?? []).join(", "),
    note: paper?.note ?? "",
  };
}

/** What is typed as the program takes it; of a kind that was changed, its own reminder.
 * @param {Typed} typed @param {papers.Paper | null} paper */
function factsOf(typed, paper) {
  const tags = typed.tags.split(",").map((tag) => tag.trim());
  const facts = {
    ...typed,
    title: typed.title.trim(),
    tags: [...new Set(tags.filter(Boolean))],
  };
  const kind = papers.kinds.value.find((one) => one.name === typed.kind);
  return paper && kind && paper.kind !== typed.kind
    ? { ...facts, remind_days: kind.remind_days }
    : facts;
}

/** @param {Typed} typed */
function mistakeIn({ title, issued, expires }) {
  if (!title.trim()) return t("paper.no_title");
  for (const day of [issued, expires]) if (day && !isDay(day)) return t("paper.no_day");
  return issued && expires && expires < issued ? t("paper.days_turned") : "";
}

/** @param {{file: File | null, paper: papers.Paper | null, onClose: () => void,
 *   onDone: (id: string) => void}} props */
export function PaperForm({ file, paper, onClose, onDone }) {
  const kinds = useSignal(papers.kinds);
  const [typed, setTyped] = useState(() => begin(file, paper));
  const [share, setShare] = useState(0);
  /** @param {keyof Typed} name */
  const on = (name) => (/** @type {string} */ value) => setTyped({ ...typed, [name]: value });
  const act = async () => {
    const mistake = mistakeIn(typed);
    if (mistake) return mistake;
    const facts = factsOf(typed, paper);
    if (paper) await papers.changePaper(paper, facts);
    const id = paper
      ? paper.id
      : (await papers.addPaper(/** @type {File} */ (file), facts, setShare)).id;
    announce(paper ? t("paper.changed") : t("paper.added", { title: facts.title }));
    onDone(id);
  };
  const options = kinds.map(({ name }) => ({ value: name, name: papers.kindName(name) }));
  return html`
    <${Question} title=${paper ? t("paper.change") : t("paper.add")} confirm=${t("paper.save")}
      busy=${share > 0 && share < 1 ? t("paper.sending", { share: percent(share) }) : t("paper.saving")}
      act=${act} onClose=${onClose} onStale=${paper && (() => onDone(paper.id))}>
      ${file && html`<p class="file">${file.name}</p>`}
      <${TextField} id="paper-title" label=${t("paper.title")} value=${typed.title} onInput=${on("title")} required />
      <${SelectField} id="paper-kind" label=${t("paper.kind")} value=${typed.kind} options=${options}
        onInput=${on("kind")} />
      <div class="pair">
        <${TextField} id="paper-issued" type="date" label=${t("paper.issued")} value=${typed.issued}
          onInput=${on("issued")} />
        <${TextField} id="paper-expires" type="date" label=${t("paper.expires")} value=${typed.expires}
          onInput=${on("expires")} />
      </div>
      <div class="pair">
        <${TextField} id="paper-number" label=${t("paper.number")} value=${typed.number} onInput=${on("number")} />
        <${TextField} id="paper-issuer" label=${t("paper.issuer")} value=${typed.issuer} onInput=${on("issuer")} />
      </div>
      <${TextField} id="paper-tags" label=${t("paper.tags")} hint=${t("paper.tags_hint")} value=${typed.tags}
        onInput=${on("tags")} />
      <${TextArea} id="paper-note" label=${t("paper.note")} rows=${2} value=${typed.note} onInput=${on("note")} />
    <//>`;
}
