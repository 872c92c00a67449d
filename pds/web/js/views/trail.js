/* The trail in plain words: what happened, when, by whom; and whether its past is still what it was. */
import { announce } from "../announce.js";
import { instantsOf, isDay } from "../calendar.js";
import { datasets, loadDatasets } from "../dataset.js";
import { moment } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { plural, t } from "../language.js";
import { SelectField, TextField } from "../parts/inputs.js";
import { inWords } from "../problem.js";
import { save } from "../save.js";
import { useSignal } from "../signal.js";
import * as trail from "../trail.js";

/** `goes`: whether the trail goes on from what this browser saw last; null while it is not known, or never saw any.
 * @typedef {{note: string, seen: trail.Seen | null, goes: boolean | null}} Proof */

/** @param {{proof: Proof}} props */
function Checkpoint({ proof: { note, seen, goes } }) {
  const size = trail.sizeOf(note);
  const keep = () => {
    save(new Blob([note], { type: "text/plain" }), `traboule-${t("journal.file")}-${size}.txt`);
    announce(t("journal.kept"));
  };
  return html`
    <section class="card" aria-labelledby="proof-title">
      <h2 id="proof-title">${t("journal.proof")}</h2>
      <p>${plural("journal.size", size)}</p>
      ${!seen && html`<p class="hint">${t("journal.first_time")}</p>`}
      ${seen && goes && html`<p class="good">${t("journal.goes_on", { when: moment(seen.at) })}</p>`}
      ${
        seen &&
        goes === false &&
        html`
          <div class="damage" role="alert">
            <p><strong>${t("journal.broken")}</strong></p>
            <p>${t("journal.broken_todo", { when: moment(seen.at) })}</p>
          </div>`
      }
      <p class="hint">${t("journal.keep_hint")}</p>
      <button type="button" onClick=${keep}>${t("journal.keep")}</button>
    </section>`;
}

/** @param {{entry: trail.Entry}} props */
function Line({ entry }) {
  const subject = trail.subjectInWords(entry);
  return html`
    <li class=${entry.kind === null ? "blank" : ""}>
      <div>
        <p><strong>${trail.kindInWords(entry)}</strong>${subject && html`${" – "}${subject}`}</p>
        <p class="hint">
          <time datetime=${entry.time}>${moment(entry.time)}</time>
          ${entry.who && html`${" · "}${trail.whoInWords(entry.who)}`}
          ${" · "}${t("journal.number", { n: entry.index })}
        </p>
      </div>
    </li>`;
}

/** @param {{wanted: {kind: string, from: string, to: string}, onChange: (change: any) => void}} props */
function Filter({ wanted, onChange }) {
  const options = [{ value: "", name: t("journal.all_kinds") }, ...trail.kinds()];
  return html`
    <form class="filter" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <${SelectField} id="trail-kind" label=${t("journal.kind")} value=${wanted.kind} options=${options}
        onInput=${(/** @type {string} */ kind) => onChange({ kind })} />
      <${TextField} id="trail-from" type="date" label=${t("amend.from")} value=${wanted.from}
        onInput=${(/** @type {string} */ from) => onChange({ from })} />
      <${TextField} id="trail-to" type="date" label=${t("amend.to")} value=${wanted.to}
        onInput=${(/** @type {string} */ to) => onChange({ to })} />
    </form>`;
}

/** Days of the filter as instants; what is no day limits nothing. @param {{from: string, to: string}} wanted */
const limits = ({ from, to }) => ({
  from: isDay(from) ? instantsOf(from, from).start : "",
  to: isDay(to) ? instantsOf(to, to).end : "",
});

/** What is to be told of the trail's past; then this browser remembers the trail as it is now. */
async function prove() {
  const note = await trail.checkpoint();
  const seen = trail.lastSeen();
  const goes = seen ? await trail.goesOn(seen.note) : null;
  if (goes !== false) trail.remember(note);
  return { note, seen, goes };
}

export function TrailView() {
  useSignal(datasets); // lines name them by their titles
  const [wanted, setWanted] = useState({ kind: "", from: "", to: "" });
  const [list, setList] = useState(/** @type {trail.Entry[] | null} */ (null));
  const [next, setNext] = useState(/** @type {string | null} */ (null));
  const [proof, setProof] = useState(/** @type {Proof | null} */ (null));
  const [error, setError] = useState("");

  useEffect(() => {
    Promise.all([prove(), loadDatasets()]).then(
      ([proved]) => setProof(proved),
      (failed) => setError(inWords(failed)),
    );
  }, []);

  useEffect(() => {
    let current = true;
    trail.entries({ ...wanted, ...limits(wanted) }).then(
      (answer) => {
        if (!current) return;
        setList(answer.entries);
        setNext(answer.next);
        setError("");
      },
      (failed) => current && setError(inWords(failed)),
    );
    return () => {
      current = false;
    };
  }, [wanted]);

  const more = async () => {
    try {
      const answer = await trail.entries({ ...wanted, ...limits(wanted), cursor: String(next) });
      setList([...(list ?? []), ...answer.entries]);
      setNext(answer.next);
    } catch (failed) {
      setError(inWords(failed));
    }
  };

  return html`
    <h1 tabindex="-1">${t("journal.title")}</h1>
    <p class="lead">${t("journal.lead")}</p>
    ${error && html`<p class="error" role="alert">${error}</p>`}
    ${proof && html`<${Checkpoint} proof=${proof} />`}
    <section aria-labelledby="lines-title">
      <h2 id="lines-title">${t("journal.lines")}</h2>
      <${Filter} wanted=${wanted} onChange=${(/** @type {any} */ change) => setWanted({ ...wanted, ...change })} />
      ${list && !list.length && html`<p>${t("journal.none")}</p>`}
      ${
        list &&
        list.length > 0 &&
        html`
          <ul class="imports">${list.map((entry) => html`<${Line} key=${entry.index} entry=${entry} />`)}</ul>`
      }
      ${next && html`<button type="button" onClick=${more}>${t("imports.more")}</button>`}
    </section>`;
}
